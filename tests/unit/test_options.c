/* SPDX-License-Identifier: MIT */
/* Goal: the fields that all options share are judged alike.  Method: each at
 * its limits, the name in memory that ends where it may be read no further. */
#include "core/options.h"
#include "support/check.h"

static void names(void **state)
{
    (void)state;
    static const uint64_t zero[GIRT__RESERVED];
    assert_true(girt__options_are_valid(NULL, NULL, zero));
    assert_true(girt__options_are_valid("a name, with spaces", NULL, zero));
    assert_false(girt__options_are_valid("", NULL, zero));
    for (size_t size = 250; size < 260; size++) {
        char *const name = malloc(size + 1);
        assert_non_null(name);
        memset(name, 'n', size);
        name[size] = '\0';
        assert_int_equal(girt__options_are_valid(name, NULL, zero),
                         size <= GIRT__NAME_MAX);
        free(name);
    }
}

static void a_long_name_is_not_read_to_its_end(void **state)
{
    (void)state;
    static const uint64_t zero[GIRT__RESERVED];
    char *const name = malloc(GIRT__NAME_MAX + 1); /* no final zero */
    assert_non_null(name);
    memset(name, 'n', GIRT__NAME_MAX + 1);
    assert_false(girt__options_are_valid(name, NULL, zero));
    free(name);
}

static void metrics_and_reserved(void **state)
{
    (void)state;
    for (int i = 0; i < GIRT__RESERVED; i++) {
        uint64_t reserved[GIRT__RESERVED] = {0};
        assert_true(girt__options_are_valid(NULL, NULL, reserved));
        assert_true(girt__options_are_valid("a", reserved, reserved));
        assert_false(girt__options_are_valid(NULL, reserved, reserved));
        assert_false(girt__options_are_valid("", reserved, reserved));
        reserved[i] = (uint64_t)1 << 63;
        assert_false(girt__options_are_valid(NULL, NULL, reserved));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(a_long_name_is_not_read_to_its_end),
        cmocka_unit_test(metrics_and_reserved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
