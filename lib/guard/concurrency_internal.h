/* SPDX-License-Identifier: MIT */
/* concurrency_internal.h - the layout of a limit: see concurrency.c. */
#ifndef GIRT_GUARD_CONCURRENCY_INTERNAL_H
#define GIRT_GUARD_CONCURRENCY_INTERNAL_H

#include <pthread.h>

#include <girt/concurrency.h>

#include "core/cacheline.h"
#include "guard/estimate.h"
#include "guard/guard_internal.h"

/* What is counted for its report. */
enum {
    GIRT__CONCURRENCY_REJECTED,
    GIRT__CONCURRENCY_LEFT, /* the first of one for each outcome */
    GIRT__CONCURRENCY_TALLIES = GIRT__CONCURRENCY_LEFT + GIRT__GUARD_OUTCOMES
};

struct girt_concurrency {
    /* Written once. */
    girt_allocator allocator;
    girt_clock clock;
    girt__report *report; /* or NULL */
    /* Read by all, written by samples that move it. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t limit;
    /* Everyone. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t on_the_way;
    /* Samples. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t mutex;
    girt__estimate estimate; /* under the mutex */
};

/* Sets limit->report: concurrency_report.c. */
girt_status girt__concurrency_report(girt_concurrency *limit,
                                     const girt_concurrency_options *options);

#endif /* GIRT_GUARD_CONCURRENCY_INTERNAL_H */
