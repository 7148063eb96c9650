/* SPDX-License-Identifier: MIT */
/* keyed_hash_short.h - a hash of up to 16 bytes for tables whose keys an
 * attacker may choose, where the whole operation is some dozens of
 * instructions and girt__keyed_hash, called, would be a third of them.
 *
 * Two rounds of a multiplication whose halves are folded together, as in
 * wyhash [Wang Yi 2019]; all that meets the key is secret:
 *
 *     h = fold(low ^ k0, high ^ k1)         low, high: the key's bytes
 *     hash = fold(h ^ k2, size ^ k3)
 *
 * One round would not do: its upper bits are nearly linear in the key, and
 * numbers in a row then meet in few places for unlucky secrets.  Two keys of
 * one size have other (low, high); of two sizes, another last factor.
 * It is no proof, as XXH3 is none: results must not be shown to strangers. */
#ifndef GIRT_CORE_KEYED_HASH_SHORT_H
#define GIRT_CORE_KEYED_HASH_SHORT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/keyed_hash.h"

enum { GIRT__KEYED_HASH_SHORT = 16 };

static inline uint64_t girt__hash_fold(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide const product = (wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* size is at most GIRT__KEYED_HASH_SHORT; data is not read when it is 0. */
static inline uint64_t girt__keyed_hash_short(const girt__hash_key *key,
                                              const void *data, size_t size)
{
    const unsigned char *const bytes = data;
    uint64_t low = 0, high = 0;
    if (size >= 8) {
        memcpy(&low, bytes, 8);
        memcpy(&high, bytes + size - 8, 8);
    } else if (size >= 4) {
        uint32_t first, last;
        memcpy(&first, bytes, 4);
        memcpy(&last, bytes + size - 4, 4);
        low = first;
        high = last;
    } else if (size != 0) {
        low = bytes[0];
        high = (uint64_t)bytes[size / 2] << 8 | bytes[size - 1];
    }
    uint64_t const half =
        girt__hash_fold(low ^ key->words[0], high ^ key->words[1]);
    return girt__hash_fold(half ^ key->words[2], size ^ key->words[3]);
}

#endif /* GIRT_CORE_KEYED_HASH_SHORT_H */
