/* SPDX-License-Identifier: MIT */
/* map_mix.c - the secrets of a keyed bijection. */
#include "map/map_mix.h"

static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Newton's iteration: an odd number is its own inverse modulo 8, and each
 * step doubles the bits that are right: 3, 6, 12, 24, 48, 96. */
static uint64_t inverse(uint64_t odd)
{
    uint64_t x = odd;
    for (int i = 0; i < 5; i++)
        x *= 2 - odd * x;
    return x;
}

void girt__mix_init(girt__mix *mix, uint64_t seed)
{
    mix->add = next(&seed);
    for (int i = 0; i < 2; i++) {
        mix->factors[i] = next(&seed) | 1;
        mix->inverses[i] = inverse(mix->factors[i]);
    }
}
