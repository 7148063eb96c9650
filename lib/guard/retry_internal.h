/* SPDX-License-Identifier: MIT */
/* retry_internal.h - the layout of a retry budget: see retry.c. */
#ifndef GIRT_GUARD_RETRY_INTERNAL_H
#define GIRT_GUARD_RETRY_INTERNAL_H

#include <girt/retry.h>

#include "core/cacheline.h"
#include "guard/guard_internal.h"
#include "guard/window.h"

/* What is counted for its report. */
enum { GIRT__RETRY_CALLS, GIRT__RETRY_LIMITED, GIRT__RETRY_TALLIES };

struct girt_retry_budget {
    /* Written once. */
    girt_allocator allocator;
    double ratio;
    double reserve;
    girt__report *report; /* or NULL */
    /* Takers. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t total;
    uint64_t firsts[GIRT__WINDOW_SLICES];
    girt__window calls;
};

/* Retries that the window still allows, in fractions of one, too. */
double girt__retry_left(const girt_retry_budget *budget);

/* Sets budget->report: retry_report.c. */
girt_status girt__retry_report(girt_retry_budget *budget,
                               const girt_retry_budget_options *options);

#endif /* GIRT_GUARD_RETRY_INTERNAL_H */
