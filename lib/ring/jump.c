/* SPDX-License-Identifier: MIT */
/* jump.c - jump consistent hash [Lamping, Veach 2014], with weights as runs of
 * buckets.
 *
 * A key jumps forward from bucket to bucket; when the number of buckets grows
 * from n to n + 1, a key either stays or moves to bucket n. A node of weight w
 * owns w buckets in a row, so a node that is added at the end, and the last
 * node when its weight changes or it leaves, moves its own keys only.
 *
 * Doubles, but one division and one product only, which IEEE rounds alike
 * everywhere. */
#include "ring/ring_internal.h"

uint32_t girt__jump(uint64_t key, uint32_t buckets)
{
    /* About ln(buckets) rounds: each moves on by a factor of 2 on average. */
    int64_t bucket = -1, next = 0;
    while (next < (int64_t)buckets) {
        bucket = next;
        key = key * 2862933555777941757u + 1;
        next = (int64_t)((double)(bucket + 1) * ((double)((int64_t)1 << 31) /
                                                 (double)((key >> 33) + 1)));
    }
    return (uint32_t)bucket;
}

/* index has the first bucket of each member, and their number at the end. */
uint32_t girt__jump_owner(const girt__ring_table *table, uint32_t bucket)
{
    if (table->equal_weights)
        return table->owners[bucket];
    size_t low = 0, high = table->count;
    while (high - low > 1) {
        size_t const middle = low + (high - low) / 2;
        if (table->index[middle] <= bucket)
            low = middle;
        else
            high = middle;
    }
    return table->owners[low];
}

/* Further choices: jumps of further hashes of the key, then, so that every node
 * comes, all in list order. */
bool girt__jump_next(girt__ring_walk *walk, uint32_t *id)
{
    const girt__ring_table *const table = &walk->snapshot->table;
    if (walk->left == 0)
        return false;
    walk->left--;
    if (walk->left < table->count) {
        *id = table->owners[table->count - 1 - walk->left];
        return true;
    }
    uint64_t const hash =
        walk->hash ^ ((uint64_t)walk->position++ * 0x9e3779b97f4a7c15u);
    *id = girt__jump_owner(table, girt__jump(hash, table->index[table->count]));
    return true;
}

girt_status girt__jump_build(const girt_ring *ring, girt__ring_snapshot *next)
{
    size_t const count = next->member_count;
    if (next->weight_total > GIRT__RING_POINTS_MAX)
        return GIRT_E_TOO_LARGE;
    girt__ring_table *const table = &next->table;
    if (!girt__ring_table_allocate(table, &ring->allocator, 0, 0, count,
                                   count + 1))
        return GIRT_E_NOMEM;
    table->count = count;
    table->equal_weights = true;
    uint32_t bucket = 0;
    for (size_t i = 0; i < count; i++) {
        table->owners[i] = next->members[i].id;
        table->index[i] = bucket;
        bucket += next->members[i].weight;
        table->equal_weights &= next->members[i].weight == 1;
    }
    table->index[count] = bucket;
    return GIRT_OK;
}
