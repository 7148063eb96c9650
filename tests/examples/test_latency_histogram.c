/* SPDX-License-Identifier: MIT */
/* Goal: quantiles are exact to one part in 64 and never below the truth.
 * Method: random durations of all magnitudes against a sorted array; merged
 * halves against the whole. */
#include <math.h>
#include <stdlib.h>

#include "latency_histogram.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static latency_histogram *make(void)
{
    latency_histogram *const h = calloc(1, sizeof *h);
    assert_non_null(h);
    return h;
}

static int by_value(const void *left, const void *right)
{
    uint64_t const a = *(const uint64_t *)left;
    uint64_t const b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void check_quantiles(const latency_histogram *h, uint64_t *values,
                            size_t count)
{
    static const double quantiles[] = {0,    0.001, 0.25,   0.5,
                                       0.99, 0.999, 0.9999, 1};
    qsort(values, count, sizeof *values, by_value);
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        double const wanted = ceil(quantiles[i] * (double)count);
        size_t const rank = wanted < 1 ? 1 : (size_t)wanted;
        uint64_t const exact = values[rank - 1];
        uint64_t const answer = latency_quantile(h, quantiles[i]);
        assert_true(answer >= exact);
        assert_true(answer - exact <= exact / 64);
    }
    assert_true(h->max_ns == values[count - 1]);
}

static void test_against_sorted(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t const count = scaled(200000);
    uint64_t *const values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (unsigned width = 1; width <= 63; width += 31) {
        latency_histogram *const h = make();
        latency_histogram *const halves[2] = {make(), make()};
        for (size_t i = 0; i < count; i++) {
            /* log-uniform up to 2^width */
            values[i] = rng_next(&r) >> (64 - width) >> rng_below(&r, width);
            latency_record(h, (int64_t)values[i], 1);
            latency_record(halves[i % 2], (int64_t)values[i], 1);
        }
        check_quantiles(h, values, count);
        latency_merge(halves[0], halves[1]);
        assert_memory_equal(h, halves[0], sizeof *h);
        free(halves[0]);
        free(halves[1]);
        free(h);
    }
    free(values);
}

static void test_edges(void **state)
{
    (void)state;
    latency_histogram *const h = make();
    assert_true(latency_quantile(h, 0.5) == 0);
    latency_record(h, 5, 0);
    assert_true(h->count == 0 && h->max_ns == 0);
    latency_record(h, -5, 3);
    assert_true(latency_quantile(h, 1) == 0 && h->count == 3);
    latency_record(h, INT64_MAX, 1);
    assert_true(latency_quantile(h, 1) == INT64_MAX);
    assert_true(latency_quantile(h, 0.75) == 0);
    latency_record(h, 127, 4);
    assert_true(latency_quantile(h, 0.875) == 127);
    free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_sorted),
        cmocka_unit_test(test_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
