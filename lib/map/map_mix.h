/* SPDX-License-Identifier: MIT */
/* map_mix.h - a keyed bijection of 64-bit numbers.
 *
 * Two rounds of multiply-and-fold with secret odd factors.  The top bits of
 * a product with a secret odd factor collide for any two keys that were chosen
 * without knowing it with a chance of at most 2 in 2^bits [Dietzfelbinger et
 * al. 1997]; the folds carry them down to the bits that name group and tag.
 * Being a bijection it gives no two keys one hash, and the key back. */
#ifndef GIRT_MAP_MIX_H
#define GIRT_MAP_MIX_H

#include <stdint.h>

typedef struct girt__mix {
    uint64_t add;
    uint64_t factors[2];  /* odd */
    uint64_t inverses[2]; /* factors * inverses = 1 modulo 2^64 */
} girt__mix;

/* Everything from one seed, by splitmix64. */
void girt__mix_init(girt__mix *mix, uint64_t seed);

static inline uint64_t girt__mix_hash(const girt__mix *mix, uint64_t key)
{
    uint64_t hash = (key + mix->add) * mix->factors[0];
    hash ^= hash >> 32;
    hash *= mix->factors[1];
    return hash ^ hash >> 32;
}

static inline uint64_t girt__mix_key(const girt__mix *mix, uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= mix->inverses[1];
    hash ^= hash >> 32;
    return hash * mix->inverses[0] - mix->add;
}

#endif /* GIRT_MAP_MIX_H */
