/* SPDX-License-Identifier: MIT */
/* Goal: girt_mpmc without memory says so, leaks nothing and leaves *out alone.
 * Method: allocation k of create fails, for every k, alone and with all that
 * follow. */
#include "support/check.h"
#include "support/fifo.h"

static void every_allocation_may_fail(void **state)
{
    (void)state;
    fifo_check_out_of_memory(&fifo_mpmc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
