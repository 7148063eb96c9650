/* SPDX-License-Identifier: MIT */
/* map_girt_map64.c - girt_map64 as a contestant. */
#define MAP_NAME girt_map64
#define MAP_BATCHES
#include <girt/map64.h>

#include "bench_map.h"

typedef uint64_t map_key;
typedef uint64_t map_value;

static void *map_make(size_t expected)
{
    girt_map64 *map = NULL;
    return girt_map64_create(&map, expected, NULL) == GIRT_OK ? map : NULL;
}

static void map_free(void *map)
{
    girt_map64_destroy(map);
}

static inline bool map_get(void *map, map_key key, map_value *value)
{
    return girt_map64_get(map, key, value) == GIRT_OK;
}

static inline void map_put(void *map, map_key key, const map_value *value)
{
    (void)girt_map64_put(map, key, *value);
}

static inline void map_remove(void *map, map_key key)
{
    (void)girt_map64_remove(map, key, NULL);
}

static inline size_t map_get_n(void *map, const map_key keys[],
                               map_value values[], size_t count)
{
    bool found[64];
    return girt_map64_get_n(map, keys, values, found, count);
}

#include "map_driver.h"
