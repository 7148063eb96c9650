/* SPDX-License-Identifier: MIT */
/* hash.h - a fast hash of bytes, the same in every process. */
#ifndef GIRT_HASH_H
#define GIRT_HASH_H

#include <stddef.h>
#include <stdint.h>

#include <girt/export.h>

GIRT_BEGIN

/**
 * XXH3's 64-bit hash with a seed [Collet 2019], as libxxhash computes it: the
 * same data and seed give the same number in every process and on every
 * machine.
 *
 * It spreads keys well, and an attacker who cannot see its results and does
 * not know the seed cannot aim at one value.  It is not safe against one who
 * only wants collisions: sets of long keys are known that collide for one
 * seed in 70, whatever the others.  girt's own tables therefore do not use it
 * (they key XXH3 with 192 secret bytes); a table of yours whose keys come
 * from strangers should not either.
 *
 * @param data  size bytes; may be NULL when size is 0.
 * @param size  any number of bytes.
 * @param seed  any number.
 * @return  the hash, all 64 bits of it equally good.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API uint64_t girt_hash(const void *data, size_t size, uint64_t seed);

GIRT_END

#endif /* GIRT_HASH_H */
