/* SPDX-License-Identifier: MIT */
/* limiter.c - create, destroy, take and peek; the layout is in
 * limiter_internal.h, the arithmetic in gcra_internal.h.
 *
 * A take is: load the word (A1), read the side it names, add, compare, and
 * swap the word from what was loaded.
 *
 * Proof that I1 of girt/limiter.h holds.  Number the admissions in the order of
 * their swaps; the i-th takes n_i at time t_i and leaves the mark at
 * m_i = max(m_{i-1}, up(t_i)) + n_i * cost, having checked
 * m_i - room <= time(t_i) (with the real t_i in place of up(t_i) where the
 * bucket was full, which is n_i <= burst).  Let a window [a, a + w] hold the
 * times of the admissions i < j < ... < k, in any order of times.  Then
 * m_i >= time(a) + n_i * cost; each later one adds its n * cost, and what lies
 * between them only adds; and m_k <= time(t_k) + room <= time(a + w) + room up
 * to the rounding that was added on both sides.  So their tokens times cost are
 * at most room + w * tick / den, which is I1 times cost.
 *
 * A refusal has read a word and a side that belong together if the word is
 * still the same afterwards (R1 of limiter_rate.c); it writes nothing. */
#include <girt/limiter.h>

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/options.h"
#include "core/probe.h"
#include "limiter/limiter_internal.h"

girt_status girt__limiter_options_check(const girt_limiter_options *options,
                                        girt__gcra *gcra)
{
    if (!girt__options_are_valid(options->name, options->metrics,
                                 options->reserved) ||
        options->lease > options->rate.burst)
        return GIRT_E_INVALID;
    return girt__gcra_set(gcra, &options->rate, (uint64_t)1 << 27,
                          GIRT__MARK_TIME);
}

void girt__limiter_fill(girt_limiter *limiter, const girt__gcra *gcra,
                        int64_t now_ns)
{
    limiter->sides[0].gcra = *gcra;
    limiter->sides[0].gcra.base_ns = now_ns;
    limiter->sides[0].floor = GIRT__MARK_FRESH;
    limiter->word = (uint64_t)GIRT__MARK_FRESH;
    limiter->peak = limiter->word;
    limiter->promised = limiter->word;
}

girt_status girt_limiter_create(girt_limiter **out,
                                const girt_limiter_options *options)
{
    if (out == NULL || options == NULL)
        return GIRT_E_INVALID;
    girt__gcra gcra;
    girt_allocator allocator;
    girt_status status = girt__limiter_options_check(options, &gcra);
    if (status == GIRT_OK)
        status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    girt_limiter *const limiter = girt__allocate_zeroed(
        &allocator, sizeof *limiter, _Alignof(girt_limiter));
    if (limiter == NULL)
        return GIRT_E_NOMEM;
    status = GIRT_E_NOMEM;
    limiter->allocator = allocator;
    limiter->clock = girt__clock_resolve(&options->clock);
    limiter->lease = options->lease;
    limiter->lease_epoch = 1;
    girt__limiter_fill(limiter, &gcra, girt__clock_now(&limiter->clock));
    if (limiter->lease != 0) {
        limiter->leases[0] = girt__allocate_zeroed(
            &allocator, GIRT__LEASE_FIRST * sizeof(girt__lease),
            GIRT_CACHELINE);
        if (limiter->leases[0] == NULL)
            goto fail_leases;
    }
    if (pthread_mutex_init(&limiter->mutex, NULL) != 0)
        goto fail_mutex;
    status = girt__limiter_report(limiter, options);
    if (status != GIRT_OK)
        goto fail_report;
    if (limiter->lease != 0) {
        limiter->observer.ended = girt__lease_ended;
        girt__thread_observe(&limiter->observer);
    }
    *out = limiter;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&limiter->mutex);
fail_mutex:
    girt__release(&allocator, limiter->leases[0],
                  GIRT__LEASE_FIRST * sizeof(girt__lease));
fail_leases:
    girt__release(&allocator, limiter, sizeof *limiter);
    return status;
}

void girt_limiter_destroy(girt_limiter *limiter)
{
    if (limiter == NULL)
        return;
    girt__report_destroy(limiter->report);
    if (limiter->lease != 0)
        girt__thread_unobserve(&limiter->observer);
    girt_allocator const allocator = limiter->allocator;
    for (size_t i = 0; i < GIRT__LEASE_BLOCKS; i++)
        girt__release(&allocator, limiter->leases[i],
                      (GIRT__LEASE_FIRST << i) * sizeof(girt__lease));
    (void)pthread_mutex_destroy(&limiter->mutex);
    if (limiter->shared_bytes != 0)
        limiter->unmap(&limiter->sides, offsetof(girt_limiter, sides),
                       limiter->shared_bytes);
    else
        girt__release(&allocator, limiter, sizeof *limiter);
}

static void copy_side(const girt__side *side, girt__sight *sight)
{
    sight->gcra.base_ns = girt_load_relaxed(&side->gcra.base_ns);
    sight->gcra.tick = girt_load_relaxed(&side->gcra.tick);
    sight->gcra.den = girt_load_relaxed(&side->gcra.den);
    sight->gcra.cost = girt_load_relaxed(&side->gcra.cost);
    sight->gcra.room = girt_load_relaxed(&side->gcra.room);
    sight->gcra.reach_ns = girt_load_relaxed(&side->gcra.reach_ns);
    sight->gcra.burst = girt_load_relaxed(&side->gcra.burst);
    sight->origin = girt_load_relaxed(&side->origin);
    sight->generation = girt_load_relaxed(&side->generation);
    sight->floor = girt_load_relaxed(&side->floor);
}

void girt__limiter_look(const girt_limiter *limiter, girt__sight *sight)
{
    /* A round fails only if another call moved the word. */
    do {
        /* A1 <- R1 (limiter_rate.c): the side that the word names. */
        sight->word = girt_load_acquire(&limiter->word);
        copy_side(&limiter->sides[sight->word & 1], sight);
        /* A2 <- R2 (limiter_rate.c): had a later change been seen in the side,
         * its word would be seen too. */
        girt_fence_acquire();
    } while (girt_unlikely(girt_load_relaxed(&limiter->word) != sight->word));
    sight->mark = (int64_t)(sight->word - sight->origin);
    if (girt_unlikely(limiter->shared_bytes != 0))
        girt__sight_make_sane(sight);
    girt_assert((sight->mark & 1) == 0);
}

/* Whether `need` marks may be taken at the time `time` from a bucket at
 * sight->mark, and *wait_ns until they may. */
static bool admits(const girt__sight *sight, int64_t need, int64_t time,
                   int64_t now_ns, int64_t *wait_ns)
{
    *wait_ns = 0;
    if (sight->mark <= time) { /* full */
        if (need <= sight->gcra.room)
            return true;
        *wait_ns = 1; /* leases hold it, and could not be called in just now */
        return false;
    }
    int64_t const due = sight->mark + need - sight->gcra.room;
    if (due <= time)
        return true;
    *wait_ns = girt__gcra_until(&sight->gcra, due, now_ns);
    return false;
}

girt_status girt__limiter_acquire(girt_limiter *limiter, uint64_t tokens,
                                  int64_t now_ns, int64_t max_wait_ns,
                                  girt__sight *sight, int64_t *wait_ns)
{
    bool may_rebase = true, may_recall = true;
    /* A round fails only if another call moved the word, and twice more. */
    for (;;) {
        girt__limiter_look(limiter, sight);
        const girt__gcra *const g = &sight->gcra;
        if (tokens > g->burst || g->burst == 0) { /* 0: see make_sane */
            *wait_ns = INT64_MAX;
            return GIRT_NEVER;
        }
        if (may_rebase && !girt__gcra_near(g->base_ns, g->reach_ns, now_ns)) {
            may_rebase = girt__limiter_rebase(limiter, now_ns);
            continue;
        }
        int64_t const need = (int64_t)(tokens * g->cost);
        if (may_recall && need > g->room) {
            may_recall = girt__lease_recall(limiter, now_ns);
            continue;
        }
        int64_t const time = girt__gcra_time(g, now_ns);
        int64_t const start =
            sight->mark > time ? sight->mark : girt__gcra_time_up(g, now_ns);
        int64_t const after = start + need;
        if (!admits(sight, need, time, now_ns, wait_ns) &&
            (*wait_ns > max_wait_ns || *wait_ns == INT64_MAX ||
             need > g->room || after - time > GIRT__MARK_SPAN)) {
            girt_probe2(limiter_reject, limiter, tokens);
            return GIRT_LIMITED;
        }
        if (tokens == 0)
            return GIRT_OK;
        uint64_t word = sight->word;
        uint64_t const next = sight->origin + (uint64_t)after;
        /* R6 -> A6 (reserve.c): the clock was at now_ns before. */
        if (girt_cas_release(&limiter->word, &word, next)) {
            sight->word = next;
            sight->mark = after;
            return GIRT_OK;
        }
    }
}

static void fill(girt_decision *decision, girt_status status,
                 const girt__sight *sight, int64_t now_ns, int64_t wait_ns)
{
    decision->status = status;
    decision->retry_after_ns = status == GIRT_OK ? 0 : wait_ns;
    girt__gcra_describe(&sight->gcra, sight->mark, now_ns, decision);
}

/* Any rate, any time, any number. */
static __attribute__((noinline)) girt_status take_slow(girt_limiter *limiter,
                                                       uint64_t tokens,
                                                       int64_t now_ns,
                                                       girt_decision *decision)
{
    girt__sight sight;
    int64_t wait_ns;
    girt_status const status =
        girt__limiter_acquire(limiter, tokens, now_ns, 0, &sight, &wait_ns);
    if (decision != NULL)
        fill(decision, status, &sight, now_ns, wait_ns);
    return status;
}

static __attribute__((noinline)) girt_status describe_admitted(
    girt_decision *decision, int64_t owed, int64_t room, uint64_t cost,
    uint64_t tick)
{
    decision->status = GIRT_OK;
    decision->retry_after_ns = 0;
    /* 0: a damaged block's. */
    girt__gcra_describe_whole(decision, owed, room, cost + (cost == 0), tick);
    return GIRT_OK;
}

/* `wished` is what the bucket would owe. */
static __attribute__((noinline)) girt_status describe_refused(
    girt_decision *decision, int64_t owed, int64_t wished, int64_t room,
    uint64_t cost, uint64_t tick)
{
    decision->status = GIRT_LIMITED;
    decision->retry_after_ns =
        (int64_t)(((uint64_t)wished - (uint64_t)room + tick - 1) / tick);
    girt__gcra_describe_whole(decision, owed, room, cost + (cost == 0), tick);
    return GIRT_LIMITED;
}

/* The usual case in one go: den is 1, the time near, the tokens within the
 * burst.  Unsigned arithmetic, because a side that is being rewritten may give
 * any numbers; the word tells in the end. */
static inline __attribute__((always_inline)) girt_status take_by(
    girt_limiter *limiter, const girt__side *side, uint64_t word,
    uint64_t tokens, int64_t now_ns, girt_decision *decision)
{
    const girt__gcra *const g = &side->gcra;
    int64_t const base = girt_load_relaxed(&g->base_ns);
    uint64_t const tick = girt_load_relaxed(&g->tick);
    uint64_t const cost = girt_load_relaxed(&g->cost);
    int64_t const room = girt_load_relaxed(&g->room);
    if (girt_unlikely(
            !girt__gcra_near(base, girt_load_relaxed(&g->reach_ns), now_ns) ||
            girt_load_relaxed(&g->den) != 1 ||
            (decision != NULL && tick == 0) || tokens == 0 ||
            tokens > girt_load_relaxed(&g->burst)))
        return take_slow(limiter, tokens, now_ns, decision);
    uint64_t const time = ((uint64_t)now_ns - (uint64_t)base) * tick;
    uint64_t const mark = word - girt_load_relaxed(&side->origin);
    uint64_t const need = tokens * cost;
    uint64_t const start = (int64_t)mark > (int64_t)time ? mark : time;
    int64_t const owed = (int64_t)(start + need - time);
    if (girt_likely(owed <= room)) {
        uint64_t seen = word;
        /* R6 -> A6 (reserve.c): the clock was at now_ns before. */
        if (girt_unlikely(!girt_cas_release(&limiter->word, &seen,
                                            word + (start + need - mark))))
            return take_slow(limiter, tokens, now_ns, decision);
        return decision == NULL
                   ? GIRT_OK
                   : describe_admitted(decision, owed, room, cost, tick);
    }
    /* A2 <- R2 (limiter_rate.c): the side was the word's all along. */
    girt_fence_acquire();
    if (girt_unlikely((int64_t)need > room ||
                      girt_load_relaxed(&limiter->word) != word))
        return take_slow(limiter, tokens, now_ns, decision);
    girt_probe2(limiter_reject, limiter, tokens);
    return decision == NULL ? GIRT_LIMITED
                            : describe_refused(decision, (int64_t)(mark - time),
                                               owed, room, cost, tick);
}

/* A branch on the word, not an index by it: it is guessed right while the rate
 * stands, and all but the mark is computed before the word has come. */
static inline __attribute__((always_inline)) girt_status take_now(
    girt_limiter *limiter, uint64_t tokens, int64_t now_ns,
    girt_decision *decision)
{
    /* A1 <- R1 (limiter_rate.c). */
    uint64_t const word = girt_load_acquire(&limiter->word);
    if ((word & 1) == 0)
        return take_by(limiter, &limiter->sides[0], word, tokens, now_ns,
                       decision);
    return take_by(limiter, &limiter->sides[1], word, tokens, now_ns, decision);
}

/* Apart, because what is kept for the decision costs the plain take stores that
 * its locked instruction waits for. */
static __attribute__((noinline)) girt_status take_described(
    girt_limiter *limiter, uint64_t tokens, int64_t now_ns,
    girt_decision *decision)
{
    return take_now(limiter, tokens, now_ns, decision);
}

girt_status girt__limiter_take_shared(girt_limiter *limiter, uint64_t tokens,
                                      int64_t now_ns, girt_decision *decision)
{
    if (decision != NULL)
        return take_described(limiter, tokens, now_ns, decision);
    return take_now(limiter, tokens, now_ns, NULL);
}

/* now_ns NULL: by the limiter's clock. */
static inline __attribute__((always_inline)) girt_status take_any(
    girt_limiter *limiter, uint64_t tokens, const int64_t *now_ns,
    girt_decision *decision)
{
    if (limiter->lease != 0) {
        if (decision == NULL && tokens != 0 &&
            girt__lease_spend(limiter, tokens))
            return GIRT_OK;
        return girt__lease_take(limiter, tokens, now_ns, decision);
    }
    return girt__limiter_take_shared(
        limiter, tokens,
        now_ns != NULL ? *now_ns : girt__clock_now(&limiter->clock), decision);
}

static __attribute__((noinline)) girt_status take_and_count(
    girt_limiter *limiter, uint64_t tokens, const int64_t *now_ns,
    girt_decision *decision)
{
    girt_status const status = take_any(limiter, tokens, now_ns, decision);
    girt__limiter_count(limiter, tokens, status);
    return status;
}

girt_status girt_limiter_take(girt_limiter *limiter, uint64_t tokens,
                              girt_decision *decision)
{
    if (girt_unlikely(limiter == NULL))
        return GIRT_E_INVALID;
    if (girt_unlikely(limiter->report != NULL))
        return take_and_count(limiter, tokens, NULL, decision);
    return take_any(limiter, tokens, NULL, decision);
}

girt_status girt_limiter_take_at(girt_limiter *limiter, uint64_t tokens,
                                 int64_t now_ns, girt_decision *decision)
{
    if (girt_unlikely(limiter == NULL))
        return GIRT_E_INVALID;
    if (girt_unlikely(limiter->report != NULL))
        return take_and_count(limiter, tokens, &now_ns, decision);
    return take_any(limiter, tokens, &now_ns, decision);
}

girt_status girt__limiter_peek_at(const girt_limiter *limiter, uint64_t tokens,
                                  int64_t now_ns, girt_decision *decision)
{
    girt__sight sight;
    girt__limiter_look(limiter, &sight);
    /* As a take would: the same bucket from a base that is near. */
    if (!girt__gcra_near(sight.gcra.base_ns, sight.gcra.reach_ns, now_ns))
        (void)girt__sight_rebase(&sight, now_ns);
    int64_t wait_ns = INT64_MAX;
    girt_status status = GIRT_NEVER;
    if (tokens <= sight.gcra.burst) {
        int64_t const need = (int64_t)(tokens * sight.gcra.cost);
        int64_t const time = girt__gcra_time(&sight.gcra, now_ns);
        status = admits(&sight, need, time, now_ns, &wait_ns) ? GIRT_OK
                                                              : GIRT_LIMITED;
    }
    fill(decision, status, &sight, now_ns, wait_ns);
    return status;
}

girt_status girt_limiter_peek(const girt_limiter *limiter, uint64_t tokens,
                              girt_decision *decision)
{
    if (limiter == NULL)
        return GIRT_E_INVALID;
    girt_decision scratch;
    if (decision == NULL)
        decision = &scratch;
    int64_t const now_ns = girt__clock_now(&limiter->clock);
    uint64_t const held = girt__lease_held(limiter);
    girt_status status =
        girt__limiter_peek_at(limiter, tokens, now_ns, decision);
    if (held == 0 || status == GIRT_NEVER)
        return status;
    if (status == GIRT_LIMITED) {
        uint64_t const missing = tokens > held ? tokens - held : 0;
        status = missing == 0 ? GIRT_OK
                              : girt__limiter_peek_at(limiter, missing, now_ns,
                                                      decision);
        decision->status = status;
        if (status == GIRT_OK)
            decision->retry_after_ns = 0;
    }
    decision->remaining += held;
    return status;
}
