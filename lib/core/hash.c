/* SPDX-License-Identifier: MIT */
/* hash.c - XXH3 with a seed, compiled in from libxxhash's header. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <girt/hash.h>

uint64_t girt_hash(const void *data, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, size, seed);
}
