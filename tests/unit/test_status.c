/* SPDX-License-Identifier: MIT */
/* Goal: every status has its pinned number, name and text, and any other
 * number is answered safely.  Method: the table of the contract, written out
 * once more. */
#include <girt/version.h>

#include "support/check.h"

static void numbers_are_pinned(void **state)
{
    (void)state;
    static const struct {
        girt_status status;
        int number;
        const char *name;
    } pinned[] = {
        {GIRT_OK, 0, "GIRT_OK"},
        {GIRT_EMPTY, 1, "GIRT_EMPTY"},
        {GIRT_FULL, 2, "GIRT_FULL"},
        {GIRT_CLOSED, 3, "GIRT_CLOSED"},
        {GIRT_TIMEOUT, 4, "GIRT_TIMEOUT"},
        {GIRT_MISSING, 5, "GIRT_MISSING"},
        {GIRT_EXISTS, 6, "GIRT_EXISTS"},
        {GIRT_LIMITED, 7, "GIRT_LIMITED"},
        {GIRT_NEVER, 8, "GIRT_NEVER"},
        {GIRT_REJECTED, 9, "GIRT_REJECTED"},
        {GIRT_E_INVALID, -1, "GIRT_E_INVALID"},
        {GIRT_E_NOMEM, -2, "GIRT_E_NOMEM"},
        {GIRT_E_TOO_LARGE, -3, "GIRT_E_TOO_LARGE"},
        {GIRT_E_BUSY, -4, "GIRT_E_BUSY"},
        {GIRT_E_SYSTEM, -5, "GIRT_E_SYSTEM"},
        {GIRT_E_IO, -6, "GIRT_E_IO"},
        {GIRT_E_PROTOCOL, -7, "GIRT_E_PROTOCOL"},
        {GIRT_E_CORRUPT, -8, "GIRT_E_CORRUPT"},
    };
    for (size_t i = 0; i < sizeof pinned / sizeof *pinned; i++) {
        assert_int_equal(pinned[i].status, pinned[i].number);
        assert_string_equal(girt_status_name(pinned[i].status),
                            pinned[i].name);
        assert_string_not_equal(girt_status_text(pinned[i].status), "");
        assert_string_not_equal(girt_status_text(pinned[i].status),
                                "unknown status");
    }
}

static void other_numbers_are_answered(void **state)
{
    (void)state;
    static const int others[] = {10, -9, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_string_equal(girt_status_name((girt_status)others[i]),
                            "GIRT_?");
        assert_string_equal(girt_status_text((girt_status)others[i]),
                            "unknown status");
    }
}

static void version_agrees_with_its_parts(void **state)
{
    (void)state;
    char parts[32];
    snprintf(parts, sizeof parts, "%d.%d.%d", GIRT_VERSION_MAJOR,
             GIRT_VERSION_MINOR, GIRT_VERSION_PATCH);
    assert_string_equal(girt_version(), parts);
    assert_string_equal(girt_version(), GIRT_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_pinned),
        cmocka_unit_test(other_numbers_are_answered),
        cmocka_unit_test(version_agrees_with_its_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
