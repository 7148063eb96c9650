/* SPDX-License-Identifier: MIT */
/* rendezvous.c - highest random weight [Thaler, Ravishankar 1998], weighted.
 *
 * Each pair of key and node has a uniform hash h, u = (h + 1) / 2^64. The owner
 * is the node with the smallest -log2(u) / w: the first of n exponential clocks
 * with rates w, which is node i with probability w_i / W [Schindelhauer,
 * Schomaker 2005]. When a node leaves, the other clocks stay as they are.
 *
 * All machines must agree, and libm's logarithms differ in their last digit.
 * So the logarithm is one of integers, by straight lines between 2048 exact
 * values of each octave. Its relative error, also close to u = 1 where the
 * winners are, is below 2^-12: a node's share is off by less than 0.03 %.
 *
 * I1: the logarithm falls weakly as h grows, so nodes of equal weight compare
 *     by h alone; equal logarithms are settled by h, then by name. All-equal
 *     weights, the common case, need no logarithm and give the same answers.
 * I2: a line of the order (score, h, name) is total: every walk visits each
 *     member once. */
#include "ring/ring_internal.h"

#include <girt/hash.h>

#include "core/assert.h"

#define UNIT_BITS 57

/* The binary logarithm digit by digit: squaring doubles it. An error of 2^-63
 * in step i counts 2^-(63 + i), so all 57 digits are right. */
static uint64_t log2_digits(uint64_t value) /* in [1, 2), unit 2^-63 */
{
    uint64_t digits = 0;
    for (int i = 0; i < UNIT_BITS; i++) {
        girt__u128 const square = (girt__u128)value * value;
        uint64_t const scaled = (uint64_t)(square >> 64); /* unit 2^-62 */
        digits <<= 1;
        if (scaled >> 63 != 0) {
            digits |= 1;
            value = scaled;
        } else {
            value = (uint64_t)(square >> 63);
        }
    }
    return digits;
}

void girt__log_table_fill(uint64_t table[GIRT__LOG_SIZE])
{
    for (uint64_t i = 0; i + 1 < GIRT__LOG_SIZE; i++)
        table[i] =
            log2_digits(((uint64_t)1 << 63) | i << (63 - GIRT__LOG_BITS));
    table[GIRT__LOG_SIZE - 1] = (uint64_t)1 << UNIT_BITS;
}

uint64_t girt__log_of(const uint64_t table[GIRT__LOG_SIZE], uint64_t hash)
{
    uint64_t const x = hash + 1;
    if (x == 0)
        return 0;
    int const zeros = __builtin_clzll(x);
    uint64_t const mantissa = x << zeros;
    unsigned const fraction_bits = 63 - GIRT__LOG_BITS;
    size_t const segment = (size_t)(mantissa >> fraction_bits) &
                           (((size_t)1 << GIRT__LOG_BITS) - 1);
    uint64_t const fraction = mantissa & (((uint64_t)1 << fraction_bits) - 1);
    uint64_t const rise = table[segment + 1] - table[segment];
    uint64_t const log2 =
        table[segment] +
        (uint64_t)((girt__u128)rise * fraction >> fraction_bits);
    return ((uint64_t)(zeros + 1) << UNIT_BITS) - log2;
}

/* murmur3's finalizer of key and node together. */
static uint64_t pair_hash(uint64_t key_hash, uint64_t node_hash)
{
    uint64_t z = key_hash ^ node_hash;
    z = (z ^ (z >> 33)) * 0xff51afd7ed558ccdu;
    z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53u;
    return z ^ (z >> 33);
}

/* One node's standing for a key; rank is its place among the names. */
typedef struct standing {
    uint64_t hash, log;
    uint32_t weight, rank;
} standing;

/* a before b in the order of preference. */
static bool precedes(const standing *a, const standing *b)
{
    /* a.log / a.weight < b.log / b.weight, exactly. */
    girt__u128 const left = (girt__u128)a->log * b->weight;
    girt__u128 const right = (girt__u128)b->log * a->weight;
    if (left != right)
        return left < right;
    if (a->hash != b->hash)
        return a->hash > b->hash;
    return a->rank < b->rank;
}

static standing standing_of(const uint64_t *log_table,
                            const girt__ring_table *table, uint64_t hash,
                            size_t rank)
{
    standing s = {.hash = pair_hash(hash, table->hashes[rank]),
                  .weight = table->index[rank],
                  .rank = (uint32_t)rank};
    s.log = girt__log_of(log_table, s.hash);
    return s;
}

size_t girt__rendezvous_find(const girt_ring *ring,
                             const girt__ring_table *table, uint64_t hash)
{
    if (table->equal_weights) {
        size_t best = 0;
        uint64_t best_hash = pair_hash(hash, table->hashes[0]);
        for (size_t i = 1; i < table->count; i++) {
            uint64_t const h = pair_hash(hash, table->hashes[i]);
            best = h > best_hash ? i : best;
            best_hash = h > best_hash ? h : best_hash;
        }
        return best;
    }
    standing best = standing_of(ring->log_table, table, hash, 0);
    for (size_t i = 1; i < table->count; i++) {
        standing const s = standing_of(ring->log_table, table, hash, i);
        if (precedes(&s, &best))
            best = s;
    }
    return best.rank;
}

/* One pass over all members finds the best BATCH of those after the last one
 * given. */
static void fill_batch(girt__ring_walk *walk)
{
    const girt__ring_table *const table = &walk->snapshot->table;
    const uint64_t *const log_table = walk->ring->log_table;
    bool const first = walk->batch_count == 0;
    standing const last =
        standing_of(log_table, table, walk->hash,
                    first ? 0 : walk->batch[walk->batch_count - 1]);
    standing batch[GIRT__RING_WALK_BATCH];
    size_t count = 0;
    for (size_t i = 0; i < table->count; i++) {
        standing const s = standing_of(log_table, table, walk->hash, i);
        if (!first && !precedes(&last, &s))
            continue;
        if (count == GIRT__RING_WALK_BATCH && !precedes(&s, &batch[count - 1]))
            continue;
        size_t k = count < GIRT__RING_WALK_BATCH ? count++ : count - 1;
        for (; k > 0 && precedes(&s, &batch[k - 1]); k--)
            batch[k] = batch[k - 1];
        batch[k] = s;
    }
    for (size_t k = 0; k < count; k++)
        walk->batch[k] = batch[k].rank;
    walk->batch_count = count;
    walk->batch_next = 0;
}

bool girt__rendezvous_next(girt__ring_walk *walk, uint32_t *id)
{
    if (walk->left == 0)
        return false;
    walk->left--;
    if (walk->batch_next == walk->batch_count)
        fill_batch(walk);
    girt_assert(walk->batch_next < walk->batch_count); /* I2 */
    *id = walk->snapshot->table.owners[walk->batch[walk->batch_next++]];
    return true;
}

girt_status girt__rendezvous_build(const girt_ring *ring,
                                   girt__ring_snapshot *next)
{
    size_t const count = next->member_count;
    girt__ring_table *const table = &next->table;
    if (!girt__ring_table_allocate(table, &ring->allocator, 0, count, count,
                                   count))
        return GIRT_E_NOMEM;
    table->count = count;
    table->equal_weights = true;
    for (size_t i = 0; i < count; i++) {
        const girt__ring_member *const m = &next->members[next->by_name[i]];
        /* Another seed than the keys', or a key that is called like a node
         * would cancel out to zero. */
        table->hashes[i] =
            girt_hash(m->name, m->name_size, ring->seed ^ 0x9e3779b97f4a7c15u);
        table->owners[i] = m->id;
        table->index[i] = m->weight;
        table->equal_weights &=
            m->weight == next->members[next->by_name[0]].weight;
    }
    return GIRT_OK;
}
