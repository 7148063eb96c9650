/* SPDX-License-Identifier: MIT */
/* Goal: exactly `probes` calls pass a half-open breaker however many threads
 * come at once, changes are told one at a time and in order, and records of
 * many threads open it.
 * Method: rounds in which all threads enter at the instant of the transition;
 * then free running with random outcomes and a clock that everyone moves. */
#include <girt/breaker.h>

#include <pthread.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 6, PROBES = 4 };

typedef struct arena {
    girt_breaker *breaker;
    pthread_barrier_t barrier;
    int64_t now_ns;
    size_t rounds;
    uint64_t seed;
    uint32_t admitted;
    uint32_t telling;
    girt_breaker_state last;
    uint64_t told; /* plain: calls are one after the other */
} arena;

static int64_t arena_now(void *context)
{
    return __atomic_load_n(&((arena *)context)->now_ns, __ATOMIC_ACQUIRE);
}

static void on_change(void *context, girt_breaker_state from,
                      girt_breaker_state to)
{
    arena *const a = context;
    assert_int_equal(__atomic_fetch_add(&a->telling, 1, __ATOMIC_RELAXED), 0);
    assert_int_equal(from, a->last);
    a->last = to;
    a->told++;
    (void)__atomic_fetch_sub(&a->telling, 1, __ATOMIC_RELAXED);
}

static void open_arena(arena *a, girt_breaker_options o)
{
    *a = (arena){.seed = test_seed()};
    o.clock = (girt_clock){arena_now, a};
    o.on_change = on_change;
    o.context = a;
    check_status(girt_breaker_create(&a->breaker, &o), GIRT_OK);
    assert_int_equal(pthread_barrier_init(&a->barrier, NULL, THREADS), 0);
}

static void close_arena(arena *a)
{
    printf("%llu changes\n", (unsigned long long)a->told);
    (void)pthread_barrier_destroy(&a->barrier);
    girt_breaker_destroy(a->breaker);
}

static void half_open(void *context, size_t index)
{
    arena *const a = context;
    for (size_t round = 0; round < a->rounds; round++) {
        if (index == 0) {
            girt_breaker_force(a->breaker, GIRT_BREAKER_CLOSED);
            girt_breaker_force(a->breaker, GIRT_BREAKER_OPEN);
            a->admitted = 0;
            a->now_ns += 10000;
        }
        (void)pthread_barrier_wait(&a->barrier);
        girt_permit permits[3];
        girt_status got[3];
        for (int i = 0; i < 3; i++) {
            got[i] = girt_breaker_enter(a->breaker, &permits[i]);
            if (got[i] == GIRT_OK)
                (void)__atomic_fetch_add(&a->admitted, 1, __ATOMIC_RELAXED);
        }
        (void)pthread_barrier_wait(&a->barrier);
        assert_int_equal(a->admitted, PROBES);
        (void)pthread_barrier_wait(&a->barrier);
        bool const fails = round % 3 == 2;
        for (int i = 0; i < 3; i++) /* refused permits are ignored */
            girt_breaker_leave(a->breaker, &permits[i],
                               fails ? GIRT_FAILURE : GIRT_SUCCESS);
        (void)pthread_barrier_wait(&a->barrier);
        assert_int_equal(girt_breaker_state_now(a->breaker),
                         fails ? GIRT_BREAKER_OPEN : GIRT_BREAKER_CLOSED);
        (void)pthread_barrier_wait(&a->barrier);
    }
}

static void test_half_open(void **state)
{
    (void)state;
    arena a;
    open_arena(&a, (girt_breaker_options){.probes = PROBES,
                                          .open_ns = 10000,
                                          .open_max_ns = 10000});
    a.rounds = scaled(1000);
    threads_run(THREADS, half_open, &a);
    close_arena(&a);
}

static void run_freely(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    for (size_t i = 0; i < a->rounds; i++) {
        (void)__atomic_fetch_add(&a->now_ns, (int64_t)rng_below(&r, 20),
                                 __ATOMIC_RELAXED);
        girt_permit permit;
        if (girt_breaker_enter(a->breaker, &permit) != GIRT_OK)
            continue;
        if (rng_below(&r, 50) == 0)
            continue; /* lost */
        uint64_t const luck = rng_below(&r, 100);
        girt_breaker_leave(a->breaker, &permit,
                           luck < 40   ? GIRT_FAILURE
                           : luck < 95 ? GIRT_SUCCESS
                                       : GIRT_IGNORED);
        if (rng_below(&r, 5000) == 0)
            girt_breaker_force(a->breaker,
                               (girt_breaker_state)rng_below(&r, 5));
    }
}

static void test_running(void **state)
{
    (void)state;
    arena a;
    open_arena(&a, (girt_breaker_options){.failure_ratio = 0.45,
                                          .calls_min = 20,
                                          .window_ns = 1000,
                                          .open_ns = 500,
                                          .open_max_ns = 2000,
                                          .probes = 2,
                                          .permit_timeout_ns = 1000});
    a.rounds = scaled(200000);
    threads_run(THREADS, run_freely, &a);
    assert_true(a.told > 10);
    assert_int_equal(a.last,
                     girt_breaker_state_now(a.breaker) == GIRT_BREAKER_HALF_OPEN
                         ? a.last
                         : girt_breaker_state_now(a.breaker));
    close_arena(&a);
}

/* All fail, the clock stands: it opens, and soon. */
static void fail_all(void *context, size_t index)
{
    arena *const a = context;
    (void)index;
    girt_permit permit;
    while (girt_breaker_enter(a->breaker, &permit) == GIRT_OK) {
        (void)__atomic_fetch_add(&a->admitted, 1, __ATOMIC_RELAXED);
        girt_breaker_leave(a->breaker, &permit, GIRT_FAILURE);
    }
}

static void test_opens(void **state)
{
    (void)state;
    arena a;
    open_arena(&a, (girt_breaker_options){.calls_min = 1000});
    for (size_t round = scaled(100); round > 0; round--) {
        a.admitted = 0;
        girt_breaker_force(a.breaker, GIRT_BREAKER_CLOSED);
        threads_run(THREADS, fail_all, &a);
        assert_in_range(a.admitted, 1000, 1000 + THREADS * 64);
    }
    close_arena(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_half_open),
        cmocka_unit_test(test_running),
        cmocka_unit_test(test_opens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
