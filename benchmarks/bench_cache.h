/* SPDX-License-Identifier: MIT */
/* bench_cache.h - a cache in the suite: made full, then asked. */
#ifndef GIRT_BENCH_CACHE_H
#define GIRT_BENCH_CACHE_H

#include <stdbool.h>

#include "bench_map.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cache_contestant {
    void *(*make)(size_t keys); /* room for all of them; NULL: not here */
    void (*release)(void *cache);
    void (*put)(void *cache, map_bytes_key key, const map_bytes_value *value);
    /* Reads the value's first word into *first. */
    bool (*get)(void *cache, map_bytes_key key, uint64_t *first);
} cache_contestant;

extern const cache_contestant cache_std_lru, cache_memcached;

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_CACHE_H */
