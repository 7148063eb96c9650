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
            "\"contestant\":\"%s\",\"version\":\"%s\",\"unit\":\"%s\","
            "\"ns_per_op\":%.4g,\"q1\":%.4g,\"q3\":%.4g,"
            "\"ratio_to_girt\":%.4g}\n",
            suite, case_name, threads, contestant->name, contestant->version,
            unit, result->median, result->q1, result->q3,
            result->median / girt);
}

bool bench_wants_threads(const bench_options *options, unsigned threads)
{
    for (size_t i = 0; i < options->thread_counts; i++) {
        if (options->threads[i] == threads)
            return true;
    }
    return options->thread_counts == 0;
}

void bench_row(const bench_suite *suite, const bench_options *options,
               const char *case_name, unsigned threads, const char *unit,
               const bench_contestant contestants[], size_t count,
               const void *bench_case)
{
    static double samples[CONTESTANTS_MAX][REPETITIONS_MAX];
    bool able[CONTESTANTS_MAX];
    if (!bench_wants_threads(options, threads) ||
        (options->only != NULL && strstr(case_name, options->only) == NULL))
        return;
    if (count > CONTESTANTS_MAX) {
        fprintf(stderr, "%s: more than %d contestants\n", suite->name,
                CONTESTANTS_MAX);
        exit(1);
    }
    printf("\n%s, %s, %u thread%s (%s)\n", suite->name, case_name, threads,
           threads == 1 ? "" : "s", unit);
    if (options->list)
        return;

    for (size_t i = 0; i < count; i++)
        able[i] = options->rivals || !contestants[i].rival;
    for (unsigned r = 0; r < options->repetitions; r++) {
        for (size_t i = 0; i < count; i++) {
            if (!able[i])
                continue;
            samples[i][r] = contestants[i].measure(
                contestants[i].adapter, bench_case, options->seconds);
            able[i] = samples[i][r] >= 0;
        }
    }

    double girt = 0;
    for (size_t i = 0; i < count; i++) {
        if (!able[i])
            continue;
        summary const result = summarise(samples[i], options->repetitions);
        if (girt == 0)
            girt = result.median;
        printf("  %-34s %10.4g  [%.4g, %.4g]  %6.2fx\n", contestants[i].name,
               result.median, result.q1, result.q3, result.median / girt);
        if (options->json != NULL)
            print_json(options->json, suite->name, case_name, threads, unit,
                       &contestants[i], &result, girt);
    }
    fflush(stdout);
}
