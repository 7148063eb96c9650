/* SPDX-License-Identifier: MIT */
/* Goal: only names, labels and texts that the formats have get in, and the same
 * labels are the same bytes.  Method: tables of good and bad ones; every byte
 * alone and in second place; labels in all orders. */
#include "metrics/metrics_name.h"

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/threads.h"

static void metric_names(void **state)
{
    (void)state;
    size_t size;
    for (int c = 1; c < 256; c++) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                            c == '_' || c == ':';
        const bool digit = c >= '0' && c <= '9';
        const char alone[] = {(char)c, 0}, second[] = {'a', (char)c, 0};
        check_status(girt__metric_name_check(alone, &size),
                     letter ? GIRT_OK : GIRT_E_INVALID);
        check_status(girt__metric_name_check(second, &size),
                     letter || digit ? GIRT_OK : GIRT_E_INVALID);
        check_status(girt__label_name_check(second, &size),
                     (letter || digit) && c != ':' ? GIRT_OK : GIRT_E_INVALID);
    }
    check_status(girt__metric_name_check(NULL, &size), GIRT_E_INVALID);
    check_status(girt__metric_name_check("", &size), GIRT_E_INVALID);
    char name[GIRT_METRICS_NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[GIRT_METRICS_NAME_MAX + 1] = '\0';
    size = 7;
    check_status(girt__metric_name_check(name, &size), GIRT_E_TOO_LARGE);
    assert_int_equal(size, 7);
    name[GIRT_METRICS_NAME_MAX] = '\0';
    check_status(girt__metric_name_check(name, &size), GIRT_OK);
    assert_int_equal(size, GIRT_METRICS_NAME_MAX);
}

static void reserved_labels(void **state)
{
    (void)state;
    static const char *const refused[] = {"le", "quantile", "__name__", "__",
                                          "__a"};
    static const char *const taken[] = {"Le", "le_", "_", "_a", "name", "a__"};
    size_t size;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        check_status(girt__label_name_check(refused[i], &size), GIRT_E_INVALID);
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        check_status(girt__label_name_check(taken[i], &size), GIRT_OK);
}

#define C GIRT__METRIC_COUNTER
#define G GIRT__METRIC_GAUGE
#define H GIRT__METRIC_HISTOGRAM

static void names_that_clash(void **state)
{
    (void)state;
    static const struct {
        girt__metric_kind a_kind, b_kind;
        const char *a, *b;
        bool clash;
    } table[] = {
        {C, G, "x", "x", true},         {C, G, "x", "x_total", true},
        {C, G, "x", "x_created", true}, {C, G, "x", "x_count", false},
        {H, G, "x", "x_count", true},   {H, G, "x", "x_sum", true},
        {H, G, "x", "x_bucket", true},  {H, G, "x", "x_total", false},
        {H, G, "x_count", "x", false},  {G, H, "x_count", "x", true},
        {H, H, "x", "x_count", true},   {C, H, "x", "x_count", false},
        {C, H, "x_count", "x", true},   {C, C, "x", "x_total", true},
        {C, C, "x", "x_created", true}, {G, G, "x", "x_total", false},
        {G, G, "x", "y", false},        {G, G, "x", "xy", false},
        {H, C, "x", "x_b", false},      {G, G, "a", "a_totals_and_more", false},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *const a = table[i].a, *const b = table[i].b;
        assert_int_equal(girt__metrics_clash(table[i].a_kind, a, strlen(a),
                                             table[i].b_kind, b, strlen(b)),
                         table[i].clash);
        assert_int_equal(girt__metrics_clash(table[i].b_kind, b, strlen(b),
                                             table[i].a_kind, a, strlen(a)),
                         table[i].clash);
    }
    assert_int_equal(girt__metric_base(C, "x_total", 7), 1);
    assert_int_equal(girt__metric_base(C, "x", 1), 1);
    assert_int_equal(girt__metric_base(G, "x_total", 7), 7);
    assert_int_equal(girt__metric_base(C, "_total", 6), 0);
}

static girt_status labels_of(const char *const pairs[], char *out)
{
    girt_allocator allocator;
    check_status(girt__allocator_resolve(&allocator, NULL), GIRT_OK);
    girt__labels labels;
    const girt_status status = girt__labels_init(&labels, pairs, &allocator);
    if (status != GIRT_OK)
        return status;
    memcpy(out, labels.text, labels.size);
    out[labels.size] = '\0';
    girt__labels_destroy(&labels, &allocator);
    return GIRT_OK;
}

static void labels_in_one_form(void **state)
{
    (void)state;
    static char text[300000];
    check_status(labels_of(NULL, text), GIRT_OK);
    assert_string_equal(text, "");
    check_status(labels_of((const char *[]){NULL}, text), GIRT_OK);
    assert_string_equal(text, "");
    static const char *const expected = "a=\"1\",b=\"2\",c=\"\"";
    check_status(
        labels_of((const char *[]){"c", "", "a", "1", "b", "2", NULL}, text),
        GIRT_OK);
    assert_string_equal(text, expected);
    check_status(
        labels_of((const char *[]){"b", "2", "c", "", "a", "1", NULL}, text),
        GIRT_OK);
    assert_string_equal(text, expected);
    check_status(
        labels_of((const char *[]){"a", "\"\\\n\t\r{}=,\x7f\xc3\xbc", NULL},
                  text),
        GIRT_OK);
    assert_string_equal(text, "a=\"\\\"\\\\\\n\t\r{}=,\x7f\xc3\xbc\"");
}

static void labels_refused(void **state)
{
    (void)state;
    static char text[300000], value[GIRT_METRICS_TEXT_MAX + 2];
    static const char *const table[][7] = {
        {"a", NULL},
        {"a", "1", "a", "2", NULL},
        {"b", "1", "a", "1", "b", "1", NULL},
        {"le", "1", NULL},
        {"quantile", "1", NULL},
        {"__name__", "x", NULL},
        {"", "1", NULL},
        {"a b", "1", NULL},
        {"1a", "1", NULL},
        {"a:b", "1", NULL},
        {"a", "\xff", NULL},
        {"a", "\xc3", NULL},
        {"a", "\xed\xa0\x80", NULL},
        {"a", "\xc0\x80", NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        check_status(labels_of(table[i], text), GIRT_E_INVALID);
    memset(value, '"', sizeof value);
    value[GIRT_METRICS_TEXT_MAX + 1] = '\0';
    check_status(labels_of((const char *[]){"a", value, NULL}, text),
                 GIRT_E_TOO_LARGE);
    value[GIRT_METRICS_TEXT_MAX] = '\0';
    check_status(labels_of((const char *[]){"a", value, NULL}, text), GIRT_OK);
    assert_int_equal(strlen(text), 4 + 2 * GIRT_METRICS_TEXT_MAX);

    static char names[GIRT_METRICS_LABELS_MAX + 1][4];
    const char *pairs[2 * GIRT_METRICS_LABELS_MAX + 3] = {NULL};
    for (int i = 0; i <= GIRT_METRICS_LABELS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "l%d", i % 100);
        pairs[2 * i] = names[i];
        pairs[2 * i + 1] = value;
    }
    check_status(labels_of(pairs, text), GIRT_E_TOO_LARGE);
    pairs[2 * GIRT_METRICS_LABELS_MAX] = NULL;
    check_status(labels_of(pairs, text), GIRT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metric_names),
        cmocka_unit_test(reserved_labels),
        cmocka_unit_test(names_that_clash),
        cmocka_unit_test(labels_in_one_form),
        cmocka_unit_test(labels_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
