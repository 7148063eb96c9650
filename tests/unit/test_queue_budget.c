/* SPDX-License-Identifier: MIT */
/* Goal: rings that share a capacity never pass it, and a lone producer finds
 * every credit that others left behind.  Method: threads leave grants and
 * unsettled pops in their lanes and end; one thread then fills the queue; the
 * sum of credits is checked after each step. */
#include <girt/queue.h>

#include <pthread.h>
#include <sched.h>

#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/threads.h"

static void leave_traces(void *context, size_t index)
{
    girt_queue *const queue = context;
    for (size_t i = 0; i <= index; i++)
        check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    for (size_t i = 0; i < index; i++) {
        void *item = NULL;
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    }
}

static size_t fill(girt_queue *queue)
{
    size_t count = 0;
    while (girt_queue_push_band(queue, (unsigned)(count % queue->bands), NULL,
                                GIRT_NOW) == GIRT_OK)
        count++;
    return count;
}

static void a_lone_producer_fills_the_whole(void **state)
{
    (void)state;
    static const girt_queue_options modes[] = {
        {.capacity = 40, .per_producer_order = true},
        {.capacity = 3001, .per_producer_order = true},
        {.capacity = 40, .bands = 8},
        {.capacity = 20000, .bands = 3, .per_producer_order = true},
    };
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        girt_queue *queue = NULL;
        check_status(girt_queue_create(&queue, &modes[m]), GIRT_OK);
        threads_run(6, leave_traces, queue);
        assert_true(girt__queue_is_valid(queue));
        size_t const inside = girt_queue_count(queue);
        assert_int_equal(inside, 6);
        assert_int_equal(fill(queue), modes[m].capacity - inside);
        assert_int_equal(girt_queue_count(queue), modes[m].capacity);
        assert_false(girt__budget_left(queue));
        assert_true(girt__queue_is_valid(queue));
        void *item = NULL;
        for (size_t i = 0; i < 5; i++)
            check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
        assert_true(girt__budget_left(queue));
        assert_int_equal(fill(queue), 5);
        while (girt_queue_pop(queue, &item, GIRT_NOW) == GIRT_OK)
            continue;
        assert_true(girt__queue_is_valid(queue));
        assert_int_equal(fill(queue), modes[m].capacity);
        girt_queue_destroy(queue);
    }
}

static void a_closed_queue_keeps_its_credits(void **state)
{
    (void)state;
    girt_queue *queue = NULL;
    check_status(girt_queue_create(
                     &queue, &(girt_queue_options){.capacity = 10, .bands = 2}),
                 GIRT_OK);
    girt_queue_close(queue);
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_CLOSED);
    assert_true(girt__queue_is_valid(queue));
    girt_queue_destroy(queue);
}

static void *push_forever(void *queue)
{
    check_status(girt_queue_push(queue, NULL, GIRT_FOREVER), GIRT_OK);
    return NULL;
}

/* A popper that clears SLEEPERS and stalls before its wake, by hand: the credit
 * that another pusher collects and does not use must wake the sleeper. */
static void a_credit_left_over_wakes_a_sleeper(void **state)
{
    (void)state;
    girt_queue *queue = NULL;
    check_status(girt_queue_create(
                     &queue, &(girt_queue_options){.capacity = 4, .bands = 2}),
                 GIRT_OK);
    assert_int_equal(fill(queue), 4);
    pthread_t sleeper;
    assert_int_equal(pthread_create(&sleeper, NULL, push_forever, queue), 0);
    while (girt_load_acquire(&queue->room.waiters) == 0 ||
           !(girt_load_acquire(&queue->rings[0].head) & RING_SLEEPERS))
        sched_yield();
    void *items[2];
    size_t popped = 0;
    uint64_t seen = 0;
    check_status(girt__ring_pop(&queue->rings[0], items, 2, &popped, &seen),
                 GIRT_OK);
    assert_int_equal(popped, 2);
    /* A sleeper that was only about to sleep looks again, and may have both
     * credits in its hands for a moment: then this one finds none. */
    girt_status status;
    while ((status = girt_queue_push_band(queue, 1, NULL, GIRT_NOW)) ==
           GIRT_FULL)
        sched_yield();
    check_status(status, GIRT_OK);
    assert_int_equal(pthread_join(sleeper, NULL), 0);
    assert_int_equal(girt_queue_count(queue), 4);
    assert_true(girt__queue_is_valid(queue));
    girt_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_producer_fills_the_whole),
        cmocka_unit_test(a_closed_queue_keeps_its_credits),
        cmocka_unit_test(a_credit_left_over_wakes_a_sleeper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
