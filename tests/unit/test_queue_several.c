/* SPDX-License-Identifier: MIT */
/* Goal: bands are served by weight and none starves; a consumer visits every
 * lane.  Method: one thread pops from bands kept full and counts turns; pushing
 * threads on several lanes, then one thread that pops everything. */
#include <girt/queue.h>

#include <sched.h>

#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/threads.h"

static void weights_hold(size_t batch)
{
    for (unsigned bands = 2; bands <= 8; bands++) {
        girt_queue *queue = NULL;
        check_status(
            girt_queue_create(&queue, &(girt_queue_options){.capacity = 2000,
                                                            .bands = bands}),
            GIRT_OK);
        size_t const period = ((size_t)1 << bands) - 1;
        size_t served[8] = {0};
        for (size_t b = 0; b < bands; b++) {
            for (size_t i = 0; i < 20; i++)
                check_status(girt_queue_push_band(queue, (unsigned)b, (void *)b,
                                                  GIRT_NOW),
                             GIRT_OK);
        }
        size_t popped = 0;
        while (popped < 2 * period) {
            void *items[8];
            size_t n = 0;
            size_t const left = 2 * period - popped;
            check_status(girt_queue_pop_n(queue, items,
                                          batch < left ? batch : left, GIRT_NOW,
                                          &n),
                         GIRT_OK);
            popped += n;
            for (size_t i = 0; i < n; i++) {
                size_t const band = (size_t)items[i];
                served[band]++;
                check_status(girt_queue_push_band(queue, (unsigned)band,
                                                  items[i], GIRT_NOW),
                             GIRT_OK);
            }
        }
        for (size_t b = 0; b < bands; b++)
            assert_int_equal(served[b], (size_t)2 << (bands - 1 - b));
        girt_queue_destroy(queue);
    }
}

static void bands_are_served_by_weight(void **state)
{
    (void)state;
    weights_hold(1);
    weights_hold(8);
}

static void the_first_band_with_an_item_fills_in(void **state)
{
    (void)state;
    girt_queue *queue = NULL;
    check_status(girt_queue_create(&queue, &(girt_queue_options){.bands = 4}),
                 GIRT_OK);
    /* Plain pushes are band 0's. */
    for (size_t i = 0; i < 30; i++)
        check_status(girt_queue_push(queue, (void *)i, GIRT_NOW), GIRT_OK);
    for (size_t i = 0; i < 30; i++) {
        void *item = NULL;
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
        assert_ptr_equal(item, (void *)i);
    }
    check_status(girt_queue_push_band(queue, 3, (void *)3, GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push_band(queue, 2, (void *)2, GIRT_NOW), GIRT_OK);
    void *item = NULL;
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    assert_ptr_equal(item, (void *)2);
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    assert_ptr_equal(item, (void *)3);
    girt_queue_destroy(queue);
}

typedef struct spread {
    girt_queue *queue;
    size_t each, producers, started;
} spread;

static void push_numbers(void *context, size_t index)
{
    spread *const s = context;
    for (size_t i = 0; i < s->each; i++) {
        check_status(
            girt_queue_push(s->queue, (void *)(index << 32 | i), GIRT_NOW),
            GIRT_OK);
        /* All at once, so that each has a thread index of its own. */
        if (i == 0)
            __atomic_fetch_add(&s->started, 1, __ATOMIC_RELAXED);
        while (__atomic_load_n(&s->started, __ATOMIC_RELAXED) < s->producers)
            sched_yield();
    }
}

static void a_consumer_visits_every_lane(void **state)
{
    (void)state;
    enum { PRODUCERS = 6 };
    spread s = {.each = 500, .producers = PRODUCERS};
    check_status(
        girt_queue_create(&s.queue,
                          &(girt_queue_options){.capacity = PRODUCERS * 500,
                                                .per_producer_order = true}),
        GIRT_OK);
    threads_run(PRODUCERS, push_numbers, &s);
    /* Kept full from the first lane's point of view: no lane is left behind
     * for more than a stay on each other one. */
    assert_true(s.queue->lanes > 1);
    size_t seen_lanes = 0;
    bool lane_seen[8] = {false};
    uint64_t heads[8];
    size_t next[PRODUCERS] = {0};
    for (size_t i = 0; i < 2 * 64 * (size_t)s.queue->lanes; i++) {
        for (uint32_t l = 0; l < s.queue->lanes; l++)
            heads[l] = s.queue->rings[l].head;
        void *item = NULL;
        check_status(girt_queue_pop(s.queue, &item, GIRT_NOW), GIRT_OK);
        size_t const producer = (size_t)item >> 32;
        assert_int_equal((size_t)item & UINT32_MAX, next[producer]++);
        for (uint32_t l = 0; l < s.queue->lanes; l++) {
            if (heads[l] != s.queue->rings[l].head && !lane_seen[l]) {
                lane_seen[l] = true;
                seen_lanes++;
            }
        }
    }
    size_t used_lanes = 0;
    for (uint32_t l = 0; l < s.queue->lanes; l++)
        used_lanes += s.queue->rings[l].tail / RING_STEP != 0;
    assert_int_equal(used_lanes, s.queue->lanes);
    assert_int_equal(seen_lanes, used_lanes);
    girt_queue_destroy(s.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bands_are_served_by_weight),
        cmocka_unit_test(the_first_band_with_an_item_fills_in),
        cmocka_unit_test(a_consumer_visits_every_lane),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
