/* SPDX-License-Identifier: MIT */
/* map_report.c - what maps tell a registry of metrics: what they know of
 * themselves anyway, so that no call of theirs is slower for it. */
#include "map/map_report.h"

#include <girt/map64.h>

enum { ENTRIES, BYTES, TABLES, GROWTHS };

static const girt__series map_series[] = {
    [ENTRIES] = {"girt_map_entries", GIRT__SERIES_GAUGE, NULL,
                 "Entries of the map."},
    [BYTES] = {"girt_map_bytes", GIRT__SERIES_GAUGE, NULL,
               "Bytes that the map has allocated."},
    [TABLES] = {"girt_map_tables", GIRT__SERIES_GAUGE, NULL,
                "Tables that the map is made of."},
    [GROWTHS] = {"girt_map_growths_total", GIRT__SERIES_COUNTER, "step",
                 "Steps by which the map grew: a table was enlarged, split, or "
                 "got a spill."},
};

static const girt__series map64_series[] = {
    [ENTRIES] = {"girt_map64_entries", GIRT__SERIES_GAUGE, NULL,
                 "Entries of the map."},
    [BYTES] = {"girt_map64_bytes", GIRT__SERIES_GAUGE, NULL,
               "Bytes that the map has allocated."},
    [TABLES] = {"girt_map64_tables", GIRT__SERIES_GAUGE, NULL,
                "Tables that the map is made of."},
    [GROWTHS] = {"girt_map64_growths_total", GIRT__SERIES_COUNTER, "step",
                 "Steps by which the map grew: a table was enlarged, split, or "
                 "got a spill."},
};

static const char *const step_names[GIRT__GROWTHS] = {
    [GIRT__GROWTH_ENLARGE] = "enlarge",
    [GIRT__GROWTH_SPLIT] = "split",
    [GIRT__GROWTH_SPILL] = "spill",
};

static void write(const girt__index *index, size_t bytes, girt__sink *sink,
                  const girt__series *series)
{
    girt__sink_gauge(sink, &series[ENTRIES], NULL,
                     (double)girt__index_count(index));
    girt__sink_gauge(sink, &series[BYTES], NULL, (double)bytes);
    /* Relaxed: numbers of their own. */
    girt__sink_gauge(sink, &series[TABLES], NULL,
                     girt_load_relaxed(&index->tables));
    for (size_t i = 0; i < GIRT__GROWTHS; i++)
        girt__sink_counter(sink, &series[GROWTHS], step_names[i],
                           girt_load_relaxed(&index->grown[i]));
}

static void collect_map(void *object, girt__sink *sink)
{
    write(object, girt_map_bytes(object), sink, map_series);
}

static void collect_map64(void *object, girt__sink *sink)
{
    write(object, girt_map64_bytes(object), sink, map64_series);
}

girt_status girt__map_report(girt__index *index,
                             const girt_map_options *options)
{
    return girt__report_create(&index->report,
                               &(girt__report_plan){
                                   .allocator = &index->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "map",
                                   GIRT__SERIES(map_series),
                                   .object = index,
                                   .collect = collect_map,
                               });
}

girt_status girt__map64_report(girt__index *index, girt_metrics *metrics,
                               const char *name)
{
    return girt__report_create(&index->report,
                               &(girt__report_plan){
                                   .allocator = &index->allocator,
                                   .metrics = metrics,
                                   .name = name,
                                   .part = "map64",
                                   GIRT__SERIES(map64_series),
                                   .object = index,
                                   .collect = collect_map64,
                               });
}
