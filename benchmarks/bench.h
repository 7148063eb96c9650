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

/* In place of a result. */
#define BENCH_UNABLE      (-1.0) /* the contestant cannot do this case */
#define BENCH_STOOD_STILL (-2.0) /* it made no progress, or never returned */

/* What a contestant reached in one run: nanoseconds an operation, or whatever
 * unit the row names; less is better.  Called in a child process of its own. */
typedef double (*bench_measure)(const void *adapter, const void *bench_case,
                                double seconds);

typedef struct bench_contestant {
    const char *name;      /* "girt_queue", "ck_ring mpmc" */
    const char *version;   /* of the package; that to install where missing */
    bool rival;            /* runs with --rivals only */
    bench_measure measure; /* NULL: not found at build */
    const void *adapter;   /* passed to measure */
} bench_contestant;

typedef struct bench_options {
    unsigned threads[16]; /* from --threads; the suite's own where none */
    size_t thread_counts;
    unsigned repetitions;
    double seconds; /* one run of one contestant */
    bool rivals;
    bool by_cpu;      /* rates by CPU time */
    bool list;        /* print cases and contestants, run nothing */
    bool smoke;       /* sizes cut to what shows only that it runs */
    const char *only; /* cases whose name contains this; NULL: all */
    const char *who;  /* the same for contestants */
    FILE *json;
} bench_options;

typedef struct bench_suite {
    const char *name;
    const char *title;
    double patience_s; /* beyond four times a run's length: then it hangs */
    void (*run)(const struct bench_suite *suite, const bench_options *options);
} bench_suite;

/* Measures and prints one row.  The first contestant is the one that ratios
 * are taken to: girt.  `unit` is "ns" unless the row is about something else.
 */
void bench_row(const bench_suite *suite, const bench_options *options,
               const char *case_name, unsigned threads, const char *unit,
               const bench_contestant contestants[], size_t count,
               const void *bench_case);

/* One run of one contestant in a forked child, so that nothing it leaves behind
 * (heap, threads, a hang) meets the next one.  Killed after patience_s: it
 * stood still. A child that dies ends the program if it is girt's. */
double bench_in_child(const bench_contestant *contestant,
                      const void *bench_case, double seconds,
                      double patience_s);

/* Will this row run, by --threads, --only and --list? */
bool bench_wants(const bench_options *options, const char *case_name,
                 unsigned threads);

/* One line: CPU, kernel, compiler, allocator, load, girt. */
void bench_print_machine(FILE *file);

/* The rivals' packages with their versions, and those that were not found. */
void bench_print_rivals(FILE *file);
void bench_print_missing(FILE *file);

extern const bench_suite bench_queue_suite, bench_map_suite,
    bench_limiter_suite, bench_ring_suite, bench_guard_suite, bench_cache_suite,
    bench_channel_suite, bench_metrics_suite, bench_report_suite,
    bench_trace_suite;

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_H */
