/* SPDX-License-Identifier: MIT */
/* Goal: with more threads than places, and time limits that run out at any
 * moment, never one too many is inside, and no one waits for ever.
 * Method: threads enter and leave as fast as they can; inside is counted; a
 * plain counter per place shows what leave and enter publish. */
#include <girt/bulkhead.h>

#include <sched.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 8 };

typedef struct arena {
    girt_bulkhead *bulkhead;
    uint64_t seed;
    size_t calls;
    int inside_max, inside;
    uint64_t plain; /* with one place: a mutex protects it */
    uint64_t passed, rejected, timed_out;
} arena;

static void pass(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    uint64_t passed = 0, rejected = 0, timed_out = 0;
    for (size_t i = 0; i < a->calls; i++) {
        int64_t timeout_ns = GIRT_FOREVER;
        if (rng_below(&r, 2) == 0)
            timeout_ns = (int64_t)rng_below(&r, 20000);
        girt_status const status = girt_bulkhead_enter(a->bulkhead, timeout_ns);
        if (status == GIRT_OK) {
            int const now = __atomic_add_fetch(&a->inside, 1, __ATOMIC_RELAXED);
            assert_true(now <= a->inside_max);
            if (a->inside_max == 1)
                a->plain++;
            if (rng_below(&r, 16) == 0)
                (void)sched_yield();
            (void)__atomic_sub_fetch(&a->inside, 1, __ATOMIC_RELAXED);
            girt_bulkhead_leave(a->bulkhead);
            passed++;
        } else if (status == GIRT_REJECTED) {
            rejected++;
        } else {
            check_status(status, GIRT_TIMEOUT);
            assert_true(timeout_ns != GIRT_FOREVER);
            timed_out++;
        }
    }
    (void)__atomic_add_fetch(&a->passed, passed, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&a->rejected, rejected, __ATOMIC_RELAXED);
    (void)__atomic_add_fetch(&a->timed_out, timed_out, __ATOMIC_RELAXED);
}

static void crowd(int inside_max, uint64_t waiting_max)
{
    arena a = {
        .inside_max = inside_max, .seed = test_seed(), .calls = scaled(12000)};
    check_status(girt_bulkhead_create(&a.bulkhead,
                                      &(girt_bulkhead_options){
                                          .inside_max = (uint64_t)inside_max,
                                          .waiting_max = waiting_max}),
                 GIRT_OK);
    threads_run(THREADS, pass, &a);
    printf("%d places, %d in line: %llu passed, %llu rejected, %llu timed "
           "out\n",
           inside_max, (int)waiting_max, (unsigned long long)a.passed,
           (unsigned long long)a.rejected, (unsigned long long)a.timed_out);
    assert_true(a.passed > 0);
    if (waiting_max >= THREADS)
        assert_int_equal(a.rejected, 0);
    if (inside_max == 1)
        assert_int_equal(a.plain, a.passed);
    for (int i = 0; i < inside_max; i++)
        check_status(girt_bulkhead_enter(a.bulkhead, GIRT_NOW), GIRT_OK);
    assert_true(girt_bulkhead_enter(a.bulkhead, GIRT_NOW) != GIRT_OK);
    for (int i = 0; i < inside_max; i++)
        girt_bulkhead_leave(a.bulkhead);
    girt_bulkhead_destroy(a.bulkhead);
}

static void test_crowds(void **state)
{
    (void)state;
    crowd(1, THREADS);
    crowd(3, THREADS);
    crowd(2, 2);
    crowd(3, 0);
    /* With shards: near full, full, and never full. */
    crowd(5, THREADS);
    crowd(7, 0);
    crowd(64, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crowds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
