/* SPDX-License-Identifier: MIT */
/* bench_metrics.h - what a contestant of the metrics suite is. */
#ifndef GIRT_BENCH_METRICS_H
#define GIRT_BENCH_METRICS_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct metrics_contest {
    void *(*make)(void);
    void (*once)(void *subject); /* NULL: cannot */
    void (*release)(void *subject);
} metrics_contest;

enum { BENCH_METRICS_SERIES = 1000 };
/* A value for a histogram, 1 us to 8 ms; each thread has a sequence. */
unsigned bench_metrics_value(void);

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_METRICS_H */
