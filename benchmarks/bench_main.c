/* SPDX-License-Identifier: MIT */
/* bench_main.c - girt-bench: the command line. */
#include "bench.h"

#include <errno.h>
#include <getopt.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bench_team.h"

static const bench_suite *const suites[] = {
    &bench_queue_suite,
    &bench_map_suite,
    &bench_limiter_suite,
    &bench_ring_suite,
    &bench_guard_suite,
    &bench_cache_suite,
    &bench_channel_suite,
    &bench_metrics_suite,
    &bench_report_suite,
    &bench_trace_suite,
};
enum { suite_count = sizeof suites / sizeof *suites };

static void print_usage(FILE *file)
{
    fprintf(file,
            "usage: girt-bench [SUITE...] [--rivals] [--threads LIST]\n"
            "                  [--repetitions N] [--seconds S] [--only TEXT]\n"
            "                  [--who TEXT] [--json FILE] [--list] [--smoke] "
            "[--cpu]\n\n"
            "suites "
            "(none: all):\n");
    for (size_t i = 0; i < suite_count; i++)
        fprintf(file, "  %-10s %s\n", suites[i]->name, suites[i]->title);
    fprintf(file,
            "\n  --rivals         run the other libraries that were found at "
            "build\n"
            "  --threads LIST   only cases of these numbers of threads: 1,2,8\n"
            "  --repetitions N  runs of each contestant, interleaved (5)\n"
            "  --seconds S      length of one run (0.5)\n"
            "  --only TEXT      only cases whose name contains TEXT\n"
            "  --who TEXT       only contestants whose name contains TEXT\n"
            "  --json FILE      also as JSON lines; - for standard output\n"
            "  --list           name cases and contestants, run nothing\n"
            "  --cpu            rates by CPU time, not wall time: for busy "
            "machines,\n"
            "                   and only where nothing waits\n"
            "  --smoke          each case for a moment, small: does it run?\n\n"
            "Each row: median, [quartiles], and the median's ratio to girt's:\n"
            "above 1 girt is ahead.\n");
}

static _Noreturn void refuse(const char *what, const char *value)
{
    fprintf(stderr, "girt-bench: %s: %s\n", what, value);
    exit(2);
}

static double parse_number(const char *text, double min, double max)
{
    char *end;
    double const value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= min && value <= max))
        refuse("number outside its range", text);
    return value;
}

static void parse_threads(bench_options *options, char *list)
{
    char *rest = NULL;
    for (char *part = strtok_r(list, ",", &rest); part != NULL;
         part = strtok_r(NULL, ",", &rest)) {
        if (options->thread_counts ==
            sizeof options->threads / sizeof(unsigned))
            refuse("too many thread counts", part);
        options->threads[options->thread_counts++] =
            (unsigned)parse_number(part, 1, 1024);
    }
}

static void parse_options(bench_options *options, int count, char **words)
{
    static const struct option known[] = {
        {"rivals", no_argument, NULL, 'r'},
        {"threads", required_argument, NULL, 't'},
        {"repetitions", required_argument, NULL, 'n'},
        {"seconds", required_argument, NULL, 's'},
        {"only", required_argument, NULL, 'o'},
        {"who", required_argument, NULL, 'w'},
        {"json", required_argument, NULL, 'j'},
        {"list", no_argument, NULL, 'l'},
        {"cpu", no_argument, NULL, 'c'},
        {"smoke", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(count, words, "", known, NULL)) != -1) {
        switch (option) {
        case 'r':
            options->rivals = true;
            break;
        case 't':
            parse_threads(options, optarg);
            break;
        case 'n':
            options->repetitions = (unsigned)parse_number(optarg, 1, 101);
            break;
        case 's':
            options->seconds = parse_number(optarg, 0.001, 3600);
            break;
        case 'o':
            options->only = optarg;
            break;
        case 'w':
            options->who = optarg;
            break;
        case 'j':
            options->json =
                strcmp(optarg, "-") == 0 ? stdout : fopen(optarg, "w");
            if (options->json == NULL)
                refuse(optarg, strerror(errno));
            break;
        case 'l':
            options->list = true;
            break;
        case 'q':
            options->smoke = true;
            options->repetitions = 1;
            options->seconds = 0.002;
            break;
        case 'c':
            options->by_cpu = true;
            bench_by_cpu(true);
            break;
        case 'h':
            print_usage(stdout);
            exit(0);
        default:
            print_usage(stderr);
            exit(2);
        }
    }
}

static const bench_suite *find_suite(const char *name)
{
    for (size_t i = 0; i < suite_count; i++) {
        if (strcmp(suites[i]->name, name) == 0)
            return suites[i];
    }
    refuse("no such suite", name);
}

static void print_head(const bench_options *options)
{
    bench_print_machine(stdout);
    printf("\nclock: %s time\nrivals: ", options->by_cpu ? "CPU" : "wall");
    bench_print_rivals(stdout);
    printf("\nmissing: ");
    bench_print_missing(stdout);
    printf("\n");
    if (options->json == NULL)
        return;
    fprintf(options->json, "{\"machine\":\"");
    bench_print_machine(options->json);
    fprintf(options->json, "\",\"clock\":\"%s\",\"rivals\":\"",
            options->by_cpu ? "CPU" : "wall");
    bench_print_rivals(options->json);
    fprintf(options->json, "\",\"missing\":\"");
    bench_print_missing(options->json);
    fprintf(options->json, "\"}\n");
    fflush(options->json); /* or children would write it again */
}

int main(int count, char **words)
{
    bench_options options = {.repetitions = 5, .seconds = 0.5};
    parse_options(&options, count, words);
    for (int i = optind; i < count; i++)
        (void)find_suite(words[i]);

    print_head(&options);
    if (optind == count) {
        for (size_t i = 0; i < suite_count; i++)
            suites[i]->run(suites[i], &options);
    }
    for (int i = optind; i < count; i++) {
        const bench_suite *const suite = find_suite(words[i]);
        suite->run(suite, &options);
    }
    if (options.json != NULL && fclose(options.json) != 0)
        refuse("cannot write the JSON file", strerror(errno));
    return 0;
}
