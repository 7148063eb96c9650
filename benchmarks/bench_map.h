/* SPDX-License-Identifier: MIT */
/* bench_map.h - what a map is asked to do in one run. */
#ifndef GIRT_BENCH_MAP_H
#define GIRT_BENCH_MAP_H

#include <stdint.h>

#include "bench.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum map_work {
    MAP_READ,       /* get of present keys, uniform */
    MAP_READ_ZIPF,  /* get of present keys, Zipf with exponent 0.99 */
    MAP_MISS,       /* get of absent keys */
    MAP_READ_95,    /* 95 % get, 5 % put of present keys */
    MAP_READ_50,    /* 50 % get, 50 % put of present keys */
    MAP_CHURN,      /* put of a new key, remove of the oldest, in turn */
    MAP_READ_BATCH, /* get_n of present keys, uniform */
    MAP_GROW_WORST, /* the longest single put while growing to `keys` */
    MAP_GROW_MEAN,  /* the mean put while growing to `keys` */
    MAP_BYTES,      /* memory for each entry after growing to `keys` */
    MAP_RETIRED     /* most memory beyond the start, while MAP_CHURN runs */
} map_work;

typedef struct map_case {
    map_work work;
    unsigned threads;
    size_t keys;
    size_t batch;
} map_case;

/* A key of 16 to 40 bytes. */
typedef struct map_bytes_key {
    const char *data;
    size_t size;
} map_bytes_key;
typedef struct map_bytes_value {
    char data[64];
} map_bytes_value;

/* The index-th key, and different ones from another index on: made once. */
map_bytes_key map_bytes_key_at(uint64_t index);
/* Makes the keys below `count`. */
void map_bytes_keys_prepare(size_t count);
/* `count` numbers below `keys`, Zipf with exponent 0.99, scattered. */
const uint32_t *map_zipf_table(size_t keys, size_t *count);
/* Bytes that the program holds of malloc. */
size_t map_bytes_held(void);
/* Bytes that it holds of the machine: for those with allocators of their own.
 */
size_t map_bytes_resident(void);

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_MAP_H */
