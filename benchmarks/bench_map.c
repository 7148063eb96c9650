/* SPDX-License-Identifier: MIT */
/* bench_map.c - the suite: sizes around growth, mixes, batches, pauses, bytes.
 */
#include "bench_map.h"

#include <girt/version.h>

#define GIRT_CONTESTANTS(X) X("girt_map64", girt_map64, GIRT_VERSION)
#define OWN_RIVALS(X)                                                          \
    X("64 mutexes, open addressing", mutex64, "")                              \
    X("std::unordered_map + mutex", std_mutex, "")

#define RIVAL(label, name, version)                                            \
    double map_##name(const void *adapter, const void *bench_case,             \
                      double seconds);
#define MISSING(label, package)
GIRT_CONTESTANTS(RIVAL)
OWN_RIVALS(RIVAL)
#include "map_rivals.h"
#undef RIVAL
#define RIVAL(label, name, version)                                            \
    double map_##name(const void *adapter, const void *bench_case,             \
                      double seconds);
RIVAL("", girt_map, "")
RIVAL("", std_mutex_bytes, "")
#include "map_bytes_rivals.h"
#undef RIVAL
#undef MISSING

#define OURS(label, name, version)  {label, version, false, map_##name, NULL},
#define RIVAL(label, name, version) {label, version, true, map_##name, NULL},
#define MISSING(label, package)     {label, package, true, NULL, NULL},
static const bench_contestant contestants[] = {GIRT_CONTESTANTS(OURS)
                                                   OWN_RIVALS(RIVAL)
#include "map_rivals.h"
};

static const bench_contestant bytes_contestants[] = {
    OURS("girt_map", girt_map, GIRT_VERSION)
        RIVAL("std::unordered_map + mutex", std_mutex_bytes, "")
#include "map_bytes_rivals.h"
};

static void run_mixes(const bench_suite *suite, const bench_options *options,
                      const char *kind, size_t keys, size_t batch_max,
                      const bench_contestant *racers, size_t count)
{
    static const struct {
        map_work work;
        const char *name;
    } mixes[] = {{MAP_READ, "read"},     {MAP_READ_ZIPF, "read zipf"},
                 {MAP_MISS, "miss"},     {MAP_READ_95, "95/5"},
                 {MAP_READ_50, "50/50"}, {MAP_CHURN, "churn"}};
    static const unsigned threads[] = {1, 2, 8};
    char name[80];
    for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++) {
        for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
            snprintf(name, sizeof name, "%s, %zu keys: %s", kind, keys,
                     mixes[m].name);
            size_t unused;
            if (mixes[m].work == MAP_READ_ZIPF &&
                bench_wants(options, name, threads[t]))
                (void)map_zipf_table(keys, &unused);
            bench_row(suite, options, name, threads[t], "ns", racers, count,
                      &(map_case){mixes[m].work, threads[t], keys, 1});
        }
    }
    for (size_t batch = 16; batch <= batch_max; batch *= 2) {
        for (unsigned t = 1; t <= 2; t++) {
            snprintf(name, sizeof name, "%s, %zu keys: batch %zu", kind, keys,
                     batch);
            bench_row(suite, options, name, t, "ns", racers, count,
                      &(map_case){MAP_READ_BATCH, t, keys, batch});
        }
    }
}

static void run_growth(const bench_suite *suite, const bench_options *options,
                       const char *kind, size_t unit,
                       const bench_contestant *racers, size_t count)
{
    char name[80];
    snprintf(name, sizeof name, "%s, growth: worst put to %zu", kind,
             20 * unit);
    bench_row(suite, options, name, 1, "ms", racers, count,
              &(map_case){MAP_GROW_WORST, 1, 20 * unit, 1});
    snprintf(name, sizeof name, "%s, growth: mean put to %zu", kind, 20 * unit);
    bench_row(suite, options, name, 1, "ns", racers, count,
              &(map_case){MAP_GROW_MEAN, 1, 20 * unit, 1});
    for (size_t keys = 7 * unit; keys <= 14 * unit; keys += unit) {
        snprintf(name, sizeof name, "%s, bytes an entry: %zu", kind, keys);
        bench_row(suite, options, name, 1, "bytes", racers, count,
                  &(map_case){MAP_BYTES, 1, keys, 1});
    }
    snprintf(name, sizeof name, "%s, retired, not freed: churn at %zu", kind,
             10 * unit);
    bench_row(suite, options, name, 2, "MB", racers, count,
              &(map_case){MAP_RETIRED, 2, 10 * unit, 1});
}

static void run(const bench_suite *suite, const bench_options *options)
{
    size_t const unit = options->smoke ? 100 : 100000;
    size_t const sizes[] = {7 * unit, 10 * unit, 12 * unit, 14 * unit};
    size_t const count = sizeof contestants / sizeof *contestants;
    size_t const bytes_count =
        sizeof bytes_contestants / sizeof *bytes_contestants;
    /* Made here, not in each child. */
    if (!options->list)
        map_bytes_keys_prepare(20 * unit);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        run_mixes(suite, options, "map64", sizes[s], 32, contestants, count);
    run_growth(suite, options, "map64", unit, contestants, count);
    run_mixes(suite, options, "map", 10 * unit, 0, bytes_contestants,
              bytes_count);
    run_growth(suite, options, "map", unit, bytes_contestants, bytes_count);
}

const bench_suite bench_map_suite = {
    "map", "find, put and remove keys that many threads share", 20, run};
