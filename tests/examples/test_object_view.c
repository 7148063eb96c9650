/* SPDX-License-Identifier: MIT */
/* Goal: each section shows what it says, in the order that was asked for, and
 * never more columns than there are.
 * Method: two scrapes by hand, and the lines that must come of them; every
 * section's every column as the one to sort by; every width of a terminal; a
 * scrape with bytes changed at random. */
#include "object_view.h"

#include <math.h>

#include "part_columns.h"
#include "scrape_text.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static object_table before, now;
static object_view view;

static int setup(void **state)
{
    (void)state;
    return object_table_create(&before, 1) && object_table_create(&now, 1) ? 0
                                                                           : -1;
}

static int teardown(void **state)
{
    (void)state;
    object_table_destroy(&before);
    object_table_destroy(&now);
    return 0;
}

static void read_text(object_table *table, const char *text)
{
    size_t line;
    const char *why;
    assert_true(object_table_read(table, text, strlen(text), &line, &why));
}

static void look(const char *first, const char *second, double seconds)
{
    object_view_init(&view);
    read_text(&before, first);
    read_text(&now, second);
    view.now = &now;
    view.before = &before;
    view.seconds = seconds;
    object_view_arrange(&view);
}

/* As text, its end trimmed; tones of spans by their first letters. */
static const char *line_text(size_t i, size_t columns, char tones[16])
{
    static view_line line;
    static char text[4096];
    assert_true(i < view.line_count);
    object_view_line(&view, i, columns, &line);
    text[0] = '\0';
    for (size_t s = 0; s < line.count; s++) {
        strcat(text, line.spans[s].text);
        tones[s] = "phgwb"[line.spans[s].tone];
    }
    tones[line.count] = '\0';
    size_t size = strlen(text);
    while (size > 0 && text[size - 1] == ' ')
        text[--size] = '\0';
    return text;
}

static void check_line(size_t i, const char *want, const char *want_tones)
{
    char tones[16];
    assert_string_equal(line_text(i, 80, tones), want);
    assert_string_equal(tones, want_tones);
}

static void test_lines(void **state)
{
    (void)state;
    look("girt_queue_pushes_total{name=\"a\"} 100\n"
         "girt_queue_pops_total{name=\"a\"} 100\n"
         "girt_queue_full_total{name=\"a\"} 0\n"
         "girt_cache_hits_total{name=\"c\"} 1000\n"
         "girt_cache_misses_total{name=\"c\"} 0\n"
         "girt_breaker_rejected_total{name=\"b\"} 5\n"
         "girt_queue_push_wait_ns_bucket{name=\"a\",le=\"100\"} 5\n"
         "girt_queue_push_wait_ns_bucket{name=\"a\",le=\"+Inf\"} 5\n",
         "girt_queue_depth{name=\"a\"} 95\n"
         "girt_queue_capacity{name=\"a\"} 100\n"
         "girt_queue_pushes_total{name=\"a\"} 300\n"
         "girt_queue_pops_total{name=\"a\"} 50\n"
         "girt_queue_full_total{name=\"a\"} 3\n"
         "girt_queue_push_wait_ns_bucket{name=\"a\",le=\"100\"} 15\n"
         "girt_queue_push_wait_ns_bucket{name=\"a\",le=\"+Inf\"} 15\n"
         "girt_cache_hits_total{name=\"c\"} 1003\n"
         "girt_cache_misses_total{name=\"c\"} 1\n"
         "girt_breaker_state{name=\"b\",state=\"open\"} 1\n"
         "girt_breaker_rejected_total{name=\"b\"} 5\n",
         2);
    assert_int_equal(view.line_count, 8);
    check_line(0,
               "QUEUE             DEPTH CAPACITY   PUSH/S    POP/S   FULL/S "
               "PUSH P99  POP P99",
               "hhhhhhhh");
    /* Pops fell: they began anew, and nothing is known of them. */
    check_line(1,
               "a                    95      100      100        -     1.50   "
               "  99ns        -",
               "pwpppwpp");
    check_line(2, "", "");
    check_line(4,
               "c                  75.0     1.50     0.50        -        -   "
               "     -        -",
               "pppppppp");
    check_line(7,
               "b                       open        0        -        -        "
               "-",
               "pbpppp");
}

/* Without an earlier scrape: no rates; ratios and quantiles of all time. */
static void test_first(void **state)
{
    (void)state;
    look("",
         "girt_cache_hits_total{name=\"c\"} 30\n"
         "girt_cache_misses_total{name=\"c\"} 10\n"
         "girt_workers_task_ns_bucket{name=\"w\",le=\"100\"} 100\n"
         "girt_workers_task_ns_bucket{name=\"w\",le=\"+Inf\"} 100\n",
         NAN);
    view.before = NULL;
    object_view_arrange(&view);
    char tones[16];
    assert_non_null(strstr(line_text(1, 80, tones), " 99ns"));
    assert_non_null(strstr(line_text(4, 80, tones), " 75.0        -"));
    object_view_init(&view);
    object_view_arrange(&view); /* nothing at all */
    assert_int_equal(view.line_count, 0);
}

static void check_order(const char *names)
{
    for (size_t i = 0; names[i] != '\0'; i++) {
        char tones[16];
        assert_int_equal(line_text(1 + i, 80, tones)[0], names[i]);
    }
}

static void test_sort(void **state)
{
    (void)state;
    look("",
         "girt_queue_depth{name=\"b\"} 1\n"
         "girt_queue_depth{name=\"d\"} 3\n"
         "girt_queue_depth{name=\"a\"} 2\n"
         "girt_queue_depth{name=\"c\"} 3\n"
         "girt_queue_full_total{name=\"e\"} 3\n"
         "girt_ring_nodes{name=\"r\"} 1\n",
         1);
    check_order("abcde");
    object_view_move_sort(&view, 1);
    assert_string_equal(object_view_sort_title(&view), "DEPTH");
    object_view_arrange(&view);
    check_order("cdabe"); /* unknown is last */
    view.sort[PART_QUEUE].reversed = true;
    object_view_arrange(&view);
    check_order("bacde");
    object_view_move_sort(&view, -1);
    view.sort[PART_QUEUE].reversed = true;
    object_view_arrange(&view);
    check_order("edcba");
    assert_true(object_view_sort_by(&view, "Depth"));
    object_view_arrange(&view);
    check_order("cdabe");
    assert_true(object_view_sort_by(&view, "NAME"));
    object_view_arrange(&view);
    check_order("abcde");
    assert_false(object_view_sort_by(&view, "nonsense"));
    /* Around the sections, and one alone. */
    assert_int_equal(view.section, PART_QUEUE);
    object_view_move_section(&view, 1);
    assert_int_equal(view.section, PART_RING);
    assert_int_equal(object_view_section_line(&view), 7);
    object_view_move_section(&view, 1);
    assert_int_equal(view.section, PART_QUEUE);
    object_view_move_section(&view, -1);
    assert_int_equal(view.section, PART_RING);
    view.alone = true;
    object_view_arrange(&view);
    assert_int_equal(view.line_count, 2);
}

/* One object of each part, and no value that could not be. */
static void test_all_sections(void **state)
{
    (void)state;
    char text[4096] = "";
    for (unsigned p = 0; p < PART_COUNT; p++)
        sprintf(text + strlen(text),
                "girt_%s_calls_total{name=\"\xc3\xa9%u\"} -1e308\n",
                object_part_name((object_part)p), p);
    look(text, text, 1e-9);
    for (size_t i = 0; i < now.count; i++)
        for (size_t v = 0; v < OBJECT_VALUES; v++) {
            now.objects[i].known = UINT32_MAX;
            now.objects[i].value[v] = 1e308;
        }
    assert_int_equal(view.line_count, 3 * PART_COUNT - 1);
    for (unsigned p = 0; p < PART_COUNT; p++) {
        view.section = (object_part)p;
        for (size_t c = 0; c <= VIEW_COLUMNS_MAX; c++) {
            object_view_move_sort(&view, 1);
            object_view_arrange(&view);
        }
    }
    for (size_t i = 0; i < view.line_count; i++)
        for (size_t columns = 1; columns < 140; columns++) {
            char tones[16];
            const char *const shown = line_text(i, columns, tones);
            assert_true(display_columns(shown) <= columns);
        }
}

/* What two scrapes say may be nonsense, as long as it is well-formed: changed
 * digits, names and bounds. Whatever comes of it fits the screen. */
static void test_fuzz(void **state)
{
    (void)state;
    static const char alphabet[] = "0123456789eE.-+IN_abtle\"=, \n{}";
    rng r = {test_seed()};
    scrape_text text = {NULL, 0, 0};
    assert_null(scrape_text_load(&text, GIRT_TEST_SOURCE
                                 "/tests/examples/data/top/scrape1.txt"));
    char *const changed = malloc(text.size);
    assert_non_null(changed);
    size_t well_formed = 0;
    const size_t rounds = scaled(800);
    for (size_t round = 0; round < rounds; round++) {
        size_t line;
        const char *why;
        memcpy(changed, text.bytes, text.size);
        for (uint64_t n = rng_below(&r, 4); n > 0; n--)
            changed[rng_below(&r, text.size)] =
                alphabet[rng_below(&r, sizeof alphabet - 1)];
        well_formed += object_table_read(round % 2 == 0 ? &now : &before,
                                         changed, text.size, &line, &why);
        object_view_init(&view);
        view.now = &now;
        view.before = &before;
        view.seconds = 1;
        view.section = (object_part)rng_below(&r, PART_COUNT);
        view.sort[view.section].column = (uint8_t)rng_below(&r, 4);
        object_view_arrange(&view);
        const size_t columns = 1 + rng_below(&r, 120);
        for (size_t i = 0; i < view.line_count; i++) {
            char tones[16];
            assert_true(display_columns(line_text(i, columns, tones)) <=
                        columns);
        }
    }
    assert_true(well_formed > rounds / 10);
    free(changed);
    scrape_text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_first),
        cmocka_unit_test(test_sort),  cmocka_unit_test(test_all_sections),
        cmocka_unit_test(test_fuzz),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
