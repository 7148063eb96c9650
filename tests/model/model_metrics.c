/* SPDX-License-Identifier: MIT */
/* Goal: a registry does what a list of names, labels and numbers does.  Method:
 * random creations, additions and scrapes beside a naive twin that keeps every
 * recorded value and writes its own text. */
#include <girt/metrics.h>

#include <math.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/scrape.h"
#include "support/threads.h"

enum { SERIES_MAX = 6, NAMES = 9, LABEL_SETS = 12, VALUES = 4000 };

typedef enum kind { COUNTER, GAUGE, HISTOGRAM } kind;
static const char *const kind_names[] = {"counter", "gauge", "histogram"};

typedef struct twin {
    char name[8];
    kind kind;
    int label_set; /* LABEL_SETS: the overflow series */
    void *handle;
    uint64_t counter;
    double gauge;
    uint64_t *values;
    size_t value_count;
} twin;

static twin twins[NAMES * (SERIES_MAX + 1)];
static size_t twin_count;

/* Label set i, in one of two orders: its text, sorted and escaped. */
static const char *labels_of(int i, bool turned, const char *out[5])
{
    static const char *const values[] = {"", "x", "\"", "\\"};
    static const char *const texts[] = {"a=\"\",b=\"x\"",
                                        "a=\"x\",b=\"x\"",
                                        "a=\"\\\"\",b=\"x\"",
                                        "a=\"\\\\\",b=\"x\"",
                                        "a=\"\",b=\"y\"",
                                        "a=\"x\",b=\"y\"",
                                        "a=\"\\\"\",b=\"y\"",
                                        "a=\"\\\\\",b=\"y\"",
                                        "a=\"\",b=\"\xc3\xbc\"",
                                        "a=\"x\",b=\"\xc3\xbc\"",
                                        "a=\"\\\"\",b=\"\xc3\xbc\"",
                                        "a=\"\\\\\",b=\"\xc3\xbc\"",
                                        "overflow=\"true\""};
    static const char *const others[] = {"x", "y", "\xc3\xbc"};
    if (i < LABEL_SETS) {
        const int a = turned ? 2 : 0, b = turned ? 0 : 2;
        out[a] = "a";
        out[a + 1] = values[i % 4];
        out[b] = "b";
        out[b + 1] = others[i / 4];
        out[4] = NULL;
    }
    return texts[i];
}

static twin *find(const char *name, int label_set, size_t *of_name, kind *is)
{
    twin *found = NULL;
    *of_name = 0;
    for (size_t i = 0; i < twin_count; i++) {
        if (strcmp(twins[i].name, name) != 0)
            continue;
        *is = twins[i].kind;
        *of_name += twins[i].label_set != LABEL_SETS;
        if (twins[i].label_set == label_set)
            found = &twins[i];
    }
    return found;
}

static girt_status create(girt_metrics *metrics, kind k, const char *name,
                          const char *const labels[], void **handle)
{
    girt_counter *c;
    girt_gauge *g;
    girt_histogram *h;
    girt_status status;
    if (k == COUNTER) {
        status = girt_counter_create(&c, metrics, name, "h", labels);
        if (status == GIRT_OK)
            *handle = c;
    } else if (k == GAUGE) {
        status = girt_gauge_create(&g, metrics, name, "h", labels);
        if (status == GIRT_OK)
            *handle = g;
    } else {
        status = girt_histogram_create(&h, metrics, name, "h", labels);
        if (status == GIRT_OK)
            *handle = h;
    }
    return status;
}

static twin *ask(girt_metrics *metrics, rng *r)
{
    const kind k = (kind)rng_below(r, 3);
    int set = (int)rng_below(r, LABEL_SETS);
    char name[8];
    const char *labels[5];
    (void)snprintf(name, sizeof name, "m%d", (int)rng_below(r, NAMES));
    (void)labels_of(set, rng_below(r, 2) == 0, labels);
    size_t of_name;
    kind is = k;
    twin *expected = find(name, set, &of_name, &is);
    void *handle = NULL;
    const girt_status status = create(metrics, k, name, labels, &handle);
    if (is != k) {
        check_status(status, GIRT_E_INVALID);
        assert_null(handle);
        return NULL;
    }
    check_status(status, GIRT_OK);
    if (expected == NULL && of_name == SERIES_MAX) {
        set = LABEL_SETS;
        expected = find(name, set, &of_name, &is);
    }
    if (expected == NULL) {
        for (size_t i = 0; i < twin_count; i++)
            assert_ptr_not_equal(twins[i].handle, handle);
        expected = &twins[twin_count++];
        *expected = (twin){.kind = k, .label_set = set, .handle = handle};
        strcpy(expected->name, name);
        expected->values = calloc(VALUES, sizeof *expected->values);
        assert_non_null(expected->values);
    }
    assert_ptr_equal(expected->handle, handle);
    return expected;
}

static void change(twin *t, rng *r)
{
    const uint64_t value = rng_next(r) >> (20 + rng_below(r, 44));
    if (t->kind == COUNTER) {
        girt_counter_add(t->handle, value);
        t->counter += value;
    } else if (t->kind == GAUGE) {
        const double amount = (double)(int64_t)value / 8 - 1000;
        if (value % 2 == 0) {
            girt_gauge_set(t->handle, amount);
            t->gauge = amount;
        } else {
            girt_gauge_add(t->handle, amount);
            t->gauge += amount;
        }
    } else if (t->value_count < VALUES) {
        girt_histogram_record(t->handle, value);
        t->values[t->value_count++] = value;
    }
}

static int by_value(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void check_quantile(twin *t, rng *r)
{
    const double q = (double)rng_below(r, 1001) / 1000;
    const uint64_t answer = girt_histogram_quantile(t->handle, q);
    if (t->value_count == 0) {
        assert_int_equal(answer, 0);
        return;
    }
    qsort(t->values, t->value_count, sizeof *t->values, by_value);
    const size_t rank = q > 0 ? (size_t)ceil(q * (double)t->value_count) : 1;
    uint64_t exact = t->values[rank - 1];
    if (exact > GIRT_HISTOGRAM_MAX)
        exact = GIRT_HISTOGRAM_MAX;
    assert_true((answer > exact ? answer - exact : exact - answer) * 64 <=
                exact);
}

static void check_line(const scrape *s, const twin *t, const char *ending,
                       const char *le, const char *value)
{
    const char *unused[5];
    char sample[120];
    (void)snprintf(sample, sizeof sample, "%.7s%s{%s%s}", t->name, ending,
                   labels_of(t->label_set, false, unused), le);
    const char *const written = scrape_value(s, sample);
    if (written == NULL || strcmp(written, value) != 0)
        fail_msg("%s %s: %s", sample, value, written);
}

static void check_histogram(const scrape *s, const twin *t)
{
    char value[32], le[48];
    uint64_t sum = 0;
    for (size_t i = 0; i < t->value_count; i++)
        sum += t->values[i] < GIRT_HISTOGRAM_MAX ? t->values[i]
                                                 : GIRT_HISTOGRAM_MAX;
    for (unsigned power = 0; power <= 42; power += 6) {
        size_t below = 0;
        for (size_t i = 0; i < t->value_count; i++)
            below += t->values[i] <= UINT64_C(1) << power;
        (void)snprintf(le, sizeof le, ",le=\"%llu.0\"", 1ULL << power);
        (void)snprintf(value, sizeof value, "%zu", below);
        check_line(s, t, "_bucket", le, value);
    }
    (void)snprintf(value, sizeof value, "%llu", (unsigned long long)sum);
    check_line(s, t, "_sum", "", value);
    (void)snprintf(value, sizeof value, "%zu", t->value_count);
    check_line(s, t, "_count", "", value);
}

static void check_scrape(girt_metrics *metrics)
{
    scrape s;
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    size_t lines = 1; /* # EOF */
    for (size_t i = 0; i < twin_count; i++) {
        const twin *const t = &twins[i];
        char value[40];
        lines += t->kind == HISTOGRAM ? 46 : 1;
        bool first = true;
        for (size_t j = 0; j < i; j++)
            first = first && strcmp(twins[j].name, t->name) != 0;
        lines += first ? 2 : 0;
        (void)snprintf(value, sizeof value, "# TYPE %.7s %s", t->name,
                       kind_names[t->kind]);
        assert_true(scrape_has_line(&s, value));
        if (t->kind == COUNTER) {
            (void)snprintf(value, sizeof value, "%llu",
                           (unsigned long long)t->counter);
            check_line(&s, t, "_total", "", value);
        } else if (t->kind == HISTOGRAM) {
            check_histogram(&s, t);
        }
    }
    assert_int_equal(scrape_count(&s, "\n"), lines);
    scrape_free(&s);
}

static void random_operations(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t round = 0; round < scaled(24); round++) {
        girt_metrics *metrics = NULL;
        check_status(girt_metrics_create(&metrics, NULL), GIRT_OK);
        check_status(girt_metrics_set_series_max(metrics, SERIES_MAX), GIRT_OK);
        twin_count = 0;
        for (int i = 0; i < 4000; i++) {
            twin *const t = ask(metrics, &r);
            if (t == NULL)
                continue;
            change(t, &r);
            if (t->kind == COUNTER)
                assert_true(girt_counter_value(t->handle) == t->counter);
            else if (t->kind == GAUGE)
                assert_true(girt_gauge_value(t->handle) == t->gauge);
            else if (i % 8 == 0)
                check_quantile(t, &r);
            if (i % 1000 == 999)
                check_scrape(metrics);
        }
        for (size_t i = 0; i < twin_count; i++)
            free(twins[i].values);
        girt_metrics_destroy(metrics);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
