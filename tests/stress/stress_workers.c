/* SPDX-License-Identifier: MIT */
/* Goal: every accepted task runs once, a drain returns after all that was
 * accepted before it and its descendants, and no wake-up is lost.  Method:
 * threads submit with all kinds of timeouts while others drain; tasks submit
 * tasks; counts agree at each drain that had no rival and at the end. */
#include <girt/workers.h>

#include <sched.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

typedef struct shared {
    girt_workers *workers;
    size_t each;
    uint64_t accepted, ran;
} shared;

static void leaf(void *argument)
{
    shared *const s = argument;
    __atomic_fetch_add(&s->ran, 1, __ATOMIC_RELAXED);
}

static void branch(void *argument)
{
    shared *const s = argument;
    for (int i = 0; i < 2; i++) {
        int64_t const timeout = i ? GIRT_FOREVER : GIRT_NOW;
        if (girt_workers_submit(s->workers, leaf, s, timeout) == GIRT_OK)
            __atomic_fetch_add(&s->accepted, 1, __ATOMIC_RELAXED);
    }
    leaf(s);
}

static void submit_and_drain(void *context, size_t index)
{
    shared *const s = context;
    rng random = {seed + index};
    static const int64_t timeouts[] = {GIRT_NOW, 1000, 100000, GIRT_FOREVER};
    for (size_t i = 0; i < s->each; i++) {
        int64_t const timeout = timeouts[rng_below(&random, 4)];
        girt_status const status = girt_workers_submit(
            s->workers, rng_below(&random, 3) ? leaf : branch, s, timeout);
        if (status == GIRT_OK)
            __atomic_fetch_add(&s->accepted, 1, __ATOMIC_RELAXED);
        else
            assert_true(timeout != GIRT_FOREVER &&
                        status ==
                            (timeout == GIRT_NOW ? GIRT_FULL : GIRT_TIMEOUT));
        if (rng_below(&random, 200) == 0) {
            uint64_t const before =
                __atomic_load_n(&s->accepted, __ATOMIC_RELAXED);
            check_status(girt_workers_drain(s->workers, GIRT_FOREVER), GIRT_OK);
            /* `accepted` may be a little behind what was accepted, not ahead */
            assert_true(__atomic_load_n(&s->ran, __ATOMIC_RELAXED) >= before);
        } else if (rng_below(&random, 200) == 0) {
            (void)girt_workers_drain(s->workers, 1000);
        }
    }
}

static void accepted_tasks_run_once(void **state)
{
    (void)state;
    static const struct {
        size_t threads, capacity, submitters;
    } shapes[] = {{1, 1, 1}, {1, 3, 4}, {2, 1, 2}, {4, 64, 3}, {8, 5, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        shared s = {.each = scaled(60000) / shapes[i].submitters};
        check_status(
            girt_workers_create(
                &s.workers,
                &(girt_workers_options){.threads = shapes[i].threads,
                                        .queue_capacity = shapes[i].capacity}),
            GIRT_OK);
        threads_run(shapes[i].submitters, submit_and_drain, &s);
        check_status(girt_workers_drain(s.workers, GIRT_FOREVER), GIRT_OK);
        assert_int_equal(s.ran, s.accepted);
        girt_workers_destroy(s.workers);
        assert_int_equal(s.ran, s.accepted);
    }
}

static void pools_come_and_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < scaled(300); i++) {
        shared s = {0};
        check_status(girt_workers_create(
                         &s.workers,
                         &(girt_workers_options){.threads = 1 + i % 4,
                                                 .queue_capacity = 1 + i % 7}),
                     GIRT_OK);
        for (size_t k = 0; k < i % 30; k++)
            check_status(girt_workers_submit(s.workers, leaf, &s, GIRT_FOREVER),
                         GIRT_OK);
        girt_workers_destroy(s.workers);
        assert_int_equal(s.ran, i % 30);
    }
}

int main(void)
{
    seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepted_tasks_run_once),
        cmocka_unit_test(pools_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
