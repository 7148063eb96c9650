/* SPDX-License-Identifier: MIT */
/* Goal: options mean what --help says, and nonsense is refused.
 * Method: tables of command lines; a parent that silences their output. */
#include <fcntl.h>
#include <unistd.h>

#include "spike_options.h"
#include "support/check.h"

static int silence(void **state)
{
    (void)state;
    int const nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return nowhere >= 0 && dup2(nowhere, STDOUT_FILENO) >= 0 ? 0 : -1;
}

/* Words separated by single spaces. */
static spike_wish parse(const char *line, spike_options *options)
{
    static char words[512];
    char *arguments[32] = {NULL};
    int count = 0;
    snprintf(words, sizeof words, "spike %s", line);
    for (char *at = strtok(words, " "); at != NULL; at = strtok(NULL, " "))
        arguments[count++] = at;
    return spike_options_parse(options, count, arguments);
}

static void test_defaults(void **state)
{
    (void)state;
    spike_options o;
    assert_int_equal(parse("", &o), SPIKE_RUN);
    assert_null(o.log);
    assert_null(o.csv);
    assert_null(o.svg);
    assert_int_equal(o.threads_count, 4);
    assert_int_equal(o.threads[3], 8);
    assert_true(o.repeat == 0 && o.lines_max == 0 && o.seed == 1);
    assert_true(o.burst == 100 && o.shards == 8 && o.capacity == 1024);
}

static void test_all_options(void **state)
{
    (void)state;
    spike_options o;
    assert_int_equal(parse("-t 8,1,4,1 log --repeat=3 -n 7 -s "
                           "18446744073709551615 -b 9 --shards 64 --batch 1024 "
                           "--capacity 1 --csv - --totals t --svg s",
                           &o),
                     SPIKE_RUN);
    assert_string_equal(o.log, "log");
    assert_int_equal(o.threads_count, 3); /* sorted, each once */
    assert_int_equal(o.threads[0], 1);
    assert_int_equal(o.threads[1], 4);
    assert_int_equal(o.threads[2], 8);
    assert_true(o.repeat == 3 && o.lines_max == 7 && o.seed == UINT64_MAX);
    assert_true(o.burst == 9 && o.shards == 64 && o.batch == 1024);
    assert_int_equal(o.capacity, 1);
    assert_string_equal(o.csv, "-");
    assert_string_equal(o.totals, "t");
    assert_string_equal(o.svg, "s");
    assert_int_equal(parse("-", &o), SPIKE_RUN);
    assert_string_equal(o.log, "-");
    assert_int_equal(parse("-- -x", &o), SPIKE_RUN);
    assert_string_equal(o.log, "-x");
}

static void test_misuse(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "-t",
        "-t 0",
        "-t 257",
        "-t 1,",
        "-t ,1",
        "-t 1,,2",
        "-t 1;2",
        "-t -1",
        ("-t 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,"
         "25,26,27,28,29,30,31,32,33"),
        "-r 0",
        "-r 1001",
        "-r x",
        "-n 0",
        "-n 100000001",
        "-s -1",
        "-s 18446744073709551616",
        "-b 0",
        "-b 1.5",
        "--shards 0",
        "--shards 65",
        "--batch 0",
        "--batch 1025",
        "--capacity 0",
        "--capacity 99999999999999999999999",
        "--nonsense",
        "--csv",
        "--csv - --totals -",
        "one two",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        spike_options o;
        if (parse(lines[i], &o) != SPIKE_MISUSED)
            fail_msg("accepted: %s", lines[i]);
    }
}

static void test_answers(void **state)
{
    (void)state;
    spike_options o;
    assert_int_equal(parse("--help", &o), SPIKE_ANSWERED);
    assert_int_equal(parse("-h", &o), SPIKE_ANSWERED);
    assert_int_equal(parse("--version", &o), SPIKE_ANSWERED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_all_options),
        cmocka_unit_test(test_misuse),
        cmocka_unit_test_setup(test_answers, silence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
