/* SPDX-License-Identifier: MIT */
/* hash.c - XXH3, with a seed for everybody and with a secret for our tables.
 *
 * XXH3 with a seed mixes each lane of data with a published constant plus or
 * minus the seed.  Two lanes' secrets then differ by an amount that hardly
 * depends on the seed, and keys can be made for it, without knowing the seed:
 *  - 32 bytes: a pair collides for one seed in 1450 (xxHash's issue 1127);
 *  - 1000 bytes: with lanes 0 of stripes 0 and 12 the low halves of both
 *    products are equal for one seed in 70, and then swapping bits between
 *    the high halves changes nothing: 65,536 keys have 16 to 512 hashes.
 * test_hash.c makes both.  With 192 unrelated secret bytes such keys collide
 * with a chance of about 2^-27 and 2^-32, so a table's key is that.
 * SipHash-1-3 was the other choice: stronger on paper, but 1.6 times slower
 * for keys of 16 bytes, 3.4 times for 100 and 4.3 times for 1000. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include <girt/hash.h>

#include "core/keyed_hash.h"
#include "core/random.h"

_Static_assert(sizeof(girt__hash_key) == XXH3_SECRET_DEFAULT_SIZE,
               "as long as XXH3's own secret, so as fast");

uint64_t girt_hash(const void *data, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, size, seed);
}

/* splitmix64 [Steele, Lea, Flood 2014]. */
static uint64_t next_word(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void girt__hash_key_init(girt__hash_key *key, uint64_t seed)
{
    if (seed == 0) {
        girt__random_fill(key->words, sizeof key->words);
        return;
    }
    for (size_t i = 0; i < sizeof key->words / sizeof *key->words; i++)
        key->words[i] = next_word(&seed);
}

uint64_t girt__keyed_hash(const girt__hash_key *key, const void *data,
                          size_t size)
{
    return XXH3_64bits_withSecret(data, size, key, sizeof *key);
}
