/* SPDX-License-Identifier: MIT */
/* Goal: girt_mpmc keeps its contract on one thread: exact capacity, any
 * pointer, batches, every bad argument.  Method: the checks of support/fifo.h
 * at many capacities, with tickets counted from 0 and from just before they
 * wrap. */
#include <girt/fast/mpmc.h>

#include "support/check.h"
#include "support/fifo.h"

#define KIND_TEST(check)                                                       \
    static void check(void **state)                                            \
    {                                                                          \
        (void)state;                                                           \
        fifo_check_##check(&fifo_mpmc);                                        \
    }

KIND_TEST(capacity_is_exact)
KIND_TEST(any_pointer_is_an_item)
KIND_TEST(batches)
KIND_TEST(late_tickets)
KIND_TEST(create_rejects)

/* A thread that stops between its swap and the store of its hint and wakes
 * later sets the hint back: by hand here, by any distance. */
static void hints_may_go_back(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 3, 8, 100};
    for (size_t c = 0; c < 4; c++) {
        size_t const capacity = capacities[c];
        girt_mpmc *queue;
        check_status(girt_mpmc_create(&queue, capacity, NULL), GIRT_OK);
        uint64_t pushed = 0, popped = 0;
        for (size_t round = 0; round < 2000; round++) {
            for (size_t i = 0; i < 1 + round % capacity; i++)
                if (girt_mpmc_push(queue, fifo_item(pushed)))
                    pushed++;
            queue->tail = pushed * (round % 7) / 7;
            queue->head = popped * (round % 5) / 5;
            assert_int_equal(girt_mpmc_count(queue), pushed - popped);
            void *item;
            for (size_t i = 0; i < 1 + round % 3; i++)
                if (girt_mpmc_pop(queue, &item))
                    assert_ptr_equal(item, fifo_item(popped++));
            queue->tail = pushed * (round % 3) / 3;
            queue->head = popped * (round % 4) / 4;
        }
        assert_true(fifo_mpmc.is_valid(queue));
        girt_mpmc_destroy(queue);
    }
}

/* Lulls in vain come once a ticket, get shorter and end. */
static void lulls_end(void **state)
{
    (void)state;
    static const uint64_t expected[] = {16, 8, 0, 0, 0, 0, 0, 0, 0, 0};
    girt_mpmc *queue;
    check_status(girt_mpmc_create(&queue, 1024, NULL), GIRT_OK);
    void *item;
    assert_false(girt_mpmc_pop(queue, &item));
    queue->pop_lull.pauses = 32;
    assert_false(girt_mpmc_pop(queue, &item));
    assert_int_equal(queue->pop_lull.pauses, 32); /* this ticket had its lull */
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_true(girt_mpmc_push(queue, fifo_item(i)));
        assert_true(girt_mpmc_pop(queue, &item));
        for (int again = 0; again < 2; again++) {
            assert_false(girt_mpmc_pop(queue, &item));
            assert_int_equal(queue->pop_lull.pauses, expected[i]);
        }
    }
    girt_mpmc_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),
        cmocka_unit_test(any_pointer_is_an_item),
        cmocka_unit_test(batches),
        cmocka_unit_test(late_tickets),
        cmocka_unit_test(create_rejects),
        cmocka_unit_test(hints_may_go_back),
        cmocka_unit_test(lulls_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
