/* SPDX-License-Identifier: MIT */
/* queue_ring.h - a bounded ring of sequence slots, the engine of girt_queue.
 *
 * Idea [Vyukov, bounded MPMC queue, 2010]: a slot carries the number of the
 * turn it is ready for, so that a claim is one CAS on the tail or head word and
 * the item's way from hand to hand touches its slot alone.  What differs here:
 *
 *   word   63            16 15        4  3  2  1  0
 *          +---------------+-----------+--+--+--+--+
 *   tail   |    ticket     |  grants   | 0|WD|CL|SL|
 *   head   |    ticket     |     0     | 0| 0| 0|SL|
 *   turn   |    ticket     |     0     |FU| 0| 0| 0|
 *          +---------------+-----------+--+--+--+--+
 *   ticket = lap, then index; the index has as many bits as the capacity needs
 *   and wraps at the capacity itself, so that any capacity is exact and none
 *   costs a division.
 *
 *   FU  the slot holds the item of this ticket; else it is free for it.
 *   SL  of tail: a popper may sleep; of head: a pusher may.  The CAS that
 *       claims clears it, and owes one wake: see queue_wait.c.
 *   CL  closed: no claim succeeds any more.
 *   WD  a watcher's eventfd is to be made readable: see queue_fd.c.
 *   grants  items that may still be pushed, where several rings share one
 *       capacity: see queue_budget.c.  0 elsewhere.
 *
 * I1: head <= tail <= head + one lap, in tickets.
 * I2: a slot's turn only grows: t, t|FU, t + lap, (t + lap)|FU, ...
 * I3: turn is t|FU from the publication of ticket t to its release by the one
 *     popper whose CAS moved head over t.
 * I4: with CL in tail, tail does not move.
 *
 * Empty and full are exact.  Vyukov's pop answers empty when the first slot is
 * claimed and not yet published, though later ones may be; this one answers
 * only after it read tail == head.  It had read head first, head never passes
 * tail, so head was the same when tail was read: the queue was empty then.
 * Full likewise: tail read first, then head one lap behind.  In between it
 * waits for the thread that claimed, which is why this is not lock-free.  The
 * other side's word is looked at after a lull only: see queue_ring.c.
 *
 * A ring that is alone in its queue mostly answers empty without tail, whose
 * line its pusher would have to fetch back: see girt__ring_note.
 *
 * Pairs: R1 publish -> R2 pop sees the item; R3 release -> R4 push may
 * overwrite.  Tickets wrap with 64-bit arithmetic, compared by difference. */
#ifndef GIRT_QUEUE_QUEUE_RING_H
#define GIRT_QUEUE_QUEUE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/fast/queue.h>
#include <girt/status.h>

#include "core/alloc_internal.h"
#include "core/atomic.h"
#include "core/cacheline.h"

#define RING_FULL         GIRT_FAST_RING_FULL /* of a turn */
#define RING_SLEEPERS     UINT64_C(1)         /* of tail and head */
#define RING_CLOSED       UINT64_C(2)         /* of tail */
#define RING_WATCHED      UINT64_C(4)         /* of tail */
#define RING_GRANT        UINT64_C(16)        /* one grant */
#define RING_GRANTS       UINT64_C(0xfff0)
#define RING_GRANTS_MAX   4095u
#define RING_STEP         GIRT_FAST_RING_STEP /* one ticket */
#define RING_TICKET       (~(RING_STEP - 1))
#define RING_CAPACITY_MAX ((uint64_t)1 << 32)
#define RING_NOTE_AHEAD   (256 * RING_STEP)

/* Where the ring stands, and first tries: include/girt/fast/queue.h. */
typedef girt_fast_slot girt__slot;
typedef girt_fast_ring girt__ring;
/* How a side that finds no item, or no room, pauses before it looks at the
 * other side's word: queue_ring.c. */
typedef girt_fast_ring_lull girt__lull;
_Static_assert(sizeof(girt__slot) == 16, "a slot is found by a shift");
_Static_assert(offsetof(girt__ring, tail) % GIRT_CACHELINE == 0,
               "pushers own their line");
_Static_assert(offsetof(girt__ring, head) % GIRT_CACHELINE == 0,
               "poppers own their line");

/* capacity is 1 .. RING_CAPACITY_MAX. */
girt_status girt__ring_init(girt__ring *ring, size_t capacity,
                            const girt_allocator *allocator);
void girt__ring_release(girt__ring *ring, const girt_allocator *allocator);
/* Makes `first` the next ticket's lap; only while the ring is empty and unused:
 * tests begin near the wrap. */
void girt__ring_start(girt__ring *ring, uint64_t first_lap);
/* Waits a little for a thread that has claimed a slot: pauses, then yields. */
void girt__ring_relax(unsigned *rounds);
/* Pops at tickets before this one look at tail before they answer empty: it is
 * about to be published before its predecessor, or the queue was seen full.
 *
 * Why that suffices.  A pop at ticket t saw t not published, then no note.  Let
 * a push count from when its own ticket or a later one was first published or
 * noted: within its call, in order of tickets.  Were there a w >= t that
 * counts by then, go down from w while a push found its predecessor published.
 * This ends at t, which was not published, or at a noted one: the note came
 * before its publication, hence before all of those above, and the pop would
 * have seen it.  So the queue was empty when the pop looked at the slot.  A
 * push that answers full counts all before it as inside: where the last of
 * them is not published, it notes first.  Notes run ahead and cover many
 * tickets, so that pushers who race write one now and then.  CL is set here
 * before in tail, so a pop that does not see it comes before the close.
 *
 * R1's store may wait in a store buffer when its call has ended, which a claim
 * does not; hence the fences of empty and full, without which two threads that
 * each push to a queue and then pop from the other's could both find nothing.
 */
void girt__ring_note(girt__ring *ring, uint64_t ticket);
/* From now on every pop looks: for a closing, before CL is set in tail, and for
 * an eventfd, whose state goes by tail. */
static inline void girt__ring_note_all(girt__ring *ring)
{
    (void)girt_or_acq_rel(&ring->overtaken, RING_CLOSED);
}
#define RING_PAUSES_FIRST 16u
#define RING_PAUSES_MAX   256u
/* After a lost CAS only, doubling: backing off before an answer of empty or
 * full cost more than it gave. */
void girt__ring_back_off(unsigned *pauses);

static inline girt__slot *girt__ring_slot(const girt__ring *ring,
                                          uint64_t ticket)
{
    return girt_fast_ring_slot(ring, ticket & ring->index_mask);
}

static inline uint64_t girt__ring_lap(const girt__ring *ring)
{
    return ring->lap;
}

static inline uint64_t girt__ring_next(const girt__ring *ring, uint64_t ticket)
{
    uint64_t const gap = ring->index_mask - ring->last;
    return ticket + RING_STEP +
           ((ticket & ring->index_mask) == ring->last ? gap : 0);
}

/* Tickets from `from` to `to`, at most a lap apart. */
static inline size_t girt__ring_distance(const girt__ring *ring, uint64_t from,
                                         uint64_t to)
{
    uint64_t const from_index = from & ring->index_mask;
    uint64_t const to_index = to & ring->index_mask;
    from &= RING_TICKET;
    to &= RING_TICKET;
    if (to - from == girt__ring_lap(ring))
        return ring->capacity;
    uint64_t const gap = ring->index_mask - ring->last;
    return (size_t)((to - from - (to_index < from_index ? gap : 0)) /
                    RING_STEP);
}

/* Is the ticket before this one, whose slot is given, published? */
static inline bool girt__ring_follows(const girt__ring *ring,
                                      const girt__slot *slot, uint64_t ticket)
{
    uint64_t before = ticket - RING_STEP;
    if (girt_unlikely((ticket & ring->index_mask) == 0)) {
        slot += ring->capacity;
        before -= ring->index_mask - ring->last;
    }
    return (int64_t)(girt_load_acquire(&slot[-1].turn) -
                     (before | RING_FULL)) >= 0;
}

/* girt_fast_ring_push at the first slot or the last. */
static inline int girt__ring_push_at_edge(girt__ring *ring, void *item)
{
    uint64_t tail = girt_load_relaxed(&ring->tail);
    girt__slot *const slot = girt__ring_slot(ring, tail);
    if (girt_load_acquire(&slot->turn) != tail || /* R4 */
        !girt__ring_follows(ring, slot, tail))
        return GIRT_FAST_FIRST_OTHER;
    if (!girt_cas_acq_rel(&ring->tail, &tail, girt__ring_next(ring, tail)))
        return GIRT_FAST_FIRST_LOST;
    slot->item = item;
    girt_store_release(&slot->turn, tail | RING_FULL); /* R1 -> R2 */
    return GIRT_FAST_FIRST_DONE;
}

/* Pushes 1 .. count items with one claim; *pushed says how many, *seen what
 * tail was.  GIRT_OK, GIRT_FULL or GIRT_CLOSED, exact.  With `granted` also
 * GIRT_LIMITED: no grants.  A retry follows another thread's success. */
girt_status girt__ring_push(girt__ring *ring, void *const *items, size_t count,
                            bool granted, size_t *pushed, uint64_t *seen);
/* Pops 1 .. count items with one claim; *popped says how many, *seen what head
 * was.  GIRT_OK, GIRT_EMPTY or GIRT_CLOSED (empty, and nothing can come),
 * exact; then *seen is what tail was.  A retry follows another's success. */
girt_status girt__ring_pop(girt__ring *ring, void **items, size_t count,
                           size_t *popped, uint64_t *seen);

/* Claimed items; a claim under way counts.  Stale as soon as it is known. */
static inline size_t girt__ring_count(const girt__ring *ring)
{
    uint64_t const head = girt_load_acquire(&ring->head) & RING_TICKET;
    uint64_t const tail = girt_load_acquire(&ring->tail) & RING_TICKET;
    /* Head may have moved on since, so the distance may be over a lap. */
    return tail - head > girt__ring_lap(ring)
               ? ring->capacity
               : girt__ring_distance(ring, head, tail);
}

#endif /* GIRT_QUEUE_QUEUE_RING_H */
