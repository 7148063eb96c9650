/* SPDX-License-Identifier: MIT */
/* cache_ghost.c - which hashes were evicted lately, in eight bytes each.
 *
 * A set-associative table: a hash's fingerprint names its bucket of eight; a
 * new one takes the place of the oldest there.  There are at least twice as
 * many places as ghosts count for, so that hardly one is lost early.  Wrapping
 * of the clock makes a ghost look young once in 2^32 evictions. */
#include "cache/cache_policy.h"

enum { WAYS = 8, FIRST_BUCKETS = 8 };

static uint32_t fingerprint(uint64_t hash)
{
    const uint32_t mixed = (uint32_t)(hash ^ hash >> 32);
    return mixed != 0 ? mixed : 1;
}

static uint64_t *bucket_of(const girt__ghost *ghost, uint32_t print)
{
    return ghost->words + (size_t)(print & ghost->mask) * WAYS;
}

bool girt__ghost_take(girt__ghost *ghost, uint64_t hash, size_t span)
{
    if (ghost->words == NULL)
        return false;
    const uint32_t print = fingerprint(hash);
    uint64_t *const bucket = bucket_of(ghost, print);
    for (int i = 0; i < WAYS; i++) {
        if ((uint32_t)(bucket[i] >> 32) != print)
            continue;
        const uint32_t age = ghost->clock - (uint32_t)bucket[i];
        bucket[i] = 0;
        return age < span;
    }
    return false;
}

static void place(girt__ghost *ghost, uint64_t word)
{
    uint64_t *const bucket = bucket_of(ghost, (uint32_t)(word >> 32));
    int oldest = 0;
    for (int i = 0; i < WAYS; i++) {
        if (bucket[i] == 0 || bucket[i] >> 32 == word >> 32) {
            bucket[i] = word;
            return;
        }
        if (ghost->clock - (uint32_t)bucket[i] >
            ghost->clock - (uint32_t)bucket[oldest])
            oldest = i;
    }
    bucket[oldest] = word;
}

void girt__ghost_add(girt__ghost *ghost, uint64_t hash)
{
    ghost->clock++;
    if (ghost->words != NULL)
        place(ghost, (uint64_t)fingerprint(hash) << 32 | ghost->clock);
}

girt__want girt__ghost_wants(const girt__ghost *ghost, size_t items)
{
    const size_t places =
        ghost->words == NULL ? 0 : ((size_t)ghost->mask + 1) * WAYS;
    if (items * 2 <= places || places > UINT32_MAX / 2)
        return (girt__want){GIRT__WANT_NOTHING, 0};
    return (girt__want){GIRT__WANT_GHOST,
                        (places == 0 ? FIRST_BUCKETS * WAYS : 2 * places) *
                            sizeof(uint64_t)};
}

void girt__ghost_feed(girt__ghost *ghost, void *block, size_t bytes)
{
    const girt__ghost old = *ghost;
    ghost->words = block;
    ghost->mask = (uint32_t)(bytes / sizeof(uint64_t) / WAYS) - 1;
    if (old.words == NULL)
        return;
    for (size_t i = 0; i < ((size_t)old.mask + 1) * WAYS; i++)
        if (old.words[i] != 0)
            place(ghost, old.words[i]);
}
