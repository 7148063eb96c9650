/* SPDX-License-Identifier: MIT */
/* shed.c - a level between all and nothing, moved once an interval.
 *
 * The level is one word in 1/65536 of a priority: with level 2.25 priorities 0
 * and 1 pass whole, of 2 every fourth, of 3 none.
 *
 *     [ 0 |  1 |  2 ^ |  3 ]     ^ level
 *
 * I1: a request of a priority that passes in part is the k-th of it; it passes
 *     if floor((k + 1) * part) > floor(k * part), so of any m in a row
 *     m * part pass, up to one.
 * I2: 0 < level <= priorities.
 *
 * Counts only grow, in 8 rows by thread; who adds up keeps what they were at
 * the last interval's end. */
#include "guard/shed_internal.h"

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/probe.h"
#include "core/thread.h"

#define TARGET_NS_DEFAULT   INT64_C(5000000)
#define INTERVAL_NS_DEFAULT INT64_C(100000000)

enum {
    ROWS = GIRT__SHED_ROWS,
    ONE = GIRT__SHED_ONE,
    LINE_WORDS = GIRT_CACHELINE / 8
};

static girt_status options_check(const girt_shed_options *o)
{
    if (!girt__options_are_valid(o->name, o->metrics, o->reserved) ||
        o->target_ns < 0 || o->interval_ns < 0)
        return GIRT_E_INVALID;
    return o->priorities > GIRT_SHED_PRIORITIES_MAX ? GIRT_E_TOO_LARGE
                                                    : GIRT_OK;
}

girt_status girt_shed_create(girt_shed **out, const girt_shed_options *options)
{
    static const girt_shed_options defaults;
    if (out == NULL)
        return GIRT_E_INVALID;
    if (options == NULL)
        options = &defaults;
    girt_allocator allocator;
    girt_status status = options_check(options);
    if (status == GIRT_OK)
        status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    girt_shed *const shed =
        girt__allocate_zeroed(&allocator, sizeof *shed, _Alignof(girt_shed));
    if (shed == NULL)
        return GIRT_E_NOMEM;
    status = GIRT_E_NOMEM;
    shed->allocator = allocator;
    shed->priorities = options->priorities == 0 ? 1 : options->priorities;
    shed->row_words = shed->priorities / LINE_WORDS * LINE_WORDS + LINE_WORDS;
    shed->words = shed->row_words * (ROWS + 1);
    shed->rows = girt__allocate_zeroed(
        &allocator, shed->words * sizeof *shed->rows, GIRT_CACHELINE);
    if (shed->rows == NULL)
        goto fail_rows;
    if (pthread_mutex_init(&shed->mutex, NULL) != 0)
        goto fail_mutex;
    shed->last = shed->rows + shed->row_words * ROWS;
    shed->target_ns =
        options->target_ns == 0 ? TARGET_NS_DEFAULT : options->target_ns;
    shed->interval_ns =
        options->interval_ns == 0 ? INTERVAL_NS_DEFAULT : options->interval_ns;
    shed->clock = girt__guard_clock(&options->clock, shed->interval_ns);
    shed->level = (uint64_t)shed->priorities * ONE;
    shed->ends_ns =
        girt__guard_later(girt__clock_now(&shed->clock), shed->interval_ns);
    shed->least_ns = INT64_MAX;
    status = girt__shed_report(shed, options);
    if (status != GIRT_OK)
        goto fail_report;
    *out = shed;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&shed->mutex);
fail_mutex:
    girt__release(&allocator, shed->rows, shed->words * sizeof *shed->rows);
fail_rows:
    girt__release(&allocator, shed, sizeof *shed);
    return status;
}

void girt_shed_destroy(girt_shed *shed)
{
    if (shed == NULL)
        return;
    girt__report_destroy(shed->report);
    girt_allocator const allocator = shed->allocator;
    (void)pthread_mutex_destroy(&shed->mutex);
    girt__release(&allocator, shed->rows, shed->words * sizeof *shed->rows);
    girt__release(&allocator, shed, sizeof *shed);
}

/* What a column has grown by since the last interval's end. */
static uint64_t grown(girt_shed *shed, size_t column)
{
    uint64_t sum = 0;
    /* Relaxed: a request that comes just now counts in the next interval. */
    for (size_t row = 0; row < ROWS; row++)
        sum += girt_load_relaxed(&shed->rows[row * shed->row_words + column]);
    uint64_t const growth = sum - shed->last[column];
    shed->last[column] = sum;
    return growth;
}

/* The level at which `goal` of those that came pass. */
static uint64_t level_for(const uint64_t *came, unsigned priorities,
                          double goal)
{
    for (unsigned p = 0; p < priorities; p++) {
        if (goal < (double)came[p]) {
            uint64_t const part = (uint64_t)(goal / (double)came[p] * ONE);
            return (uint64_t)p * ONE + part;
        }
        goal -= (double)came[p];
    }
    return (uint64_t)priorities * ONE;
}

static uint64_t next_level(girt_shed *shed, bool overloaded, bool idle)
{
    uint64_t came[GIRT_SHED_PRIORITIES_MAX], all = 0;
    for (unsigned p = 0; p < shed->priorities; p++)
        all += came[p] = grown(shed, p);
    uint64_t const admitted = grown(shed, shed->priorities);
    uint64_t const whole = (uint64_t)shed->priorities * ONE;
    uint64_t level = girt_load_relaxed(&shed->level);
    if (idle || (all == 0 && !overloaded))
        return whole;
    if (all == 0) { /* nobody came, but what is inside still waits */
        level = level / 20 * 19;
    } else {
        double goal = (double)admitted * (overloaded ? 0.95 : 1.01);
        if (!overloaded && goal < (double)admitted + 1)
            goal = (double)admitted + 1;
        level = level_for(came, shed->priorities, goal < 1 ? 1 : goal);
    }
    return level == 0 ? 1 : level;
}

/* Adds the interval up, unless another thread is at it. */
static __attribute__((noinline)) void end_interval(girt_shed *shed,
                                                   int64_t now_ns)
{
    if (pthread_mutex_trylock(&shed->mutex) != 0)
        return;
    int64_t const ends_ns = girt_load_relaxed(&shed->ends_ns);
    if (now_ns >= ends_ns) {
        int64_t const least_ns = girt_swap_relaxed(&shed->least_ns, INT64_MAX);
        bool const overloaded =
            least_ns != INT64_MAX && least_ns > shed->target_ns;
        bool const idle =
            now_ns >= girt__guard_later(ends_ns, shed->interval_ns);
        girt_store_relaxed(&shed->level, next_level(shed, overloaded, idle));
        girt_store_relaxed(&shed->ends_ns,
                           girt__guard_later(now_ns, shed->interval_ns));
    }
    (void)pthread_mutex_unlock(&shed->mutex);
}

static void look_at_clock(girt_shed *shed)
{
    int64_t const now_ns = girt__clock_now(&shed->clock);
    /* Relaxed: level and counts publish nothing but themselves. */
    if (girt_unlikely(now_ns >= girt_load_relaxed(&shed->ends_ns)))
        end_interval(shed, now_ns);
}

/* I1, for the priority that passes in part. */
static bool passes_in_part(girt_shed *shed, uint64_t part)
{
    uint64_t const k = girt_add_relaxed(&shed->turn, 1) % ONE;
    return (k + 1) * part / ONE > k * part / ONE;
}

girt_status girt_shed_admit(girt_shed *shed, unsigned priority)
{
    if (shed == NULL || priority >= shed->priorities)
        return GIRT_E_INVALID;
    look_at_clock(shed);
    uint64_t *const row =
        &shed->rows[girt__thread_index() % ROWS * shed->row_words];
    uint64_t const level = girt_load_relaxed(&shed->level);
    uint64_t const least = (uint64_t)priority * ONE;
    (void)girt_add_relaxed(&row[priority], 1);
    bool const passes = level >= least + ONE ||
                        (level > least && passes_in_part(shed, level - least));
    if (!passes) {
        girt__report_count(shed->report, GIRT__SHED_REJECTED, 1);
        girt_probe2(shed_reject, shed, priority);
        return GIRT_REJECTED;
    }
    (void)girt_add_relaxed(&row[shed->priorities], 1);
    return GIRT_OK;
}

void girt_shed_observe(girt_shed *shed, int64_t queued_ns)
{
    if (shed == NULL)
        return;
    look_at_clock(shed);
    int64_t wait_ns = queued_ns < 0 ? 0 : queued_ns;
    if (wait_ns == INT64_MAX) /* says that none was told */
        wait_ns--;
    int64_t least_ns = girt_load_relaxed(&shed->least_ns);
    /* A round fails only if another wait was told. */
    while (wait_ns < least_ns &&
           !girt_cas_relaxed(&shed->least_ns, &least_ns, wait_ns))
        continue;
}
