/* SPDX-License-Identifier: MIT */
/* Goal: no interleaving of takes, cancels, rate changes, lease refills and
 * thread ends admits more than the bound in any window.
 * Method: threads with times that are stale by random amounts write down what
 * they were granted; afterwards every window of the list is checked. */
#include <girt/limiter.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"
#include "support/windows.h"

enum { THREADS = 4 };

typedef struct arena {
    girt_limiter *limiter;
    girt_limiter *second;
    girt_rate rate;
    int64_t clock_ns; /* moved by everybody */
    int64_t stale_max;
    uint64_t seed;
    size_t calls;
    admission *lists[THREADS];
    size_t counts[THREADS];
} arena;

static int64_t arena_now(void *context)
{
    return __atomic_load_n(&((arena *)context)->clock_ns, __ATOMIC_ACQUIRE);
}

static void arena_open(arena *a, girt_rate rate, uint64_t lease)
{
    *a = (arena){.rate = rate, .seed = test_seed()};
    a->calls = scaled(1000000);
    a->clock_ns = 1000000;
    girt_limiter_options options = {
        .rate = rate, .lease = lease, .clock = {arena_now, a}};
    check_status(girt_limiter_create(&a->limiter, &options), GIRT_OK);
    options.lease = 0;
    check_status(girt_limiter_create(&a->second, &options), GIRT_OK);
    for (size_t i = 0; i < THREADS; i++) {
        a->lists[i] = calloc(a->calls, sizeof(admission));
        assert_non_null(a->lists[i]);
    }
}

static uint64_t arena_close(arena *a)
{
    size_t count = 0;
    for (size_t i = 0; i < THREADS; i++)
        count += a->counts[i];
    admission *const all = calloc(count + 1, sizeof *all);
    assert_non_null(all);
    size_t at = 0;
    uint64_t sum = 0;
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < a->counts[i]; k++) {
            all[at++] = a->lists[i][k];
            sum += a->lists[i][k].tokens;
        }
        free(a->lists[i]);
    }
    double const excess = windows_excess(all, count, &a->rate);
    printf("%zu admissions, %llu tokens, excess %g\n", count,
           (unsigned long long)sum, excess);
    assert_true(excess == 0);
    assert_true(count > 0);
    free(all);
    girt_limiter_destroy(a->limiter);
    girt_limiter_destroy(a->second);
    return sum;
}

static void note(arena *a, size_t index, int64_t now_ns, uint64_t tokens)
{
    a->lists[index][a->counts[index]++] = (admission){now_ns, tokens};
}

static int64_t tick(arena *a, rng *r)
{
    return __atomic_add_fetch(&a->clock_ns, (int64_t)rng_below(r, 40),
                              __ATOMIC_ACQ_REL);
}

static void takes(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    for (size_t i = 0; i < a->calls; i++) {
        int64_t now_ns = tick(a, &r);
        if (a->stale_max != 0 && rng_below(&r, 3) == 0)
            now_ns -= (int64_t)rng_below(&r, (uint64_t)a->stale_max);
        uint64_t const tokens = 1 + rng_below(&r, 3);
        girt_decision d;
        if (girt_limiter_take_at(a->limiter, tokens, now_ns,
                                 i % 2 == 0 ? &d : NULL) == GIRT_OK)
            note(a, index, now_ns, tokens);
    }
}

static void test_takes(void **state)
{
    (void)state;
    arena a;
    arena_open(&a, (girt_rate){1, 50, 10}, 0);
    a.stale_max = 2000;
    threads_run(THREADS, takes, &a);
    (void)arena_close(&a);
}

static void mixed(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    girt_limiter *const both[] = {a->second, a->limiter};
    for (size_t i = 0; i < a->calls / 4; i++) {
        int64_t const now_ns = tick(a, &r);
        uint64_t const tokens = 1 + rng_below(&r, 3);
        girt_reservation turn;
        switch (rng_below(&r, 8)) {
        case 0: /* slower, and back: the faster rate bounds the windows */
            if (index == 0) {
                girt_rate rate = a->rate;
                rate.period_ns *= 1 + (int64_t)rng_below(&r, 2);
                rate.burst -= rng_below(&r, 2) * 4;
                check_status(girt_limiter_set_rate(a->limiter, rate), GIRT_OK);
            }
            break;
        case 1:
            if (girt_limiter_reserve(a->limiter, tokens, 100, &turn) ==
                GIRT_OK) {
                if (rng_below(&r, 2) == 0)
                    note(a, index, turn.act_at_ns, tokens);
                else
                    girt_limiter_cancel(a->limiter, &turn);
            }
            break;
        case 2:
            if (girt_limiter_take_all(both, 2, tokens, NULL, NULL) == GIRT_OK)
                note(a, index, arena_now(a), tokens);
            break;
        case 3: /* makes take_all fail half way */
            (void)girt_limiter_take(a->second, tokens, NULL);
            break;
        default:
            if (girt_limiter_take_at(a->limiter, tokens, now_ns, NULL) ==
                GIRT_OK)
                note(a, index, now_ns, tokens);
        }
    }
}

/* A reservation's time is rounded up to a nanosecond, of which a token takes
 * 50, and take_all's own clock is read within the call: the list's times are
 * off by what the clock moved meanwhile.  So only the total is exact. */
static void test_mixed(void **state)
{
    (void)state;
    arena a;
    arena_open(&a, (girt_rate){1, 50, 10}, 0);
    threads_run(THREADS, mixed, &a);
    uint64_t sum = 0;
    for (size_t i = 0; i < THREADS; i++) {
        for (size_t k = 0; k < a.counts[i]; k++)
            sum += a.lists[i][k].tokens;
        a.counts[i] = 0;
    }
    /* 100: as far ahead as reservations went. */
    uint64_t const bound =
        a.rate.burst + (uint64_t)(a.clock_ns - 1000000 + 100) / 50;
    printf("%llu tokens of %llu\n", (unsigned long long)sum,
           (unsigned long long)bound);
    assert_in_range(sum, bound / 4, bound);
    note(&a, 0, 0, 1);
    (void)arena_close(&a);
}

static void test_leases(void **state)
{
    (void)state;
    arena a;
    arena_open(&a, (girt_rate){1, 50, 40}, 5);
    threads_run(THREADS, takes, &a);
    /* All ended and gave back: after a rest the burst is whole. */
    girt_decision d;
    a.clock_ns += 1000000;
    check_status(girt_limiter_peek(a.limiter, 40, &d), GIRT_OK);
    assert_int_equal(d.remaining, 40);
    (void)arena_close(&a);
}

/* A standing clock: exactly the burst, whoever takes it. */
static void takes_standing(void *context, size_t index)
{
    arena *const a = context;
    while (girt_limiter_take_at(a->limiter, 1, 1000000, NULL) == GIRT_OK)
        note(a, index, 1000000, 1);
}

static void test_standing(void **state)
{
    (void)state;
    for (uint64_t lease = 0; lease <= 32; lease += 32) {
        arena a;
        arena_open(&a, (girt_rate){1, 50, 1000}, lease);
        threads_run(THREADS, takes_standing, &a);
        /* What was on lease came back at the threads' ends. */
        while (girt_limiter_take_at(a.limiter, 1, 1000000, NULL) == GIRT_OK)
            note(&a, 0, 1000000, 1);
        assert_int_equal(arena_close(&a), 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes),
        cmocka_unit_test(test_mixed),
        cmocka_unit_test(test_leases),
        cmocka_unit_test(test_standing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
