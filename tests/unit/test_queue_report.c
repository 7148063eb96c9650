/* SPDX-License-Identifier: MIT */
/* Goal: a queue tells a registry what went through it, whatever its engine.
 * Method: items of known number through each engine, over several laps and the
 * wrap of tickets, with drops, refusals, waits and a close. */
#include <girt/queue.h>

#include <pthread.h>

#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/fake_registry.h"
#include "support/threads.h"

static fake_registry registry;

static int begin(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_registry_end(&registry);
    return 0;
}

static double value_of(const char *series)
{
    return fake_value(&registry, series, "q", NULL);
}

static girt_queue *made(girt_queue_options options)
{
    girt_queue *queue = NULL;
    options.name = "q";
    options.metrics = fake_metrics(&registry);
    check_status(girt_queue_create(&queue, &options), GIRT_OK);
    return queue;
}

static void check_flow(double pushes, double pops, double full)
{
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_queue_pushes_total") == pushes);
    assert_true(value_of("girt_queue_pops_total") == pops);
    assert_true(value_of("girt_queue_depth") == pushes - pops);
    assert_true(value_of("girt_queue_full_total") == full);
}

static const girt_queue_options engines[] = {
    {.capacity = 5},
    {.capacity = 5, .single_producer = true, .single_consumer = true},
    {.capacity = 5, .per_producer_order = true},
    {.capacity = 5, .bands = 3},
    {.capacity = 1},
    {.capacity = 1, .per_producer_order = true},
};

static void every_engine_counts(void **state)
{
    (void)state;
    for (size_t e = 0; e < sizeof engines / sizeof engines[0]; e++) {
        girt_queue *const q = made(engines[e]);
        size_t const capacity = engines[e].capacity;
        check_flow(0, 0, 0);
        void *items[8];
        size_t pushes = 0, pops = 0, full = 0, done;
        for (int round = 0; round < 40; round++) {
            while (girt_queue_push(q, items, GIRT_NOW) == GIRT_OK)
                pushes++;
            full++;
            check_flow((double)pushes, (double)pops, (double)full);
            check_status(girt_queue_pop(q, items, GIRT_NOW), GIRT_OK);
            pops++;
            if (round % 3 != 0)
                continue;
            check_status(girt_queue_pop_n(q, items, 8, GIRT_NOW, &done),
                         capacity == 1 ? GIRT_EMPTY : GIRT_OK);
            pops += done;
            check_flow((double)pushes, (double)pops, (double)full);
            check_status(girt_queue_push_n(q, items, 7, GIRT_NOW, &done),
                         GIRT_FULL);
            pushes += done;
            full++;
        }
        assert_true(value_of("girt_queue_capacity") == (double)capacity);
        assert_true(value_of("girt_queue_dropped_total") == 0);
        girt_queue_close(q);
        check_status(girt_queue_push(q, items, GIRT_NOW), GIRT_CLOSED);
        check_flow((double)pushes, (double)pops, (double)full);
        girt_queue_destroy(q);
    }
}

static void many_laps_between_scrapes_are_seen(void **state)
{
    (void)state;
    girt_queue *const q = made((girt_queue_options){.capacity = 3});
    void *item;
    for (int i = 0; i < 1000; i++) {
        check_status(girt_queue_push(q, &item, GIRT_NOW), GIRT_OK);
        check_status(girt_queue_pop(q, &item, GIRT_NOW), GIRT_OK);
    }
    check_status(girt_queue_push(q, &item, GIRT_NOW), GIRT_OK);
    check_flow(1001, 1000, 0);
    girt_queue_destroy(q);
}

static void tickets_may_wrap(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 3, 4, 5};
    for (size_t c = 0; c < 4; c++) {
        girt_queue *const q =
            made((girt_queue_options){.capacity = capacities[c]});
        /* Ten laps before the wrap; the scrape finds them as so many pushes. */
        uint64_t const laps =
            UINT64_MAX / girt__ring_lap(&q->rings[0]) + 1 - 10;
        girt__queue_start(q, laps);
        fake_registry_scrape(&registry);
        double const pushed = value_of("girt_queue_pushes_total");
        double const popped = value_of("girt_queue_pops_total");
        assert_true(pushed == (double)laps * (double)capacities[c]);
        void *item;
        for (int i = 0; i < 100; i++) {
            check_status(girt_queue_push(q, &item, GIRT_NOW), GIRT_OK);
            check_status(girt_queue_pop(q, &item, GIRT_NOW), GIRT_OK);
        }
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_queue_pushes_total") == pushed + 100);
        assert_true(value_of("girt_queue_pops_total") == popped + 100);
        girt_queue_destroy(q);
    }
}

static void dropped_items_are_not_popped(void **state)
{
    (void)state;
    for (unsigned bands = 1; bands < 3; bands++) {
        girt_queue *const q = made((girt_queue_options){
            .capacity = 4, .drop_oldest = true, .bands = bands});
        void *item = q;
        for (int i = 0; i < 10; i++)
            check_status(girt_queue_push(q, item, GIRT_FOREVER), GIRT_OK);
        check_status(girt_queue_pop(q, &item, GIRT_NOW), GIRT_OK);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_queue_pushes_total") == 10);
        assert_true(value_of("girt_queue_dropped_total") == 6);
        assert_true(value_of("girt_queue_pops_total") == 1);
        assert_true(value_of("girt_queue_depth") == 3);
        assert_true(value_of("girt_queue_full_total") == 0);
        girt_queue_destroy(q);
    }
}

static void pops_do_not_fall_for_a_drop_under_way(void **state)
{
    (void)state;
    girt_queue *const q = made((girt_queue_options){.capacity = 4});
    void *item = q;
    size_t popped;
    uint64_t seen;
    for (int i = 0; i < 3; i++)
        check_status(girt_queue_push(q, item, GIRT_NOW), GIRT_OK);
    /* What a drop does, stopped before it counts. */
    check_status(girt__ring_pop(&q->rings[0], &item, 1, &popped, &seen),
                 GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_queue_pops_total") == 1);
    girt__report_count(q->report, GIRT__QUEUE_DROPPED, 1);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_queue_pops_total") == 1);
    assert_true(value_of("girt_queue_dropped_total") == 1);
    for (int pops = 1; pops < 3; pops++) {
        check_status(girt_queue_pop(q, &item, GIRT_NOW), GIRT_OK);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_queue_pops_total") == pops);
    }
    girt_queue_destroy(q);
}

static void waits_are_measured(void **state)
{
    (void)state;
    for (size_t e = 0; e < 4; e++) {
        girt_queue *const q = made(engines[e]);
        void *item = q;
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_queue_pop_wait_ns") == 0);
        check_status(girt_queue_pop(q, &item, GIRT_NOW), GIRT_EMPTY);
        check_status(girt_queue_pop(q, &item, 2000000), GIRT_TIMEOUT);
        while (girt_queue_push(q, item, GIRT_NOW) == GIRT_OK)
            continue;
        check_status(girt_queue_push(q, item, 3000000), GIRT_TIMEOUT);
        check_status(girt_queue_push(q, item, 3000000), GIRT_TIMEOUT);
        fake_registry_scrape(&registry);
        assert_true(value_of("girt_queue_pop_wait_ns") == 1);
        assert_true(value_of("girt_queue_push_wait_ns") == 2);
        double const push_ns =
            fake_find(&registry, "girt_queue_push_wait_ns", "q", NULL)->sum;
        double const pop_ns =
            fake_find(&registry, "girt_queue_pop_wait_ns", "q", NULL)->sum;
        /* All but the spins before. */
        assert_true(push_ns > 3000000 && pop_ns > 1000000);
        assert_true(value_of("girt_queue_full_total") == 3);
        girt_queue_destroy(q);
    }
}

#define TEST(body) cmocka_unit_test_setup_teardown(body, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_engine_counts),
        TEST(many_laps_between_scrapes_are_seen),
        TEST(tickets_may_wrap),
        TEST(dropped_items_are_not_popped),
        TEST(pops_do_not_fall_for_a_drop_under_way),
        TEST(waits_are_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
