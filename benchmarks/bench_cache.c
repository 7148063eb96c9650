/* SPDX-License-Identifier: MIT */
/* bench_cache.c - the suite: hits, hits with some misses, and puts, beside a
 * list and a map behind a mutex, girt_map, and memcached on loopback. */
#include "bench_cache.h"

#include <girt/cache.h>
#include <girt/map.h>
#include <girt/version.h>
#include <string.h>

#include "bench_team.h"

enum { STRIDE = 64, KEYS = 10000, SMOKE_KEYS = 500 };

typedef struct cache_case {
    unsigned threads;
    unsigned puts; /* of 64 calls */
    size_t keys;
} cache_case;

typedef struct cache_run {
    const cache_contestant *how;
    void *cache;
    const cache_case *c;
} cache_run;

static void ask(bench_member *member)
{
    cache_run *const run = member->context;
    const size_t keys = run->c->keys;
    uint64_t sum = 0, index = member->index * 7919;
    const map_bytes_value value = {{0}};
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < STRIDE; i++) {
            index = (index + 4051) % keys;
            const map_bytes_key key = map_bytes_key_at(index);
            uint64_t first = 0;
            if (i < run->c->puts)
                run->how->put(run->cache, key, &value);
            else if (run->how->get(run->cache, key, &first))
                sum += first;
        }
        bench_count(member, STRIDE);
    }
    __asm__ __volatile__("" ::"r"(sum));
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const cache_case *const c = bench_case;
    cache_run run = {.how = adapter, .c = c};
    const map_bytes_value value = {{1}};
    map_bytes_keys_prepare(c->keys);
    run.cache = run.how->make(c->keys);
    if (run.cache == NULL)
        return -1;
    for (size_t i = 0; i < c->keys; i++)
        run.how->put(run.cache, map_bytes_key_at(i), &value);
    double const cost = bench_team_run(&(bench_team){.size = c->threads,
                                                     .pinned = true,
                                                     .seconds = seconds,
                                                     .body = ask,
                                                     .context = &run});
    run.how->release(run.cache);
    return cost;
}

/* ---- girt_cache --------------------------------------------------------- */

static void *make_cache(girt_cache_policy policy)
{
    girt_cache *cache = NULL;
    (void)girt_cache_create(&cache, &(girt_cache_options){.policy = policy});
    return cache;
}

static void *make_default(size_t keys)
{
    (void)keys;
    return make_cache(GIRT_CACHE_DEFAULT);
}

static void *make_lru(size_t keys)
{
    (void)keys;
    return make_cache(GIRT_CACHE_LRU);
}

static void free_cache(void *cache)
{
    girt_cache_destroy(cache);
}

static void put_in_cache(void *cache, map_bytes_key key,
                         const map_bytes_value *value)
{
    (void)girt_cache_put(cache, key.data, key.size, value, sizeof *value, 0);
}

static bool get_from_cache(void *cache, map_bytes_key key, uint64_t *first)
{
    girt_cached cached;
    if (girt_cache_get(cache, key.data, key.size, &cached) != GIRT_OK)
        return false;
    memcpy(first, cached.data, sizeof *first);
    girt_cache_release(cache, &cached);
    return true;
}

/* ---- girt_map, which bounds nothing ------------------------------------- */

static void *make_map(size_t keys)
{
    girt_map *map = NULL;
    (void)girt_map_create(
        &map, &(girt_map_options){.value_size = sizeof(map_bytes_value),
                                  .expected = keys});
    return map;
}

static void free_map(void *map)
{
    girt_map_destroy(map);
}

static void put_in_map(void *map, map_bytes_key key,
                       const map_bytes_value *value)
{
    (void)girt_map_put(map, key.data, key.size, value);
}

static bool get_from_map(void *map, map_bytes_key key, uint64_t *first)
{
    map_bytes_value value;
    if (girt_map_get(map, key.data, key.size, &value) != GIRT_OK)
        return false;
    memcpy(first, value.data, sizeof *first);
    return true;
}

static void run(const bench_suite *suite, const bench_options *options)
{
    static const cache_contestant s3fifo = {make_default, free_cache,
                                            put_in_cache, get_from_cache};
    static const cache_contestant lru = {make_lru, free_cache, put_in_cache,
                                         get_from_cache};
    static const cache_contestant map = {make_map, free_map, put_in_map,
                                         get_from_map};
    const bench_contestant racers[] = {
        {"girt_cache", GIRT_VERSION, false, measure, &s3fifo},
        {"girt_cache, LRU", GIRT_VERSION, false, measure, &lru},
        {"girt_map get", GIRT_VERSION, false, measure, &map},
        {"std::list, unordered_map, mutex", "", true, measure, &cache_std_lru},
        {"memcached on loopback", "", true, measure, &cache_memcached},
    };
    static const struct {
        const char *name;
        unsigned puts;
    } cases[] = {{"cache: hits", 0}, {"cache: 95 % hits, 5 % puts", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned threads = 1; threads <= 2; threads++)
            bench_row(suite, options, cases[i].name, threads, "ns", racers,
                      sizeof racers / sizeof *racers,
                      &(cache_case){threads, cases[i].puts,
                                    options->smoke ? SMOKE_KEYS : KEYS});
}

const bench_suite bench_cache_suite = {"cache", "find what was cached", 5, run};
