/* SPDX-License-Identifier: MIT */
/* bench_limiter.h - what a limiter is asked to do in one run. */
#ifndef GIRT_BENCH_LIMITER_H
#define GIRT_BENCH_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct limiter_case {
    unsigned threads;
    size_t keys; /* of keyed limiters */
    const uint32_t *zipf;
    size_t zipf_count;
} limiter_case;

/* A rival: a token bucket for each key, in 64 maps behind 64 mutexes. */
void *limiter_map_make(size_t keys);
void limiter_map_free(void *map);
bool limiter_map_take(void *map, uint64_t key, int64_t now_ns);

/* Another: 16 bytes a key by open addressing, behind 64 mutexes. */
void *limiter_open_make(size_t keys);
void limiter_open_free(void *table);
bool limiter_open_take(void *table, uint64_t key, int64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_LIMITER_H */
