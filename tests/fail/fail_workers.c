/* SPDX-License-Identifier: MIT */
/* Goal: a create that runs out of memory at any allocation says so and leaves
 * nothing behind.  Method: allocation k fails, for each k until none does. */
#include <girt/workers.h>

#include "support/check.h"
#include "support/failing.h"

static void each_allocation_may_fail(void **state)
{
    (void)state;
    failing f;
    girt_status status = GIRT_E_NOMEM;
    for (size_t k = 1; status != GIRT_OK; k++) {
        failing_init(&f);
        f.fail_at = k;
        girt_workers *workers = NULL;
        status = girt_workers_create(
            &workers, &(girt_workers_options){.threads = 2,
                                              .queue_capacity = 9,
                                              .allocator = &f.allocator});
        if (status == GIRT_OK) {
            assert_int_equal(f.calls, k - 1);
            girt_workers_destroy(workers);
        } else {
            check_status(status, GIRT_E_NOMEM);
            assert_null(workers);
        }
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.live_bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
