/* SPDX-License-Identifier: MIT */
/* keyed_hash.h - the hash for tables whose keys an attacker may choose.
 *
 * girt_hash is not it: fixed sets of keys collide under it for one seed in 70
 * to 1500 (see hash.c). */
#ifndef GIRT_CORE_KEYED_HASH_H
#define GIRT_CORE_KEYED_HASH_H

#include <stddef.h>
#include <stdint.h>

/* Secret; written once, at the object's create. */
typedef struct girt__hash_key {
    uint64_t words[24];
} girt__hash_key;

/* seed 0: from the kernel's random source. Else the same key for the same
 * seed, in every process. */
void girt__hash_key_init(girt__hash_key *key, uint64_t seed);

/* data may be NULL when size is 0. As fast as girt_hash. */
uint64_t girt__keyed_hash(const girt__hash_key *key, const void *data,
                          size_t size);

#endif /* GIRT_CORE_KEYED_HASH_H */
