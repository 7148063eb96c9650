/* SPDX-License-Identifier: MIT */
/* maglev.c - Envoy's lookup table [Eisenbud et al., NSDI 2016].
 *
 * Each node walks the table in its own order: slot (offset + skip * n) mod M,
 * which visits every slot because M is a prime. By turns, in the order of
 * names, each takes its next free slot until none is left. With weights a node
 * sits out a turn until turn * w reaches its target, which grows by the largest
 * weight with every slot it takes.
 *
 * The weights are normalised doubles as in Envoy, w / W: with the same IEEE
 * operations in the same order the same turns are sat out. There is no sum of a
 * product to fuse, so every compiler computes the same.
 *
 * Time: each turn gives the heaviest node a slot, so M turns at most, of
 * `count` steps each; equal weights need M steps, plus about M ln M to find
 * free slots. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ring/ring_internal.h"

uint64_t girt__ring_xxh64(const void *data, size_t size, uint64_t seed)
{
    return XXH64(data, size, seed);
}

/* By division: 65537 takes 128 of them, 2^26 4096. */
bool girt__is_prime(uint32_t value)
{
    if (value < 4)
        return value >= 2;
    if (value % 2 == 0)
        return false;
    for (uint32_t d = 3; (uint64_t)d * d <= value; d += 2)
        if (value % d == 0)
            return false;
    return true;
}

static uint64_t step(uint64_t position, uint64_t skip, uint32_t size)
{
    position += skip;
    return position >= size ? position - size : position;
}

void girt__maglev_fill(girt__maglev_entry entries[], size_t count,
                       uint32_t table[], uint32_t size)
{
    if (count == 0)
        return;
    double heaviest = 0;
    for (size_t i = 0; i < count; i++)
        if (entries[i].weight > heaviest)
            heaviest = entries[i].weight;
    uint32_t filled = 0;
    for (uint32_t turn = 1;; turn++) {
        for (size_t i = 0; i < count; i++) {
            girt__maglev_entry *const e = &entries[i];
            if (turn * e->weight < e->target)
                continue;
            e->target += heaviest;
            while (table[e->position] != GIRT__RING_NO_MEMBER)
                e->position = step(e->position, e->skip, size);
            table[e->position] = e->owner;
            e->position = step(e->position, e->skip, size);
            if (++filled == size)
                return;
        }
    }
}

girt_status girt__maglev_build(const girt_ring *ring, girt__ring_snapshot *next)
{
    size_t const count = next->member_count;
    uint32_t const size = ring->maglev_size;
    girt_status status = GIRT_E_NOMEM;
    size_t entries_size = 0;
    if (!girt__size_multiply(count, sizeof(girt__maglev_entry), &entries_size))
        goto fail_entries;
    girt__maglev_entry *const entries =
        girt__allocate(&ring->allocator, entries_size, 0);
    if (entries == NULL)
        goto fail_entries;
    if (!girt__ring_table_allocate(&next->table, &ring->allocator, 0, 0, size,
                                   0))
        goto fail_table;

    for (size_t i = 0; i < count; i++) {
        const girt__ring_member *const m = &next->members[next->by_name[i]];
        entries[i] = (girt__maglev_entry){
            .position = girt__ring_xxh64(m->name, m->name_size, 0) % size,
            .skip = girt__ring_xxh64(m->name, m->name_size, 1) % (size - 1) + 1,
            .weight = (double)m->weight / (double)next->weight_total,
            .owner = m->id,
        };
    }
    for (size_t i = 0; i < size; i++)
        next->table.owners[i] = GIRT__RING_NO_MEMBER;
    girt__maglev_fill(entries, count, next->table.owners, size);
    next->table.count = size;
    status = GIRT_OK;

fail_table:
    girt__release(&ring->allocator, entries, entries_size);
fail_entries:
    return status;
}
