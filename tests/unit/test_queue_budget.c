/* SPDX-License-Identifier: MIT */
/* Goal: rings that share a capacity never pass it, and a lone producer finds
 * every credit that others left behind.  Method: threads leave grants and
 * unsettled pops in their lanes and end; one thread then fills the queue; the
 * sum of credits is checked after each step. */
#include <girt/queue.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lone_producer_fills_the_whole),
        cmocka_unit_test(a_closed_queue_keeps_its_credits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
