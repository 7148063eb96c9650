/* SPDX-License-Identifier: MIT */
/* keyed_limiter.c - keys and times outside, hashes and marks inside
 * (keyed_table.c, gcra_internal.h).
 *
 * The base of all marks is the time of the first call and never moves, because
 * millions of marks could not move with it.  The line is therefore coarser than
 * a limiter's: at most 4 marks a nanosecond, exact for limits that are 1 or 2
 * in lowest terms (1000 a second is 1 a million ns), and else at most half a
 * nanosecond late after a rest, never early, and the rate is exact. */
#include <girt/keyed_limiter.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/options.h"
#include "core/probe.h"
#include "limiter/keyed_internal.h"
#include "limiter/keyed_slots.h"
#include "limiter/keyed_take.h"

enum { MARKS_PER_NS = 4 };

girt_status girt__keyed_options_check(const girt_keyed_limiter_options *options,
                                      girt__gcra *gcra)
{
    if (!girt__options_are_valid(options->name, options->metrics,
                                 options->reserved) ||
        options->keys == 0)
        return GIRT_E_INVALID;
    /* GIRT_OK is the zero of an option that was not set: refuse then too. */
    if (options->when_full != GIRT_OK &&
        (options->when_full != GIRT_LIMITED || options->admit_when_full))
        return GIRT_E_INVALID;
    return girt__gcra_set(gcra, &options->rate, MARKS_PER_NS,
                          2 * GIRT__MARK_TIME);
}

girt_status girt_keyed_limiter_create(girt_keyed_limiter **out,
                                      const girt_keyed_limiter_options *options)
{
    if (out == NULL || options == NULL)
        return GIRT_E_INVALID;
    girt__gcra gcra;
    girt_allocator allocator;
    girt_status status = girt__keyed_options_check(options, &gcra);
    if (status == GIRT_OK)
        status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    if (options->keys > KEYS_MAX)
        return GIRT_E_TOO_LARGE;
    girt_keyed_limiter *const limiter = girt__allocate_zeroed(
        &allocator, sizeof *limiter, _Alignof(girt_keyed_limiter));
    if (limiter == NULL)
        return GIRT_E_NOMEM;
    status =
        girt__keyed_table_create(&limiter->table, options->keys, &allocator);
    if (status != GIRT_OK) {
        girt__release(&allocator, limiter, sizeof *limiter);
        return status;
    }
    limiter->gcra = gcra;
    limiter->gcra.base_ns = 0;
    limiter->base_ns = NO_BASE;
    limiter->easy_burst = 0;
    girt__hash_key_init(&limiter->hash_key, 0);
    limiter->clock = girt__clock_resolve(&options->clock);
    limiter->when_full = options->admit_when_full ? GIRT_OK : GIRT_LIMITED;
    limiter->allocator = allocator;
    status = girt__keyed_report(&limiter->table, options, &allocator);
    if (status != GIRT_OK) {
        girt__keyed_table_destroy(&limiter->table, &allocator);
        girt__release(&allocator, limiter, sizeof *limiter);
        return status;
    }
    *out = limiter;
    return GIRT_OK;
}

void girt_keyed_limiter_destroy(girt_keyed_limiter *limiter)
{
    if (limiter == NULL)
        return;
    girt__report_destroy(limiter->table.report);
    girt_audit(limiter->shared_bytes != 0 ||
               girt__keyed_table_is_valid(&limiter->table));
    if (limiter->shared_bytes != 0) {
        limiter->unmap(&limiter->table.used, GIRT__KEYED_BEFORE,
                       limiter->shared_bytes);
        return;
    }
    girt_allocator const allocator = limiter->allocator;
    girt__keyed_table_destroy(&limiter->table, &allocator);
    girt__release(&allocator, limiter, sizeof *limiter);
}

/* The base, which the first call sets. */
static int64_t base_of(girt_keyed_limiter *limiter, int64_t now_ns)
{
    const girt__gcra *const g = &limiter->gcra;
    /* Relaxed: nothing but the number itself, which changes once. */
    int64_t base = girt_load_relaxed(&limiter->base_ns);
    if (base == NO_BASE) {
        int64_t const wish = now_ns == NO_BASE ? NO_BASE + 1 : now_ns;
        if (girt_cas_relaxed(&limiter->base_ns, &base, wish))
            base = wish;
    }
    if (g->den == 1 && g->tick != 0 &&
        girt_load_relaxed(&limiter->easy_burst) == 0)
        /* Y1 -> Y2 (girt__keyed_ask_easily, keyed_take.h): that there is a
         * base. */
        girt_store_release(&limiter->easy_burst, g->burst);
    return base;
}

static void describe(const girt__gcra *gcra, girt_status status,
                     const girt__keyed_answer *answer, int64_t now_ns,
                     girt_decision *decision)
{
    decision->status = status;
    decision->retry_after_ns =
        status == GIRT_OK      ? 0
        : status == GIRT_NEVER ? INT64_MAX
                               : girt__gcra_until(gcra, answer->due, now_ns);
    girt__gcra_describe(gcra, answer->mark, now_ns, decision);
}

static girt_status full(const girt_keyed_limiter *limiter,
                        const girt__gcra *gcra,
                        const girt__keyed_answer *answer, uint64_t tokens,
                        int64_t now_ns, girt_decision *decision)
{
    girt__report_count(limiter->table.report, GIRT__KEYED_FULL, 1);
    if (decision == NULL)
        return limiter->when_full;
    decision->status = limiter->when_full;
    decision->reset_after_ns = 0;
    if (limiter->when_full == GIRT_OK) {
        decision->remaining = gcra->burst - tokens;
        decision->retry_after_ns = 0;
        return GIRT_OK;
    }
    int64_t const until_ns = girt__gcra_until(gcra, answer->due, now_ns);
    decision->remaining = 0;
    decision->retry_after_ns = until_ns == 0 ? 1 : until_ns;
    return GIRT_LIMITED;
}

/* Any rate, any time, any number. */
static girt_status take_slow(girt_keyed_limiter *limiter, uint64_t hash,
                             uint64_t tokens, int64_t now_ns,
                             girt_decision *decision)
{
    girt__gcra gcra = limiter->gcra;
    gcra.base_ns = base_of(limiter, now_ns);
    bool const never = tokens > gcra.burst;
    girt__keyed_ask const ask = {
        .hash = hash,
        .need = never ? 0 : (int64_t)(tokens * gcra.cost),
        .room = gcra.room,
        .time = girt__gcra_time(&gcra, now_ns),
        .time_up = girt__gcra_time_up(&gcra, now_ns),
    };
    girt__keyed_answer answer;
    girt_status status = girt__keyed_table_take(&limiter->table, &ask, &answer);
    if (status == GIRT_FULL)
        return full(limiter, &gcra, &answer, tokens, now_ns, decision);
    if (never)
        status = GIRT_NEVER;
    if (decision != NULL)
        describe(&gcra, status, &answer, now_ns, decision);
    return status;
}

girt_status girt__keyed_take(girt_keyed_limiter *limiter, uint64_t hash,
                             uint64_t tokens, int64_t now_ns,
                             girt_decision *decision)
{
    const girt__gcra *const g = &limiter->gcra;
    girt__keyed_ask ask;
    if (!girt__keyed_ask_easily(limiter, hash, tokens, now_ns, &ask))
        return take_slow(limiter, hash, tokens, now_ns, decision);
    girt__keyed_answer answer;
    girt_status const status =
        girt__keyed_table_take(&limiter->table, &ask, &answer);
    if (girt_unlikely(status == GIRT_FULL)) {
        girt__gcra gcra = *g;
        gcra.base_ns = girt_load_relaxed(&limiter->base_ns);
        return full(limiter, &gcra, &answer, tokens, now_ns, decision);
    }
    if (status != GIRT_OK)
        girt_probe2(keyed_limiter_reject, limiter, tokens);
    if (decision == NULL)
        return status;
    decision->status = status;
    decision->retry_after_ns =
        status == GIRT_OK ? 0
                          : (int64_t)(((uint64_t)answer.due -
                                       (uint64_t)ask.time + g->tick - 1) /
                                      g->tick);
    girt__gcra_describe_whole(
        decision, (int64_t)((uint64_t)answer.mark - (uint64_t)ask.time),
        ask.room, g->cost, g->tick);
    return status;
}

/* What is rare of a take: long keys, a decision to be filled, misuse, and what
 * is counted. */
static __attribute__((noinline)) girt_status take_key(
    girt_keyed_limiter *limiter, const void *key, size_t key_size,
    uint64_t tokens, int64_t now_ns, girt_decision *decision)
{
    if (limiter == NULL)
        return GIRT_E_INVALID;
    girt_status const status = girt__keyed_key_check(key, key_size);
    if (status != GIRT_OK)
        return status;
    uint64_t const hash = girt__keyed_hash_of(limiter, key, key_size);
    return girt__keyed_counted(
        limiter,
        decision == NULL
            ? girt__keyed_take_shortly(limiter, hash, tokens, now_ns)
            : girt__keyed_take(limiter, hash, tokens, now_ns, decision));
}

girt_status girt_keyed_limiter_take_at(girt_keyed_limiter *limiter,
                                       const void *key, size_t key_size,
                                       uint64_t tokens, int64_t now_ns,
                                       girt_decision *decision)
{
    if (girt_unlikely(limiter == NULL || key == NULL || decision != NULL ||
                      key_size > GIRT__KEYED_HASH_SHORT ||
                      limiter->table.report != NULL))
        return take_key(limiter, key, key_size, tokens, now_ns, decision);
    return girt__keyed_take_shortly(
        limiter, girt__keyed_hash_of(limiter, key, key_size), tokens, now_ns);
}

girt_status girt_keyed_limiter_take(girt_keyed_limiter *limiter,
                                    const void *key, size_t key_size,
                                    uint64_t tokens, girt_decision *decision)
{
    if (girt_unlikely(limiter == NULL))
        return GIRT_E_INVALID;
    return girt_keyed_limiter_take_at(limiter, key, key_size, tokens,
                                      girt__clock_now(&limiter->clock),
                                      decision);
}
