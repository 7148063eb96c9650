/* SPDX-License-Identifier: MIT */
/* Goal: both formats to the byte, and an end where the callback wants it.
 * Method: a small registry beside its whole text; random labels, read back; a
 * callback that refuses piece k for every k; bad arguments; a callback that
 * uses the registry; scrapes while series are made. */
#include <girt/metrics.h>

#include "core/utf8.h"
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

static void small_registry(void)
{
    girt_counter *c;
    girt_gauge *g;
    const char *const get[] = {"path", "/a\"\\\n", "method", "GET", NULL};
    check_status(girt_counter_create(&c, metrics, "http_requests",
                                     "Served \"well\"\\\nin all.", get),
                 GIRT_OK);
    girt_counter_add(c, 3);
    check_status(
        girt_counter_create(&c, metrics, "http_requests_total", NULL, NULL),
        GIRT_OK);
    check_status(girt_gauge_create(&g, metrics, "load", NULL, NULL), GIRT_OK);
    girt_gauge_set(g, 0.25);
}

static void to_the_byte(void **state)
{
    (void)state;
    small_registry();
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_string_equal(
        s.text, "# HELP http_requests_total Served \"well\"\\\\\\nin all.\n"
                "# TYPE http_requests_total counter\n"
                "http_requests_total{method=\"GET\",path=\"/a\\\"\\\\\\n\"} 3\n"
                "http_requests_total 0\n"
                "# TYPE load gauge\n"
                "load 0.25\n");
    scrape_free(&s);
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    assert_string_equal(
        s.text, "# HELP http_requests Served \\\"well\\\"\\\\\\nin all.\n"
                "# TYPE http_requests counter\n"
                "http_requests_total{method=\"GET\",path=\"/a\\\"\\\\\\n\"} 3\n"
                "http_requests_total 0\n"
                "# TYPE load gauge\n"
                "load 0.25\n"
                "# EOF\n");
    scrape_free(&s);
}

static void a_histogram(void **state)
{
    (void)state;
    girt_histogram *h;
    const char *const labels[] = {"q", "x", NULL};
    check_status(girt_histogram_create(&h, metrics, "w_ns", "W.", labels),
                 GIRT_OK);
    girt_histogram_record(h, 3);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    static const char begins[] = "# HELP w_ns W.\n# TYPE w_ns histogram\n"
                                 "w_ns_bucket{q=\"x\",le=\"1\"} 0\n"
                                 "w_ns_bucket{q=\"x\",le=\"2\"} 0\n"
                                 "w_ns_bucket{q=\"x\",le=\"4\"} 1\n";
    static const char ends[] = "w_ns_bucket{q=\"x\",le=\"4398046511104\"} 1\n"
                               "w_ns_bucket{q=\"x\",le=\"+Inf\"} 1\n"
                               "w_ns_sum{q=\"x\"} 3\n"
                               "w_ns_count{q=\"x\"} 1\n";
    assert_memory_equal(s.text, begins, sizeof begins - 1);
    assert_string_equal(s.text + s.size - (sizeof ends - 1), ends);
    assert_int_equal(scrape_count(&s, "_bucket{"), 44);
    scrape_free(&s);
}

/* Up to 40 bytes, of those that mean something to a reader, of all, and of
 * whole characters. */
static void random_bytes(rng *r, char out[48])
{
    static const char meant[] = "\"\\\n{}=, #\r\tn\x01";
    size_t size = 0;
    const uint64_t length = rng_below(r, 40), mood = rng_below(r, 4);
    while (size < length) {
        const uint64_t dice = rng_below(r, 8);
        if (dice < 4)
            out[size++] = meant[rng_below(r, sizeof meant - 1)];
        else if (dice < 6 || mood != 0)
            out[size++] = (char)(1 + rng_below(r, mood == 1 ? 255 : 127));
        else
            size += (size_t)sprintf(out + size, "\xf0\x9f\x92\xa9");
    }
    out[size] = '\0';
}

/* The value that the text has, unescaped as the formats say. */
static void read_label(const char *at, char out[48])
{
    size_t size = 0;
    for (; *at != '"'; at++) {
        assert_true(*at != '\0' && *at != '\n' && size < 47);
        if (*at == '\\') {
            at++;
            assert_true(*at == '\\' || *at == '"' || *at == 'n');
            out[size++] = *at == 'n' ? '\n' : *at;
        } else {
            out[size++] = *at;
        }
    }
    out[size] = '\0';
}

static void random_labels_come_back(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static char values[COUNT][48];
    static bool taken[COUNT];
    rng r = {test_seed()};
    size_t refused = 0;
    check_status(girt_metrics_set_series_max(metrics, COUNT), GIRT_OK);
    for (size_t i = 0; i < COUNT; i++) {
        char number[24];
        girt_gauge *g = NULL;
        random_bytes(&r, values[i]);
        (void)snprintf(number, sizeof number, "%zu", i);
        const char *const labels[] = {"v", values[i], "i", number, NULL};
        const girt_status status =
            girt_gauge_create(&g, metrics, "x", values[i], labels);
        taken[i] = status == GIRT_OK;
        check_status(status, girt__utf8_is_valid(values[i], strlen(values[i]))
                                 ? GIRT_OK
                                 : GIRT_E_INVALID);
        refused += !taken[i];
    }
    assert_true(refused > COUNT / 20 && refused < COUNT / 2);
    for (int format = 0; format < 2; format++) {
        scrape s;
        scrape_take(&s, metrics, (girt_metrics_format)format);
        const char *at = s.text;
        for (size_t i = 0; i < COUNT; i++) {
            char begin[40], value[48];
            (void)snprintf(begin, sizeof begin, "\nx{i=\"%zu\",v=\"", i);
            const char *const found = strstr(at, begin);
            assert_int_equal(found != NULL, taken[i]);
            if (found == NULL)
                continue;
            at = found + strlen(begin);
            read_label(at, value);
            assert_string_equal(value, values[i]);
        }
        scrape_free(&s);
    }
}

typedef struct refuser {
    size_t calls, refuse_at;
} refuser;

static bool refuse(void *context, const char *text, size_t size)
{
    refuser *const r = context;
    assert_true(text != NULL && size > 0 && size <= 4096);
    return ++r->calls != r->refuse_at;
}

static void refused_pieces(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        char name[16];
        girt_histogram *h;
        (void)snprintf(name, sizeof name, "h%d", i);
        check_status(girt_histogram_create(&h, metrics, name, "h", NULL),
                     GIRT_OK);
    }
    refuser all = {.refuse_at = 0};
    check_status(
        girt_metrics_write(metrics, GIRT_OPENMETRICS_TEXT, refuse, &all),
        GIRT_OK);
    assert_true(all.calls > 2);
    for (size_t k = 1; k <= all.calls; k++) {
        refuser r = {.refuse_at = k};
        check_status(
            girt_metrics_write(metrics, GIRT_OPENMETRICS_TEXT, refuse, &r),
            GIRT_E_IO);
        assert_int_equal(r.calls, k); /* not asked again */
    }
}

static void bad_arguments(void **state)
{
    (void)state;
    refuser r = {.refuse_at = 0};
    check_status(girt_metrics_write(NULL, GIRT_PROMETHEUS_TEXT, refuse, &r),
                 GIRT_E_INVALID);
    check_status(girt_metrics_write(metrics, GIRT_PROMETHEUS_TEXT, NULL, &r),
                 GIRT_E_INVALID);
    check_status(
        girt_metrics_write(metrics, (girt_metrics_format)2, refuse, &r),
        GIRT_E_INVALID);
    check_status(
        girt_metrics_write(metrics, (girt_metrics_format)-1, refuse, &r),
        GIRT_E_INVALID);
    assert_int_equal(r.calls, 0);
}

static bool use_registry(void *context, const char *text, size_t size)
{
    (void)text;
    (void)size;
    girt_counter *c;
    check_status(girt_counter_create(&c, metrics, "scrapes", "", NULL),
                 GIRT_OK);
    girt_counter_add(c, 1);
    refuser r = {.refuse_at = 0};
    check_status(girt_metrics_write(metrics, GIRT_PROMETHEUS_TEXT, refuse, &r),
                 GIRT_OK);
    *(girt_counter **)context = c;
    return true;
}

static void used_from_within(void **state)
{
    (void)state;
    small_registry();
    girt_counter *c = NULL;
    check_status(
        girt_metrics_write(metrics, GIRT_PROMETHEUS_TEXT, use_registry, &c),
        GIRT_OK);
    assert_int_equal(girt_counter_value(c), 1);
}

/* One makes series, the other reads what there is: whole lines, in order. */
static void make_or_scrape(void *context, size_t index)
{
    (void)context;
    if (index != 0) {
        for (int i = 0; i < 300; i++) {
            char name[24], value[24];
            girt_counter *c;
            (void)snprintf(name, sizeof name, "m%d", i % 20);
            (void)snprintf(value, sizeof value, "%d", i);
            check_status(
                girt_counter_create(&c, metrics, name, "help",
                                    (const char *[]){"i", value, NULL}),
                GIRT_OK);
            girt_counter_add(c, 1);
        }
        return;
    }
    for (int i = 0; i < 30; i++) {
        scrape s;
        scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
        scrape_free(&s);
    }
}

static void while_series_are_made(void **state)
{
    (void)state;
    threads_run(3, make_or_scrape, NULL);
    scrape s;
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    assert_int_equal(scrape_count(&s, "_total{"), 300);
    assert_int_equal(scrape_count(&s, "} 2\n"), 300);
    scrape_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(to_the_byte, make, end),
        cmocka_unit_test_setup_teardown(a_histogram, make, end),
        cmocka_unit_test_setup_teardown(random_labels_come_back, make, end),
        cmocka_unit_test_setup_teardown(refused_pieces, make, end),
        cmocka_unit_test_setup_teardown(bad_arguments, make, end),
        cmocka_unit_test_setup_teardown(used_from_within, make, end),
        cmocka_unit_test_setup_teardown(while_series_are_made, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
