/* SPDX-License-Identifier: MIT */
/* bench.h - contestants in rows: interleaved runs, medians, ratios to girt.
 *
 * A suite is a function that calls bench_row for each of its cases.  A row is
 * one case at one number of threads; its contestants run in turn, repetition
 * by repetition, so that what disturbs the machine disturbs them alike.
 *
 * A case is named "table: column", as benchmarks/report.py lays it out. */
#ifndef GIRT_BENCH_H
#define GIRT_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a contestant reached in one run: nanoseconds an operation, or whatever
 * unit the row names; less is better.  Negative: it cannot do this case. */
typedef double (*bench_measure)(const void *adapter, const void *bench_case,
                                double seconds);

typedef struct bench_contestant {
    const char *name;    /* "girt_queue", "ck_ring mpmc" */
    const char *version; /* of the package; "" for girt */
    bool rival;          /* runs with --rivals only */
    bench_measure measure;
    const void *adapter; /* passed to measure */
} bench_contestant;

typedef struct bench_options {
    unsigned threads[16]; /* from --threads; the suite's own where none */
    size_t thread_counts;
    unsigned repetitions;
    double seconds; /* one run of one contestant */
    bool rivals;
    bool list;        /* print the cases, run nothing */
    bool smoke;       /* sizes cut to what shows only that it runs */
    const char *only; /* cases whose name contains this; NULL: all */
    FILE *json;
} bench_options;

typedef struct bench_suite {
    const char *name;
    const char *title;
    void (*run)(const struct bench_suite *suite, const bench_options *options);
} bench_suite;

/* Measures and prints one row.  The first contestant is the one that ratios
 * are taken to: girt.  `unit` is "ns" unless the row is about something else.
 */
void bench_row(const bench_suite *suite, const bench_options *options,
               const char *case_name, unsigned threads, const char *unit,
               const bench_contestant contestants[], size_t count,
               const void *bench_case);

/* Does --threads leave out a case of this many threads? */
bool bench_wants_threads(const bench_options *options, unsigned threads);

/* One line: CPU, kernel, compiler, girt. */
void bench_print_machine(FILE *file);

extern const bench_suite bench_queue_suite, bench_map_suite, bench_ring_suite;

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_H */
