/* SPDX-License-Identifier: MIT */
/* cache_report.c - what a cache tells a registry of metrics: its statistics,
 * which it keeps whether or not it reports itself. */
#include "cache/cache_internal.h"

enum {
    HITS,
    MISSES,
    STALE_HITS,
    LOADS,
    LOAD_FAILURES,
    JOINED,
    EVICTIONS,
    EXPIRATIONS,
    ENTRIES,
    BYTES,
    BYTES_MAX
};

static const girt__series cache_series[] = {
    [HITS] = {"girt_cache_hits_total", GIRT__SERIES_COUNTER, NULL,
              "Values answered from the cache, stale ones too."},
    [MISSES] = {"girt_cache_misses_total", GIRT__SERIES_COUNTER, NULL,
                "Times a key was not there, or known to be missing."},
    [STALE_HITS] = {"girt_cache_stale_hits_total", GIRT__SERIES_COUNTER, NULL,
                    "Hits that were stale."},
    [LOADS] = {"girt_cache_loads_total", GIRT__SERIES_COUNTER, NULL,
               "Loaders that ran."},
    [LOAD_FAILURES] = {"girt_cache_load_failures_total", GIRT__SERIES_COUNTER,
                       NULL, "Loaders that failed, or were cancelled."},
    [JOINED] = {"girt_cache_joined_total", GIRT__SERIES_COUNTER, NULL,
                "Calls of load that waited for another's loader."},
    [EVICTIONS] = {"girt_cache_evictions_total", GIRT__SERIES_COUNTER, NULL,
                   "Entries that left by policy."},
    [EXPIRATIONS] = {"girt_cache_expirations_total", GIRT__SERIES_COUNTER, NULL,
                     "Entries that were found expired, and removed."},
    [ENTRIES] = {"girt_cache_entries", GIRT__SERIES_GAUGE, NULL,
                 "Entries, keys that are known to be missing too."},
    [BYTES] = {"girt_cache_bytes", GIRT__SERIES_GAUGE, NULL,
               "Bytes of keys, values and overhead."},
    [BYTES_MAX] = {"girt_cache_bytes_max", GIRT__SERIES_GAUGE, NULL,
                   "Bytes that the cache may have."},
};

static void collect(void *object, girt__sink *sink)
{
    const girt_cache *const cache = object;
    girt_cache_stats stats;
    girt_cache_read_stats(cache, &stats);
    const uint64_t counts[ENTRIES] = {
        [HITS] = stats.hits,
        [MISSES] = stats.misses,
        [STALE_HITS] = stats.stale_hits,
        [LOADS] = stats.loads,
        [LOAD_FAILURES] = stats.load_failures,
        [JOINED] = stats.joined,
        [EVICTIONS] = stats.evictions,
        [EXPIRATIONS] = stats.expirations,
    };
    for (size_t i = 0; i < ENTRIES; i++)
        girt__sink_counter(sink, &cache_series[i], NULL, counts[i]);
    girt__sink_gauge(sink, &cache_series[ENTRIES], NULL, (double)stats.entries);
    girt__sink_gauge(sink, &cache_series[BYTES], NULL, (double)stats.bytes);
    girt__sink_gauge(sink, &cache_series[BYTES_MAX], NULL,
                     (double)cache->bytes_max);
}

girt_status girt__cache_report(girt_cache *cache,
                               const girt_cache_options *options)
{
    return girt__report_create(&cache->report,
                               &(girt__report_plan){
                                   .allocator = &cache->allocator,
                                   .metrics = options->metrics,
                                   .name = options->name,
                                   .part = "cache",
                                   GIRT__SERIES(cache_series),
                                   .object = cache,
                                   .collect = collect,
                               });
}
