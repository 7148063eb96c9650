/* SPDX-License-Identifier: MIT */
/* Goal: girt_spsc keeps its contract on one thread: exact capacity, any
 * pointer, batches, every bad argument.  Method: the checks of support/fifo.h
 * at many capacities, with tickets counted from 0 and from just before they
 * wrap. */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(capacity_is_exact),
        cmocka_unit_test(any_pointer_is_an_item),
        cmocka_unit_test(batches),
        cmocka_unit_test(late_tickets),
        cmocka_unit_test(create_rejects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
