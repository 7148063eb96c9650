/* SPDX-License-Identifier: MIT */
/* Goal: a traced queue is the queue that its options ask for, and each item
 * brings the context of its push.  Method: each engine, single and batch,
 * bands, drops, refusals and destroy, with envelopes counted by the allocator;
 * each allocation fails once. */
#include <girt/queue.h>
#include <girt/trace.h>

#include <poll.h>

#include "support/check.h"
#include "support/failing.h"

static girt_trace_context context_of(unsigned number)
{
    girt_trace_context context = {{0}, {0}, 0, {0}};
    context.trace_id[0] = (uint8_t)number;
    context.span_id[0] = (uint8_t)number;
    return context;
}

static void set_context(unsigned number)
{
    girt_trace_context const context = context_of(number);
    girt_trace_attach(&context, NULL);
}

/* Item and context have one number. */
static void assert_received(void *item, unsigned number)
{
    girt_trace_context received;
    assert_int_equal((uintptr_t)item, number);
    assert_true(girt_trace_received(&received));
    assert_int_equal(received.trace_id[0], number);
}

static girt_queue *queue_with(girt_queue_options options, failing *f)
{
    girt_queue *queue = NULL;
    failing_init(f);
    options.traced = true;
    options.allocator = &f->allocator;
    check_status(girt_queue_create(&queue, &options), GIRT_OK);
    return queue;
}

static void *item_of(unsigned number)
{
    return (void *)(uintptr_t)number;
}

static void each_engine(void **state)
{
    (void)state;
    girt_queue_options const engines[] = {
        {.capacity = 8},
        {.capacity = 8, .bands = 2},
        {.capacity = 8, .per_producer_order = true},
        {.capacity = 8, .single_producer = true, .single_consumer = true},
    };
    for (size_t e = 0; e < sizeof engines / sizeof *engines; e++) {
        failing f;
        girt_queue *const queue = queue_with(engines[e], &f);
        size_t const empty = f.live_blocks;
        void *item, *items[100];
        size_t count;
        assert_int_equal(girt_queue_capacity(queue), 8);
        for (unsigned i = 1; i <= 8; i++) {
            set_context(i);
            check_status(girt_queue_push(queue, item_of(i), GIRT_NOW), GIRT_OK);
        }
        check_status(girt_queue_push(queue, item_of(9), GIRT_NOW), GIRT_FULL);
        check_status(girt_queue_push(queue, item_of(9), 1000), GIRT_TIMEOUT);
        assert_int_equal(girt_queue_count(queue), 8);
        assert_int_equal(f.live_blocks, empty + 8);
        for (unsigned i = 1; i <= 6; i++) {
            check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
            assert_received(item, i);
        }
        check_status(girt_queue_pop_n(queue, items, 100, GIRT_NOW, &count),
                     GIRT_OK);
        assert_int_equal(count, 2);
        assert_received(items[1], 8);
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_EMPTY);
        check_status(girt_queue_pop_n(queue, items, 1, GIRT_NOW, &count),
                     GIRT_EMPTY);
        assert_int_equal(count, 0);

        set_context(77);
        for (unsigned i = 0; i < 100; i++)
            items[i] = item_of(77);
        check_status(girt_queue_push_n(queue, items, 100, GIRT_NOW, &count),
                     GIRT_FULL);
        assert_int_equal(count, 8);
        assert_int_equal(f.live_blocks, empty + 8);
        check_status(girt_queue_push_n(queue, NULL, 0, GIRT_NOW, &count),
                     GIRT_OK);
        assert_int_equal(count, 0);
        girt_queue_close(queue);
        check_status(girt_queue_push(queue, item, GIRT_NOW), GIRT_CLOSED);
        check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
        assert_received(item, 77);
        girt_trace_attach(NULL, NULL);
        girt_queue_destroy(queue); /* seven are inside, and forgotten */
        assert_int_equal(f.live_blocks, 0);
    }
}

static void batches_over_many_turns(void **state)
{
    (void)state;
    failing f;
    girt_queue *const queue =
        queue_with((girt_queue_options){.capacity = 1000}, &f);
    void *items[1000];
    size_t count;
    for (unsigned i = 0; i < 1000; i++)
        items[i] = item_of(i);
    check_status(girt_queue_push_n(queue, items, 1000, GIRT_NOW, &count),
                 GIRT_OK);
    memset(items, 0xff, sizeof items);
    check_status(girt_queue_pop_n(queue, items, 150, GIRT_NOW, &count),
                 GIRT_OK);
    assert_int_equal(count, 150);
    check_status(
        girt_queue_pop_n(queue, items + 150, 1000 - 150, GIRT_NOW, &count),
        GIRT_OK);
    assert_int_equal(count, 850);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal((uintptr_t)items[i], i);
    girt_trace_context received;
    assert_false(girt_trace_received(&received)); /* pushed without one */
    girt_queue_destroy(queue);
    assert_int_equal(f.live_blocks, 0);
}

static void bands_and_events(void **state)
{
    (void)state;
    failing f;
    girt_queue *const queue = queue_with((girt_queue_options){.bands = 2}, &f);
    int fd = -1;
    check_status(girt_queue_fd(queue, &fd), GIRT_OK);
    struct pollfd poller = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&poller, 1, 0), 0);
    void *item;
    set_context(2);
    check_status(girt_queue_push_band(queue, 1, item_of(2), GIRT_NOW), GIRT_OK);
    set_context(1);
    check_status(girt_queue_push_band(queue, 0, item_of(1), GIRT_NOW), GIRT_OK);
    check_status(girt_queue_push_band(queue, 2, item_of(3), GIRT_NOW),
                 GIRT_E_INVALID);
    assert_int_equal(poll(&poller, 1, 0), 1);
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    assert_received(item, 1);
    check_status(girt_queue_pop(queue, &item, GIRT_NOW), GIRT_OK);
    assert_received(item, 2);
    girt_trace_attach(NULL, NULL);
    girt_queue_destroy(queue);
    assert_int_equal(f.live_blocks, 0);
}

static void add_up(void *context, void *item)
{
    *(uintptr_t *)context += (uintptr_t)item;
}

static void dropped_items_come_out_of_their_envelopes(void **state)
{
    (void)state;
    failing f;
    uintptr_t sum = 0;
    girt_queue *const queue =
        queue_with((girt_queue_options){.capacity = 2,
                                        .drop_oldest = true,
                                        .dropped = add_up,
                                        .context = &sum},
                   &f);
    for (unsigned i = 1; i <= 5; i++)
        check_status(girt_queue_push(queue, item_of(i), GIRT_NOW), GIRT_OK);
    assert_int_equal(sum, 1 + 2 + 3);
    girt_queue_destroy(queue);
    assert_int_equal(sum, 15);
    assert_int_equal(f.live_blocks, 0);
}

static void pushes_without_memory(void **state)
{
    (void)state;
    failing f;
    girt_queue *const queue =
        queue_with((girt_queue_options){.capacity = 8}, &f);
    size_t const empty = f.live_blocks;
    void *items[3] = {item_of(1), item_of(2), item_of(3)};
    size_t count = 99;
    f.calls = 0;
    f.fail_at = 1;
    check_status(girt_queue_push(queue, items[0], GIRT_NOW), GIRT_E_NOMEM);
    for (size_t k = 1; k <= 4; k++) {
        f.calls = 0;
        f.fail_at = k;
        check_status(girt_queue_push_n(queue, items, 3, GIRT_NOW, &count),
                     GIRT_E_NOMEM);
        assert_int_equal(count, 0);
        assert_int_equal(f.live_blocks, empty);
    }
    f.fail_at = 0;
    check_status(girt_queue_push_n(queue, items, 3, GIRT_NOW, &count), GIRT_OK);
    girt_queue_destroy(queue);
    assert_int_equal(f.live_blocks, 0);

    /* And create itself. */
    bool made = false;
    for (size_t k = 1; !made; k++) {
        girt_queue *fresh = NULL;
        f.calls = 0;
        f.fail_at = k;
        girt_status const status = girt_queue_create(
            &fresh,
            &(girt_queue_options){.traced = true, .allocator = &f.allocator});
        made = status == GIRT_OK;
        if (!made)
            check_status(status, GIRT_E_NOMEM);
        girt_queue_destroy(fresh);
        assert_int_equal(f.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_engine),
        cmocka_unit_test(batches_over_many_turns),
        cmocka_unit_test(bands_and_events),
        cmocka_unit_test(dropped_items_come_out_of_their_envelopes),
        cmocka_unit_test(pushes_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
