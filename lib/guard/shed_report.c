/* SPDX-License-Identifier: MIT */
/* shed_report.c - what a shed tells a registry of metrics. */
#include "guard/shed_internal.h"

#include <stdio.h>

#include "core/atomic.h"

enum { LEVEL, REQUESTS, ADMITTED, REJECTED };

static const girt__series shed_series[] = {
    [LEVEL] = {"girt_shed_level", GIRT__SERIES_GAUGE, NULL,
               "Priorities that pass, from 0 up; the last one in part."},
    [REQUESTS] = {"girt_shed_requests_total", GIRT__SERIES_COUNTER, "priority",
                  "Requests that asked at the door."},
    [ADMITTED] = {"girt_shed_admitted_total", GIRT__SERIES_COUNTER, NULL,
                  "Requests that were let in."},
    [REJECTED] = {"girt_shed_rejected_total", GIRT__SERIES_COUNTER, NULL,
                  "Requests that were refused."},
};

static uint64_t sum_of(const girt_shed *shed, size_t column)
{
    uint64_t sum = 0;
    for (size_t row = 0; row < GIRT__SHED_ROWS; row++)
        sum += girt_load_relaxed(&shed->rows[row * shed->row_words + column]);
    return sum;
}

static void collect(void *object, girt__sink *sink)
{
    const girt_shed *const shed = object;
    /* Relaxed: as in shed.c. */
    girt__sink_gauge(sink, &shed_series[LEVEL], NULL,
                     (double)girt_load_relaxed(&shed->level) / GIRT__SHED_ONE);
    for (unsigned p = 0; p < shed->priorities; p++) {
        char priority[16];
        (void)snprintf(priority, sizeof priority, "%u", p);
        girt__sink_counter(sink, &shed_series[REQUESTS], priority,
                           sum_of(shed, p));
    }
    girt__sink_counter(sink, &shed_series[ADMITTED], NULL,
                       sum_of(shed, shed->priorities));
    girt__sink_counter(sink, &shed_series[REJECTED], NULL,
                       girt__report_sum(shed->report, GIRT__SHED_REJECTED));
}

girt_status girt__shed_report(girt_shed *shed, const girt_shed_options *options)
{
    return girt__report_create(&shed->report,
                               &(girt__report_plan){
                                   .allocator = &shed->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "shed",
                                   GIRT__SERIES(shed_series),
                                   .counters = GIRT__SHED_TALLIES,

                                   .object = shed,
                                   .collect = collect,
                               });
}
