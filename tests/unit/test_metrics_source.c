/* SPDX-License-Identifier: MIT */
/* Goal: attached objects are written, each metric once, and are left alone once
 * they are detached; what does not fit together is refused.  Method: objects of
 * this test with all kinds of samples, names and labels; more samples than a
 * metric may have; detaching while threads scrape. */
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
    assert_int_equal(metrics->family_count, 0);
    assert_null(metrics->families);
    assert_null(metrics->last_source);
    girt_metrics_destroy(metrics);
    return 0;
}

static const girt__series table[] = {
    {"test_pushes_total", GIRT__SERIES_COUNTER, NULL, "Items pushed."},
    {"test_depth", GIRT__SERIES_GAUGE, NULL, "Items inside\nnow."},
    {"test_lookups_total", GIRT__SERIES_COUNTER, "node", "By node."},
    {"test_wait_ns", GIRT__SERIES_HISTOGRAM, NULL, "Waiting."},
};
enum { ROWS = sizeof table / sizeof *table };

typedef struct object {
    girt__source source;
    uint64_t pushes;
    double depth;
    size_t nodes;
    bool alive;
    const char *node_name; /* or NULL: numbers */
} object;

static void collect(void *context, girt__sink *sink)
{
    object *const o = context;
    assert_true(o->alive);
    girt__sink_counter(sink, &table[0], NULL, o->pushes);
    girt__sink_gauge(sink, &table[1], NULL, o->depth);
    for (size_t i = 0; i < o->nodes; i++) {
        char node[24];
        (void)snprintf(node, sizeof node, "n%zu", i);
        girt__sink_counter(sink, &table[2],
                           o->node_name != NULL ? o->node_name : node, i + 1);
    }
    static const uint64_t bounds[] = {10, 100}, cumulative[] = {1, 3};
    girt__sink_histogram(
        sink, &table[3], NULL,
        &(girt__histogram_view){2, bounds, cumulative, 4, 1234});
}

static object new_object(const char *name)
{
    object o = {.alive = true, .pushes = 7, .depth = 1.5, .nodes = 2};
    o.source = (girt__source){.part = "test",
                              .series = table,
                              .series_count = ROWS,
                              .collect = collect};
    (void)snprintf(o.source.name, sizeof o.source.name, "%s", name);
    return o;
}

static girt_status attach(object *o)
{
    o->source.object = o;
    return girt__report_attach(metrics, &o->source);
}

static void detach(object *o)
{
    girt__report_detach(&o->source);
    o->alive = false;
}

static void written(void **state)
{
    (void)state;
    object a = new_object("a"), b = new_object("b\"\\");
    check_status(attach(&a), GIRT_OK);
    check_status(attach(&b), GIRT_OK);
    b.pushes = 8;
    girt_counter *own = NULL;
    check_status(girt_counter_create(&own, metrics, "own", "o", NULL), GIRT_OK);
    for (int format = 0; format < 2; format++) {
        scrape s;
        scrape_take(&s, metrics, (girt_metrics_format)format);
        assert_int_equal(scrape_count(&s, "# TYPE test_pushes"), 1);
        assert_true(scrape_has_line(&s, "test_pushes_total{name=\"a\"} 7"));
        assert_true(
            scrape_has_line(&s, "test_pushes_total{name=\"b\\\"\\\\\"} 8"));
        assert_true(scrape_has_line(&s, "test_depth{name=\"a\"} 1.5"));
        assert_true(
            scrape_has_line(&s, "# HELP test_depth Items inside\\nnow."));
        assert_true(scrape_has_line(
            &s, "test_lookups_total{name=\"a\",node=\"n1\"} 2"));
        assert_true(scrape_has_line(
            &s, "test_wait_ns_bucket{name=\"a\",le=\"+Inf\"} 4"));
        assert_true(scrape_has_line(&s, "test_wait_ns_sum{name=\"a\"} 1234"));
        assert_true(scrape_has_line(&s, "own_total 0"));
        assert_non_null(scrape_value(&s, "girt_epoch_backlog"));
        scrape_free(&s);
    }
    detach(&a);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_null(scrape_value(&s, "test_pushes_total{name=\"a\"}"));
    assert_non_null(scrape_value(&s, "test_pushes_total{name=\"b\\\"\\\\\"}"));
    scrape_free(&s);
    detach(&b);
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_int_equal(scrape_count(&s, "test_"), 0);
    assert_null(scrape_value(&s, "girt_epoch_backlog"));
    scrape_free(&s);
}

static void refused(void **state)
{
    (void)state;
    object a = new_object("a"), again = new_object("a"),
           bad = new_object("\xff");
    check_status(attach(&bad), GIRT_E_INVALID);
    check_status(attach(&a), GIRT_OK);
    check_status(attach(&again), GIRT_E_BUSY);
    again.source.part = "other";
    check_status(attach(&again), GIRT_OK);
    detach(&again);

    static const girt__series
        other_kind[] = {{"test_new_total", GIRT__SERIES_COUNTER, NULL, "x"},
                        {"test_depth", GIRT__SERIES_COUNTER, NULL, "x"}},
        other_label[] = {{"test_depth", GIRT__SERIES_GAUGE, "x", "x"}},
        clashing[] = {{"test_wait_ns_count", GIRT__SERIES_GAUGE, NULL, "x"}};
    static const girt__series *const tables[] = {other_kind, other_label,
                                                 clashing};
    for (size_t i = 0; i < 3; i++) {
        object o = new_object("o");
        o.source.series = tables[i];
        o.source.series_count = i == 0 ? 2 : 1;
        check_status(attach(&o), GIRT_E_INVALID);
        assert_int_equal(metrics->family_count, ROWS + 1);
    }
    /* Those of the registry's own and those of objects keep apart. */
    girt_counter *c = NULL;
    check_status(girt_counter_create(&c, metrics, "test_pushes", "", NULL),
                 GIRT_E_INVALID);
    check_status(girt_counter_create(&c, metrics, "test_wait_ns", "", NULL),
                 GIRT_E_INVALID);
    assert_null(c);
    detach(&a);
    check_status(girt_counter_create(&c, metrics, "test_pushes", "", NULL),
                 GIRT_OK);
    check_status(attach(&a), GIRT_E_INVALID);
    assert_int_equal(metrics->family_count, 0);
}

static void more_samples_than_allowed(void **state)
{
    (void)state;
    check_status(girt_metrics_set_series_max(metrics, 5), GIRT_OK);
    enum { OBJECTS = 8 };
    static object objects[OBJECTS];
    for (size_t i = 0; i < OBJECTS; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "o%zu", i);
        objects[i] = new_object(name);
        check_status(attach(&objects[i]), GIRT_OK);
    }
    for (int format = 0; format < 2; format++) {
        scrape s;
        scrape_take(&s, metrics, (girt_metrics_format)format);
        assert_true(
            scrape_has_line(&s, "test_pushes_total{overflow=\"true\"} 21"));
        assert_true(scrape_has_line(&s, "test_depth{overflow=\"true\"} 4.5"));
        assert_true(
            scrape_has_line(&s, "test_lookups_total{overflow=\"true\"} 17"));
        assert_true(scrape_has_line(
            &s, "test_wait_ns_bucket{overflow=\"true\",le=\"+Inf\"} 12"));
        assert_true(
            scrape_has_line(&s, "test_wait_ns_sum{overflow=\"true\"} 3702"));
        assert_int_equal(scrape_count(&s, "\ntest_pushes_total{"), 6);
        scrape_free(&s);
    }
    for (size_t i = 0; i < OBJECTS; i++)
        detach(&objects[i]);
}

static void repaired_labels(void **state)
{
    (void)state;
    object a = new_object("a");
    a.nodes = 1;
    a.node_name = "x\xff\"\n";
    check_status(attach(&a), GIRT_OK);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_true(scrape_has_line(
        &s, "test_lookups_total{name=\"a\",node=\"x\xef\xbf\xbd\\\"\\n\"} 1"));
    scrape_free(&s);
    detach(&a);
}

static bool discard(void *context, const char *text, size_t size)
{
    (void)context;
    (void)text;
    (void)size;
    return true;
}

static void attach_or_scrape(void *context, size_t index)
{
    (void)context;
    char name[24];
    (void)snprintf(name, sizeof name, "t%zu", index);
    for (int i = 0; i < 200; i++) {
        if (index % 2 == 0) {
            check_status(girt_metrics_write(metrics, GIRT_OPENMETRICS_TEXT,
                                            discard, NULL),
                         GIRT_OK);
            continue;
        }
        object o = new_object(name);
        check_status(attach(&o), GIRT_OK);
        detach(&o); /* collect fails on what is not alive */
    }
}

static void while_others_scrape(void **state)
{
    (void)state;
    threads_run(4, attach_or_scrape, NULL);
}

static void without_memory(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_metrics *const before = metrics;
    check_status(girt_metrics_create(&metrics, &f.allocator), GIRT_OK);
    check_status(girt_metrics_set_series_max(metrics, 1), GIRT_OK);
    object a = new_object("a"), b = new_object("b");
    for (size_t k = 1;; k++) {
        f.calls = 0;
        f.fail_at = k;
        const girt_status status = attach(&a);
        f.fail_at = 0;
        if (status == GIRT_OK)
            break;
        check_status(status, GIRT_E_NOMEM);
        assert_int_equal(metrics->family_count, 0);
        assert_null(metrics->first_source);
    }
    check_status(attach(&b), GIRT_OK);
    size_t failures = 0;
    for (size_t k = 1;; k++, failures++) {
        f.calls = 0;
        f.fail_at = k;
        const size_t live = f.live_blocks;
        const girt_status status =
            girt_metrics_write(metrics, GIRT_PROMETHEUS_TEXT, discard, NULL);
        assert_int_equal(f.live_blocks, live);
        if (status == GIRT_OK)
            break;
        check_status(status, GIRT_E_NOMEM);
    }
    f.fail_at = 0;
    assert_true(failures > ROWS);
    detach(&a);
    detach(&b);
    girt_metrics_destroy(metrics);
    assert_int_equal(f.live_blocks, 0);
    metrics = before;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written, make, end),
        cmocka_unit_test_setup_teardown(refused, make, end),
        cmocka_unit_test_setup_teardown(more_samples_than_allowed, make, end),
        cmocka_unit_test_setup_teardown(repaired_labels, make, end),
        cmocka_unit_test_setup_teardown(while_others_scrape, make, end),
        cmocka_unit_test_setup_teardown(without_memory, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
