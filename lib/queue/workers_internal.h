/* SPDX-License-Identifier: MIT */
/* workers_internal.h - what tests and its report see of a pool. */
#ifndef GIRT_QUEUE_WORKERS_INTERNAL_H
#define GIRT_QUEUE_WORKERS_INTERNAL_H

#include <stdint.h>

#include <girt/workers.h>

#include "core/report.h"

/* What is counted for its report. */
enum {
    GIRT__WORKERS_STARTED,
    GIRT__WORKERS_ENDED,
    GIRT__WORKERS_FULL,
    GIRT__WORKERS_TALLIES
};

typedef struct girt__workers_view {
    girt__report *report;
    size_t threads, queued, queue_capacity;
} girt__workers_view;
girt__workers_view girt__workers_look(const girt_workers *workers);

/* workers_report.c */
girt_status girt__workers_report(girt_workers *workers,
                                 const girt_workers_options *options,
                                 const girt_allocator *allocator,
                                 girt__report **report);
/* Around a task; the first answers what the second wants. */
int64_t girt__workers_start(const girt__report *report);
void girt__workers_end(const girt__report *report, int64_t start_ns);

static inline int64_t girt__workers_started(const girt__report *report)
{
    return girt_unlikely(report != NULL) ? girt__workers_start(report) : 0;
}

static inline void girt__workers_ended(const girt__report *report,
                                       int64_t start_ns)
{
    if (girt_unlikely(report != NULL))
        girt__workers_end(report, start_ns);
}

/* Test hook: how many drains have retired a counter. */
uint32_t girt__workers_generation(const girt_workers *workers);

#endif /* GIRT_QUEUE_WORKERS_INTERNAL_H */
