/* SPDX-License-Identifier: MIT */
/* Goal: header lines as the draft has them, in any buffer.
 * Method: known answers, and every buffer size for one of them. */
#include <girt/limiter.h>

#include "support/check.h"

static void check_text(girt_decision d, girt_rate rate, const char *want)
{
    char buffer[512];
    size_t const size = girt_decision_headers(&d, &rate, buffer, sizeof buffer);
    assert_string_equal(buffer, want);
    assert_int_equal(size, strlen(want));
}

static void test_lines(void **state)
{
    (void)state;
    girt_rate const minute = {100, 60000000000, 20};
    check_text((girt_decision){GIRT_OK, 7, 0, 1500000001}, minute,
               "RateLimit-Policy: \"default\";q=100;w=60;girt-burst=20\r\n"
               "RateLimit: \"default\";r=7;t=2\r\n");
    check_text((girt_decision){GIRT_LIMITED, 0, 1, 12000000000}, minute,
               "RateLimit-Policy: \"default\";q=100;w=60;girt-burst=20\r\n"
               "RateLimit: \"default\";r=0;t=1\r\n"
               "Retry-After: 1\r\n");
    check_text((girt_decision){GIRT_NEVER, 20, INT64_MAX, 0}, minute,
               "RateLimit-Policy: \"default\";q=100;w=60;girt-burst=20\r\n"
               "RateLimit: \"default\";r=20;t=0\r\n");
    check_text((girt_decision){GIRT_LIMITED, 0, INT64_MAX, INT64_MAX},
               (girt_rate){0, 1000000000, 1},
               "RateLimit-Policy: \"default\";q=0;w=1;girt-burst=1\r\n"
               "RateLimit: \"default\";r=0\r\n");
    /* 7 per 250 ms are 28 per s; 3 per 1.5 s are at most 4 per 2 s. */
    check_text((girt_decision){GIRT_OK, 0, 0, 1}, (girt_rate){7, 250000000, 1},
               "RateLimit-Policy: \"default\";q=28;w=1;girt-burst=1\r\n"
               "RateLimit: \"default\";r=0;t=1\r\n");
    check_text((girt_decision){GIRT_OK, 0, 0, 1}, (girt_rate){3, 1500000000, 1},
               "RateLimit-Policy: \"default\";q=4;w=2;girt-burst=1\r\n"
               "RateLimit: \"default\";r=0;t=1\r\n");
    check_text((girt_decision){GIRT_OK, UINT64_MAX, 0, INT64_MAX - 1},
               (girt_rate){UINT64_MAX, 1, UINT64_MAX},
               "RateLimit-Policy: \"default\";q=999999999999999;w=1;"
               "girt-burst=999999999999999\r\n"
               "RateLimit: \"default\";r=999999999999999;t=9223372037\r\n");
}

static void test_sizes(void **state)
{
    (void)state;
    girt_decision const d = {GIRT_LIMITED, 0, 1, 2};
    girt_rate const rate = {100, 60000000000, 20};
    char whole[512];
    size_t const size = girt_decision_headers(&d, &rate, whole, sizeof whole);
    assert_int_equal(girt_decision_headers(&d, &rate, NULL, 0), size);
    for (size_t given = 1; given <= size + 1; given++) {
        char buffer[512];
        memset(buffer, '#', sizeof buffer);
        assert_int_equal(girt_decision_headers(&d, &rate, buffer, given), size);
        assert_int_equal(strlen(buffer), given - 1);
        assert_memory_equal(buffer, whole, given - 1);
        assert_int_equal(buffer[given], '#');
    }
    assert_int_equal(girt_decision_headers(NULL, &rate, whole, 1), 0);
    assert_int_equal(girt_decision_headers(&d, NULL, whole, 1), 0);
    assert_int_equal(girt_decision_headers(&d, &rate, NULL, 1), 0);
    girt_rate const none = {1, 0, 1};
    assert_int_equal(girt_decision_headers(&d, &none, whole, 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
