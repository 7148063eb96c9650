/* SPDX-License-Identifier: MIT */
/* Goal: numbers take few columns and are right; a name takes exactly its
 * columns and cannot control a terminal.
 * Method: tables; every width for names of narrow, wide and hostile text. */
#include "display_text.h"

#include <locale.h>
#include <math.h>
#include <wchar.h>

#include "support/check.h"

typedef void format(char out[DISPLAY_NUMBER_MAX], double x);

static void check_format(format *f, double x, const char *want)
{
    char out[DISPLAY_NUMBER_MAX];
    f(out, x);
    assert_string_equal(out, want);
}

static void test_numbers(void **state)
{
    (void)state;
    static const struct {
        format *format;
        double x;
        const char *want;
    } cases[] = {
        {display_number, 0, "0"},
        {display_number, -0.0, "0"},
        {display_number, NAN, "-"},
        {display_number, INFINITY, "-"},
        {display_number, 0.25, "0.25"},
        {display_number, 203.4, "203"},
        {display_number, 9.996, "10.0"},
        {display_number, 99999, "99999"},
        {display_number, 123456, "123k"},
        {display_number, 999600, "1.00M"},
        {display_number, -2.5e6, "-2.50M"},
        {display_number, 4.56e9, "4.56G"},
        {display_number, 1e12, "1.00T"},
        {display_number, 1e300, "1e+300"},
        {display_bytes, 0, "0B"},
        {display_bytes, 999, "999B"},
        {display_bytes, 1024, "1.00KiB"},
        {display_bytes, 64.0 * (1 << 20), "64.0MiB"},
        {display_bytes, 1e18, "1e+18"},
        {display_bytes, NAN, "-"},
        {display_duration, 0, "0ns"},
        {display_duration, 999, "999ns"},
        {display_duration, 1234, "1.23us"},
        {display_duration, 4.74e6, "4.74ms"},
        {display_duration, 68.7e9, "68.7s"},
        {display_duration, 1e30, "1e+21s"},
        {display_percent, 0.748, "74.8"},
        {display_percent, 1, "100.0"},
        {display_percent, 1e9, "1e+11"},
        {display_percent, NAN, "-"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_format(cases[i].format, cases[i].x, cases[i].want);
}

/* No number, of any size, is wider than its column. */
static void test_width(void **state)
{
    (void)state;
    static format *const formats[] = {display_number, display_bytes,
                                      display_duration, display_percent};
    for (size_t f = 0; f < 4; f++)
        for (double x = 1e-300; x < 1e300; x *= 1.37) {
            char out[DISPLAY_NUMBER_MAX];
            formats[f](out, x);
            assert_true(strlen(out) <= 7);
            formats[f](out, -x);
            assert_true(strlen(out) <= 8);
        }
}

static void check_fit(const char *text, size_t columns, const char *want)
{
    char out[64 * DISPLAY_BYTES_A_COLUMN + 1];
    display_fit(out, text, columns);
    assert_string_equal(out, want);
}

static void test_names(void **state)
{
    (void)state;
    check_fit("jobs", 4, "jobs");
    check_fit("jobs", 6, "jobs  ");
    check_fit("jobs", 3, "jo~");
    check_fit("jobs", 1, "~");
    check_fit("jobs", 0, "");
    check_fit("", 2, "  ");
    check_fit("a\x1b[2Jb", 8, "a?[2Jb  ");
    check_fit("a\nb\x7f\xff", 6, "a?b?? ");
    assert_int_equal(display_columns("jobs"), 4);
    if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
        skip_because("no C.UTF-8 here");
    check_fit("\xc3\xa9t\xc3\xa9", 4, "\xc3\xa9t\xc3\xa9 ");
    check_fit("\xe6\xbc\xa2\xe5\xad\x97", 4, "\xe6\xbc\xa2\xe5\xad\x97");
    check_fit("\xe6\xbc\xa2\xe5\xad\x97", 3, "\xe6\xbc\xa2~");
    check_fit("\xe6\xbc\xa2\xe5\xad\x97", 2, "~ ");
    check_fit("a\xe2\x80\xae"
              "b",
              3, "a?b"); /* turns the direction */
    check_fit("a\xc2\x9b"
              "2Jb",
              5, "a?2Jb"); /* an escape of one byte */
    assert_int_equal(display_columns("\xe6\xbc\xa2"), 2);
    setlocale(LC_CTYPE, "C");
    check_fit("\xc3\xa9t", 3, "?t ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_width),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
