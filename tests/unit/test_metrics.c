/* SPDX-License-Identifier: MIT */
/* Goal: series are found again whatever the order of their labels, nothing bad
 * gets in, and nothing changes when it is refused.  Method: every argument
 * NULL, empty, huge; kinds and names that clash; labels in all orders; more
 * series than there may be; values from threads and across a fork. */
#include <girt/metrics.h>

#include <errno.h>
#include <math.h>
#include <sys/wait.h>
#include <unistd.h>

#include "metrics/metrics_internal.h"
#include "support/check.h"
#include "support/failing.h"
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
    assert_true(girt__metrics_is_valid(metrics));
    girt_metrics_destroy(metrics);
    return 0;
}

static girt_counter *counter(const char *name, const char *const labels[])
{
    girt_counter *c = NULL;
    check_status(girt_counter_create(&c, metrics, name, "help", labels),
                 GIRT_OK);
    return c;
}

static void creating_the_registry(void **state)
{
    (void)state;
    girt_metrics *m = NULL;
    check_status(girt_metrics_create(NULL, NULL), GIRT_E_INVALID);
    failing f;
    failing_init(&f);
    girt_allocator half = f.allocator;
    half.release = NULL;
    check_status(girt_metrics_create(&m, &half), GIRT_E_INVALID);
    half = f.allocator;
    half.allocate = NULL;
    check_status(girt_metrics_create(&m, &half), GIRT_E_INVALID);
    assert_null(m);
    check_status(girt_metrics_create(&m, &f.allocator), GIRT_OK);
    girt_metrics_destroy(m);
    assert_int_equal(f.live_blocks, 0);
    girt_metrics_destroy(NULL);
}

static void nulls(void **state)
{
    (void)state;
    girt_counter *c = NULL;
    girt_gauge *g = NULL;
    girt_histogram *h = NULL;
    check_status(girt_counter_create(NULL, metrics, "x", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_counter_create(&c, NULL, "x", "", NULL), GIRT_E_INVALID);
    check_status(girt_counter_create(&c, metrics, NULL, "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_gauge_create(NULL, metrics, "x", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_gauge_create(&g, NULL, "x", "", NULL), GIRT_E_INVALID);
    check_status(girt_gauge_create(&g, metrics, NULL, "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_histogram_create(NULL, metrics, "x", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_histogram_create(&h, NULL, "x", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_histogram_create(&h, metrics, NULL, "", NULL),
                 GIRT_E_INVALID);
    assert_null(c);
    assert_null(g);
    assert_null(h);
    check_status(girt_metrics_set_series_max(NULL, 1), GIRT_E_INVALID);
    check_status(girt_metrics_set_series_max(metrics, 0), GIRT_E_INVALID);
    check_status(
        girt_metrics_set_series_max(metrics, GIRT_METRICS_SERIES_MAX + 1),
        GIRT_E_TOO_LARGE);
    check_status(girt_metrics_set_series_max(metrics, SIZE_MAX),
                 GIRT_E_TOO_LARGE);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_string_equal(s.text, "");
    scrape_free(&s);
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    assert_string_equal(s.text, "# EOF\n");
    scrape_free(&s);
}

static void bad_names_and_texts(void **state)
{
    (void)state;
    girt_counter *c = NULL;
    static const char *const names[] = {"",    "1x",     "a b", "a-b", "\xc3",
                                        "a\n", "_total", "a{}", "a.b", "x\x7f"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        check_status(girt_counter_create(&c, metrics, names[i], "", NULL),
                     GIRT_E_INVALID);
    static char text[GIRT_METRICS_TEXT_MAX + 2];
    memset(text, 'a', sizeof text - 1);
    check_status(girt_counter_create(&c, metrics, text, "", NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_counter_create(&c, metrics, "x", text, NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_counter_create(&c, metrics, "x", "\xff", NULL),
                 GIRT_E_INVALID);
    check_status(girt_counter_create(&c, metrics, "x", "",
                                     (const char *[]){"le", "1", NULL}),
                 GIRT_E_INVALID);
    check_status(girt_counter_create(&c, metrics, "x", "",
                                     (const char *[]){"a", text, NULL}),
                 GIRT_E_TOO_LARGE);
    check_status(
        girt_counter_create(&c, metrics, "x", "",
                            (const char *[]){"a", "1", "a", "1", NULL}),
        GIRT_E_INVALID);
    assert_null(c);
    assert_int_equal(metrics->handle_count, 0);
    text[GIRT_METRICS_TEXT_MAX] = '\0';
    check_status(girt_counter_create(&c, metrics, "x", text, NULL), GIRT_OK);
}

static void found_again(void **state)
{
    (void)state;
    girt_counter *const a =
        counter("hits", (const char *[]){"a", "1", "b", "2", NULL});
    assert_ptr_equal(
        a, counter("hits", (const char *[]){"b", "2", "a", "1", NULL}));
    assert_ptr_equal(
        a, counter("hits_total", (const char *[]){"b", "2", "a", "1", NULL}));
    assert_ptr_not_equal(
        a, counter("hits", (const char *[]){"b", "1", "a", "2", NULL}));
    assert_ptr_not_equal(a, counter("hits", (const char *[]){"a", "1", NULL}));
    assert_ptr_not_equal(a, counter("hits", NULL));
    assert_ptr_not_equal(
        a, counter("hitz", (const char *[]){"a", "1", "b", "2", NULL}));
    /* Values that would be the same if they were put together carelessly. */
    assert_ptr_not_equal(
        counter("hits", (const char *[]){"a", "x\",b=\"y", NULL}),
        counter("hits", (const char *[]){"a", "x", "b", "y", NULL}));
    assert_ptr_not_equal(counter("hits", (const char *[]){"a", "\\n", NULL}),
                         counter("hits", (const char *[]){"a", "\n", NULL}));
    girt_gauge *g[2];
    girt_histogram *h[2];
    for (int i = 0; i < 2; i++) {
        check_status(girt_gauge_create(&g[i], metrics, "g", NULL, NULL),
                     GIRT_OK);
        check_status(girt_histogram_create(&h[i], metrics, "h", NULL, NULL),
                     GIRT_OK);
    }
    assert_ptr_equal(g[0], g[1]);
    assert_ptr_equal(h[0], h[1]);
}

static void another_kind(void **state)
{
    (void)state;
    (void)counter("c", NULL);
    girt_counter *c = NULL;
    girt_gauge *g = NULL;
    girt_histogram *h = NULL;
    check_status(girt_gauge_create(&g, metrics, "c", "", NULL), GIRT_E_INVALID);
    check_status(girt_gauge_create(&g, metrics, "c_total", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_histogram_create(&h, metrics, "c", "",
                                       (const char *[]){"a", "1", NULL}),
                 GIRT_E_INVALID);
    check_status(girt_histogram_create(&h, metrics, "h", "", NULL), GIRT_OK);
    check_status(girt_gauge_create(&g, metrics, "h_count", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_counter_create(&c, metrics, "h", "", NULL),
                 GIRT_E_INVALID);
    assert_null(c);
    assert_null(g);
    assert_int_equal(metrics->handle_count, 2);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_int_equal(scrape_count(&s, "# TYPE "), 2);
    scrape_free(&s);
}

static void values(void **state)
{
    (void)state;
    girt_counter *const c = counter("c", NULL);
    assert_int_equal(girt_counter_value(c), 0);
    girt_counter_add(c, 5);
    girt_counter_add(c, 0);
    girt_counter_add(c, UINT64_C(1) << 63);
    assert_true(girt_counter_value(c) == (UINT64_C(1) << 63) + 5);
    girt_counter_add(c, UINT64_C(1) << 63);
    assert_true(girt_counter_value(c) == 5);

    girt_gauge *g = NULL;
    check_status(girt_gauge_create(&g, metrics, "g", "", NULL), GIRT_OK);
    assert_true(girt_gauge_value(g) == 0);
    girt_gauge_set(g, -2.5);
    girt_gauge_add(g, 1.25);
    assert_true(girt_gauge_value(g) == -1.25);
    girt_gauge_set(g, INFINITY);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_true(scrape_has_line(&s, "g +Inf"));
    assert_true(scrape_has_line(&s, "c_total 5"));
    scrape_free(&s);
    girt_gauge_set(g, NAN);
    assert_true(isnan(girt_gauge_value(g)));
}

static void labelled(char *value, size_t i, const char *labels[3])
{
    (void)snprintf(value, 24, "%zu", i);
    labels[0] = "i";
    labels[1] = value;
    labels[2] = NULL;
}

static void more_series_than_allowed(void **state)
{
    (void)state;
    char value[24];
    const char *labels[3];
    girt_counter *beyond = NULL;
    for (size_t i = 0; i < 1100; i++) {
        labelled(value, i, labels);
        girt_counter *const c = counter("many", labels);
        girt_counter_add(c, 1);
        if (i == 1000)
            beyond = c;
        assert_true(i < 1000 ? c != beyond : c == beyond);
    }
    assert_int_equal(girt_counter_value(beyond), 100);
    /* Those that are there are found still; other metrics have room. */
    labelled(value, 7, labels);
    assert_int_equal(girt_counter_value(counter("many", labels)), 1);
    assert_ptr_not_equal(counter("others", labels), beyond);
    assert_ptr_equal(
        counter("many", (const char *[]){"overflow", "true", NULL}), beyond);
    scrape s;
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    assert_int_equal(scrape_count(&s, "\nmany_total{"), 1001);
    assert_true(scrape_has_line(&s, "many_total{overflow=\"true\"} 100"));
    assert_true(scrape_has_line(&s, "many_total{i=\"999\"} 1"));
    scrape_free(&s);

    check_status(girt_metrics_set_series_max(metrics, 1100), GIRT_OK);
    labelled(value, 5000, labels);
    assert_ptr_not_equal(counter("many", labels), beyond);
    check_status(girt_metrics_set_series_max(metrics, 1), GIRT_OK);
    labelled(value, 5001, labels);
    assert_ptr_equal(counter("many", labels), beyond);
    girt_counter *const first = counter("one", NULL);
    assert_ptr_not_equal(counter("one", labels), first);
    scrape_take(&s, metrics, GIRT_OPENMETRICS_TEXT);
    assert_true(scrape_has_line(&s, "one_total 0"));
    assert_true(scrape_has_line(&s, "one_total{overflow=\"true\"} 0"));
    scrape_free(&s);
}

static void more_metrics_than_allowed(void **state)
{
    (void)state;
    char name[24];
    girt_gauge *g = NULL;
    for (size_t i = 0; i < GIRT_METRICS_MAX; i++) {
        (void)snprintf(name, sizeof name, "g%zu", i);
        check_status(girt_gauge_create(&g, metrics, name, "", NULL), GIRT_OK);
    }
    check_status(girt_gauge_create(&g, metrics, "more", "", NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_gauge_create(&g, metrics, "g17", "", NULL), GIRT_OK);
}

static void add_some(void *context, size_t index)
{
    girt_counter **const counters = context;
    for (int i = 0; i < 1000; i++)
        girt_counter_add(counters[index % 2], 1 + index);
}

/* More threads than there are cells of one writer. */
static void from_threads(void **state)
{
    (void)state;
    girt_counter *counters[] = {counter("a", NULL), counter("b", NULL)};
    threads_run(70, add_some, counters);
    uint64_t expected[2] = {0, 0};
    for (uint64_t i = 0; i < 70; i++)
        expected[i % 2] += 1000 * (1 + i);
    assert_int_equal(girt_counter_value(counters[0]), expected[0]);
    assert_int_equal(girt_counter_value(counters[1]), expected[1]);
}

/* Told first of this test's, so called last before a fork. */
static bool looks, held;

static void look(void)
{
    held = looks && pthread_mutex_trylock(&metrics->mutex) == EBUSY;
}

__attribute__((constructor)) static void look_before_forks(void)
{
    (void)pthread_atfork(look, NULL, NULL);
}

/* The mutex is the forking thread's then, so that the child finds it free. */
static void after_fork(void **state)
{
    (void)state;
    girt_counter *const c = counter("c", NULL);
    girt_counter_add(c, 3);
    looks = true;
    const pid_t child = fork();
    looks = false;
    assert_true(held);
    assert_true(child >= 0);
    if (child == 0) {
        girt_counter_add(c, 4);
        girt_counter *more = NULL;
        const bool works =
            girt_counter_create(&more, metrics, "d", "", NULL) == GIRT_OK &&
            girt_counter_value(c) == 7;
        _exit(works ? 0 : 1);
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
    assert_int_equal(girt_counter_value(c), 3);
    assert_int_equal(metrics->handle_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creating_the_registry),
        cmocka_unit_test_setup_teardown(nulls, make, end),
        cmocka_unit_test_setup_teardown(bad_names_and_texts, make, end),
        cmocka_unit_test_setup_teardown(found_again, make, end),
        cmocka_unit_test_setup_teardown(another_kind, make, end),
        cmocka_unit_test_setup_teardown(values, make, end),
        cmocka_unit_test_setup_teardown(more_series_than_allowed, make, end),
        cmocka_unit_test_setup_teardown(more_metrics_than_allowed, make, end),
        cmocka_unit_test_setup_teardown(from_threads, make, end),
        cmocka_unit_test_setup_teardown(after_fork, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
