/* SPDX-License-Identifier: MIT */
/* Goal: a scrape becomes objects with all that girt's objects report, within
 * bounds; quantiles are Prometheus' own.
 * Method: small scrapes by hand; the series of docs/guide/metrics_objects.md
 * against those that the table knows, one by one; more objects than it holds.
 */
#include "object_table.h"

#include <math.h>

#include "histogram_quantile.h"
#include "scrape_history.h"
#include "support/check.h"

static object_table table;

static int setup(void **state)
{
    (void)state;
    return object_table_create(&table, 42) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    object_table_destroy(&table);
    return 0;
}

static bool read_text(const char *text)
{
    size_t line;
    const char *why;
    return object_table_read(&table, text, strlen(text), &line, &why);
}

static const object *find(object_part part, const char *name)
{
    const object *const o = object_table_find(&table, part, name);
    assert_non_null(o);
    return o;
}

static void test_values(void **state)
{
    (void)state;
    assert_true(read_text(
        "up 1\n"
        "girt_epoch_backlog 7\n"
        "girt_queue_depth{name=\"a\"} 41\n"
        "girt_queue_depth{name=\"b\"} 5\n"
        "girt_map_entries{name=\"a\"} 3\n"
        "girt_map64_entries{name=\"a\"} 4\n"
        "girt_limiter_tokens{name=\"a\"} 5\n"
        "girt_keyed_limiter_keys{name=\"a\"} 6\n"
        "girt_map_growths_total{name=\"a\",step=\"split\"} 2\n"
        "girt_map_growths_total{name=\"a\",step=\"spill\"} 3\n"
        "girt_breaker_state{name=\"a\",state=\"closed\"} 0\n"
        "girt_breaker_state{name=\"a\",state=\"half_open\"} 1\n"
        "girt_breaker_calls_total{name=\"a\",outcome=\"success\"} 10\n"
        "girt_breaker_calls_total{name=\"a\",outcome=\"failure\"} 4\n"
        "girt_queue_nonsense{name=\"a\"} 1\n"
        "girt_queue_depth 99\n"));
    assert_int_equal(table.count, 7);
    assert_int_equal(table.others, 2); /* up, and a depth of nobody's */
    assert_true(table.epoch_backlog == 7);
    assert_true(find(PART_QUEUE, "a")->value[QUEUE_DEPTH] == 41);
    assert_true(find(PART_QUEUE, "b")->value[QUEUE_DEPTH] == 5);
    assert_int_equal(find(PART_QUEUE, "a")->known, 1u << QUEUE_DEPTH);
    assert_true(find(PART_MAP, "a")->value[MAP_ENTRIES] == 3);
    assert_true(find(PART_MAP64, "a")->value[MAP_ENTRIES] == 4);
    assert_true(find(PART_LIMITER, "a")->value[LIMITER_TOKENS] == 5);
    assert_true(find(PART_KEYED_LIMITER, "a")->value[KEYED_KEYS] == 6);
    assert_true(find(PART_MAP, "a")->value[MAP_GROWTHS] == 5);
    assert_true(find(PART_BREAKER, "a")->value[BREAKER_CALLS] == 14);
    assert_true(find(PART_BREAKER, "a")->value[BREAKER_FAILURES] == 4);
    assert_string_equal(find(PART_BREAKER, "a")->state, "half_open");
    assert_null(object_table_find(&table, PART_RING, "a"));
    assert_null(object_table_find(&table, PART_QUEUE, "c"));
    /* A second scrape leaves nothing of the first. */
    assert_true(read_text("girt_queue_capacity{name=\"a\"} 9\n"));
    assert_int_equal(table.count, 1);
    assert_true(isnan(table.epoch_backlog));
    assert_int_equal(find(PART_QUEUE, "a")->known, 1u << QUEUE_CAPACITY);
    assert_false(read_text("girt_queue_capacity{name=\"a\"} 9\nx\n"));
}

static void test_bounds(void **state)
{
    (void)state;
    enum { MORE = 10, LINE = 64 };
    char *const text = malloc((OBJECTS_MAX + MORE) * LINE + 1);
    assert_non_null(text);
    char *at = text;
    for (int i = 0; i < OBJECTS_MAX + MORE; i++)
        at += sprintf(at, "girt_queue_depth{name=\"%d\"} %d\n", i, i);
    assert_true(read_text(text));
    assert_int_equal(table.count, OBJECTS_MAX);
    assert_int_equal(table.left_out, MORE);
    for (int i = 0; i < OBJECTS_MAX; i++) {
        char name[16];
        sprintf(name, "%d", i);
        assert_true(find(PART_QUEUE, name)->value[QUEUE_DEPTH] == i);
    }
    for (int size = OBJECT_NAME_MAX; size <= OBJECT_NAME_MAX + 1; size++) {
        sprintf(text, "girt_queue_depth{name=\"%0*d\"} 1\n", size, 0);
        assert_true(read_text(text));
        assert_int_equal(table.count, size == OBJECT_NAME_MAX);
    }
    at = text; /* more buckets than there is room for */
    for (int i = 0; i <= OBJECT_BUCKETS_MAX; i++)
        at += sprintf(
            at, "girt_queue_pop_wait_ns_bucket{name=\"a\",le=\"%d\"} 1\n", i);
    assert_true(read_text(text));
    assert_true(find(PART_QUEUE, "a")->histogram[QUEUE_POP_WAIT].damaged);
    free(text);
    assert_true(read_text("girt_breaker_state{name=\"a\","
                          "state=\"0123456789abcdef\"} 1\n"));
    assert_string_equal(find(PART_BREAKER, "a")->state, "");
}

static object_histogram histogram_of(const char *buckets)
{
    char text[1024] = "";
    double bound, count;
    int used;
    while (sscanf(buckets, "%lf:%lf%n", &bound, &count, &used) == 2) {
        buckets += used;
        sprintf(text + strlen(text),
                isinf(bound)
                    ? "girt_workers_task_ns_bucket{name=\"a\",le=\"+Inf\"} "
                    : "girt_workers_task_ns_bucket{name=\"a\",le=\"%g\"} ",
                bound);
        sprintf(text + strlen(text), "%g\n", count);
    }
    assert_true(read_text(text));
    return find(PART_WORKERS, "a")->histogram[WORKERS_TASK];
}

static void test_quantiles(void **state)
{
    (void)state;
    const object_histogram first = histogram_of("100:50 200:100 inf:100");
    assert_true(histogram_quantile(&first, NULL, 0.5) == 100);
    assert_true(histogram_quantile(&first, NULL, 0.75) == 150);
    assert_true(histogram_quantile(&first, NULL, 0.25) == 50);
    const object_histogram later = histogram_of("100:50 200:110 inf:110");
    assert_true(histogram_events(&later, &first) == 10);
    assert_true(histogram_quantile(&later, &first, 0.5) == 150);
    const object_histogram beyond = histogram_of("100:0 200:0 inf:5");
    assert_true(histogram_quantile(&beyond, NULL, 0.99) == 200);
    const object_histogram none = histogram_of("100:0 inf:0");
    assert_true(isnan(histogram_quantile(&none, NULL, 0.99)));
    /* Began anew; other bounds; not rising; no +Inf. */
    assert_true(isnan(histogram_quantile(&first, &later, 0.99)));
    assert_true(isnan(histogram_quantile(&first, &none, 0.99)));
    const object_histogram falling = histogram_of("200:1 100:1 inf:1");
    assert_true(isnan(histogram_quantile(&falling, NULL, 0.99)));
    const object_histogram open = histogram_of("100:1 200:1");
    assert_true(isnan(histogram_quantile(&open, NULL, 0.99)));
}

/* All that stands in the guide's table is known, and nothing stands nowhere. */
static void test_guide(void **state)
{
    (void)state;
    FILE *const guide =
        fopen(GIRT_TEST_SOURCE "/docs/guide/metrics_objects.md", "r");
    assert_non_null(guide);
    char row[512], series[128];
    int count = 0;
    while (fgets(row, sizeof row, guide) != NULL) {
        if (sscanf(row, "| girt_%100[a-z0-9_] |", series + 5) != 1)
            continue;
        memcpy(series, "girt_", 5);
        count++;
        if (!object_series_known(series))
            fail_msg("the guide has %s, the table has not", series);
    }
    fclose(guide);
    assert_true(count > 50);
    assert_false(object_series_known("girt_queue_lengths"));
    assert_false(object_series_known("girt_queue_depth_total"));
    assert_false(object_series_known("queue_depth"));
}

static void test_history(void **state)
{
    (void)state;
    static scrape_history history;
    scrape_text text = {NULL, 0, 0};
    size_t line;
    const char *why;
    assert_true(scrape_history_create(&history));
    assert_null(scrape_history_now(&history));
    assert_true(isnan(scrape_history_seconds(&history)));
    for (int i = 1; i <= 7; i++) {
        char one[64];
        text.size = 0;
        sprintf(one, "girt_queue_depth{name=\"a\"} %d\n", i);
        assert_true(scrape_text_append(&text, one, strlen(one)));
        assert_true(scrape_history_take(&history, &text, i * i, &line, &why));
        const object_table *const now = scrape_history_now(&history);
        assert_true(now->objects[0].value[QUEUE_DEPTH] == i);
        if (i > 1) {
            const object_table *const before = scrape_history_before(&history);
            assert_true(before->objects[0].value[QUEUE_DEPTH] == i - 1);
            assert_true(scrape_history_seconds(&history) == 2 * i - 1);
        }
        /* A wrong one changes nothing. */
        assert_true(scrape_text_append(&text, "?\n", 2));
        assert_false(scrape_history_take(&history, &text, 99, &line, &why));
        assert_int_equal(line, 2);
        assert_ptr_equal(scrape_history_now(&history), now);
    }
    scrape_text_free(&text);
    scrape_history_destroy(&history);
}

static void test_text(void **state)
{
    (void)state;
    static char piece[1 << 20];
    scrape_text text = {NULL, 0, 0};
    for (size_t i = 0; i < SCRAPE_SIZE_MAX / sizeof piece; i++)
        assert_true(scrape_text_append(&text, piece, sizeof piece));
    assert_false(scrape_text_append(&text, piece, 1));
    assert_int_equal(text.size, SCRAPE_SIZE_MAX);
    assert_non_null(scrape_text_load(&text, "/no/such/file"));
    assert_non_null(scrape_text_load(&text, "/"));
    assert_non_null(scrape_text_load(&text, "/dev/zero"));
    assert_null(scrape_text_load(&text, "/dev/null"));
    assert_int_equal(text.size, 0);
    scrape_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_quantiles), cmocka_unit_test(test_guide),
        cmocka_unit_test(test_history),   cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
