/* SPDX-License-Identifier: MIT */
/* Goal: however many threads take at once, a retry budget never gives one too
 * many, and gives all that there is.
 * Method: threads count calls, wait for each other, and take until refused, in
 * rounds; with a clock that moves, the sum of every window is checked. */
#include <girt/retry.h>

#include <pthread.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4 };

typedef struct arena {
    girt_retry_budget *budget;
    pthread_barrier_t barrier;
    int64_t now_ns;
    size_t rounds;
    uint64_t admitted; /* of this round */
} arena;

static void rounds(void *context, size_t index)
{
    arena *const a = context;
    for (size_t round = 0; round < a->rounds; round++) {
        for (int i = 0; i < 50; i++)
            girt_retry_budget_call(a->budget);
        (void)pthread_barrier_wait(&a->barrier);
        while (girt_retry_budget_take(a->budget) == GIRT_OK)
            (void)__atomic_add_fetch(&a->admitted, 1, __ATOMIC_RELAXED);
        (void)pthread_barrier_wait(&a->barrier);
        if (index == 0) {
            /* 0.2 of the calls, and 1 a second for 10 s. */
            assert_int_equal(a->admitted, THREADS * 50 / 5 + 10);
            a->admitted = 0;
            a->now_ns += INT64_C(10000000000);
        }
        (void)pthread_barrier_wait(&a->barrier);
    }
}

static void test_rounds(void **state)
{
    (void)state;
    arena a = {.rounds = scaled(3000)};
    girt_retry_budget_options o = {.floor_per_s = 1};
    girt_clock_manual(&o.clock, &a.now_ns);
    check_status(girt_retry_budget_create(&a.budget, &o), GIRT_OK);
    assert_int_equal(pthread_barrier_init(&a.barrier, NULL, THREADS), 0);
    threads_run(THREADS, rounds, &a);
    (void)pthread_barrier_destroy(&a.barrier);
    girt_retry_budget_destroy(a.budget);
}

/* Slices of 10 ns, of which retries are counted by their slice. */
enum { TIMES = 100000, FLOOR = 30 };

typedef struct moving {
    girt_retry_budget *budget;
    int64_t now_ns;
    uint32_t admitted[TIMES / 10 + 1];
} moving;

static int64_t moving_now(void *context)
{
    return __atomic_load_n(&((moving *)context)->now_ns, __ATOMIC_ACQUIRE);
}

static void take_moving(void *context, size_t index)
{
    moving *const m = context;
    (void)index;
    for (;;) {
        int64_t const before =
            __atomic_add_fetch(&m->now_ns, 1, __ATOMIC_ACQ_REL);
        if (before >= TIMES)
            return;
        if (girt_retry_budget_take(m->budget) == GIRT_OK)
            (void)__atomic_add_fetch(&m->admitted[before / 10], 1,
                                     __ATOMIC_RELAXED);
    }
}

/* A retry is counted here in a slice no later than the budget's; at most
 * THREADS of them are off, each in the slice that its thread stood still in. */
static void test_moving(void **state)
{
    (void)state;
    moving *const m = calloc(1, sizeof *m);
    assert_non_null(m);
    girt_retry_budget_options const o = {
        .floor_per_s = FLOOR * 1e7, .window_ns = 100, .clock = {moving_now, m}};
    check_status(girt_retry_budget_create(&m->budget, &o), GIRT_OK);
    threads_run(THREADS, take_moving, m);
    uint64_t window = 0, all = 0;
    for (size_t i = 0; i < TIMES / 10; i++) {
        window += m->admitted[i];
        all += m->admitted[i];
        if (i >= 10)
            window -= m->admitted[i - 10];
        assert_true(window <= FLOOR + THREADS);
    }
    printf("%llu of %d\n", (unsigned long long)all, TIMES / 100 * FLOOR);
    assert_true(all > TIMES / 100 * FLOOR / 4);
    girt_retry_budget_destroy(m->budget);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_moving),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
