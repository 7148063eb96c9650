/* SPDX-License-Identifier: MIT */
/* Goal: every value has one bucket, whose edges hold it and whose middle is
 * within a 64th of it; every power of two is an upper edge.  Method: all edges,
 * their neighbours, and random values of every magnitude. */
#include "metrics/histogram_buckets.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

static void check_value(uint64_t value)
{
    const size_t bucket = girt__bucket_of(value);
    assert_true(bucket < GIRT__BUCKETS);
    assert_true(value <= girt__bucket_high(bucket));
    if (bucket > 0)
        assert_true(value > girt__bucket_high(bucket - 1));
    if (value > GIRT_HISTOGRAM_MAX) {
        assert_int_equal(bucket, GIRT__OVERFLOW_BUCKET);
        return;
    }
    const uint64_t middle = girt__bucket_middle(bucket);
    const uint64_t error = middle > value ? middle - value : value - middle;
    assert_true(error * 64 <= value);
}

static void edges(void **state)
{
    (void)state;
    for (size_t bucket = 0; bucket < GIRT__OVERFLOW_BUCKET; bucket++) {
        const uint64_t high = girt__bucket_high(bucket);
        assert_int_equal(girt__bucket_of(high), bucket);
        assert_int_equal(girt__bucket_of(high + 1), bucket + 1);
        check_value(high);
        check_value(high + 1);
        check_value(girt__bucket_middle(bucket));
    }
    for (unsigned power = 0; power <= 42; power++) {
        const uint64_t value = UINT64_C(1) << power;
        assert_int_equal(girt__bucket_high(girt__bucket_of(value)), value);
    }
    assert_int_equal(girt__bucket_of(UINT64_MAX), GIRT__OVERFLOW_BUCKET);
    check_value(3600000000000u);
    assert_true(3600000000000u < GIRT_HISTOGRAM_MAX);
}

static void random_values(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int i = 0; i < 1000000; i++)
        check_value(rng_next(&r) >> rng_below(&r, 64));
}

static void rises(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 100000; value++)
        assert_true(girt__bucket_of(value) <= girt__bucket_of(value + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edges),
        cmocka_unit_test(random_values),
        cmocka_unit_test(rises),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
