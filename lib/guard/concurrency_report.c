/* SPDX-License-Identifier: MIT */
/* concurrency_report.c - what a concurrency limit tells a registry of metrics.
 */
#include "guard/concurrency_internal.h"

#include "core/atomic.h"

enum { LIMIT, INSIDE, REJECTED, CALLS };

static const girt__series limit_series[] = {
    [LIMIT] = {"girt_concurrency_limit", GIRT__SERIES_GAUGE, NULL,
               "Calls that may be on their way at once, now."},
    [INSIDE] = {"girt_concurrency_inside", GIRT__SERIES_GAUGE, NULL,
                "Calls on their way."},
    [REJECTED] = {"girt_concurrency_rejected_total", GIRT__SERIES_COUNTER, NULL,
                  "Calls that came while the limit was reached."},
    [CALLS] = {"girt_concurrency_calls_total", GIRT__SERIES_COUNTER, "outcome",
               "Calls that were let through and that ended."},
};

static void collect(void *object, girt__sink *sink)
{
    const girt_concurrency *const limit = object;
    girt__sink_gauge(sink, &limit_series[LIMIT], NULL,
                     (double)girt_concurrency_limit(limit));
    /* Relaxed: a number of its own. */
    girt__sink_gauge(sink, &limit_series[INSIDE], NULL,
                     (double)girt_load_relaxed(&limit->on_the_way));
    girt__sink_counter(
        sink, &limit_series[REJECTED], NULL,
        girt__report_sum(limit->report, GIRT__CONCURRENCY_REJECTED));
    girt__guard_write_outcomes(sink, &limit_series[CALLS], limit->report,
                               GIRT__CONCURRENCY_LEFT);
}

girt_status girt__concurrency_report(girt_concurrency *limit,
                                     const girt_concurrency_options *options)
{
    return girt__report_create(&limit->report,
                               &(girt__report_plan){
                                   .allocator = &limit->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "concurrency",
                                   GIRT__SERIES(limit_series),
                                   .counters = GIRT__CONCURRENCY_TALLIES,

                                   .object = limit,
                                   .collect = collect,
                               });
}
