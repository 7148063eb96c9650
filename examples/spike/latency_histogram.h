/* SPDX-License-Identifier: MIT */
/* latency_histogram.h - many durations in fixed memory, and their quantiles.
 *
 * Log-linear: 64 buckets for each power of two, so that a value is known to
 * one part in 64 from nanoseconds to centuries in 30 kB. One thread records;
 * histograms of several threads are merged afterwards. */
#ifndef GIRT_EXAMPLES_LATENCY_HISTOGRAM_H
#define GIRT_EXAMPLES_LATENCY_HISTOGRAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LATENCY_SUB_SHIFT 6
#define LATENCY_BUCKETS   ((64 - LATENCY_SUB_SHIFT + 1) << LATENCY_SUB_SHIFT)

typedef struct latency_histogram {
    uint64_t count;
    uint64_t max_ns; /* exact */
    uint64_t buckets[LATENCY_BUCKETS];
} latency_histogram;

/* Counts a duration `times` times; a negative one counts as 0. */
void latency_record(latency_histogram *h, int64_t duration_ns, uint64_t times);

/* Adds all of `from` to `into`. */
void latency_merge(latency_histogram *into, const latency_histogram *from);

/* The smallest value such that a fraction q (0 .. 1) of all is at most that,
 * rounded up within its bucket: v <= answer <= v * (1 + 1/64) for the exact
 * quantile v, and never above the maximum. 0 when nothing was recorded. */
uint64_t latency_quantile(const latency_histogram *h, double q);

#ifdef __cplusplus
}
#endif

#endif /* GIRT_EXAMPLES_LATENCY_HISTOGRAM_H */
