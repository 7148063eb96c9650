/* SPDX-License-Identifier: MIT */
/* Goal: any text becomes lines and nothing is lost, read twice or overrun.
 * Method: tables of texts through a real file; a naive splitter on random
 * text; files that cannot be read. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log_input.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static void write_file(char path[], const char *text, size_t size)
{
    int const fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_true(write(fd, text, size) == (ssize_t)size);
    close(fd);
}

static void read_text(log_input *input, const char *text, size_t size,
                      size_t lines_max)
{
    char path[] = "/tmp/girt-log-XXXXXX";
    char why[160] = "";
    write_file(path, text, size);
    if (!log_input_read(input, path, lines_max, why, sizeof why))
        fail_msg("%s", why);
    unlink(path);
}

static void check_line(const log_input *input, size_t index, const char *line)
{
    size_t size;
    const char *const actual = log_line(input, index, &size);
    assert_int_equal(size, strlen(line));
    assert_memory_equal(actual, line, size);
}

#define HEADER "host\tlogname\ttime\tmethod\turl\tresponse\tbytes\tx\n"

static const struct {
    const char *text;
    size_t lines_max;
    size_t lines;
    const char *first;
    const char *last;
    bool cut;
} texts[] = {
    {"", 9, 0, "", "", false},
    {"a", 9, 1, "a", "a", false},
    {"a\n", 9, 1, "a\n", "a\n", false},
    {"a\nb", 9, 2, "a\n", "b", false},
    {"\n\n\n", 9, 3, "\n", "\n", false},
    {"a\r\nb\r\n", 9, 2, "a\r\n", "b\r\n", false},
    {"a\nb\nc\n", 2, 2, "a\n", "b\n", true},
    {"a\nb\nc", 3, 3, "a\n", "c", false},
    {HEADER, 9, 0, "", "", false},
    {HEADER "a\nb\n", 1, 1, "a\n", "a\n", true},
    {HEADER "a\nb\n", 2, 2, "a\n", "b\n", false},
    {"\xef\xbb\xbf" HEADER "a\n", 9, 1, "a\n", "a\n", false},
    {"\xef\xbb\xbf"
     "a\n",
     9, 1, "a\n", "a\n", false},
    {"a\n" HEADER, 9, 2, "a\n", HEADER, false},
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        log_input input;
        read_text(&input, texts[i].text, strlen(texts[i].text),
                  texts[i].lines_max);
        assert_int_equal(input.line_count, texts[i].lines);
        assert_int_equal(input.cut, texts[i].cut);
        if (input.line_count > 0) {
            check_line(&input, 0, texts[i].first);
            check_line(&input, input.line_count - 1, texts[i].last);
        }
        log_input_free(&input);
    }
}

static void test_random_text(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t const size = scaled(3000000); /* more than one step of reading */
    char *const text = malloc(size);
    assert_non_null(text);
    for (size_t i = 0; i < size; i++)
        text[i] = "abc\0\n"[rng_below(&r, 5)];
    log_input input;
    read_text(&input, text, size, SIZE_MAX / 16);
    size_t at = 0;
    for (size_t i = 0; i < input.line_count; i++) {
        size_t line_size;
        const char *const line = log_line(&input, i, &line_size);
        assert_true(line_size > 0 && at + line_size <= size);
        assert_memory_equal(line, text + at, line_size);
        at += line_size;
        /* one newline, at the end; only the last line may lack it */
        const char *const newline = memchr(line, '\n', line_size);
        assert_true(newline == NULL ? at == size
                                    : newline == line + line_size - 1);
    }
    assert_int_equal(at, size);
    assert_false(input.cut);
    log_input_free(&input);
    free(text);
}

static void test_one_huge_line(void **state)
{
    (void)state;
    size_t const size = 5000000;
    char *const text = malloc(size);
    assert_non_null(text);
    memset(text, 'x', size);
    log_input input;
    read_text(&input, text, size, 10);
    assert_int_equal(input.line_count, 1);
    size_t line_size;
    (void)log_line(&input, 0, &line_size);
    assert_int_equal(line_size, size);
    log_input_free(&input);
    free(text);
}

static void check_unreadable(const char *path, const char *part)
{
    log_input input;
    char why[160] = "";
    assert_false(log_input_read(&input, path, 10, why, sizeof why));
    if (strstr(why, part) == NULL)
        fail_msg("%s: %s", path, why);
    assert_null(input.text);
    log_input_free(&input);
}

static void test_unreadable(void **state)
{
    (void)state;
    check_unreadable("/", "directory");
    check_unreadable("/no/such/file", "No such file");
    check_unreadable("", "No such file");
    static const struct {
        const char *bytes;
        const char *tool;
    } packed[] = {{"\x1f\x8b\x08zz", "zcat"},
                  {"\xfd"
                   "7zXZzz",
                   "xzcat"},
                  {"\x28\xb5\x2f\xfdzz", "zstdcat"},
                  {"BZh9", "bzcat"}};
    for (size_t i = 0; i < 4; i++) {
        char path[] = "/tmp/girt-log-XXXXXX";
        write_file(path, packed[i].bytes, strlen(packed[i].bytes));
        check_unreadable(path, packed[i].tool);
        unlink(path);
    }
}

/* A source without an end: reading stops at the limit. */
static void test_endless(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t const child = fork();
    if (child == 0) {
        close(ends[0]); /* or it would never see the reader gone */
        while (write(ends[1], "line\n", 5) == 5)
            ;
        _exit(0);
    }
    close(ends[1]);
    char path[32];
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    log_input input;
    char why[160];
    assert_true(log_input_read(&input, path, 1000, why, sizeof why));
    close(ends[0]); /* the child's next write ends it */
    assert_int_equal(input.line_count, 1000);
    assert_true(input.cut);
    log_input_free(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_random_text),
        cmocka_unit_test(test_one_huge_line),
        cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_endless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
