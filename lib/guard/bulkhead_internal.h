/* SPDX-License-Identifier: MIT */
/* bulkhead_internal.h - the layout of a bulkhead: see bulkhead.c. */
#ifndef GIRT_GUARD_BULKHEAD_INTERNAL_H
#define GIRT_GUARD_BULKHEAD_INTERNAL_H

#include <pthread.h>

#include <girt/bulkhead.h>

#include "core/cacheline.h"
#include "guard/guard_internal.h"

/* What is counted for its report. */
enum {
    GIRT__BULKHEAD_ENTERED,
    GIRT__BULKHEAD_REJECTED,
    GIRT__BULKHEAD_TIMEOUTS,
    GIRT__BULKHEAD_TALLIES
};

struct girt_bulkhead {
    /* Written once. */
    girt_allocator allocator;
    uint32_t inside_max;
    uint32_t waiting_max;
    girt__report *report; /* or NULL */
    /* Everyone. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t word;
    /* Those in line, and who lets them in. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t mutex;
    struct girt__waiter *first, *last; /* under the mutex */
};

static inline uint32_t girt__bulkhead_inside(uint64_t word)
{
    return (uint32_t)word;
}

static inline uint32_t girt__bulkhead_waiting(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* Sets bulkhead->report: bulkhead_report.c. */
girt_status girt__bulkhead_report(girt_bulkhead *bulkhead,
                                  const girt_bulkhead_options *options);

#endif /* GIRT_GUARD_BULKHEAD_INTERNAL_H */
