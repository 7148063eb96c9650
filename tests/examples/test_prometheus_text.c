/* SPDX-License-Identifier: MIT */
/* Goal: samples are read as the format says, what is wrong is refused in its
 * line, and no text whatever reads or writes where it must not.
 * Method: tables of good and bad lines; a scrape with bytes changed at random,
 * and random bytes of the format's alphabet, each in a block of exactly its
 * size, so that a sanitizer sees one byte too far. */
#include "prometheus_text.h"

#include <math.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static prometheus_reader reader;
static prometheus_sample sample;

/* Samples of the text; -1: refused. */
static int count_samples(const char *text)
{
    int count = 0;
    prometheus_begin(&reader, text, strlen(text));
    while (prometheus_next(&reader, &sample))
        count++;
    assert_false(prometheus_next(&reader, &sample)); /* it stays at its end */
    return reader.error == NULL ? count : -1;
}

static void check_label(size_t i, const char *name, const char *value)
{
    assert_string_equal(sample.labels[i].name, name);
    assert_string_equal(sample.labels[i].value, value);
    assert_string_equal(prometheus_label_value(&sample, name), value);
}

static void test_whole(void **state)
{
    (void)state;
    static const char text[] =
        "# HELP x_total Help with \\ and \"quotes\".\n"
        "# TYPE x_total counter\n"
        "\n"
        " \t\n"
        "x_total 12\n"
        "#\n"
        "# a remark\n"
        "y:z{a=\"1\",_b2 = \"\\\\ \\\" \\n\xc3\xa9\" , } "
        "-1.5e3 -17\n"
        "z{}\t+Inf\n";
    prometheus_begin(&reader, text, strlen(text));
    assert_true(prometheus_next(&reader, &sample));
    assert_string_equal(sample.name, "x_total");
    assert_int_equal(sample.label_count, 0);
    assert_true(sample.value == 12);
    assert_true(sample.time_ms == 0);
    assert_int_equal(reader.line, 5);
    assert_null(prometheus_label_value(&sample, "a"));
    assert_true(prometheus_next(&reader, &sample));
    assert_string_equal(sample.name, "y:z");
    assert_int_equal(sample.label_count, 2);
    check_label(0, "a", "1");
    check_label(1, "_b2", "\\ \" \n\xc3\xa9");
    assert_true(sample.value == -1500);
    assert_true(sample.time_ms == -17);
    assert_int_equal(reader.line, 8);
    assert_true(prometheus_next(&reader, &sample));
    assert_true(isinf(sample.value) && sample.value > 0);
    assert_false(prometheus_next(&reader, &sample));
    assert_null(reader.error);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"0", 0},      {"-0", 0},     {"+1", 1},       {"1.", 1},
        {".5", .5},    {"1e3", 1000}, {"1E-3", .001},  {"-Inf", -INFINITY},
        {"1e-999", 0}, {"007", 7},    {"1.5e+2", 150}, {"Inf", INFINITY},
    };
    double value;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(prometheus_number(good[i].text, &value));
        assert_true(value == good[i].value);
    }
    assert_true(prometheus_number("NaN", &value) && isnan(value));
    static const char *const bad[] = {
        "",    "+",     "-",   ".",     "e3",  "1e",  "1e+",
        "0x1", "1_000", " 1",  "1 ",    "inf", "nan", "Infinity",
        "--1", "1.2.3", "1,5", "NaN()", "+-1", "1f",  "1e999",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(prometheus_number(bad[i], &value));
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "x 1", /* no end of line */
        "x\n",
        "x \n",
        "x 1 2 3\n",
        "x 1 1.5\n",
        "x 1 99999999999999999999\n",
        "x 1 -\n",
        "x one\n",
        "x 0x10\n",
        "x 1\r\n",
        "1x 1\n",
        "x-y 1\n",
        "\xc3\xa9 1\n",
        "{a=\"1\"} 1\n",
        "x{a=\"1\" 1\n",
        "x{a=\"1} 1\n",
        "x{a=\"1\\\n",
        "x{a=\"\\x\"} 1\n",
        "x{a=1} 1\n",
        "x{a} 1\n",
        "x{=\"1\"} 1\n",
        "x{,} 1\n",
        "x{a=\"1\",,} 1\n",
        "x{a=\"1\"b=\"2\"} 1\n",
        "x{a=\"1\",a=\"2\"} 1\n",
        "x{a:b=\"1\"} 1\n",
        "x{1=\"1\"} 1\n",
        "x{a=\"1\"}\n",
        "x{a=\"\xff\"} 1\n",         /* no UTF-8 */
        "x{a=\"\xc0\xaf\"} 1\n",     /* longer than it must be */
        "x{a=\"\xed\xa0\x80\"} 1\n", /* a surrogate */
        "x{a=\"\xf4\x90\x80\x80\"} 1\n",
        "x{a=\"\xe2\x82\"} 1\n", /* cut short */
        "# TYPE x\n",
        "# TYPE x number\n",
        "# TYPE x counter more\n",
        "# TYPE 1x counter\n",
        "# TYPE\n",
        "# HELP \n",
        "# HELP x-y z\n",
        "# remark \xff\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[128];
        snprintf(text, sizeof text, "good 1\n\n%s", bad[i]);
        assert_int_equal(count_samples(text), -1);
        assert_int_equal(reader.line, 3);
    }
    static const char null[] = "x{a=\"\0\"} 1\n";
    prometheus_begin(&reader, null, sizeof null - 1);
    assert_false(prometheus_next(&reader, &sample));
    assert_non_null(reader.error);
    assert_int_equal(count_samples(""), 0);
    prometheus_begin(&reader, NULL, 0);
    assert_false(prometheus_next(&reader, &sample));
    assert_null(reader.error);
    assert_int_equal(count_samples("# EOF\n"), 0);
}

/* At each bound, and one beyond it. */
static void test_bounds(void **state)
{
    (void)state;
    static char text[2 * PROMETHEUS_STRINGS_MAX];
    for (int labels = 63; labels <= 65; labels++) {
        char *at = text + sprintf(text, "x{");
        for (int i = 0; i < labels; i++)
            at += sprintf(at, "l%d=\"\",", i);
        strcpy(at, "} 1\n");
        assert_int_equal(count_samples(text),
                         labels <= PROMETHEUS_LABELS_MAX ? 1 : -1);
    }
    for (int more = -1; more <= 1; more++) {
        /* "x", "a" and the value, each with its end. */
        const int size = PROMETHEUS_STRINGS_MAX - 5 + more;
        memset(text, 0, sizeof text);
        strcpy(text, "x{a=\"");
        memset(text + 5, 'v', (size_t)size);
        strcpy(text + 5 + size, "\"} 1\n");
        assert_int_equal(count_samples(text), more <= 0 ? 1 : -1);
    }
}

static void read_all(const char *text, size_t size)
{
    char *const exact = malloc(size > 0 ? size : 1);
    assert_non_null(exact);
    memcpy(exact, text, size);
    prometheus_begin(&reader, exact, size);
    size_t samples = 0;
    while (prometheus_next(&reader, &sample)) {
        samples++;
        assert_true(sample.label_count <= PROMETHEUS_LABELS_MAX);
        assert_true(strlen(sample.name) > 0);
        for (size_t i = 0; i < sample.label_count; i++)
            assert_true(strlen(sample.labels[i].name) > 0 &&
                        strlen(sample.labels[i].value) <=
                            PROMETHEUS_STRINGS_MAX);
    }
    assert_true(samples <= size);
    assert_true(reader.line <= size);
    free(exact);
}

static void test_fuzz(void **state)
{
    (void)state;
    static const char scrape[] =
        "# HELP girt_queue_depth Items in the queue.\n"
        "# TYPE girt_queue_depth gauge\n"
        "girt_queue_depth{name=\"jobs \\\"<b>&\\\\\\n\"} 41 1234567890\n"
        "girt_queue_pop_wait_ns_bucket{name=\"\xe2\x82\xac\",le=\"+Inf\"} 1e9\n"
        "up NaN\n";
    static const char alphabet[] = "{}{}\"\"\"\\\\,,== \t\n\n##x_a:0.9e+-InfNaN"
                                   "TYPEHELP\xc3\xa9\xff\x01";
    rng r = {test_seed()};
    char text[sizeof scrape + 64];
    for (int round = 0; round < (int)scaled(300000); round++) {
        size_t size = sizeof scrape - 1;
        memcpy(text, scrape, size);
        if (round % 3 == 0) {
            size = (size_t)rng_below(&r, 64);
            for (size_t i = 0; i < size; i++)
                text[i] = alphabet[rng_below(&r, sizeof alphabet - 1)];
        } else {
            for (uint64_t n = rng_below(&r, 6); n > 0; n--)
                text[rng_below(&r, size)] =
                    round % 3 == 1
                        ? alphabet[rng_below(&r, sizeof alphabet - 1)]
                        : (char)rng_next(&r);
            size -= (size_t)(rng_below(&r, 2) * rng_below(&r, size));
        }
        read_all(text, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),   cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_fuzz),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
