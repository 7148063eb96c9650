/* SPDX-License-Identifier: MIT */
/* queue_budget.c - one capacity for several rings.
 *
 * Problem: the rings of lanes and bands share one capacity that is never
 * passed and that a lone producer can fill; a counter that every push and pop
 * changes would be the one word that lanes exist to avoid.
 *
 * Idea: capacity is credit.  A credit is in the pool, granted to a ring (in
 * its tail word), in the hands of a pusher, spent on an item, or unsettled:
 * its item was popped, head passed it, and nobody has collected it yet.
 *
 *   I1: pool + sum over rings(grants + tail - settled) + in hands = capacity,
 *       settled <= head <= tail, so there are never more items than capacity.
 *
 * A push spends a grant in the very CAS that claims its ticket; a pop does
 * nothing but move head.  Only a pusher whose ring has no grants left comes
 * here: it collects its own ring's pops, then a chunk of the pool, then other
 * rings' pops, then their grants; so one shared write serves a chunk, and a
 * lone producer finds every credit there is.  Grants stand in the word that
 * the claim changes, so revoking them cannot race with spending them: a value
 * that returned is a state that returned.
 *
 * Credits in a pusher's hand cannot be revoked, so a pusher that got some
 * pushes: two pushers never take the last one from each other in turn. */
#include "queue/queue_internal.h"

static size_t settle(girt__ring *ring)
{
    uint64_t settled = girt_load_acquire(&ring->settled);
    for (;;) {
        /* After settled, so not behind it. */
        uint64_t const head = girt_load_acquire(&ring->head) & RING_TICKET;
        if (head == settled)
            return 0;
        if (girt_cas_acq_rel(&ring->settled, &settled, head))
            return girt__ring_distance(ring, settled, head);
    }
}

static size_t revoke(girt__ring *ring)
{
    uint64_t tail = girt_load_relaxed(&ring->tail);
    while (tail & RING_GRANTS) {
        if (girt_cas_acq_rel(&ring->tail, &tail, tail & ~RING_GRANTS))
            return (tail & RING_GRANTS) / RING_GRANT;
    }
    return 0;
}

/* Answers how many it could not hold. */
static size_t grant(girt__ring *ring, size_t count)
{
    uint64_t tail = girt_load_relaxed(&ring->tail);
    for (;;) {
        size_t const has = (tail & RING_GRANTS) / RING_GRANT;
        size_t const most = RING_GRANTS_MAX - has;
        size_t const more = count < most ? count : most;
        if (more == 0 ||
            girt_cas_acq_rel(&ring->tail, &tail, tail + more * RING_GRANT))
            return count - more;
    }
}

static size_t draw(girt_queue *queue, size_t most)
{
    uint64_t pool = girt_load_relaxed(&queue->pool);
    for (;;) {
        uint64_t const share = pool < most ? pool : most;
        if (share == 0 || girt_cas_acq_rel(&queue->pool, &pool, pool - share))
            return (size_t)share;
    }
}

static void deposit(girt_queue *queue, size_t count)
{
    if (count != 0)
        (void)girt_add_acq_rel(&queue->pool, (uint64_t)count);
}

/* Up to `want` credits into the caller's hand, or up to a chunk if that is
 * more; 0: there are none. */
static size_t collect(girt_queue *queue, girt__ring *ring, size_t want)
{
    size_t const goal = want > queue->chunk ? want : queue->chunk;
    size_t hand = settle(ring);
    if (hand < want)
        hand += draw(queue, goal - hand);
    if (hand != 0)
        return hand;
    for (uint32_t i = 0; i < queue->rings_count; i++)
        hand += settle(&queue->rings[i]);
    for (uint32_t i = 0; i < queue->rings_count && hand == 0; i++)
        hand += revoke(&queue->rings[i]);
    if (hand > goal) {
        deposit(queue, hand - goal);
        hand = goal;
    }
    return hand;
}

girt_status girt__budget_push(girt_queue *queue, girt__ring *ring,
                              void *const *items, size_t count, size_t *pushed,
                              uint64_t *seen)
{
    size_t hand = collect(queue, ring, count);
    if (hand == 0)
        return girt_load_acquire(&ring->tail) & RING_CLOSED ? GIRT_CLOSED
                                                            : GIRT_FULL;
    /* By I1 the ring is not full while a credit is in hand; a pop under way
     * is waited for. */
    girt_status const status = girt__ring_push(
        ring, items, count < hand ? count : hand, false, pushed, seen);
    if (status == GIRT_OK)
        hand -= *pushed;
    deposit(queue, grant(ring, hand));
    /* Who looked for room while these credits were in hand may be asleep. */
    girt__park_wake(&queue->room, 1);
    return status;
}

bool girt__budget_left(const girt_queue *queue)
{
    if (girt_load_seq_cst(&queue->pool) != 0)
        return true;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        const girt__ring *const ring = &queue->rings[i];
        if (girt_load_seq_cst(&ring->tail) & RING_GRANTS)
            return true;
        uint64_t const settled = girt_load_seq_cst(&ring->settled);
        if ((girt_load_seq_cst(&ring->head) & RING_TICKET) != settled)
            return true;
    }
    return false;
}
