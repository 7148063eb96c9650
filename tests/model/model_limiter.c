/* SPDX-License-Identifier: MIT */
/* Goal: every answer of a limiter is that of exact arithmetic.
 * Method: random calls with random, also stale, times beside a twin that keeps
 * the arrival time as a fraction with the rate's own denominator; status,
 * remaining, retry and reset must agree to the nanosecond. */
#include <girt/limiter.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

__extension__ typedef __int128 wide;

/* With limit / period = l / p in lowest terms a token is p units and a
 * nanosecond l. */
typedef struct twin {
    wide l, p, burst;
    wide arrival; /* in 1/l ns after time 0 */
    bool fresh;
} twin;

static uint64_t divisor_of(uint64_t a, uint64_t b)
{
    return b == 0 ? a : divisor_of(b, a % b);
}

static void twin_rate(twin *t, const girt_rate *rate)
{
    uint64_t const d = divisor_of(rate->limit, (uint64_t)rate->period_ns);
    t->l = rate->limit / d;
    t->p = (uint64_t)rate->period_ns / d;
    t->burst = rate->burst;
}

static wide up(wide a, wide b) /* b > 0 */
{
    return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

static wide owed(const twin *t, int64_t now)
{
    wide const time = now * t->l;
    return t->fresh || t->arrival < time ? 0 : t->arrival - time;
}

static void twin_decide(twin *t, uint64_t tokens, int64_t now, bool take,
                        girt_decision *d)
{
    d->status = GIRT_OK;
    d->retry_after_ns = 0;
    wide debt = owed(t, now);
    if (tokens > (uint64_t)t->burst) {
        d->status = GIRT_NEVER;
        d->retry_after_ns = INT64_MAX;
    } else if (debt + tokens * t->p > t->burst * t->p) {
        d->status = GIRT_LIMITED;
        d->retry_after_ns =
            (int64_t)up(debt + tokens * t->p - t->burst * t->p, t->l);
    } else if (take && tokens != 0) {
        debt += tokens * t->p;
        t->arrival = now * t->l + debt;
        t->fresh = false;
    }
    d->remaining = debt >= t->burst * t->p
                       ? 0
                       : (uint64_t)((t->burst * t->p - debt) / t->p);
    d->reset_after_ns = (int64_t)up(debt, t->l);
}

/* Tokens stay, clipped; a fraction is cut to what the new rate can say. */
static void twin_change(twin *t, const girt_rate *rate, int64_t now)
{
    twin const old = *t;
    wide const there = old.burst * old.p - owed(&old, now);
    twin_rate(t, rate);
    wide kept = there * t->p;
    kept = kept >= 0 ? kept / old.p : -((-kept + old.p - 1) / old.p);
    if (kept < t->burst * t->p) {
        t->fresh = false;
        t->arrival = now * t->l + t->burst * t->p - kept;
    } else if (!old.fresh) { /* full since the same nanosecond, or by now */
        wide const since = up(old.arrival, old.l);
        t->arrival = (since < now ? since : now) * t->l;
    }
}

static const girt_rate rates[] = {
    {10, 1000000000, 1},
    {10, 1000000000, 3},
    {3, 7000000000, 4},
    {700000000, 1000000000, 1000},
    {1, 13, 5},
    {999983, 1000000000, 17},
    {5, 3, 100},
    {1, 86400000000000, 100},
    {1000, 60000000000, 250},
    {7, 10, 1},
};

static const girt_rate *any_rate(rng *r)
{
    return &rates[rng_below(r, sizeof rates / sizeof *rates)];
}

static void check_same(const girt_decision *is, const girt_decision *want)
{
    check_status(is->status, want->status);
    assert_int_equal(is->remaining, want->remaining);
    assert_int_equal(is->retry_after_ns, want->retry_after_ns);
    assert_int_equal(is->reset_after_ns, want->reset_after_ns);
}

/* Steps of about a token's time, sometimes none, sometimes far more. */
static int64_t any_step(rng *r, const twin *t)
{
    uint64_t const token = (uint64_t)up(t->p, t->l);
    switch (rng_below(r, 8)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return (int64_t)rng_below(r, token * 50);
    case 3:
        return 1;
    default:
        return (int64_t)rng_below(r, token * 2 + 1);
    }
}

static void one_limiter(rng *r, size_t calls)
{
    girt_rate rate = *any_rate(r);
    int64_t clock_ns = (int64_t)rng_below(r, 1000000000000);
    girt_limiter_options options = {.rate = rate};
    girt_clock_manual(&options.clock, &clock_ns);
    girt_limiter *limiter;
    check_status(girt_limiter_create(&limiter, &options), GIRT_OK);
    twin t = {.fresh = true};
    twin_rate(&t, &rate);
    for (size_t i = 0; i < calls; i++) {
        clock_ns += any_step(r, &t);
        girt_decision is, want;
        uint64_t tokens = rng_below(r, 3);
        if (rng_below(r, 4) == 0)
            tokens = rng_below(r, rate.burst + 2);
        switch (rng_below(r, 16)) {
        case 0:
            (void)girt_limiter_peek(limiter, tokens, &is);
            twin_decide(&t, tokens, clock_ns, false, &want);
            break;
        case 1: { /* stale */
            int64_t const now = clock_ns - any_step(r, &t);
            (void)girt_limiter_take_at(limiter, tokens, now, &is);
            twin_decide(&t, tokens, now, true, &want);
            break;
        }
        case 2:
            if (rng_below(r, 4) == 0) {
                rate = *any_rate(r);
                check_status(girt_limiter_set_rate(limiter, rate), GIRT_OK);
                twin_change(&t, &rate, clock_ns);
            }
            (void)girt_limiter_peek(limiter, 0, &is);
            twin_decide(&t, 0, clock_ns, false, &want);
            break;
        case 3: /* the very instant that retry_after names */
            (void)girt_limiter_take(limiter, tokens, &is);
            twin_decide(&t, tokens, clock_ns, true, &want);
            if (is.status == GIRT_LIMITED) {
                clock_ns += is.retry_after_ns - 1;
                check_status(girt_limiter_take(limiter, tokens, NULL),
                             GIRT_LIMITED);
                clock_ns++;
                check_status(girt_limiter_take(limiter, tokens, &is), GIRT_OK);
                twin_decide(&t, tokens, clock_ns, true, &want);
            }
            break;
        default:
            (void)girt_limiter_take(limiter, tokens, &is);
            twin_decide(&t, tokens, clock_ns, true, &want);
            break;
        }
        check_same(&is, &want);
    }
    girt_limiter_destroy(limiter);
}

static void test_against_twin(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = 0; i < scaled(800); i++)
        one_limiter(&r, 1000);
}

/* Reservations and cancellations: whatever is cancelled, what was promised
 * keeps within the bound in every window. */
enum { ACTS = 64 };

typedef struct act {
    int64_t at_ns;
    uint64_t tokens;
} act;

static void check_windows(const act *acts, size_t count, const girt_rate *rate)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            int64_t const from = acts[i].at_ns, to = acts[k].at_ns;
            if (to < from)
                continue;
            wide sum = 0;
            for (size_t m = 0; m < count; m++)
                if (acts[m].at_ns >= from && acts[m].at_ns <= to)
                    sum += acts[m].tokens;
            /* An act's time is rounded up by less than 1 ns. */
            assert_true((sum - rate->burst) * rate->period_ns <=
                        (wide)(to - from + 1) * rate->limit);
        }
    }
}

static void one_plan(rng *r)
{
    girt_rate const rate = *any_rate(r);
    twin t = {.fresh = true};
    twin_rate(&t, &rate);
    int64_t clock_ns = 1000;
    girt_limiter_options options = {.rate = rate};
    girt_clock_manual(&options.clock, &clock_ns);
    girt_limiter *limiter;
    check_status(girt_limiter_create(&limiter, &options), GIRT_OK);
    act acts[ACTS];
    girt_reservation held[ACTS];
    size_t count = 0;
    while (count < ACTS) {
        clock_ns += any_step(r, &t) / 4;
        uint64_t const tokens = 1 + rng_below(r, rate.burst);
        check_status(
            girt_limiter_reserve(limiter, tokens, GIRT_FOREVER, &held[count]),
            GIRT_OK);
        acts[count] = (act){held[count].act_at_ns, tokens};
        assert_true(acts[count].at_ns >= clock_ns);
        count++;
        if (rng_below(r, 3) == 0) {
            size_t const i = rng_below(r, count);
            bool const late = held[i].act_at_ns < clock_ns;
            girt_limiter_cancel(limiter, &held[i]);
            assert_int_equal(held[i].tokens, 0);
            if (!late)
                acts[i].tokens = 0;
            girt_decision before, after;
            (void)girt_limiter_peek(limiter, 1, &before);
            girt_limiter_cancel(limiter, &held[i]); /* twice: nothing */
            (void)girt_limiter_peek(limiter, 1, &after);
            assert_int_equal(before.reset_after_ns, after.reset_after_ns);
        }
    }
    check_windows(acts, count, &rate);
    girt_limiter_destroy(limiter);
}

static void test_plans(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = 0; i < scaled(1000); i++)
        one_plan(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_twin),
        cmocka_unit_test(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
