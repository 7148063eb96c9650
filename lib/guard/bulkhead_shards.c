/* SPDX-License-Identifier: MIT */
/* bulkhead_shards.c - places that stay with the threads that use them.
 *
 * A bulkhead that is not full need not know how full it is.  So a leave puts
 * its place into the shard of its thread, where the thread's next enter finds
 * it; the bulkhead's word counts it as taken all the while:
 *
 *     word:  [ waiting: 32 | lends: 1 | taken: 31 ]
 *     shard: [ changes: 32 | closed: 1 | free: 31 ]   one a line
 *
 *     S1: inside = taken - the free places of all shards, while the word lends;
 *         inside = taken, while it does not.
 *
 * Each enter and leave that changes S1's left side changes one word on its
 * right, by one instruction: the shard's free, or the word's taken.
 *
 *     S2: a shard that is open is that of a word that lends: lends is set
 *         before shards open, and cleared after all have closed.
 *     S3: while the word lends nobody is in line: one goes in line by a
 *         compare-and-swap from a word that does not, under the mutex, and
 *         lends is set by one from a word with nobody in line.
 *
 * So the line, refusals and hand-overs know the one word only, as if there were
 * no shards.  Who finds no place in his shard and none in the word takes the
 * mutex and gathers first: closes each shard, after which nobody changes it,
 * and then takes all their free places off the word, with lends, in one
 * instruction.  Before it S1 counts with the closed shards, after it without.
 * Nobody is refused or lines up because of a place that lies in a shard.
 *
 * Shards hold no more than half of the places together, so gathering happens
 * only when the bulkhead is half full or more; and it lends again only after
 * GIRT__BULKHEAD_CALM leaves that found it half empty.
 *
 * A shard's changes are counted for girt__bulkhead_count_now: if all shards
 * are the same before and after the word was read, then they were so at the
 * instant of that read, and S1 gives what was inside at it.  (A shard that
 * changes exactly 2^32 times between two reads of it would deceive.)
 *
 * Orders: L1 -> G2 and G1 -> L2 take along what leavers did from their shards
 * to whoever enters by the word later.  All that changes a side of S1 releases,
 * and the count acquires it (C1 -> C2): with a change it sees those before it,
 * so what it finds the same was the same. */
#include <unistd.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/power.h"
#include "guard/bulkhead_internal.h"

enum { LOOKS_MAX = 16, SHARDS_PER_CPU = 4 };

static uint32_t shard_free(uint64_t shard)
{
    return (uint32_t)(shard & (GIRT__SHARD_CLOSED - 1));
}

uint32_t girt__bulkhead_shard_count(uint32_t inside_max)
{
    if (inside_max < GIRT__BULKHEAD_SHARDED_MIN)
        return 1;
    long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    cpus = cpus < 1 ? 1 : cpus;
    uint32_t most = cpus < GIRT__BULKHEAD_SHARDS_MAX / SHARDS_PER_CPU
                        ? SHARDS_PER_CPU * (uint32_t)cpus
                        : GIRT__BULKHEAD_SHARDS_MAX;
    /* A shard for two threads that nest, where there are places enough. */
    uint32_t const fills = inside_max / 4 < 2 ? 2 : inside_max / 4;
    most = fills < most ? fills : most;
    return (uint32_t)girt__power_within(most);
}

/* Loads are relaxed: a closed shard is the mutex's. */
static void open_shards(girt_bulkhead *bulkhead)
{
    for (uint32_t i = 0; i <= bulkhead->shard_mask; i++) {
        uint64_t *const shard = &bulkhead->shards[i].word;
        uint64_t const was = girt_load_relaxed(shard);
        girt_assert((uint32_t)was == GIRT__SHARD_CLOSED);
        /* C1 -> C2 */
        girt_store_release(shard,
                           was - GIRT__SHARD_CLOSED + GIRT__SHARD_CHANGE);
    }
}

void girt__bulkhead_init_shards(girt_bulkhead *bulkhead, uint32_t count)
{
    bulkhead->shard_mask = count - 1;
    for (uint32_t i = 0; i < count; i++)
        bulkhead->shards[i].word = GIRT__SHARD_CLOSED;
    if (count == 1)
        return;
    bulkhead->shard_max = bulkhead->inside_max / 2 / count;
    bulkhead->word = GIRT__BULKHEAD_LENDS;
    open_shards(bulkhead);
}

static uint32_t close_shard(uint64_t *shard)
{
    uint64_t was = girt_load_relaxed(shard);
    /* A round fails only if another caller came or went. G2 <- L1
     * (bulkhead.c); C1 -> C2 */
    while (!girt_cas_acq_rel(shard, &was,
                             was + GIRT__SHARD_CLOSED + GIRT__SHARD_CHANGE))
        continue;
    girt_assert(!(was & GIRT__SHARD_CLOSED));
    return shard_free(was);
}

void girt__bulkhead_gather(girt_bulkhead *bulkhead)
{
    uint64_t lent = 0;
    for (uint32_t i = 0; i <= bulkhead->shard_mask; i++)
        lent += close_shard(&bulkhead->shards[i].word);
    /* G1 -> L2, L3 (bulkhead.c); C1 -> C2 */
    uint64_t const word = girt_sub_release(
        &bulkhead->word, GIRT__BULKHEAD_LENDS + lent * GIRT__BULKHEAD_TAKEN);
    girt_require(girt__bulkhead_taken(word) >= lent); /* left too often */
    (void)word;
    /* They say nothing any more. */
    for (uint32_t i = 0; i <= bulkhead->shard_mask; i++) {
        uint64_t *const shard = &bulkhead->shards[i].word;
        uint64_t const was = girt_load_relaxed(shard);
        /* C1 -> C2 */
        girt_store_release(shard, was - shard_free(was) + GIRT__SHARD_CHANGE);
    }
    girt_store_relaxed(&bulkhead->calm, 0u);
}

void girt__bulkhead_lend(girt_bulkhead *bulkhead)
{
    /* Somebody lines up, or lends, or hands over. */
    if (pthread_mutex_trylock(&bulkhead->mutex) != 0)
        return;
    uint64_t word = girt_load_relaxed(&bulkhead->word);
    /* A round fails only if another caller came or went. */
    while (!(word & GIRT__BULKHEAD_LENDS) &&
           girt__bulkhead_waiting(word) == 0 &&
           girt__bulkhead_taken(word) <= bulkhead->inside_max / 2) {
        /* C1 -> C2 */
        if (!girt_cas_release(&bulkhead->word, &word,
                              word + GIRT__BULKHEAD_LENDS))
            continue;
        open_shards(bulkhead);
        break;
    }
    girt_store_relaxed(&bulkhead->calm, 0u);
    (void)pthread_mutex_unlock(&bulkhead->mutex);
}

static girt__bulkhead_count count_of(const girt_bulkhead *bulkhead,
                                     uint64_t word, uint64_t lent)
{
    /* Shards that were not read at one instant may hold a place twice, or
     * not at all. */
    int64_t inside = girt__bulkhead_taken(word);
    if (word & GIRT__BULKHEAD_LENDS)
        inside -= (int64_t)lent;
    if (inside < 0)
        inside = 0;
    if (inside > bulkhead->inside_max)
        inside = bulkhead->inside_max;
    return (girt__bulkhead_count){.inside = (uint32_t)inside,
                                  .waiting = girt__bulkhead_waiting(word)};
}

girt__bulkhead_count girt__bulkhead_count_now(const girt_bulkhead *bulkhead)
{
    uint64_t before[GIRT__BULKHEAD_SHARDS_MAX];
    for (unsigned looks = 1;; looks++) {
        uint64_t lent = 0;
        for (uint32_t i = 0; i <= bulkhead->shard_mask; i++) {
            /* C2 <- C1 */
            before[i] = girt_load_acquire(&bulkhead->shards[i].word);
            lent += shard_free(before[i]);
        }
        /* C2 <- C1 */
        uint64_t const word = girt_load_acquire(&bulkhead->word);
        bool same = true;
        for (uint32_t i = 0; i <= bulkhead->shard_mask; i++)
            same = same &&
                   girt_load_relaxed(&bulkhead->shards[i].word) == before[i];
        if (same || !(word & GIRT__BULKHEAD_LENDS) || looks == LOOKS_MAX)
            return count_of(bulkhead, word, lent);
    }
}
