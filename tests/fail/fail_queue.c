/* SPDX-License-Identifier: MIT */
/* Goal: a create that runs out of memory at any allocation says so and leaves
 * nothing behind.  Method: allocation k fails, for each k until none does. */
#include <girt/queue.h>

#include "support/check.h"
#include "support/failing.h"

static void each_allocation_may_fail(void **state)
{
    (void)state;
    static const girt_queue_options modes[] = {
        {.capacity = 9},
        {.capacity = 9, .single_producer = true, .single_consumer = true},
        {.capacity = 9, .bands = 3, .per_producer_order = true},
    };
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++) {
        failing f;
        girt_status status = GIRT_E_NOMEM;
        for (size_t k = 1; status != GIRT_OK; k++) {
            failing_init(&f);
            f.fail_at = k;
            f.fail_all_after = k % 2;
            girt_queue_options options = modes[m];
            options.allocator = &f.allocator;
            girt_queue *queue = NULL;
            status = girt_queue_create(&queue, &options);
            if (status == GIRT_OK) {
                assert_int_equal(f.calls, k - 1);
                girt_queue_destroy(queue);
            } else {
                check_status(status, GIRT_E_NOMEM);
                assert_null(queue);
            }
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.live_bytes, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
