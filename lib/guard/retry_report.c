/* SPDX-License-Identifier: MIT */
/* retry_report.c - what a retry budget tells a registry of metrics. */
#include "guard/retry_internal.h"

#include "core/atomic.h"

enum { CALLS, RETRIES, LIMITED, LEFT };

static const girt__series budget_series[] = {
    [CALLS] = {"girt_retry_budget_calls_total", GIRT__SERIES_COUNTER, NULL,
               "First tries."},
    [RETRIES] = {"girt_retry_budget_retries_total", GIRT__SERIES_COUNTER, NULL,
                 "Retries that the budget allowed."},
    [LIMITED] = {"girt_retry_budget_limited_total", GIRT__SERIES_COUNTER, NULL,
                 "Retries that the budget refused."},
    [LEFT] = {"girt_retry_budget_left", GIRT__SERIES_GAUGE, NULL,
              "Retries that the window still allows."},
};

static void collect(void *object, girt__sink *sink)
{
    const girt_retry_budget *const budget = object;
    girt__sink_counter(sink, &budget_series[CALLS], NULL,
                       girt__report_sum(budget->report, GIRT__RETRY_CALLS));
    /* Relaxed: a number of its own. */
    girt__sink_counter(sink, &budget_series[RETRIES], NULL,
                       girt_load_relaxed(&budget->total));
    girt__sink_counter(sink, &budget_series[LIMITED], NULL,
                       girt__report_sum(budget->report, GIRT__RETRY_LIMITED));
    girt__sink_gauge(sink, &budget_series[LEFT], NULL,
                     girt__retry_left(budget));
}

girt_status girt__retry_report(girt_retry_budget *budget,
                               const girt_retry_budget_options *options)
{
    return girt__report_create(&budget->report,
                               &(girt__report_plan){
                                   .allocator = &budget->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "retry_budget",
                                   GIRT__SERIES(budget_series),
                                   .counters = GIRT__RETRY_TALLIES,

                                   .object = budget,
                                   .collect = collect,
                               });
}
