/* SPDX-License-Identifier: MIT */
/* map_driver.h - the loops that race a map, inlined into its adapter.
 *
 * An adapter is a file that defines, before it includes this one,
 *   MAP_NAME                                    girt_map64
 *   [MAP_BYTE_KEYS]  keys are map_bytes_key, values map_bytes_value;
 *                    else both are uint64_t
 *   static void *map_make(size_t expected)
 *   static void map_free(void *map)
 *   static bool map_get(void *map, map_key key, map_value *value)
 *   static void map_put(void *map, map_key key, const map_value *value)
 *   static void map_remove(void *map, map_key key)
 *   [MAP_BATCHES]    static size_t map_get_n(map, const map_key keys[],
 *                                            map_value values[], size_t count)
 */
#ifndef GIRT_MAP_DRIVER_H
#define GIRT_MAP_DRIVER_H

#include <stdlib.h>
#include <string.h>

#include "bench_map.h"
#include "bench_team.h"

enum { MAP_STRIDE = 64, MAP_BATCH_MAX = 64 };

typedef struct map_run {
    const map_case *c;
    void *map;
    const uint32_t *zipf;
    size_t zipf_count;
} map_run;

static inline uint64_t map_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline uint64_t map_below(uint64_t *state, uint64_t bound)
{
    return ((map_random(state) >> 32) * bound) >> 32;
}

#ifdef MAP_BYTE_KEYS
static inline map_key map_key_at(uint64_t index)
{
    return map_bytes_key_at(index);
}

static inline map_value map_value_of(uint64_t number)
{
    map_value value;
    memset(&value, 0, sizeof value);
    memcpy(value.data, &number, sizeof number);
    return value;
}
#else
/* A bijection, so that keys are spread and differ. */
static inline map_key map_key_at(uint64_t index)
{
    index *= 0x9e3779b97f4a7c15u;
    return index ^ (index >> 29);
}

static inline map_value map_value_of(uint64_t number)
{
    return number;
}
#endif

static inline uint64_t map_pick(const map_run *run, uint64_t *state)
{
    /* The table is drawn already: read it in turn, not missing the cache. */
    if (run->c->work == MAP_READ_ZIPF)
        return run->zipf[(*state)++ % run->zipf_count];
    return map_below(state, run->c->keys);
}

static void map_read_write(bench_member *member, map_run *run)
{
    uint64_t state = 0x2545f4914f6cdd1du * (member->index + 1);
    uint64_t const miss = run->c->work == MAP_MISS ? run->c->keys : 0;
    unsigned const writes = run->c->work == MAP_READ_95   ? 5
                            : run->c->work == MAP_READ_50 ? 50
                                                          : 0;
    uint64_t found = 0, looks = 0;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < MAP_STRIDE; i++) {
            uint64_t const index = map_pick(run, &state) + miss;
            map_value value = map_value_of(state);
            if (writes > 0 && map_below(&state, 100) < writes) {
                map_put(run->map, map_key_at(index), &value);
            } else {
                looks++;
                found += map_get(run->map, map_key_at(index), &value);
            }
        }
        bench_count(member, MAP_STRIDE);
    }
    /* Every present key must be found, or the run was of no worth. */
    if (found != (miss != 0 ? 0 : looks))
        abort();
}

/* Each member keeps its share of the keys moving: a window over its own. */
static void map_churn(bench_member *member, map_run *run)
{
    uint64_t const threads = run->c->threads;
    uint64_t oldest = member->index, newest = member->index;
    while (newest < run->c->keys)
        newest += threads;
    /* The table of byte keys is as long as twice the keys: go around. */
    uint64_t const around = run->c->keys / threads * 2 * threads;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < MAP_STRIDE / 2; i++) {
            map_value const value = map_value_of(newest);
            map_put(run->map, map_key_at(newest % around), &value);
            map_remove(run->map, map_key_at(oldest % around));
            newest += threads;
            oldest += threads;
        }
        bench_count(member, MAP_STRIDE);
    }
}

#ifdef MAP_BATCHES
static void map_read_batch(bench_member *member, map_run *run)
{
    uint64_t state = 0x2545f4914f6cdd1du * (member->index + 1);
    map_key keys[MAP_BATCH_MAX];
    map_value values[MAP_BATCH_MAX];
    while (!bench_stopped(member)) {
        for (size_t i = 0; i < run->c->batch; i++)
            keys[i] = map_key_at(map_pick(run, &state));
        if (map_get_n(run->map, keys, values, run->c->batch) != run->c->batch)
            abort();
        bench_count(member, run->c->batch);
    }
}
#endif

static void map_body(bench_member *member)
{
    map_run *const run = (map_run *)member->context;
    if (run->c->work == MAP_CHURN || run->c->work == MAP_RETIRED)
        map_churn(member, run);
#ifdef MAP_BATCHES
    else if (run->c->work == MAP_READ_BATCH)
        map_read_batch(member, run);
#endif
    else
        map_read_write(member, run);
}

/* Grows a new map to c->keys: milliseconds of the worst put, nanoseconds of the
 * mean one, or bytes an entry: of malloc, or resident where those are more. */
static double map_grow(const map_case *c)
{
    bench_pin(0);
    size_t const before = map_bytes_held(), was = map_bytes_resident();
    void *const map = map_make(0);
    int64_t const begun = bench_own_now();
    int64_t worst = 0, last = begun;
    for (uint64_t i = 0; i < c->keys; i++) {
        map_value const value = map_value_of(i);
        map_put(map, map_key_at(i), &value);
        if (c->work == MAP_GROW_WORST) {
            int64_t const now = bench_own_now();
            worst = now - last > worst ? now - last : worst;
            last = now;
        }
    }
    double const mean = (double)(bench_own_now() - begun) / (double)c->keys;
    size_t const held = map_bytes_held() - before;
    size_t const resident = map_bytes_resident() - was;
    double const bytes =
        (double)(held > resident ? held : resident) / (double)c->keys;
    map_free(map);
    return c->work == MAP_GROW_WORST  ? (double)worst / 1e6
           : c->work == MAP_GROW_MEAN ? mean
                                      : bytes;
}

/* Megabytes at the worst of looks every 5 ms, beyond those at the start. */
static double map_watch_bytes(const bench_team *team, const bench_crew *crew)
{
    (void)crew;
    size_t const start = map_bytes_held();
    size_t worst = start;
    int64_t const end = bench_now() + (int64_t)(team->seconds * 1e9);
    while (bench_now() < end) {
        size_t const held = map_bytes_held();
        worst = held > worst ? held : worst;
        bench_sleep_until(bench_now() + 5000000);
    }
    return (double)(worst - start) / 1e6;
}

/* A map that holds keys 0 .. keys - 1, kept from run to run of one case size:
 * reads leave it as it is, and writes put the same keys. */
static double map_race(const map_case *c, double seconds)
{
    map_run run;
    memset(&run, 0, sizeof run);
    run.c = c;
    run.map = map_make(c->keys);
    if (c->work == MAP_READ_ZIPF)
        run.zipf = map_zipf_table(c->keys, &run.zipf_count);
    for (uint64_t i = 0; i < c->keys; i++) {
        map_value const value = map_value_of(i);
        map_put(run.map, map_key_at(i), &value);
    }
    bench_team team;
    memset(&team, 0, sizeof team);
    team.size = c->threads;
    team.pinned = true;
    team.seconds = seconds;
    team.body = map_body;
    team.context = &run;
    team.watch = c->work == MAP_RETIRED ? map_watch_bytes : NULL;
    double const cost = bench_team_run(&team);
    map_free(run.map);
    return cost;
}

#define MAP_CONCAT_(a, b) a##b
#define MAP_CONCAT(a, b)  MAP_CONCAT_(a, b)

#ifdef __cplusplus
extern "C"
#endif
    double MAP_CONCAT(map_, MAP_NAME)(const void *adapter,
                                      const void *bench_case, double seconds);

double MAP_CONCAT(map_, MAP_NAME)(const void *adapter, const void *bench_case,
                                  double seconds)
{
    (void)adapter;
    const map_case *const c = (const map_case *)bench_case;
#ifndef MAP_BATCHES
    if (c->work == MAP_READ_BATCH)
        return BENCH_UNABLE;
#endif
#ifdef MAP_BYTE_KEYS
    map_bytes_keys_prepare(c->keys * 2);
#endif
    switch (c->work) {
    case MAP_GROW_WORST:
    case MAP_GROW_MEAN:
    case MAP_BYTES:
        return map_grow(c);
    default:
        return map_race(c, seconds);
    }
}

#endif /* GIRT_MAP_DRIVER_H */
