/* SPDX-License-Identifier: MIT */
/* Goal: a histogram counts each value once and answers quantiles within 1/64;
 * merging adds; what is written agrees.  Method: values beside a sorted array;
 * all powers of two at their bounds; the largest values; all threads' shards.
 */
#include <math.h>

#include "metrics/metrics_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scrape.h"
#include "support/threads.h"

static girt_metrics *metrics;

static int make(void **state)
{
    (void)state;
    check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    girt_metrics_destroy(metrics);
    return 0;
}

static girt_histogram *histogram(const char *name)
{
    girt_histogram *h = NULL;
    check_status(girt_histogram_create(&h, metrics, name, "h", NULL), GIRT_OK);
    return h;
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void check_near(uint64_t answer, uint64_t exact)
{
    if (exact > GIRT_HISTOGRAM_MAX)
        exact = GIRT_HISTOGRAM_MAX;
    const uint64_t error = answer > exact ? answer - exact : exact - answer;
    assert_true(error * 64 <= exact);
}

static void nothing_recorded(void **state)
{
    (void)state;
    girt_histogram *const h = histogram("empty_ns");
    assert_int_equal(girt_histogram_quantile(h, 0.5), 0);
    assert_int_equal(girt_histogram_count(h), 0);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_true(scrape_has_line(&s, "empty_ns_bucket{le=\"+Inf\"} 0"));
    assert_true(scrape_has_line(&s, "empty_ns_sum 0"));
    assert_true(scrape_has_line(&s, "empty_ns_count 0"));
    scrape_free(&s);
}

static void quantiles(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static uint64_t values[COUNT];
    rng r = {test_seed()};
    for (int kind = 0; kind < 3; kind++) {
        char name[16];
        (void)snprintf(name, sizeof name, "q%d_ns", kind);
        girt_histogram *const h = histogram(name);
        for (size_t i = 0; i < COUNT; i++) {
            values[i] = kind == 0   ? rng_next(&r) >> rng_below(&r, 64)
                        : kind == 1 ? rng_below(&r, 100)
                                    : 1 + rng_below(&r, 3600000000000u);
            girt_histogram_record(h, values[i]);
        }
        qsort(values, COUNT, sizeof *values, by_value);
        for (int i = 0; i <= 1000; i++) {
            const double q = i / 1000.0;
            const size_t rank = q > 0 ? (size_t)ceil(q * COUNT) : 1;
            check_near(girt_histogram_quantile(h, q), values[rank - 1]);
        }
        assert_int_equal(girt_histogram_count(h), COUNT);
    }
}

static void strange_shares(void **state)
{
    (void)state;
    girt_histogram *const h = histogram("strange_ns");
    girt_histogram_record(h, 3);
    girt_histogram_record(h, 40);
    assert_int_equal(girt_histogram_quantile(h, -1), 3);
    assert_int_equal(girt_histogram_quantile(h, -INFINITY), 3);
    assert_int_equal(girt_histogram_quantile(h, NAN), 3);
    assert_int_equal(girt_histogram_quantile(h, 0), 3);
    assert_int_equal(girt_histogram_quantile(h, 0.5), 3);
    assert_int_equal(girt_histogram_quantile(h, 0.500001), 40);
    assert_int_equal(girt_histogram_quantile(h, 1), 40);
    assert_int_equal(girt_histogram_quantile(h, 1.5), 40);
    assert_int_equal(girt_histogram_quantile(h, INFINITY), 40);
}

/* 2^k is in the bucket le="2^k"; 2^k + 1 in the next one only. */
static void bounds_are_exact(void **state)
{
    (void)state;
    girt_histogram *const h = histogram("bounds_ns");
    for (unsigned power = 0; power <= 42; power++) {
        girt_histogram_record(h, UINT64_C(1) << power);
        girt_histogram_record(h, (UINT64_C(1) << power) + 1);
    }
    girt_histogram_record(h, 0);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    for (unsigned power = 0; power <= 42; power++) {
        /* 0, and of 1, 2, 2, 3, 4, 5, 8, 9 ... those up to it. */
        char line[100];
        (void)snprintf(line, sizeof line, "bounds_ns_bucket{le=\"%llu\"} %u",
                       1ULL << power, 2 * power + 2);
        assert_true(scrape_has_line(&s, line));
    }
    assert_true(scrape_has_line(&s, "bounds_ns_bucket{le=\"1\"} 2"));
    assert_true(scrape_has_line(&s, "bounds_ns_bucket{le=\"2\"} 4"));
    assert_true(scrape_has_line(&s, "bounds_ns_bucket{le=\"+Inf\"} 87"));
    assert_true(scrape_has_line(&s, "bounds_ns_count 87"));
    scrape_free(&s);
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    assert_true(scrape_has_line(&s, "bounds_ns_bucket{le=\"1.0\"} 2"));
    assert_true(
        scrape_has_line(&s, "bounds_ns_bucket{le=\"4398046511104.0\"} 86"));
    scrape_free(&s);
}

static void beyond_the_range(void **state)
{
    (void)state;
    girt_histogram *const h = histogram("beyond_ns");
    girt_histogram_record(h, UINT64_MAX);
    girt_histogram_record(h, GIRT_HISTOGRAM_MAX + 1);
    assert_int_equal(girt_histogram_quantile(h, 1), GIRT_HISTOGRAM_MAX);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_true(
        scrape_has_line(&s, "beyond_ns_bucket{le=\"4398046511104\"} 0"));
    assert_true(scrape_has_line(&s, "beyond_ns_bucket{le=\"+Inf\"} 2"));
    assert_true(scrape_has_line(&s, "beyond_ns_sum 8796093022208"));
    scrape_free(&s);
}

static void merging(void **state)
{
    (void)state;
    girt_histogram *const a = histogram("a_ns"), *const b = histogram("b_ns"),
                          *const both = histogram("both_ns");
    rng r = {test_seed()};
    uint64_t sum = 0;
    for (int i = 0; i < 2000; i++) {
        const uint64_t value = rng_next(&r) >> (24 + rng_below(&r, 40));
        girt_histogram_record(i % 3 == 0 ? a : b, value);
        girt_histogram_record(both, value);
        sum += value;
    }
    check_status(girt_histogram_merge(a, b), GIRT_OK);
    for (int i = 0; i <= 100; i++)
        assert_int_equal(girt_histogram_quantile(a, i / 100.0),
                         girt_histogram_quantile(both, i / 100.0));
    girt__histogram_read read;
    girt__histogram_read_cells(&a->handle.series, &read);
    assert_int_equal(read.sum, sum);
    assert_int_equal(read.total, 2000);

    check_status(girt_histogram_merge(NULL, a), GIRT_E_INVALID);
    check_status(girt_histogram_merge(a, NULL), GIRT_E_INVALID);
    check_status(girt_histogram_merge(a, a), GIRT_E_INVALID);
    assert_int_equal(girt_histogram_count(a), 2000);
}

/* Threads of all shards, those with one writer and the others. */
static void record_some(void *context, size_t index)
{
    for (uint64_t i = 0; i < 1000; i++)
        girt_histogram_record(context, 1000 * (uint64_t)index + i);
}

static void all_shards(void **state)
{
    (void)state;
    girt_histogram *const h = histogram("threads_ns");
    threads_run(12, record_some, h);
    assert_int_equal(girt_histogram_count(h), 12000);
    check_near(girt_histogram_quantile(h, 0.5), 5999);
    girt__histogram_read read;
    girt__histogram_read_cells(&h->handle.series, &read);
    assert_int_equal(read.sum, UINT64_C(12000) * 11999 / 2);
    assert_true(h->own > 0 && h->own < h->shards);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_recorded, make, end),
        cmocka_unit_test_setup_teardown(quantiles, make, end),
        cmocka_unit_test_setup_teardown(strange_shares, make, end),
        cmocka_unit_test_setup_teardown(bounds_are_exact, make, end),
        cmocka_unit_test_setup_teardown(beyond_the_range, make, end),
        cmocka_unit_test_setup_teardown(merging, make, end),
        cmocka_unit_test_setup_teardown(all_shards, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
