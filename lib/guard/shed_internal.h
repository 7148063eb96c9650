/* SPDX-License-Identifier: MIT */
/* shed_internal.h - the layout of a shed: see shed.c. */
#ifndef GIRT_GUARD_SHED_INTERNAL_H
#define GIRT_GUARD_SHED_INTERNAL_H

#include <pthread.h>

#include <girt/shed.h>

#include "core/cacheline.h"
#include "guard/guard_internal.h"

enum { GIRT__SHED_ROWS = 8, GIRT__SHED_ONE = 65536 };

/* What is counted for its report. */
enum { GIRT__SHED_REJECTED, GIRT__SHED_TALLIES };

struct girt_shed {
    /* Written once. */
    girt_allocator allocator;
    girt_clock clock;
    int64_t target_ns, interval_ns;
    unsigned priorities;
    girt__report *report; /* or NULL */
    size_t row_words;     /* whole lines: came by priority, then admitted */
    size_t words;         /* of all rows, and of `last` */
    uint64_t *rows;
    uint64_t *last; /* of the column sums; under the mutex */

    /* Read by all, written once an interval. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t level;
    int64_t ends_ns;

    /* Written by waits that are the least so far, which become rare. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) int64_t least_ns; /* INT64_MAX: none told */

    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t turn; /* k of I1 */
    pthread_mutex_t mutex;
};

/* Sets shed->report: shed_report.c. */
girt_status girt__shed_report(girt_shed *shed,
                              const girt_shed_options *options);

#endif /* GIRT_GUARD_SHED_INTERNAL_H */
