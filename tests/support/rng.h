/* SPDX-License-Identifier: MIT */
/* rng.h - seeded random numbers for tests and benchmarks: splitmix64. */
#ifndef GIRT_TESTS_RNG_H
#define GIRT_TESTS_RNG_H

#include <stdint.h>

typedef struct rng {
    uint64_t state;
} rng;

static inline uint64_t rng_next(rng *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

__extension__ typedef unsigned __int128 rng_wide;

/* 0 .. bound - 1 */
static inline uint64_t rng_below(rng *r, uint64_t bound)
{
    return (uint64_t)((rng_wide)rng_next(r) * bound >> 64);
}

#endif /* GIRT_TESTS_RNG_H */
