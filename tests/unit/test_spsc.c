/* SPDX-License-Identifier: MIT */
/* Goal: girt_spsc keeps its contract on one thread: exact capacity, any
 * pointer, batches, every bad argument.  Method: the checks of support/fifo.h
 * at many capacities, with tickets counted from 0 and from just before they
 * wrap. */
#include <girt/fast/spsc.h>

#include "support/check.h"
#include "support/fifo.h"

#define KIND_TEST(check)                                                       \
    static void check(void **state)                                            \
    {                                                                          \
        (void)state;                                                           \
        fifo_check_##check(&fifo_spsc);                                        \
    }

KIND_TEST(capacity_is_exact)
KIND_TEST(any_pointer_is_an_item)
KIND_TEST(batches)
KIND_TEST(late_tickets)
KIND_TEST(create_rejects)

/* Lulls in vain come once a ticket, get shorter and end. */
static void lulls_end(void **state)
{
    (void)state;
    static const uint64_t expected[] = {16, 8, 4, 2, 1, 0, 0, 0};
    girt_spsc *queue;
    check_status(girt_spsc_create(&queue, 1024, NULL), GIRT_OK);
    void *item;
    assert_false(girt_spsc_pop(queue, &item));
    queue->consumer.pauses = 32;
    assert_false(girt_spsc_pop(queue, &item));
    assert_int_equal(queue->consumer.pauses, 32); /* this ticket had its lull */
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(girt_spsc_push(queue, fifo_item(i)));
        assert_true(girt_spsc_pop(queue, &item));
        for (int again = 0; again < 2; again++) {
            assert_false(girt_spsc_pop(queue, &item));
            assert_int_equal(queue->consumer.pauses, expected[i]);
        }
    }
    girt_spsc_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),
        cmocka_unit_test(any_pointer_is_an_item),
        cmocka_unit_test(batches),
        cmocka_unit_test(late_tickets),
        cmocka_unit_test(create_rejects),
        cmocka_unit_test(lulls_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
