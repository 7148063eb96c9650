/* SPDX-License-Identifier: MIT */
/* Goal: the engine for one producer and one consumer is used when both are
 * promised and nothing else is asked for, and its end divides what was pushed
 * exactly.  Method: options compared with the engine chosen; a
 * close at each place of a batch that the consumer has part of, by hand. */
#include <girt/fast/spsc.h>
#include <girt/queue.h>

#include "core/asym_fence.h"
#include "queue/queue_internal.h"
#include "support/check.h"

static girt_queue *make(girt_queue_options options)
{
    girt_queue *queue = NULL;
    check_status(girt_queue_create(&queue, &options), GIRT_OK);
    return queue;
}

static void count_drop(void *context, void *item)
{
    (void)item;
    ++*(size_t *)context;
}

static void both_promises_choose_it(void **state)
{
    (void)state;
    const struct {
        girt_queue_options options;
        bool pair;
    } rows[] = {
        {{.capacity = 0}, false},
        {{.single_producer = true}, false},
        {{.single_consumer = true}, false},
        {{.single_producer = true, .single_consumer = true}, true},
        {{.single_producer = true, .single_consumer = true, .bands = 1}, true},
        {{.single_producer = true, .single_consumer = true, .bands = 2}, false},
        {{.single_producer = true,
          .single_consumer = true,
          .per_producer_order = true},
         true},
        {{.single_producer = true,
          .single_consumer = true,
          .drop_oldest = true,
          .dropped = count_drop},
         false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        girt_queue *const queue = make(rows[i].options);
        assert_int_equal(girt__queue_is_pair(queue),
                         rows[i].pair && girt__asym_available());
        girt_queue_destroy(queue);
    }
}

static girt_queue *make_pair(size_t *dropped)
{
    girt_queue *const queue = make((girt_queue_options){
        .capacity = 9,
        .single_producer = true,
        .single_consumer = true,
        .dropped = count_drop,
        .context = dropped,
    });
    if (!girt__queue_is_pair(queue))
        skip_because("no membarrier(2)");
    return queue;
}

/* The producer has written the count of its line and not its ticket, the
 * consumer has `taken` some of its items already, when close comes. */
static void end_within_a_push(uint64_t taken)
{
    size_t dropped = 0;
    girt_queue *const queue = make_pair(&dropped);
    void *items[9];
    size_t n = 0;
    for (size_t i = 0; i < 9; i++)
        items[i] = (void *)i;
    girt_spsc *const ring = queue->pair.ring;
    check_status(girt_queue_push_n(queue, items, 5, GIRT_NOW, &n), GIRT_OK);
    ring->producer.ticket = 0;
    for (uint64_t i = 0; i < taken; i++)
        check_status(girt_queue_pop(queue, &items[8], GIRT_NOW), GIRT_OK);
    girt_queue_close(queue);
    ring->producer.ticket = 5;
    assert_int_equal(queue->pair.end, taken);
    assert_int_equal(girt_queue_count(queue), 0);
    items[8] = (void *)77;
    check_status(girt_queue_pop(queue, &items[8], GIRT_NOW), GIRT_CLOSED);
    check_status(girt_queue_pop(queue, &items[8], GIRT_FOREVER), GIRT_CLOSED);
    assert_ptr_equal(items[8], (void *)77);
    check_status(girt_queue_push_n(queue, items, 5, GIRT_NOW, &n), GIRT_CLOSED);
    assert_int_equal(n, 0);
    girt_queue_destroy(queue);
    assert_int_equal(dropped, 0);
}

static void the_end_divides_a_push(void **state)
{
    (void)state;
    for (uint64_t taken = 0; taken < 5; taken++)
        end_within_a_push(taken);
}

static void what_is_left_is_told_of(void **state)
{
    (void)state;
    size_t dropped = 0;
    girt_queue *const queue = make_pair(&dropped);
    for (size_t i = 0; i < 9; i++)
        check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push(queue, NULL, GIRT_NOW), GIRT_FULL);
    girt_queue_close(queue);
    assert_int_equal(girt_queue_count(queue), 9);
    assert_true(girt__queue_is_valid(queue));
    girt_queue_destroy(queue);
    assert_int_equal(dropped, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_promises_choose_it),
        cmocka_unit_test(the_end_divides_a_push),
        cmocka_unit_test(what_is_left_is_told_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
