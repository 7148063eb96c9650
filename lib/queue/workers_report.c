/* SPDX-License-Identifier: MIT */
/* workers_report.c - what a pool of threads tells a registry of metrics. */
#include "queue/workers_internal.h"

#include "core/clock_internal.h"
#include "core/durations.h"

enum { THREADS, BUSY, QUEUED, QUEUE_CAPACITY, FULL, TASK };

static const girt__series workers_series[] = {
    [THREADS] = {"girt_workers_threads", GIRT__SERIES_GAUGE, NULL,
                 "Threads of the pool."},
    [BUSY] = {"girt_workers_busy", GIRT__SERIES_GAUGE, NULL,
              "Tasks that run, in the pool's threads or inside a submit."},
    [QUEUED] = {"girt_workers_queued", GIRT__SERIES_GAUGE, NULL,
                "Tasks that wait for a thread."},
    [QUEUE_CAPACITY] = {"girt_workers_queue_capacity", GIRT__SERIES_GAUGE, NULL,
                        "Tasks that may wait."},
    [FULL] = {"girt_workers_full_total", GIRT__SERIES_COUNTER, NULL,
              "Submits that found no room, at once or in time."},
    [TASK] = {"girt_workers_task_ns", GIRT__SERIES_HISTOGRAM, NULL,
              "Time that tasks ran, of those that have returned."},
};

int64_t girt__workers_start(const girt__report *report)
{
    girt__tally_add(&report->tally, GIRT__WORKERS_STARTED, 1);
    return girt__clock_now(&girt_clock_monotonic);
}

void girt__workers_end(const girt__report *report, int64_t start_ns)
{
    girt__durations_add(report->durations,
                        girt__clock_now(&girt_clock_monotonic) - start_ns);
    girt__tally_add(&report->tally, GIRT__WORKERS_ENDED, 1);
}

static void collect(void *object, girt__sink *sink)
{
    girt__workers_view const view = girt__workers_look(object);
    girt__sink_gauge(sink, &workers_series[THREADS], NULL,
                     (double)view.threads);
    /* In this order, so that it is not below 0. */
    uint64_t const ended = girt__report_sum(view.report, GIRT__WORKERS_ENDED);
    uint64_t const started =
        girt__report_sum(view.report, GIRT__WORKERS_STARTED);
    girt__sink_gauge(sink, &workers_series[BUSY], NULL,
                     started < ended ? 0 : (double)(started - ended));
    girt__sink_gauge(sink, &workers_series[QUEUED], NULL, (double)view.queued);
    girt__sink_gauge(sink, &workers_series[QUEUE_CAPACITY], NULL,
                     (double)view.queue_capacity);
    girt__sink_counter(sink, &workers_series[FULL], NULL,
                       girt__report_sum(view.report, GIRT__WORKERS_FULL));
    girt__durations_write(view.report->durations, sink, &workers_series[TASK]);
}

girt_status girt__workers_report(girt_workers *workers,
                                 const girt_workers_options *options,
                                 const girt_allocator *allocator,
                                 girt__report **report)
{
    return girt__report_create(report, &(girt__report_plan){
                                           .allocator = allocator,
                                           .metrics = options->metrics,
                                           .name = options->name,
                                           .part = "workers",
                                           GIRT__SERIES(workers_series),
                                           .counters = GIRT__WORKERS_TALLIES,
                                           .durations = 1,
                                           .object = workers,
                                           .collect = collect,
                                       });
}
