/* SPDX-License-Identifier: MIT */
/* map_mutex64.c - what people write who have read a little: 64 mutexes, each
 * around an open-addressed table (linear probing, deletion by shifting back,
 * doubled at three quarters full).  Close to khash behind 64 mutexes. */
#define MAP_NAME mutex64
#include <pthread.h>
#include <stdlib.h>

#include "bench_map.h"

typedef uint64_t map_key;
typedef uint64_t map_value;

enum { SHARDS = 64 };

typedef struct pair {
    uint64_t key, value;
} pair;

/* Key 0 marks what is free: the benchmark's key 0 lives apart. */
typedef struct __attribute__((aligned(128))) shard {
    pthread_mutex_t lock;
    size_t count, mask;
    pair *pairs;
    bool has_zero;
    uint64_t zero;
} shard;

static inline uint64_t hash_of(uint64_t key)
{
    key *= 0x9e3779b97f4a7c15u;
    return key ^ (key >> 32);
}

static shard *lock_shard(void *map, uint64_t key)
{
    shard *const s = (shard *)map + (hash_of(key) >> 58);
    (void)pthread_mutex_lock(&s->lock);
    return s;
}

static void *map_make(size_t expected)
{
    size_t size = 16;
    while (size * 3 / 4 * SHARDS < expected * 5 / 4)
        size *= 2;
    shard *const shards = aligned_alloc(128, SHARDS * sizeof *shards);
    for (unsigned i = 0; i < SHARDS; i++) {
        shards[i] =
            (shard){.mask = size - 1, .pairs = calloc(size, sizeof(pair))};
        (void)pthread_mutex_init(&shards[i].lock, NULL);
    }
    return shards;
}

static void map_free(void *map)
{
    shard *const shards = map;
    for (unsigned i = 0; i < SHARDS; i++) {
        free(shards[i].pairs);
        (void)pthread_mutex_destroy(&shards[i].lock);
    }
    free(shards);
}

/* Where the key is, or where it would go. */
static pair *probe(const shard *s, uint64_t key)
{
    size_t at = hash_of(key) & s->mask;
    while (s->pairs[at].key != key && s->pairs[at].key != 0)
        at = (at + 1) & s->mask;
    return &s->pairs[at];
}

static inline bool map_get(void *map, map_key key, map_value *value)
{
    shard *const s = lock_shard(map, key);
    const pair *const found = key != 0 ? probe(s, key) : NULL;
    bool const has = key != 0 ? found->key == key : s->has_zero;
    if (has)
        *value = key != 0 ? found->value : s->zero;
    (void)pthread_mutex_unlock(&s->lock);
    return has;
}

#define MAP_BATCHES
/* Asks for the places of all keys, then looks each up.  A table's address is
 * read for that without its lock: no case of batches has a writer. */
static size_t map_get_n(void *map, const map_key keys[], map_value values[],
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t const hash = hash_of(keys[i]);
        const shard *const s = (const shard *)map + (hash >> 58);
        __builtin_prefetch(&s->pairs[hash & s->mask]);
    }
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += map_get(map, keys[i], &values[i]);
    return found;
}

static void grow(shard *s)
{
    pair *const old = s->pairs;
    size_t const size = s->mask + 1;
    s->pairs = calloc(size * 2, sizeof(pair));
    s->mask = size * 2 - 1;
    for (size_t i = 0; i < size; i++) {
        if (old[i].key != 0)
            *probe(s, old[i].key) = old[i];
    }
    free(old);
}

static inline void map_put(void *map, map_key key, const map_value *value)
{
    shard *const s = lock_shard(map, key);
    if (key == 0) {
        s->has_zero = true;
        s->zero = *value;
    } else {
        pair *place = probe(s, key);
        if (place->key == 0 && ++s->count * 4 > (s->mask + 1) * 3) {
            grow(s);
            place = probe(s, key);
        }
        *place = (pair){key, *value};
    }
    (void)pthread_mutex_unlock(&s->lock);
}

/* Closes the hole by moving back what may move there [Knuth 6.4, R]. */
static void close_hole(shard *s, size_t hole)
{
    size_t at = hole;
    for (;;) {
        at = (at + 1) & s->mask;
        if (s->pairs[at].key == 0)
            break;
        size_t const home = hash_of(s->pairs[at].key) & s->mask;
        if (((at - home) & s->mask) >= ((at - hole) & s->mask)) {
            s->pairs[hole] = s->pairs[at];
            hole = at;
        }
    }
    s->pairs[hole].key = 0;
}

static inline void map_remove(void *map, map_key key)
{
    shard *const s = lock_shard(map, key);
    if (key == 0) {
        s->has_zero = false;
    } else {
        pair *const place = probe(s, key);
        if (place->key == key) {
            s->count--;
            close_hole(s, (size_t)(place - s->pairs));
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
}

#include "map_driver.h"
