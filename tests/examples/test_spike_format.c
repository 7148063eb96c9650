/* SPDX-License-Identifier: MIT */
/* Goal: numbers read well, and no byte of a log reaches a terminal raw.
 * Method: tables; every byte value through print_safely. */
#include <stdlib.h>

#include "spike_format.h"
#include "support/check.h"

static void test_numbers(void **state)
{
    (void)state;
    assert_string_equal(format_count(0).text, "0");
    assert_string_equal(format_count(999).text, "999");
    assert_string_equal(format_count(1000).text, "1,000");
    assert_string_equal(format_count(UINT64_MAX).text,
                        "18,446,744,073,709,551,615");
    assert_string_equal(format_duration(0).text, "0 ns");
    assert_string_equal(format_duration(999.4).text, "999 ns");
    assert_string_equal(format_duration(999.6).text, "1.00 us");
    assert_string_equal(format_duration(12345).text, "12.3 us");
    assert_string_equal(format_duration(999600).text, "1.00 ms");
    assert_string_equal(format_duration(78e9).text, "78.0 s");
    assert_string_equal(format_duration(1e13).text, "10000 s");
    assert_string_equal(format_bytes(999).text, "999 B");
    assert_string_equal(format_bytes(1234567).text, "1.23 MB");
    assert_string_equal(format_bytes(999999).text, "1.00 MB");
    assert_string_equal(format_bytes(UINT64_MAX).text, "18.4 EB");
    assert_string_equal(format_span(0).text, "0.00 s");
    assert_string_equal(format_span(86000).text, "23.9 hours");
    assert_string_equal(format_span(400000).text, "4.63 days");
}

static void check_safe(const char *text, size_t size, size_t width,
                       const char *expected)
{
    char *written = NULL;
    size_t written_size;
    FILE *const out = open_memstream(&written, &written_size);
    assert_non_null(out);
    size_t const columns = print_safely(out, text, size, width);
    fclose(out);
    assert_string_equal(written, expected);
    assert_int_equal(columns, strlen(expected));
    free(written);
}

static void test_print_safely(void **state)
{
    (void)state;
    check_safe("", 0, 10, "");
    check_safe("/a b~", 5, 5, "/a b~");
    check_safe("/abcde", 6, 5, "/a...");
    check_safe("\x1b[31m\\\n\x7f\xc3\xa9", 10, 80,
               "\\x1b[31m\\x5c\\x0a\\x7f\\xc3\\xa9");
    check_safe("ab\0cd", 5, 80, "ab\\x00cd");
    check_safe("abc\x01", 4, 6, "abc...");
    check_safe("abc\x01", 4, 7, "abc\\x01");
    for (int c = 0; c < 256; c++) {
        char const byte = (char)c;
        char expected[8];
        bool const plain = c >= 32 && c < 127 && c != '\\';
        snprintf(expected, sizeof expected, plain ? "%c" : "\\x%02x", c);
        check_safe(&byte, 1, 80, expected);
    }
}

static void test_wrap(void **state)
{
    (void)state;
    char *written = NULL;
    size_t size;
    FILE *const out = open_memstream(&written, &size);
    assert_non_null(out);
    print_wrapped(out, "one two  three four five six seven eight nine ten "
                       "eleven twelve thirteen 1234567 more");
    fclose(out);
    assert_string_equal(
        written, "          one two three four five six seven eight nine "
                 "ten eleven twelve\n"
                 "          thirteen 1234567 more\n");
    free(written);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_print_safely),
        cmocka_unit_test(test_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
