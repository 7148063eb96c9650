/* SPDX-License-Identifier: MIT */
/* bench.c - rows: interleaving, quartiles, the table and the JSON lines. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

#define REPETITIONS_MAX 101
#define CONTESTANTS_MAX 32

typedef struct summary {
    double median, q1, q3;
} summary;

static int compare_doubles(const void *a, const void *b)
{
    double const x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile of sorted samples, by linear interpolation. */
static double quantile(const double sorted[], size_t count, double q)
{
    double const at = q * (double)(count - 1);
    size_t const below = (size_t)at;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] +
           (at - (double)below) * (sorted[below + 1] - sorted[below]);
}

static summary summarise(double samples[], size_t count)
{
    qsort(samples, count, sizeof *samples, compare_doubles);
    return (summary){quantile(samples, count, 0.5),
                     quantile(samples, count, 0.25),
                     quantile(samples, count, 0.75)};
}

static void print_json(FILE *json, const char *suite, const char *case_name,
                       unsigned threads, const char *unit,
                       const bench_contestant *contestant,
                       const summary *result, double girt)
{
    fprintf(json,
            "{\"suite\":\"%s\",\"case\":\"%s\",\"threads\":%u,"
            "\"contestant\":\"%s\",\"version\":\"%s\",\"unit\":\"%s\",",
            suite, case_name, threads, contestant->name, contestant->version,
            unit);
    if (result == NULL)
        fprintf(json, "\"ns_per_op\":null,\"q1\":null,\"q3\":null,"
                      "\"ratio_to_girt\":null,\"note\":\"stood still\"}\n");
    else
        fprintf(json,
                "\"ns_per_op\":%.4g,\"q1\":%.4g,\"q3\":%.4g,"
                "\"ratio_to_girt\":",
                result->median, result->q1, result->q3);
    if (result != NULL && girt > 0)
        fprintf(json, "%.4g}\n", result->median / girt);
    else if (result != NULL)
        fprintf(json, "null}\n");
}

static bool is_chosen(const bench_options *options, const char *case_name,
                      unsigned threads)
{
    bool chosen = options->thread_counts == 0;
    for (size_t i = 0; i < options->thread_counts; i++)
        chosen = chosen || options->threads[i] == threads;
    return chosen &&
           (options->only == NULL || strstr(case_name, options->only) != NULL);
}

bool bench_wants(const bench_options *options, const char *case_name,
                 unsigned threads)
{
    return !options->list && is_chosen(options, case_name, threads);
}

static void list_row(const bench_contestant contestants[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const bench_contestant *const c = &contestants[i];
        if (c->measure == NULL)
            printf("  %-34s missing: %s\n", c->name, c->version);
        else
            printf("  %-34s %s\n", c->name, c->version);
    }
}

static void print_row(const bench_suite *suite, const bench_options *options,
                      const char *case_name, unsigned threads, const char *unit,
                      const bench_contestant *contestant, const summary *result,
                      double girt)
{
    if (result == NULL)
        printf("  %-34s stood still\n", contestant->name);
    else
        printf("  %-34s %10.4g  [%.4g, %.4g]  %6.2fx\n", contestant->name,
               result->median, result->q1, result->q3, result->median / girt);
    if (options->json != NULL)
        print_json(options->json, suite->name, case_name, threads, unit,
                   contestant, result, girt);
}

/* Runs who is able, in turn; what[i] says at the end how it went for i. */
static void race(const bench_suite *suite, const bench_options *options,
                 const bench_contestant contestants[], size_t count,
                 const void *bench_case,
                 double samples[CONTESTANTS_MAX][REPETITIONS_MAX],
                 double what[CONTESTANTS_MAX])
{
    double const patience_s = suite->patience_s + 4 * options->seconds;
    for (size_t i = 0; i < count; i++) {
        bool const runs = contestants[i].measure != NULL &&
                          (options->rivals || !contestants[i].rival) &&
                          (options->who == NULL ||
                           strstr(contestants[i].name, options->who) != NULL);
        what[i] = runs ? 0 : BENCH_UNABLE;
    }
    for (unsigned r = 0; r < options->repetitions; r++) {
        for (size_t i = 0; i < count; i++) {
            if (what[i] < 0)
                continue;
            what[i] = samples[i][r] = bench_in_child(
                &contestants[i], bench_case, options->seconds, patience_s);
        }
    }
}

void bench_row(const bench_suite *suite, const bench_options *options,
               const char *case_name, unsigned threads, const char *unit,
               const bench_contestant contestants[], size_t count,
               const void *bench_case)
{
    static double samples[CONTESTANTS_MAX][REPETITIONS_MAX];
    double what[CONTESTANTS_MAX];
    if (!is_chosen(options, case_name, threads))
        return;
    if (count > CONTESTANTS_MAX) {
        fprintf(stderr, "%s: more than %d contestants\n", suite->name,
                CONTESTANTS_MAX);
        exit(1);
    }
    printf("\n%s, %s, %u thread%s (%s)\n", suite->name, case_name, threads,
           threads == 1 ? "" : "s", unit);
    if (options->list) {
        list_row(contestants, count);
        return;
    }
    race(suite, options, contestants, count, bench_case, samples, what);
    double girt = -1; /* unknown */
    for (size_t i = 0; i < count; i++) {
        if (what[i] == BENCH_UNABLE)
            continue;
        if (what[i] == BENCH_STOOD_STILL) {
            print_row(suite, options, case_name, threads, unit, &contestants[i],
                      NULL, 0);
            continue;
        }
        summary const result = summarise(samples[i], options->repetitions);
        if (girt < 0)
            girt = result.median;
        print_row(suite, options, case_name, threads, unit, &contestants[i],
                  &result, girt);
    }
    fflush(stdout);
}
