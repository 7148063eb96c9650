/* SPDX-License-Identifier: MIT */
/* keyed_report.c - what a keyed limiter tells a registry of metrics.
 *
 * It has no series for each key: there are millions, and whoever floods it
 * would choose their names. */
#include "limiter/keyed_table.h"

#include "core/atomic.h"

enum { KEYS = GIRT__KEYED_TALLIES, KEYS_MAX };

static const girt__series keyed_series[] = {
    [GIRT__KEYED_ALLOWED] = {"girt_keyed_limiter_allowed_total",
                             GIRT__SERIES_COUNTER, NULL,
                             "Requests that passed, of any key."},
    [GIRT__KEYED_LIMITED] = {"girt_keyed_limiter_limited_total",
                             GIRT__SERIES_COUNTER, NULL,
                             "Requests that were refused, of any key."},
    [GIRT__KEYED_FULL] = {"girt_keyed_limiter_full_total", GIRT__SERIES_COUNTER,
                          NULL,
                          "Requests answered for want of room for their key."},
    [KEYS] = {"girt_keyed_limiter_keys", GIRT__SERIES_GAUGE, NULL,
              "Keys that are held: live, or not yet found idle."},
    [KEYS_MAX] = {"girt_keyed_limiter_keys_max", GIRT__SERIES_GAUGE, NULL,
                  "Live keys that can be held."},
};

static void collect(void *object, girt__sink *sink)
{
    const girt__keyed_table *const table = object;
    for (size_t i = 0; i < GIRT__KEYED_TALLIES; i++)
        girt__sink_counter(sink, &keyed_series[i], NULL,
                           girt__report_sum(table->report, i));
    /* Relaxed: a number of its own. */
    girt__sink_gauge(sink, &keyed_series[KEYS], NULL,
                     (double)girt_load_relaxed(&table->used));
    girt__sink_gauge(sink, &keyed_series[KEYS_MAX], NULL,
                     (double)table->keys_max);
}

girt_status girt__keyed_report(girt__keyed_table *table,
                               const girt_keyed_limiter_options *options,
                               const girt_allocator *allocator)
{
    return girt__report_create(&table->report,
                               &(girt__report_plan){
                                   .allocator = allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "keyed_limiter",
                                   GIRT__SERIES(keyed_series),
                                   .counters = GIRT__KEYED_TALLIES,
                                   .object = table,
                                   .collect = collect,
                               });
}
