/* SPDX-License-Identifier: MIT */
/* breaker_report.c - what a breaker tells a registry of metrics. */
#include "guard/breaker_internal.h"

#include "core/atomic.h"

enum { STATE, TRANSITIONS, REJECTED, CALLS };

static const girt__series breaker_series[] = {
    [STATE] = {"girt_breaker_state", GIRT__SERIES_GAUGE, "state",
               "1 for the state that the breaker is in, 0 for the others."},
    [TRANSITIONS] = {"girt_breaker_transitions_total", GIRT__SERIES_COUNTER,
                     "to", "Changes of the breaker's state, by the new one."},
    [REJECTED] = {"girt_breaker_rejected_total", GIRT__SERIES_COUNTER, NULL,
                  "Calls that the breaker did not let through."},
    [CALLS] = {"girt_breaker_calls_total", GIRT__SERIES_COUNTER, "outcome",
               "Calls that the breaker let through and that ended."},
};

static const char *const state_names[GIRT__BREAKER_STATES] = {
    [GIRT_BREAKER_CLOSED] = "closed",
    [GIRT_BREAKER_OPEN] = "open",
    [GIRT_BREAKER_HALF_OPEN] = "half_open",
    [GIRT_BREAKER_FORCED_OPEN] = "forced_open",
    [GIRT_BREAKER_FORCED_CLOSED] = "forced_closed",
};

static void collect(void *object, girt__sink *sink)
{
    const girt_breaker *const breaker = object;
    const girt__report *const report = breaker->report;
    girt_breaker_state const now = girt_breaker_state_now(breaker);
    for (unsigned i = 0; i < GIRT__BREAKER_STATES; i++) {
        girt__sink_gauge(sink, &breaker_series[STATE], state_names[i],
                         i == (unsigned)now);
        /* Relaxed: a number that only grows. */
        girt__sink_counter(sink, &breaker_series[TRANSITIONS], state_names[i],
                           girt_load_relaxed(&breaker->transitions[i]));
    }
    girt__sink_counter(sink, &breaker_series[REJECTED], NULL,
                       girt__report_sum(report, GIRT__BREAKER_REJECTED));
    girt__guard_write_outcomes(sink, &breaker_series[CALLS], report,
                               GIRT__BREAKER_LEFT);
}

girt_status girt__breaker_report(girt_breaker *breaker,
                                 const girt_breaker_options *options)
{
    return girt__report_create(&breaker->report,
                               &(girt__report_plan){
                                   .allocator = &breaker->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "breaker",
                                   GIRT__SERIES(breaker_series),
                                   .counters = GIRT__BREAKER_TALLIES,
                                   .object = breaker,
                                   .collect = collect,
                               });
}
