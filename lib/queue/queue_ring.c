/* SPDX-License-Identifier: MIT */
/* queue_ring.c - what of a ring is off the hot path. */
#include "queue/queue_ring.h"

#include <sched.h>

#include "core/assert.h"

/* Pauses, of some 25 ns; in a ring whose eighth does not fill meanwhile. */
#define LULL_FIRST 8u
#define LULL_MAX   64u
#define LULL_TRIAL 64u

girt_status girt__ring_init(girt__ring *ring, size_t capacity,
                            const girt_allocator *allocator)
{
    girt_assert(capacity >= 1 && capacity <= RING_CAPACITY_MAX);
    size_t size;
    if (!girt__size_multiply(capacity, sizeof(girt__slot), &size))
        return GIRT_E_NOMEM;
    girt__slot *const slots = girt__allocate(allocator, size, GIRT_CACHELINE);
    if (slots == NULL)
        return GIRT_E_NOMEM;
    unsigned bits = 0;
    while (((uint64_t)1 << bits) < capacity)
        bits++;
    *ring = (girt__ring){
        .slots = slots,
        .index_mask = (((uint64_t)1 << bits) - 1) * RING_STEP,
        .last = ((uint64_t)capacity - 1) * RING_STEP,
        .inner = ((uint64_t)capacity - 2) * RING_STEP,
        .lap = ((uint64_t)1 << bits) * RING_STEP,
        .capacity = capacity,
        .lull_max = capacity / 8 < LULL_MAX ? (uint32_t)capacity / 8 : LULL_MAX,
    };
    girt__ring_start(ring, 0);
    return GIRT_OK;
}

void girt__ring_release(girt__ring *ring, const girt_allocator *allocator)
{
    girt__release(allocator, ring->slots, ring->capacity * sizeof(girt__slot));
}

void girt__ring_start(girt__ring *ring, uint64_t first_lap)
{
    uint64_t const first = first_lap * girt__ring_lap(ring);
    uint64_t ticket = first;
    for (size_t i = 0; i < ring->capacity; i++) {
        ring->slots[i].turn = ticket;
        ring->slots[i].item = NULL;
        ticket = girt__ring_next(ring, ticket);
    }
    girt_store_relaxed(&ring->tail, first | (ring->tail & ~RING_TICKET));
    girt_store_relaxed(&ring->head, first);
    girt_store_relaxed(&ring->settled, first);
    girt_store_relaxed(&ring->overtaken,
                       first | (ring->overtaken & ~RING_TICKET));
    ring->push_lull = ring->pop_lull = (girt__lull){.vain = 1};
}

void girt__ring_relax(unsigned *rounds)
{
    /* The claimer is between two stores unless it lost its CPU: then only
     * giving ours away helps. */
    if (++*rounds < 64)
        girt_pause();
    else
        (void)sched_yield();
}

void girt__ring_back_off(unsigned *pauses)
{
    for (unsigned i = 0; i < *pauses; i++)
        girt_pause();
    if (*pauses < RING_PAUSES_MAX)
        *pauses *= 2;
}

/* Tickets that are outstanding are within a lap of each other, so a note within
 * this distance covers one; any other is behind. */
static bool is_noted(const girt__ring *ring, uint64_t note, uint64_t ticket,
                     uint64_t laps)
{
    return (note & RING_TICKET) - ticket - 1 <
           laps * girt__ring_lap(ring) + RING_NOTE_AHEAD;
}

void girt__ring_note(girt__ring *ring, uint64_t ticket)
{
    uint64_t note = girt_load_relaxed(&ring->overtaken);
    /* A retry follows another's note, or the close. */
    while (!is_noted(ring, note, ticket, 1) &&
           !girt_cas_acq_rel(&ring->overtaken, &note,
                             (ticket + RING_NOTE_AHEAD) | (note & RING_CLOSED)))
        continue;
}

/* The ticket `count` after this one, count <= capacity. */
static uint64_t advance(const girt__ring *ring, uint64_t ticket, size_t count)
{
    uint64_t const end = (ticket & ring->index_mask) + count * RING_STEP;
    uint64_t const gap = ring->index_mask - ring->last;
    return ticket + count * RING_STEP + (end > ring->last ? gap : 0);
}

/* How many slots from `ticket` on may be claimed, 1 .. most, when the first may
 * be: its turn is the ticket with `mark`.  Claims are made in order, so when
 * the last one is ready, those before it are ready or about to be; that spares
 * a look at each (batches of 32: 1.6 ns an item for push and pop, 4.0 before).
 */
static size_t claimable(const girt__ring *ring, uint64_t ticket, size_t most,
                        uint64_t mark)
{
    if (most > ring->capacity)
        most = ring->capacity;
    if (most <= 1)
        return 1;
    uint64_t at = advance(ring, ticket, most - 1);
    if (girt_load_relaxed(&girt__ring_slot(ring, at)->turn) == (at | mark))
        return most;
    size_t count = 1;
    at = girt__ring_next(ring, ticket);
    while (count < most &&
           girt_load_relaxed(&girt__ring_slot(ring, at)->turn) == (at | mark)) {
        at = girt__ring_next(ring, at);
        count++;
    }
    return count;
}

/* R4 or R2: this slot's turn is about to come. */
static __attribute__((noinline)) void await_turn(const girt__slot *slot,
                                                 uint64_t turn)
{
    unsigned rounds = 0;
    while (girt_load_acquire(&slot->turn) != turn)
        girt__ring_relax(&rounds);
}

/* Slots from that of `ticket` to the end of the array, at most `count`. */
static size_t straight_run(const girt__ring *ring, uint64_t ticket,
                           size_t count)
{
    size_t const left =
        (size_t)((ring->last - (ticket & ring->index_mask)) / RING_STEP) + 1;
    return count < left ? count : left;
}

static void put(girt__ring *ring, uint64_t ticket, void *const *items,
                size_t count)
{
    while (count > 0) {
        girt__slot *slot = girt__ring_slot(ring, ticket);
        size_t const run = straight_run(ring, ticket, count);
        uint64_t turn = ticket;
        for (void *const *const end = items + run; items < end; items++) {
            if (girt_unlikely(girt_load_acquire(&slot->turn) != turn)) /* R4 */
                await_turn(slot, turn);
            slot->item = *items;
            /* R1 -> R2: the item and all that it points to. */
            girt_store_release(&slot->turn, turn + RING_FULL);
            slot++;
            turn += RING_STEP;
        }
        ticket = advance(ring, ticket, run);
        count -= run;
    }
}

static void take(girt__ring *ring, uint64_t ticket, void **items, size_t count)
{
    uint64_t const to_free = girt__ring_lap(ring) - RING_FULL;
    while (count > 0) {
        girt__slot *slot = girt__ring_slot(ring, ticket);
        size_t const run = straight_run(ring, ticket, count);
        uint64_t turn = ticket + RING_FULL;
        for (void **const end = items + run; items < end; items++) {
            if (girt_unlikely(girt_load_acquire(&slot->turn) != turn)) /* R2 */
                await_turn(slot, turn);
            *items = slot->item;
            /* R3 -> R4: the slot was read before it is free. */
            girt_store_release(&slot->turn, turn + to_free);
            slot++;
            turn += RING_STEP;
        }
        ticket = advance(ring, ticket, run);
        count -= run;
    }
}

/* For a side whose slot of `ticket` is not ready: its turn is not yet the
 * ticket with `mark`.  Pauses without a look, once a ticket, and answers
 * whether the slot is ready now.
 *
 * A thread that takes each item of a stream the moment it comes shares two
 * lines with its producer at every item, the slot's and, to tell empty from
 * "about to come", the word that the producer claims by.  A little later there
 * are dozens, and no such look.  So a lull that found an item for every two
 * pauses doubles the next, any other halves it, down to none: an idle queue, a
 * dialogue, a slow stream and a queue that is full for long answer at once, but
 * for one lull in LULL_TRIAL tickets, which notices that a fast stream began.
 * Its length matters: a stream that is slowed down by its consumer brings no
 * second item in a pause or two. */
static bool lull(const girt__ring *ring, girt__lull *lull, uint64_t ticket,
                 uint64_t mark)
{
    uint32_t const before = girt_load_relaxed(&lull->pauses);
    bool const is_trial = ticket / RING_STEP % LULL_TRIAL == 0;
    uint32_t const length = before != 0 ? before : is_trial ? LULL_FIRST : 0;
    if (length == 0 || length > ring->lull_max ||
        girt_load_relaxed(&lull->vain) == ticket)
        return false;
    for (uint32_t i = 0; i < length; i++)
        girt_pause();
    bool const ready =
        girt_load_relaxed(&girt__ring_slot(ring, ticket)->turn) ==
        (ticket | mark);
    if (!ready)
        girt_store_relaxed(&lull->vain, ticket);
    uint64_t const later = advance(ring, ticket, length / 2);
    bool const paid =
        ready && girt_load_relaxed(&girt__ring_slot(ring, later)->turn) ==
                     (later | mark);
    uint32_t const wish = paid ? length * 2 : length / 2;
    uint32_t const after = wish < LULL_FIRST ? 0 : wish;
    if (after != before && after <= ring->lull_max)
        girt_store_relaxed(&lull->pauses, after);
    return ready;
}

/* Before an answer of full: all pushes before `ticket` count as done, the
 * caller's own for everyone. */
static void settle(girt__ring *ring, const girt__slot *slot, uint64_t ticket)
{
    if (!girt__ring_follows(ring, slot, ticket))
        girt__ring_note(ring, ticket);
    girt_fence_seq_cst();
}

girt_status girt__ring_push(girt__ring *ring, void *const *items, size_t count,
                            bool granted, size_t *pushed, uint64_t *seen)
{
    unsigned pauses = RING_PAUSES_FIRST, rounds = 0;
    for (;;) {
        uint64_t tail = girt_load_acquire(&ring->tail);
        uint64_t const ticket = tail & RING_TICKET;
        const girt__slot *const slot = girt__ring_slot(ring, ticket);
        uint64_t const turn = girt_load_acquire(&slot->turn);
        if (turn == ticket) {
            if (tail & RING_CLOSED)
                return GIRT_CLOSED;
            size_t const grants = (tail & RING_GRANTS) / RING_GRANT;
            if (granted && grants == 0)
                return GIRT_LIMITED;
            size_t const claimed = claimable(
                ring, ticket, granted && grants < count ? grants : count, 0);
            uint64_t wish = advance(ring, ticket, claimed) |
                            (tail & ~(RING_TICKET | RING_SLEEPERS));
            if (granted)
                wish -= claimed * RING_GRANT;
            /* acq_rel for SL: queue_wait.c's W1 and W2. */
            if (girt_likely(girt_cas_acq_rel(&ring->tail, &tail, wish))) {
                if (girt_unlikely(!girt__ring_follows(ring, slot, ticket)))
                    girt__ring_note(ring, ticket);
                put(ring, ticket, items, claimed);
                *pushed = claimed;
                *seen = tail;
                return GIRT_OK;
            }
            girt__ring_back_off(&pauses);
        } else if ((int64_t)(turn - ticket) < 0) {
            /* The item of one lap ago, or its popper has not released. */
            if (tail & RING_CLOSED)
                return GIRT_CLOSED;
            if (lull(ring, &ring->push_lull, ticket, 0))
                continue;
            if (ring->is_alone)
                settle(ring, slot, ticket);
            uint64_t const head = girt_load_seq_cst(&ring->head) & RING_TICKET;
            if (ticket - head == girt__ring_lap(ring))
                return GIRT_FULL;
            girt__ring_relax(&rounds);
        }
    }
}

/* Answers for a pop at `ticket`, which was free, without a look at tail; false:
 * look.  The proof is girt__ring_note's. */
static bool is_surely_empty(const girt__ring *ring, uint64_t ticket)
{
    girt_fence_seq_cst(); /* the caller's own publications, then this look */
    if (girt_load_acquire(&girt__ring_slot(ring, ticket)->turn) != ticket)
        return false;
    uint64_t const note = girt_load_acquire(&ring->overtaken);
    return !(note & RING_CLOSED) && !is_noted(ring, note, ticket, 2);
}

girt_status girt__ring_pop(girt__ring *ring, void **items, size_t count,
                           size_t *popped, uint64_t *seen)
{
    unsigned pauses = RING_PAUSES_FIRST, rounds = 0;
    for (;;) {
        uint64_t head = girt_load_acquire(&ring->head);
        uint64_t const ticket = head & RING_TICKET;
        uint64_t const turn =
            girt_load_acquire(&girt__ring_slot(ring, ticket)->turn);
        if (turn == (ticket | RING_FULL)) {
            size_t const claimed = claimable(ring, ticket, count, RING_FULL);
            if (girt_likely(girt_cas_acq_rel(&ring->head, &head,
                                             advance(ring, ticket, claimed)))) {
                take(ring, ticket, items, claimed);
                *popped = claimed;
                *seen = head;
                return GIRT_OK;
            }
            girt__ring_back_off(&pauses);
        } else if (turn == ticket) {
            if (lull(ring, &ring->pop_lull, ticket, RING_FULL))
                continue;
            if (ring->is_alone && is_surely_empty(ring, ticket)) {
                *seen = ticket;
                return GIRT_EMPTY;
            }
            uint64_t const tail = girt_load_seq_cst(&ring->tail);
            if ((tail & RING_TICKET) == ticket) {
                *seen = tail;
                return tail & RING_CLOSED ? GIRT_CLOSED : GIRT_EMPTY;
            }
            girt__ring_relax(&rounds);
        }
    }
}
