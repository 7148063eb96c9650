/* SPDX-License-Identifier: MIT */
/* bulkhead_report.c - what a bulkhead tells a registry of metrics. */
#include "guard/bulkhead_internal.h"

#include "core/durations.h"

enum {
    INSIDE,
    INSIDE_MAX,
    WAITING,
    WAITING_MAX,
    ENTERED,
    REJECTED,
    TIMEOUTS,
    WAIT
};

static const girt__series bulkhead_series[] = {
    [INSIDE] = {"girt_bulkhead_inside", GIRT__SERIES_GAUGE, NULL,
                "Callers inside the bulkhead."},
    [INSIDE_MAX] = {"girt_bulkhead_inside_max", GIRT__SERIES_GAUGE, NULL,
                    "Callers that may be inside at once."},
    [WAITING] = {"girt_bulkhead_waiting", GIRT__SERIES_GAUGE, NULL,
                 "Callers in line before the bulkhead."},
    [WAITING_MAX] = {"girt_bulkhead_waiting_max", GIRT__SERIES_GAUGE, NULL,
                     "Callers that may be in line at once."},
    [ENTERED] = {"girt_bulkhead_entered_total", GIRT__SERIES_COUNTER, NULL,
                 "Callers that came inside."},
    [REJECTED] = {"girt_bulkhead_rejected_total", GIRT__SERIES_COUNTER, NULL,
                  "Callers turned away because the line was full."},
    [TIMEOUTS] = {"girt_bulkhead_timeouts_total", GIRT__SERIES_COUNTER, NULL,
                  "Callers whose time was over before a place was free."},
    [WAIT] = {"girt_bulkhead_wait_ns", GIRT__SERIES_HISTOGRAM, NULL,
              "Time in line, of those who stood in it."},
};

static void collect(void *object, girt__sink *sink)
{
    const girt_bulkhead *const bulkhead = object;
    const girt__report *const report = bulkhead->report;
    girt__bulkhead_count const count = girt__bulkhead_count_now(bulkhead);
    girt__sink_gauge(sink, &bulkhead_series[INSIDE], NULL, count.inside);
    girt__sink_gauge(sink, &bulkhead_series[INSIDE_MAX], NULL,
                     bulkhead->inside_max);
    girt__sink_gauge(sink, &bulkhead_series[WAITING], NULL, count.waiting);
    girt__sink_gauge(sink, &bulkhead_series[WAITING_MAX], NULL,
                     bulkhead->waiting_max);
    girt__sink_counter(sink, &bulkhead_series[ENTERED], NULL,
                       girt__report_sum(report, GIRT__BULKHEAD_ENTERED));
    girt__sink_counter(sink, &bulkhead_series[REJECTED], NULL,
                       girt__report_sum(report, GIRT__BULKHEAD_REJECTED));
    girt__sink_counter(sink, &bulkhead_series[TIMEOUTS], NULL,
                       girt__report_sum(report, GIRT__BULKHEAD_TIMEOUTS));
    girt__durations_write(report->durations, sink, &bulkhead_series[WAIT]);
}

girt_status girt__bulkhead_report(girt_bulkhead *bulkhead,
                                  const girt_bulkhead_options *options)
{
    return girt__report_create(&bulkhead->report,
                               &(girt__report_plan){
                                   .allocator = &bulkhead->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "bulkhead",
                                   GIRT__SERIES(bulkhead_series),
                                   .counters = GIRT__BULKHEAD_TALLIES,
                                   .durations = 1,
                                   .object = bulkhead,
                                   .collect = collect,
                               });
}
