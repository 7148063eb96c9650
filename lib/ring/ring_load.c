/* SPDX-License-Identifier: MIT */
/* ring_load.c - bounded load [Mirrokni, Thorup, Zadimoghaddam 2018], strict
 * under races, without one counter that all threads write.
 *
 * The promise: at an instant within acquire, counting the caller, the chosen
 * node's load is at most cap(total) = ceil(bound * (total + 1) * w / W), total
 * being the load of all members before the call.
 *
 * One word a node holds its load, whether it is a member, and a version that
 * every change of the word moves:
 *
 *    63            33 | 32     | 31           0
 *    version          | absent | load
 *
 * The total is never stored. What is stored is a floor that never exceeds it,
 * and, in shards, what the floor lags behind:
 *
 * I1: floor + sum of pending <= sum of the members' loads, at every instant;
 *     equal when no call is under way.     I2: pending >= 0, so floor <= total.
 *
 * An acquire raises the load first and its thread's pending after; a release
 * lowers pending first (or, when that is 0, takes a batch from the floor) and
 * the load after. So threads that acquire and release write their own shard and
 * the nodes' words, and read a floor that seldom changes.
 *
 * Proof of strictness. Acquire reads the node's word (t0), the floor (t1), sees
 * that the snapshot is still the current one, and moves the word by a cas (t2).
 * The version makes the cas succeed only if the word did not change from t0 to
 * t2 (2^31 changes within one call aside), so at t1 the load was what it read,
 * and the total was at least the floor, by I2. cap grows with the total, so the
 * promise holds at t1.
 *
 * A floor that lags may refuse too early: then the shards are moved into it
 * ("settle") and the node is tried once more; alone in the ring, a thread
 * decides exactly. If every node refuses, as may be while others are in the
 * middle of a call, or a change has lowered the floor, the words themselves
 * are added up twice: equal versions show that all of them held at one instant
 * between. At that instant, since the caps of all members add up to more than
 * the total, some node has room, and the cas takes it or somebody else changed
 * that word. So every retry follows from another call's success: lock-free.
 *
 * Members come and go under the ring's mutex. The floor is lowered by BIAS, far
 * below any total, before the new snapshot is published, and raised by it, with
 * the loads of who came and left, after; so I1 holds across the publication,
 * and in between acquires use the double sum. A word is marked absent when its
 * node has left: then releases leave floor and pending alone. */
#include "ring/ring_internal.h"

#include <string.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/thread.h"

#include <girt/epoch.h>

#define SHARDS ((size_t)16) /* a power of two */
#define ABSENT ((uint64_t)1 << 32)
#define STEP   ((uint64_t)1 << 33)
#define BATCH  16 /* what a release without pending takes from the floor */
#define BIAS   ((int64_t)1 << 62)

typedef struct shard {
    uint64_t pending GIRT_ALIGNED(GIRT_DESTRUCTIVE);
} shard;

struct girt__ring_load {
    int64_t floor GIRT_ALIGNED(GIRT_DESTRUCTIVE); /* all read, few write */
    shard shards[SHARDS];
};

static uint32_t load_of(uint64_t word)
{
    return (uint32_t)word;
}

girt_status girt__load_create(girt_ring *ring)
{
    ring->load = girt__allocate_zeroed(&ring->allocator, sizeof *ring->load,
                                       GIRT_DESTRUCTIVE);
    return ring->load == NULL ? GIRT_E_NOMEM : GIRT_OK;
}

void girt__load_destroy(girt_ring *ring)
{
    girt__release(&ring->allocator, ring->load, sizeof *ring->load);
}

girt__ring_cell *girt__load_cell(const girt_ring *ring)
{
    girt__ring_cell *const cell =
        girt__allocate(&ring->allocator, sizeof *cell, GIRT_CACHELINE);
    if (cell != NULL)
        cell->word = ABSENT;
    return cell;
}

bool girt__load_is_idle(const girt__ring_cell *cell)
{
    uint64_t const word = girt_load_acquire(&cell->word);
    return (word & ABSENT) != 0 && load_of(word) == 0;
}

/* ---- floor and shards ---- */

static shard *own_shard(struct girt__ring_load *load)
{
    return &load->shards[girt__thread_index() & (SHARDS - 1)];
}

/* One load more, after it shows in the node's word. */
static void count_up(struct girt__ring_load *load)
{
    (void)girt_add_acq_rel(&own_shard(load)->pending, (uint64_t)1);
}

/* One load less, before it leaves the node's word. A retry of the cas follows
 * from another thread's change of the same shard. */
static void count_down(struct girt__ring_load *load)
{
    shard *const own = own_shard(load);
    uint64_t pending = girt_load_relaxed(&own->pending);
    while (pending > 0)
        if (girt_cas_acq_rel(&own->pending, &pending, pending - 1))
            return;
    (void)girt_sub_acq_rel(&load->floor, (int64_t)BATCH);
    (void)girt_add_acq_rel(&own->pending, (uint64_t)(BATCH - 1));
}

/* Moves what is pending into the floor; false: nothing was. */
static bool settle(struct girt__ring_load *load)
{
    bool moved = false;
    for (size_t i = 0; i < SHARDS; i++) {
        uint64_t *const pending = &load->shards[i].pending;
        if (girt_load_relaxed(pending) == 0)
            continue;
        uint64_t const amount = girt_swap_acq_rel(pending, (uint64_t)0);
        if (amount == 0)
            continue;
        (void)girt_add_acq_rel(&load->floor, (int64_t)amount);
        moved = true;
    }
    return moved;
}

int64_t girt__load_known(const girt_ring *ring)
{
    int64_t sum = girt_load_acquire(&ring->load->floor);
    for (size_t i = 0; i < SHARDS; i++)
        sum += (int64_t)girt_load_acquire(&ring->load->shards[i].pending);
    return sum;
}

/* ---- acquire ---- */

typedef enum attempt { TOOK, REFUSED, STALE } attempt;

/* The promise's formula, in doubles from left to right. Members' caps add up
 * to more than the total even after rounding, because each is a whole number
 * and the relative error is below 2^-50. */
static bool has_room(const girt_ring *ring, const girt__ring_snapshot *snapshot,
                     uint32_t weight, uint32_t node_load, uint64_t total)
{
    double const cap = ring->bound * (double)(total + 1) * (double)weight /
                       (double)snapshot->weight_total;
    if (node_load == UINT32_MAX)
        return false;
    /* node_load + 1 <= ceil(cap), of whole numbers on the left. */
    return (double)node_load < cap;
}

static attempt take(girt_ring *ring, const girt__ring_snapshot *snapshot,
                    girt__ring_cell *cell, uint64_t word)
{
    /* L1: the snapshot was current at the time of the total. */
    if (girt_load_acquire(&ring->snapshot) != snapshot)
        return STALE;
    if (!girt_cas_acq_rel(&cell->word, &word, word + STEP + 1))
        return REFUSED;
    count_up(ring->load);
    return TOOK;
}

/* One node, judged by the floor. A retry follows from another call's change of
 * this node's word. */
static attempt try_node(girt_ring *ring, const girt__ring_snapshot *snapshot,
                        uint32_t id, bool *settled)
{
    girt__ring_cell *const cell = snapshot->cells[id];
    uint32_t const weight =
        snapshot->members[snapshot->member_of_id[id]].weight;
    for (;;) {
        uint64_t const word = girt_load_acquire(&cell->word);
        if ((word & ABSENT) != 0)
            return STALE;
        int64_t const floor = girt_load_acquire(&ring->load->floor);
        if (!has_room(ring, snapshot, weight, load_of(word),
                      floor < 0 ? 0 : (uint64_t)floor)) {
            if (*settled)
                return REFUSED;
            *settled = true;
            if (!settle(ring->load))
                return REFUSED;
            continue;
        }
        attempt const result = take(ring, snapshot, cell, word);
        if (result != REFUSED)
            return result;
    }
}

/* The members' words added up: total, and versions, whose sum tells whether any
 * of the words moved. */
static void add_up(const girt__ring_snapshot *snapshot, uint64_t *total,
                   uint64_t *versions)
{
    *total = *versions = 0;
    for (size_t i = 0; i < snapshot->member_count; i++) {
        uint64_t const word =
            girt_load_acquire(&snapshot->cells[snapshot->members[i].id]->word);
        *total += load_of(word);
        *versions += word >> 32;
    }
}

/* Any node with room, judged by the exact total. REFUSED: none has, all carry
 * 2^32 - 1. STALE: something changed meanwhile. */
static attempt try_exactly(girt_ring *ring, const girt__ring_snapshot *snapshot,
                           uint64_t hash, uint32_t *id)
{
    uint64_t total, versions, total_again, versions_again;
    add_up(snapshot, &total, &versions);
    size_t const count = snapshot->member_count;
    size_t place = (size_t)(hash % count);
    const girt__ring_member *chosen = NULL;
    uint64_t chosen_word = 0;
    for (size_t i = 0; i < count && chosen == NULL; i++) {
        const girt__ring_member *const m = &snapshot->members[place];
        uint64_t const word = girt_load_acquire(&snapshot->cells[m->id]->word);
        if ((word & ABSENT) != 0)
            return STALE;
        if (has_room(ring, snapshot, m->weight, load_of(word), total)) {
            chosen = m;
            chosen_word = word;
        }
        if (++place == count)
            place = 0;
    }
    add_up(snapshot, &total_again, &versions_again);
    if (versions != versions_again || total != total_again)
        return STALE;
    if (chosen == NULL)
        return girt_load_acquire(&ring->snapshot) == snapshot ? REFUSED : STALE;
    attempt const result =
        take(ring, snapshot, snapshot->cells[chosen->id], chosen_word);
    if (result == TOOK)
        *id = chosen->id;
    return result == REFUSED ? STALE : result;
}

static attempt try_in_order(girt_ring *ring,
                            const girt__ring_snapshot *snapshot, uint64_t hash,
                            uint32_t *id)
{
    girt__ring_walk walk;
    girt__ring_walk_start(&walk, ring, snapshot, hash);
    bool settled = false;
    uint32_t candidate, refused = GIRT__RING_NO_MEMBER;
    while (girt__ring_walk_next(&walk, &candidate)) {
        if (candidate == refused)
            continue;
        attempt const result = try_node(ring, snapshot, candidate, &settled);
        if (result == TOOK)
            *id = candidate;
        if (result != REFUSED)
            return result;
        refused = candidate;
    }
    return REFUSED;
}

/* A retry follows from a change of the membership or of a load. */
static girt_status acquire_bounded(girt_ring *ring, uint64_t hash, uint32_t *id)
{
    for (;;) {
        /* P0 <- P1 (girt__load_publish). */
        const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
        if (s->member_count == 0)
            return GIRT_MISSING;
        attempt result = try_in_order(ring, s, hash, id);
        if (result == REFUSED) {
            result = try_exactly(ring, s, hash, id);
            if (result == REFUSED)
                return GIRT_FULL;
        }
        if (result == TOOK)
            return GIRT_OK;
    }
}

girt_status girt_ring_acquire(girt_ring *ring, const void *key, size_t key_size,
                              uint32_t *node_id)
{
    if (ring == NULL || (key == NULL && key_size != 0) || node_id == NULL)
        return GIRT_E_INVALID;
    if (ring->load == NULL)
        return girt_ring_find(ring, key, key_size, node_id);
    uint64_t const hash = girt__ring_key_hash(ring, key, key_size);
    girt_epoch_enter();
    girt_status const status = acquire_bounded(ring, hash, node_id);
    girt_epoch_exit();
    if (girt_unlikely(ring->report != NULL && status == GIRT_OK))
        girt__ring_count(ring, node_id, 1);
    return status;
}

/* ---- release ---- */

/* A retry follows from another call's change of this node's word. */
static void release_cell(girt_ring *ring, girt__ring_cell *cell)
{
    bool counted = false;
    uint64_t word = girt_load_acquire(&cell->word);
    while (load_of(word) != 0) {
        bool const member = (word & ABSENT) == 0;
        if (member && !counted)
            count_down(ring->load);
        else if (!member && counted)
            count_up(ring->load); /* its load left the total with the node */
        counted = member;
        if (girt_cas_acq_rel(&cell->word, &word, word + STEP - 1))
            return;
    }
    if (counted)
        count_up(ring->load);
}

void girt_ring_release(girt_ring *ring, uint32_t node_id)
{
    if (ring == NULL || ring->load == NULL)
        return;
    girt_epoch_enter();
    /* P0 <- P1 (girt__load_publish). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    if (node_id < s->slots && s->cells[node_id] != NULL)
        release_cell(ring, s->cells[node_id]);
    girt_epoch_exit();
}

/* ---- changes of the membership, under ring->change ---- */

/* Sets or clears the mark; returns the load at that instant. */
static int64_t mark(girt__ring_cell *cell, bool absent)
{
    uint64_t word = girt_load_acquire(&cell->word);
    if (((word & ABSENT) != 0) == absent)
        return 0;
    while (!girt_cas_acq_rel(&cell->word, &word, (word ^ ABSENT) + STEP))
        continue; /* an acquire or release on this node went first */
    return load_of(word);
}

void girt__load_publish(girt_ring *ring, girt__ring_snapshot *next)
{
    int64_t change = BIAS;
    (void)girt_sub_acq_rel(&ring->load->floor, BIAS);
    for (size_t i = 0; i < next->member_count; i++)
        change += mark(next->cells[next->members[i].id], false);
    /* P1 -> P0: the snapshot is whole when it is seen. */
    girt_store_release(&ring->snapshot, next);
    for (size_t i = 0; i < next->left_count; i++)
        change -=
            mark(next->cells[next->members[next->member_count + i].id], true);
    (void)girt_add_acq_rel(&ring->load->floor, change);
}
