/* SPDX-License-Identifier: MIT */
/* Goal: every command line is taken as the help says, or refused.
 * Method: tables of command lines, good and bad. */
#include "top_options.h"

#include "support/check.h"

enum { WORDS_MAX = 40 };

static top_wish parse(top_options *options, const char *const words[])
{
    static char text[WORDS_MAX][64]; /* options point into it */
    char *arguments[WORDS_MAX + 2];
    int count = 0;
    arguments[count++] = (char[]){"top"};
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        assert_true(strlen(words[i]) < sizeof text[i]);
        arguments[count++] = strcpy(text[i], words[i]);
    }
    arguments[count] = NULL;
    return top_options_parse(options, count, arguments);
}

static void test_targets(void **state)
{
    (void)state;
    static const struct {
        const char *target, *url, *socket;
    } good[] = {
        {"9464", "http://127.0.0.1:9464/metrics", NULL},
        {"1", "http://127.0.0.1:1/metrics", NULL},
        {"65535", "http://127.0.0.1:65535/metrics", NULL},
        {"localhost:80", "http://localhost:80/metrics", NULL},
        {"[::1]:9464", "http://[::1]:9464/metrics", NULL},
        {"http://h:1", "http://h:1/metrics", NULL},
        {"http://h:1/", "http://h:1/", NULL},
        {"https://h/m?x=1", "https://h/m?x=1", NULL},
        {"unix:/run/x", "http://localhost/metrics", "/run/x"},
    };
    top_options o;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        const char *const words[] = {good[i].target, NULL};
        assert_int_equal(parse(&o, words), TOP_RUN);
        assert_string_equal(o.url, good[i].url);
        if (good[i].socket == NULL)
            assert_null(o.socket);
        else
            assert_string_equal(o.socket, good[i].socket);
    }
    static const char *const bad[] = {
        "",
        "0",
        "65536",
        "123456",
        "host",
        "ftp://h/x",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "unix:",
        "-1",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const char *const words[] = {"--", bad[i], NULL};
        assert_int_equal(parse(&o, words), TOP_MISUSED);
    }
}

static void test_taken(void **state)
{
    (void)state;
    top_options o;
    static const char *const none[] = {NULL};
    assert_int_equal(parse(&o, none), TOP_RUN);
    assert_string_equal(o.url, "http://127.0.0.1:9464/metrics");
    assert_true(o.interval_s == 1 && !o.once && o.sort == NULL);
    assert_int_equal(o.only, PART_COUNT);
    assert_int_equal(o.file_count, 0);
    static const char *const all[] = {
        "-i", "0.1", "--once",   "-s", "push/s", "--only=keyed_limiter",
        "-f", "a b", "--file=-", NULL};
    assert_int_equal(parse(&o, all), TOP_RUN);
    assert_true(o.interval_s == 0.1 && o.once);
    assert_string_equal(o.sort, "push/s");
    assert_int_equal(o.only, PART_KEYED_LIMITER);
    assert_int_equal(o.file_count, 2);
    assert_string_equal(o.files[0], "a b");
    assert_string_equal(o.files[1], "-");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const lines[][4] = {
        {"-i"},          {"-i", ""},      {"-i", "0"},      {"-i", "0.09"},
        {"-i", "3601"},  {"-i", "-1"},    {"-i", "1s"},     {"-i", "nan"},
        {"-i", "0x1"},   {"-i", "1.1.1"}, {"-i", "."},      {"--only", ""},
        {"--only", "q"}, {"1", "2"},      {"-f", "x", "1"}, {"--unknown"},
        {"-x"},          {"--file"},
    };
    top_options o;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(parse(&o, lines[i]), TOP_MISUSED);
    const char *files[2 * TOP_FILES_MAX + 3] = {NULL};
    for (size_t i = 0; i <= TOP_FILES_MAX; i++) {
        files[2 * i] = "-f";
        files[2 * i + 1] = "x";
        assert_int_equal(parse(&o, files),
                         i < TOP_FILES_MAX ? TOP_RUN : TOP_MISUSED);
    }
}

static void test_answered(void **state)
{
    (void)state;
    static const char *const lines[][2] = {{"-h"}, {"--help"}, {"--version"}};
    top_options o;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(parse(&o, lines[i]), TOP_ANSWERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_targets),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
