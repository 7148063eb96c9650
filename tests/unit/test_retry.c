/* SPDX-License-Identifier: MIT */
/* Goal: a retry budget gives its share and its floor and no more, and a backoff
 * stays within its bounds for any numbers.
 * Method: a manual clock; retries are taken until refused and counted. */
#include <girt/retry.h>

#include <math.h>

#include "support/check.h"

#define SECOND_NS INT64_C(1000000000)

static girt_retry_budget *make(double ratio, double floor_per_s,
                               int64_t *now_ns)
{
    girt_retry_budget *budget = NULL;
    girt_retry_budget_options o = {.ratio = ratio, .floor_per_s = floor_per_s};
    girt_clock_manual(&o.clock, now_ns);
    check_status(girt_retry_budget_create(&budget, &o), GIRT_OK);
    return budget;
}

static unsigned take_all(girt_retry_budget *budget)
{
    unsigned count = 0;
    while (girt_retry_budget_take(budget) == GIRT_OK)
        count++;
    check_status(girt_retry_budget_take(budget), GIRT_LIMITED);
    return count;
}

static void call(girt_retry_budget *budget, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        girt_retry_budget_call(budget);
}

static void test_floor(void **state)
{
    (void)state;
    int64_t now_ns = 7;
    girt_retry_budget *const budget = make(0, 0, &now_ns);
    assert_int_equal(take_all(budget), 100); /* 10 a second for 10 s */
    now_ns += 9 * SECOND_NS;
    assert_int_equal(take_all(budget), 0);
    now_ns += SECOND_NS;
    assert_int_equal(take_all(budget), 100);
    girt_retry_budget_destroy(budget);
}

static void test_ratio(void **state)
{
    (void)state;
    int64_t now_ns = 0;
    girt_retry_budget *const budget = make(0, -1, &now_ns);
    assert_int_equal(take_all(budget), 0);
    call(budget, 4);
    assert_int_equal(take_all(budget), 0);
    call(budget, 1);
    assert_int_equal(take_all(budget), 1);
    call(budget, 100);
    assert_int_equal(take_all(budget), 20);
    now_ns += 5 * SECOND_NS;
    call(budget, 50);
    assert_int_equal(take_all(budget), 10);
    now_ns += 5 * SECOND_NS; /* the first 105 are out, and their 21 */
    assert_int_equal(take_all(budget), 0);
    call(budget, 5);
    assert_int_equal(take_all(budget), 1);
    now_ns += 100 * SECOND_NS;
    assert_int_equal(take_all(budget), 0);
    girt_retry_budget_destroy(budget);
}

/* Shares that binary fractions miss are whole all the same. */
static void test_whole(void **state)
{
    (void)state;
    static const double ratios[] = {0.1, 0.2, 0.29, 0.3, 0.7, 1, 3};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        int64_t now_ns = 0;
        girt_retry_budget *const budget = make(ratios[i], -1, &now_ns);
        call(budget, 100);
        assert_int_equal(take_all(budget), (unsigned)(ratios[i] * 100 + 0.5));
        girt_retry_budget_destroy(budget);
    }
}

static void test_invalid(void **state)
{
    (void)state;
    girt_retry_budget *budget = NULL;
    const girt_retry_budget_options wrong[] = {
        {.ratio = -1},
        {.ratio = 1001},
        {.ratio = NAN},
        {.floor_per_s = NAN},
        {.floor_per_s = INFINITY},
        {.window_ns = -1},
        {.window_ns = 9},
        {.window_ns = INT64_MIN},
        {.name = ""},
        {.metrics = (girt_metrics *)&budget},
        {.allocator =
             &(girt_allocator){
                 .release = (void (*)(void *, void *, size_t))(uintptr_t)1}},
        {.reserved = {1}},
        {.reserved = {0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        check_status(girt_retry_budget_create(&budget, &wrong[i]),
                     GIRT_E_INVALID);
        assert_null(budget);
    }
    check_status(girt_retry_budget_create(NULL, NULL), GIRT_E_INVALID);
    check_status(girt_retry_budget_take(NULL), GIRT_E_INVALID);
    girt_retry_budget_call(NULL);
    girt_retry_budget_destroy(NULL);
}

static void test_extremes(void **state)
{
    (void)state;
    girt_retry_budget *budget = NULL;
    check_status(girt_retry_budget_create(&budget, NULL), GIRT_OK);
    call(budget, 5);
    assert_int_equal(take_all(budget), 101);
    girt_retry_budget_destroy(budget);
    int64_t now_ns = INT64_MIN;
    girt_retry_budget_options o = {.ratio = 1000,
                                   .floor_per_s = 1e308,
                                   .window_ns = INT64_MAX,
                                   .name = "retries"};
    girt_clock_manual(&o.clock, &now_ns);
    check_status(girt_retry_budget_create(&budget, &o), GIRT_OK);
    check_status(girt_retry_budget_take(budget), GIRT_OK);
    now_ns = INT64_MAX;
    call(budget, 1);
    check_status(girt_retry_budget_take(budget), GIRT_OK);
    girt_retry_budget_destroy(budget);
    o.window_ns = 10;
    now_ns = 0;
    check_status(girt_retry_budget_create(&budget, &o), GIRT_OK);
    for (now_ns = 0; now_ns < 100; now_ns++)
        check_status(girt_retry_budget_take(budget), GIRT_OK);
    girt_retry_budget_destroy(budget);
}

static void check_backoff(int64_t base_ns, int64_t max_ns, unsigned attempt,
                          int64_t end)
{
    uint64_t random = 1;
    assert_int_equal(girt_backoff_ns(base_ns, max_ns, attempt, NULL), end);
    for (int i = 0; i < 100; i++) {
        int64_t const ns = girt_backoff_ns(base_ns, max_ns, attempt, &random);
        assert_true(ns >= 0 && ns <= end);
    }
}

static void test_backoff(void **state)
{
    (void)state;
    check_backoff(100, 1000, 0, 100);
    check_backoff(100, 1000, 3, 800);
    check_backoff(100, 1000, 4, 1000);
    check_backoff(100, 50, 0, 50);
    check_backoff(1, INT64_MAX, 62, INT64_C(1) << 62);
    for (unsigned attempt = 63; attempt != 0; attempt <<= 1)
        check_backoff(1, INT64_MAX, attempt, INT64_MAX);
    check_backoff(3, INT64_MAX, 61, INT64_C(3) << 61);
    check_backoff(3, INT64_MAX, 62, INT64_MAX);
    check_backoff(INT64_MAX, INT64_MAX, UINT32_MAX, INT64_MAX);
    check_backoff(INT64_MAX, 7, 1, 7);
    check_backoff(0, 1000, 5, 0);
    check_backoff(-1, 1000, 5, 0);
    check_backoff(100, 0, 5, 0);
    check_backoff(100, INT64_MIN, 5, 0);
    check_backoff(INT64_MIN, 1, 5, 0);
}

/* Full jitter: all of the range, evenly, both ends as well. */
static void test_jitter(void **state)
{
    (void)state;
    uint64_t random = 0;
    unsigned seen[4] = {0};
    for (int i = 0; i < 40000; i++)
        seen[girt_backoff_ns(3, 1000, 0, &random)]++;
    for (int i = 0; i < 4; i++)
        assert_in_range(seen[i], 9500, 10500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_floor),    cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_whole),    cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_extremes), cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_jitter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
