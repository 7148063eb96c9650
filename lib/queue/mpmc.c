/* SPDX-License-Identifier: MIT */
/* mpmc.c - create, destroy and the batches of the many-to-many queue, and why
 * all of it is right.  The single operations are in include/girt/fast/mpmc.h.
 *
 * Idea.  Pushes and pops are numbered by tickets, from 0 (or `first`) on.
 * Ticket t belongs to slot t mod P, where P is the power of two that holds the
 * capacity C.  A slot is 16 bytes, {state, item}, and changes only by a
 * compare-and-swap of all of them:
 *
 *     {2t, 0} --push--> {2t + 1, item} --pop--> {2(t + P), 0} --push--> ...
 *     free for t        holds t's item          free for t + P
 *
 * so a push or a pop has happened or it has not; nothing in between can be
 * left behind by a thread that stops.  After [Shann, Huang, Chen, "A practical
 * nonblocking queue algorithm using compare-and-swap", ICPADS 2000], verified
 * by [Colvin, Groves, ICECCS 2005]; here the state names the ticket, which
 * removes its counters' ABA and makes a stale index harmless.
 *
 * I1: a slot's state only grows.  So "t is filled" (state >= 2t + 1) and "t is
 *     consumed" (state >= 2t + 2) stay true, and a swap from {2t, ..} or
 *     {2t + 1, ..} succeeds at most once.
 * I2: t is filled only if t - 1 is; t is consumed only if t - 1 is.  (fill and
 *     take reach t from a ticket before it by passing filled, or consumed,
 *     ones, and from the hints by I4.)  So there is a first ticket not filled,
 *     T, and a first one not consumed, H, and the queue is H .. T - 1.
 * I3: t is filled only if t - C is consumed.  So T - H <= C.
 * I4: tail <= T and head <= H, always: they are written after their own ticket
 *     was filled, or consumed, and I1.  They may go backwards, when a thread
 *     stops between its swap and its store and wakes later; frontier finds T
 *     and H again in 2 log2 of the distance.
 *
 * Push happens at its swap: it fills T, because t - 1 was filled before and t
 * was not.  Pop happens at its swap: it consumes H for the same reason, and H
 * was filled.  That is a FIFO.
 * Full is answered after t - 1 was seen filled and then t - C was seen not
 * consumed (for C == P, in the slot that t shares with it): at that second
 * look, T >= t and H <= t - C, and by I3 T - H <= C: exactly C items.
 * Empty is answered after h - 1 was seen consumed and then h was seen not
 * filled: at that look H >= h and T <= h, so T == H.
 * Lock-free: another turn of fill_on or take_on means that a thread filled, or
 * consumed, the ticket tried, or within a lull, which is bounded, the one
 * awaited; frontier's steps are bounded by the logarithm of what others did
 * since the hint.
 *
 * Labels.  R1 -> A1: each swap of a slot to each load of its state: the item,
 * and what its pusher did before, are there; what its popper read is read.
 * R2 -> A2: each store of a hint to each load of it: the swaps that make the
 * hint true come before the loads of slots that rely on it, so that "seen
 * before" above holds on machines that reorder. */
#include <girt/fast/mpmc.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/cacheline.h"
#include "core/power.h"
#include "queue/mpmc_internal.h"

_Static_assert(sizeof(girt_fast_pair) == 16 && _Alignof(girt_fast_pair) == 16,
               "a slot is what one compare-and-swap changes");
_Static_assert(offsetof(struct girt_mpmc, tail) % GIRT_DESTRUCTIVE == 0 &&
                   offsetof(struct girt_mpmc, head) % GIRT_DESTRUCTIVE == 0,
               "each hint owns its lines");
_Static_assert(sizeof(void *) == 8 && sizeof(size_t) == 8,
               "an item is one word");

/* A batch shows its progress to others once in so many items. */
#define HINT_EVERY 8

/* --- create and destroy --- */

girt_status girt__mpmc_create_at(girt_mpmc **out, size_t capacity,
                                 const girt_allocator *allocator,
                                 uint64_t first)
{
    girt_allocator own;
    if (out == NULL || capacity == 0)
        return GIRT_E_INVALID;
    girt_status const status = girt__allocator_resolve(&own, allocator);
    if (status != GIRT_OK)
        return status;
    if (capacity > GIRT_MPMC_CAPACITY_MAX)
        return GIRT_E_TOO_LARGE;
    uint64_t const slots = girt__power_from(capacity);
    size_t bytes;
    if (!girt__size_multiply(slots, sizeof(girt_fast_pair), &bytes))
        return GIRT_E_TOO_LARGE;

    girt_mpmc *const queue =
        girt__allocate_zeroed(&own, sizeof *queue, GIRT_DESTRUCTIVE);
    if (queue == NULL)
        return GIRT_E_NOMEM;
    queue->slots = girt__allocate(&own, bytes, GIRT_DESTRUCTIVE);
    if (queue->slots == NULL)
        goto fail_slots;

    queue->mask = slots - 1;
    queue->capacity = capacity;
    queue->allocator = own;
    queue->slots_bytes = bytes;
    queue->tail = first;
    queue->head = first;
    for (uint64_t t = first; t != first + slots; t++)
        queue->slots[t & queue->mask] = (girt_fast_pair){{2 * t, 0}};
    *out = queue;
    return GIRT_OK;

fail_slots:
    girt__release(&own, queue, sizeof *queue);
    return GIRT_E_NOMEM;
}

girt_status girt_mpmc_create(girt_mpmc **out, size_t capacity,
                             const girt_allocator *allocator)
{
    return girt__mpmc_create_at(out, capacity, allocator, 0);
}

void girt_mpmc_destroy(girt_mpmc *queue)
{
    if (queue == NULL)
        return;
    girt_audit(girt__mpmc_is_valid(queue));
    girt_allocator const own = queue->allocator;
    girt__release(&own, queue->slots, queue->slots_bytes);
    girt__release(&own, queue, sizeof *queue);
}

/* --- batches: the loop of single operations, with few looks at the hint --- */

size_t girt_mpmc_push_n(girt_mpmc *queue, void *const items[], size_t count)
{
    /* A2 <- R2. */
    uint64_t ticket = girt_fast_load_acquire(&queue->tail);
    size_t done = 0;
    while (done < count &&
           girt_fast_mpmc_fill(queue, &ticket, items[done], done == 0)) {
        /* R2 -> A2. */
        if (++done % HINT_EVERY == 0)
            girt_fast_store_release(&queue->tail, ticket);
    }
    /* R2 -> A2. */
    if (done % HINT_EVERY != 0)
        girt_fast_store_release(&queue->tail, ticket);
    return done;
}

size_t girt_mpmc_pop_n(girt_mpmc *queue, void *items[], size_t count)
{
    /* A2 <- R2. */
    uint64_t ticket = girt_fast_load_acquire(&queue->head);
    size_t done = 0;
    while (done < count &&
           girt_fast_mpmc_take(queue, &ticket, &items[done], done == 0)) {
        /* R2 -> A2. */
        if (++done % HINT_EVERY == 0)
            girt_fast_store_release(&queue->head, ticket);
    }
    /* R2 -> A2. */
    if (done % HINT_EVERY != 0)
        girt_fast_store_release(&queue->head, ticket);
    return done;
}

/* --- statistics --- */

size_t girt_mpmc_count(const girt_mpmc *queue)
{
    /* A2 <- R2. */
    uint64_t const head = girt_fast_mpmc_frontier(
        queue, girt_fast_load_acquire(&queue->head), GIRT_FAST_CONSUMED);
    /* A2 <- R2.  After head, so that pops in between cannot make it less. */
    uint64_t const tail = girt_fast_mpmc_frontier(
        queue, girt_fast_load_acquire(&queue->tail), GIRT_FAST_FILLED);
    int64_t const count = (int64_t)(tail - head);
    if (count <= 0)
        return 0;
    return (uint64_t)count < queue->capacity ? (size_t)count
                                             : (size_t)queue->capacity;
}

size_t girt_mpmc_capacity(const girt_mpmc *queue)
{
    return (size_t)queue->capacity;
}

bool girt__mpmc_is_valid(const girt_mpmc *queue)
{
    uint64_t const head =
        girt_fast_mpmc_frontier(queue, queue->head, GIRT_FAST_CONSUMED);
    uint64_t const tail =
        girt_fast_mpmc_frontier(queue, queue->tail, GIRT_FAST_FILLED);
    if (tail - head > queue->capacity) /* I3 */
        return false;
    if ((int64_t)(tail - queue->tail) < 0 || (int64_t)(head - queue->head) < 0)
        return false; /* I4 */
    for (uint64_t t = head; t != head + queue->mask + 1; t++) {
        bool const held = t - head < tail - head;
        girt_fast_pair const slot = queue->slots[t & queue->mask];
        if (slot.word[0] != 2 * t + held || (!held && slot.word[1] != 0))
            return false; /* I2 */
    }
    return true;
}
