/* SPDX-License-Identifier: MIT */
/* Goal: every command line is taken as the help says, or refused.
 * Method: tables of command lines, good and bad. */
#include "cascade_options.h"

#include "support/check.h"

enum { WORDS_MAX = 6 };

static cascade_wish parse(cascade_options *options, const char *const words[])
{
    static char text[WORDS_MAX][64]; /* options point into it */
    char *arguments[WORDS_MAX + 2];
    int count = 0;
    arguments[count++] = (char[]){"cascade"};
    for (int i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        assert_true(strlen(words[i]) < sizeof text[i]);
        arguments[count++] = strcpy(text[i], words[i]);
    }
    arguments[count] = NULL;
    return cascade_options_parse(options, count, arguments);
}

static void test_taken(void **state)
{
    (void)state;
    static const struct {
        const char *words[WORDS_MAX];
        cascade_config want;
    } lines[] = {
        {{NULL}, {1, 10, GUARDS_ALL}},
        {{"-s", "7"}, {7, 10, GUARDS_ALL}},
        {{"--seed=18446744073709551615"}, {UINT64_MAX, 10, GUARDS_ALL}},
        {{"--seed", "0", "--slow", "1"}, {0, 1, GUARDS_ALL}},
        {{"--slow=1000"}, {1, 1000, GUARDS_ALL}},
        {{"-g", "shed"}, {1, 10, GUARD_SHED}},
        {{"--guards=breaker,deadline"},
         {1, 10, GUARD_BREAKER | GUARD_DEADLINE}},
        {{"--guards=budget,bulkhead,concurrency"},
         {1, 10, GUARD_BUDGET | GUARD_BULKHEAD | GUARD_CONCURRENCY}},
        {{"--guards=all"}, {1, 10, GUARDS_ALL}},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        cascade_options o;
        assert_int_equal(parse(&o, lines[i].words), CASCADE_RUN);
        assert_true(o.config.seed == lines[i].want.seed);
        assert_int_equal(o.config.slow, lines[i].want.slow);
        assert_int_equal(o.config.guards, lines[i].want.guards);
        assert_null(o.csv);
        assert_null(o.svg);
    }
    cascade_options o;
    static const char *const files[] = {"--csv", "a b", "--svg=-", NULL};
    assert_int_equal(parse(&o, files), CASCADE_RUN);
    assert_string_equal(o.csv, "a b");
    assert_string_equal(o.svg, "-");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const lines[][WORDS_MAX] = {
        {"--seed"},
        {"--seed", ""},
        {"--seed", "-1"},
        {"--seed", " 1"},
        {"--seed", "+1"},
        {"--seed", "1x"},
        {"--seed", "18446744073709551616"},
        {"--slow", "0"},
        {"--slow", "1001"},
        {"--guards", ""},
        {"--guards", "none"},
        {"--guards", "shed,"},
        {"--guards", ",shed"},
        {"--guards", "she"},
        {"--guards", "sheds"},
        {"--unknown"},
        {"-x"},
        {"more"},
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        cascade_options o;
        assert_int_equal(parse(&o, lines[i]), CASCADE_MISUSED);
    }
}

static void test_answered(void **state)
{
    (void)state;
    static const char *const lines[][2] = {{"-h"}, {"--help"}, {"--version"}};
    for (size_t i = 0; i < 3; i++) {
        cascade_options o;
        assert_int_equal(parse(&o, lines[i]), CASCADE_ANSWERED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_answered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
