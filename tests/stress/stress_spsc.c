/* SPDX-License-Identifier: MIT */
/* Goal: between two threads girt_spsc loses, doubles and reorders nothing, and
 * is full and empty only when it was.  Method: support/traffic.h with single
 * and batch operations at small and usual capacities, from early and late
 * tickets, while a third thread counts; then the roles pass on from thread to
 * thread. */
#include <pthread.h>
#include <sched.h>

#include <girt/spsc.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"
#include "support/traffic.h"

static void items_pass_whole(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 2, 7, 8, 20, 1000};
    uint64_t const seed = test_seed();
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        for (size_t batch = 1; batch <= 33; batch += 16) {
            const traffic plan = {
                .kind = &fifo_spsc,
                .producers = 1,
                .consumers = 1,
                .capacity = capacities[c],
                .each = scaled(capacities[c] < 7 ? 20000 : 150000),
                .batch_max = batch,
                .first = batch == 17 ? UINT64_MAX - 999 : 0,
                .seed = seed + c};
            traffic_run(&plan);
        }
    }
}

static girt_spsc *passed_on;

static void *push_some(void *argument)
{
    for (uintptr_t i = 0; i < 500;)
        if (girt_spsc_push(passed_on, (void *)((uintptr_t)argument + i)))
            i++;
        else
            sched_yield();
    return NULL;
}

static void *pop_all(void *argument)
{
    uintptr_t const all = (uintptr_t)argument;
    void *item;
    for (uintptr_t i = 0; i < all;)
        if (!girt_spsc_pop(passed_on, &item))
            sched_yield();
        else if ((uintptr_t)item != i++)
            return NULL;
    return passed_on;
}

static void producers_may_follow_each_other(void **state)
{
    (void)state;
    uintptr_t const threads = scaled(200);
    check_status(girt_spsc_create(&passed_on, 11, NULL), GIRT_OK);
    pthread_t consumer;
    assert_int_equal(
        pthread_create(&consumer, NULL, pop_all, (void *)(threads * 500)), 0);
    for (uintptr_t i = 0; i < threads; i++) {
        pthread_t producer;
        assert_int_equal(
            pthread_create(&producer, NULL, push_some, (void *)(i * 500)), 0);
        assert_int_equal(pthread_join(producer, NULL), 0);
    }
    void *result;
    assert_int_equal(pthread_join(consumer, &result), 0);
    assert_non_null(result);
    girt_spsc_destroy(passed_on);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_pass_whole),
        cmocka_unit_test(producers_may_follow_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
