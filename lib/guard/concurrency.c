/* SPDX-License-Identifier: MIT */
/* concurrency.c - places whose number moves; how it moves is estimate.c's.
 *
 * I1 (of girt/concurrency.h): on_the_way grows only by a compare-and-swap from
 *     a value below the limit that was just read.
 * A permit's generation is the number of calls on their way at its enter, 1 and
 * up, which its sample needs; 0 is no permit. */
#include "guard/concurrency_internal.h"

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/probe.h"
#include "core/random.h"

typedef struct bounds {
    uint64_t initial, min, max;
} bounds;

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static girt_status options_check(const girt_concurrency_options *o, bounds *b)
{
    if (!girt__options_are_valid(o->name, o->metrics, o->reserved) ||
        (o->kind != GIRT_CONCURRENCY_GRADIENT2 &&
         o->kind != GIRT_CONCURRENCY_VEGAS && o->kind != GIRT_CONCURRENCY_AIMD))
        return GIRT_E_INVALID;
    if (o->initial > GIRT_CONCURRENCY_MAX || o->min > GIRT_CONCURRENCY_MAX ||
        o->max > GIRT_CONCURRENCY_MAX)
        return GIRT_E_TOO_LARGE;
    b->max = o->max != 0 ? o->max : most(200, most(o->initial, o->min));
    b->min = o->min;
    if (b->min == 0)
        b->min =
            least(20, o->initial != 0 ? least(o->initial, b->max) : b->max);
    b->initial = o->initial != 0 ? o->initial : most(b->min, least(20, b->max));
    if (b->min > b->initial || b->initial > b->max)
        return GIRT_E_INVALID;
    return GIRT_OK;
}

girt_status girt_concurrency_create(girt_concurrency **out,
                                    const girt_concurrency_options *options)
{
    static const girt_concurrency_options defaults;
    if (out == NULL)
        return GIRT_E_INVALID;
    if (options == NULL)
        options = &defaults;
    girt_allocator allocator;
    bounds b;
    girt_status status = options_check(options, &b);
    if (status == GIRT_OK)
        status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    girt_concurrency *const limit = girt__allocate_zeroed(
        &allocator, sizeof *limit, _Alignof(girt_concurrency));
    if (limit == NULL)
        return GIRT_E_NOMEM;
    status = GIRT_E_NOMEM;
    if (pthread_mutex_init(&limit->mutex, NULL) != 0)
        goto fail_mutex;
    limit->allocator = allocator;
    limit->clock = girt__clock_resolve(&options->clock);
    limit->limit = b.initial;
    girt__estimate_init(&limit->estimate, options->kind, b.initial, b.min,
                        b.max, girt__random_seed());
    status = girt__concurrency_report(limit, options);
    if (status != GIRT_OK)
        goto fail_report;
    *out = limit;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&limit->mutex);
fail_mutex:
    girt__release(&allocator, limit, sizeof *limit);
    return status;
}

void girt_concurrency_destroy(girt_concurrency *limit)
{
    if (limit == NULL)
        return;
    girt__report_destroy(limit->report);
    girt_allocator const allocator = limit->allocator;
    (void)pthread_mutex_destroy(&limit->mutex);
    girt__release(&allocator, limit, sizeof *limit);
}

girt_status girt_concurrency_enter(girt_concurrency *limit, girt_permit *permit)
{
    if (girt_unlikely(limit == NULL || permit == NULL))
        return GIRT_E_INVALID;
    uint64_t before = girt_load_relaxed(&limit->on_the_way);
    /* A round fails only if another caller came or went.  Relaxed: the limit
     * publishes nothing but itself. */
    while (before < girt_load_relaxed(&limit->limit)) {
        /* C2 <- C1 */
        if (girt_cas_acquire(&limit->on_the_way, &before, before + 1)) {
            permit->generation = before + 1;
            permit->start_ns = girt__clock_now(&limit->clock);
            return GIRT_OK;
        }
    }
    *permit = (girt_permit){0, 0};
    girt__report_count(limit->report, GIRT__CONCURRENCY_REJECTED, 1);
    girt_probe1(concurrency_reject, limit);
    return GIRT_REJECTED;
}

void girt_concurrency_leave(girt_concurrency *limit, girt_permit *permit,
                            girt_outcome outcome)
{
    if (girt_unlikely(limit == NULL || permit == NULL))
        return;
    girt__sample sample = {.on_the_way = permit->generation,
                           .dropped = outcome == GIRT_FAILURE};
    int64_t const start_ns = permit->start_ns;
    permit->generation = 0;
    permit->start_ns = 0;
    if (sample.on_the_way == 0)
        return;
    /* C1 -> C2 */
    uint64_t const before = girt_sub_release(&limit->on_the_way, 1);
    girt_require(before != 0);
    (void)before;
    girt__report_count(limit->report,
                       GIRT__CONCURRENCY_LEFT + girt__guard_outcome(outcome),
                       1);
    if (outcome == GIRT_FAILURE) {
        (void)pthread_mutex_lock(&limit->mutex);
    } else {
        if (outcome != GIRT_SUCCESS)
            return;
        int64_t const took_ns = girt__clock_now(&limit->clock) - start_ns;
        sample.took_ns = took_ns < 1 ? 1 : (double)took_ns;
        if (pthread_mutex_trylock(&limit->mutex) != 0)
            return; /* one of many */
    }
    girt__estimate_add(&limit->estimate, &sample);
    uint64_t const now = (uint64_t)limit->estimate.limit;
    if (now != girt_load_relaxed(&limit->limit))
        girt_store_relaxed(&limit->limit, now);
    (void)pthread_mutex_unlock(&limit->mutex);
}

uint64_t girt_concurrency_limit(const girt_concurrency *limit)
{
    return limit == NULL ? 0 : girt_load_relaxed(&limit->limit);
}
