/* SPDX-License-Identifier: MIT */
/* Goal: the powers of two around a count.
 * Method: every small count against a search, and the ends. */
#include "core/power.h"
#include "support/check.h"

static void small_counts(void **state)
{
    (void)state;
    for (uint64_t count = 0; count < 5000; count++) {
        uint64_t from = 1, within = 1;
        while (from < count)
            from *= 2;
        while (within * 2 <= count)
            within *= 2;
        assert_true(girt__power_from(count) == from);
        assert_true(girt__power_within(count) == within);
    }
}

static void ends(void **state)
{
    uint64_t const top = UINT64_C(1) << 63;
    (void)state;
    assert_true(girt__power_from(top - 1) == top);
    assert_true(girt__power_from(top) == top);
    assert_true(girt__power_within(top) == top);
    assert_true(girt__power_within(top - 1) == top / 2);
    assert_true(girt__power_within(UINT64_MAX) == top);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_counts),
        cmocka_unit_test(ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
