/* SPDX-License-Identifier: MIT */
/* map_girt_map.c - girt_map as a contestant. */
#define MAP_NAME girt_map
#define MAP_BYTE_KEYS
#include <girt/map.h>

#include "bench_map.h"

typedef map_bytes_key map_key;
typedef map_bytes_value map_value;

static void *map_make(size_t expected)
{
    girt_map *map = NULL;
    girt_map_options const options = {.value_size = sizeof(map_value),
                                      .expected = expected};
    return girt_map_create(&map, &options) == GIRT_OK ? map : NULL;
}

static void map_free(void *map)
{
    girt_map_destroy(map);
}

static inline bool map_get(void *map, map_key key, map_value *value)
{
    return girt_map_get(map, key.data, key.size, value) == GIRT_OK;
}

static inline void map_put(void *map, map_key key, const map_value *value)
{
    (void)girt_map_put(map, key.data, key.size, value);
}

static inline void map_remove(void *map, map_key key)
{
    (void)girt_map_remove(map, key.data, key.size, NULL);
}

#include "map_driver.h"
