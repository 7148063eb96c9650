/* SPDX-License-Identifier: MIT */
/* Goal: girt_spsc does what an array with memmove does.  Method: random single
 * and batch calls on both, at random capacities and first tickets, every
 * answer, item and count compared. */
#include "support/check.h"
#include "support/fifo.h"
#include "support/scale.h"
#include "support/threads.h"

static void random_calls_agree(void **state)
{
    (void)state;
    fifo_check_against_model(&fifo_spsc, test_seed(), scaled(2000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_calls_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
