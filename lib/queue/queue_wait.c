/* SPDX-License-Identifier: MIT */
/* queue_wait.c - sleeping, waking, closing.
 *
 * Problem: a push must wake a popper that sleeps, no wake may be lost, at most
 * one should be under way, and while nobody sleeps the push must not pay for
 * it: not even the fence of a store-load pair.
 *
 * Idea: the popper says that it is about to sleep in the very word that a push
 * claims by: SLEEPERS in tail.  Setting it and claiming are read-modify-writes
 * of one word, so one comes first.  If the claim does, the popper sees
 * tail != head and does not sleep.  If the setting does, the claim sees the
 * bit, clears it, and thereby owes one wake, which it pays after publishing.
 * Later claims see no bit and owe nothing: one wake is under way.  The woken
 * popper passes the duty on: others still asleep get either the bit again or,
 * when there are items already, a wake.  Pushers that wait for room do the
 * same with head.
 *
 * No wake is lost.  Claim: while a popper X is asleep, in each ring the bit is
 * set, or a thread is on its way that will set it or wake X or another sleeper
 * after this moment.  X had joined the park (W0) before it set the bit (W1).
 * If the bit is clear later, a push's claim cleared it (W2), and that push
 * goes on to wake one; X has joined by then, so the wake finds a sleeper: X,
 * or a Y that leaves now.  Every Y that leaves, woken or not, first tries and
 * then passes on (W3): it finds X joined, and sets the bit or wakes one.
 * Items that came while the bit was clear are seen by the look after W3.  So
 * an item in the queue and X asleep for ever exclude each other, and the same
 * holds for each of several sleepers, for each wakes the next.
 *
 * Every leaver passing on matters: a wake may reach a Y whose time is up. */
#include "queue/queue_internal.h"

#include <sched.h>

#include "core/clock_internal.h"
#include "core/probe.h"

/* Before a sleep, which costs some 50 us: pauses of about 25 ns, then yields
 * of about 500 ns. */
#ifndef SPIN_PAUSES /* tests/schedule sleeps sooner */
#define SPIN_PAUSES 40u
#define SPIN_YIELDS 20u
#endif

typedef struct patience {
    int64_t deadline_ns; /* once waiting */
    int64_t since_ns; /* the spin brought nothing; 0: not yet, or no report */
    unsigned rounds;  /* since the last progress */
    bool waiting;
    bool expired;
    bool slept; /* and has not passed on yet */
} patience;

static bool is_full(const girt__ring *ring)
{
    uint64_t const tail = girt_load_seq_cst(&ring->tail);
    uint64_t const head = girt_load_seq_cst(&ring->head);
    return (tail & RING_TICKET) - (head & RING_TICKET) == girt__ring_lap(ring);
}

bool girt__queue_is_empty(const girt_queue *queue)
{
    if (girt__queue_is_pair(queue))
        return girt__pair_is_empty(queue);
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        const girt__ring *const ring = &queue->rings[i];
        uint64_t const tail = girt_load_seq_cst(&ring->tail);
        uint64_t const head = girt_load_seq_cst(&ring->head);
        if (((tail ^ head) & RING_TICKET) != 0)
            return false;
    }
    return true;
}

static bool has_room(const girt_queue *queue)
{
    return queue->rings_count == 1 ? !is_full(&queue->rings[0])
                                   : girt__budget_left(queue);
}

/* W1.  False: an item is there, or the queue is closed: no need to sleep. */
static bool arm_items(girt_queue *queue)
{
    bool idle = true;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        girt__ring *const ring = &queue->rings[i];
        uint64_t const tail = girt_or_acq_rel(&ring->tail, RING_SLEEPERS);
        uint64_t const head = girt_load_seq_cst(&ring->head);
        if (((tail ^ head) & RING_TICKET) != 0 || (tail & RING_CLOSED))
            idle = false;
    }
    return idle;
}

/* W1 of pushers. */
static bool arm_room(girt_queue *queue)
{
    bool closed = false;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        girt__ring *const ring = &queue->rings[i];
        (void)girt_or_acq_rel(&ring->head, RING_SLEEPERS);
        if (girt_load_seq_cst(&ring->tail) & RING_CLOSED)
            closed = true;
    }
    return !closed && !has_room(queue);
}

/* W3: see above. */
static void pass_on_items(girt_queue *queue)
{
    if (girt_load_seq_cst(&queue->items.waiters) != 0 &&
        (!girt__queue_is_empty(queue) || !arm_items(queue)))
        girt__park_wake(&queue->items, 1);
}

static void pass_on_room(girt_queue *queue)
{
    if (girt_load_seq_cst(&queue->room.waiters) != 0 &&
        (has_room(queue) || !arm_room(queue)))
        girt__park_wake(&queue->room, 1);
}

/* W2: the claim's debts, after publishing. */
void girt__queue_pushed(girt_queue *queue, uint64_t seen)
{
    if (seen & RING_SLEEPERS)
        girt__park_wake(&queue->items, 1);
    if (seen & RING_WATCHED)
        girt__watch_signal(queue, false);
}

void girt__queue_popped(girt_queue *queue)
{
    girt__park_wake(&queue->room, 1);
}

/* Looks at slots alone: a look at the other end's word would take that line
 * from the thread that is being waited for, at every item (2P2C blocking: 17 ns
 * of CPU an item with such looks, 8 without). */
static bool looks_poppable(const girt_queue *queue)
{
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        const girt__ring *const ring = &queue->rings[i];
        uint64_t const ticket = girt_load_relaxed(&ring->head) & RING_TICKET;
        if (girt_load_relaxed(&girt__ring_slot(ring, ticket)->turn) != ticket)
            return true;
    }
    return false;
}

static bool looks_pushable(const girt_queue *queue)
{
    if (queue->rings_count > 1)
        return girt__budget_left(queue);
    const girt__ring *const ring = &queue->rings[0];
    uint64_t const ticket = girt_load_relaxed(&ring->tail) & RING_TICKET;
    return girt_load_relaxed(&girt__ring_slot(ring, ticket)->turn) == ticket;
}

static bool looks_twice_poppable(const girt_queue *queue)
{
    const girt__ring *const ring = &queue->rings[0];
    uint64_t const ticket =
        girt__ring_next(ring, girt_load_relaxed(&ring->head) & RING_TICKET);
    return queue->rings_count == 1 &&
           girt_load_relaxed(&girt__ring_slot(ring, ticket)->turn) ==
               (ticket | RING_FULL);
}

static bool looks_twice_pushable(const girt_queue *queue)
{
    const girt__ring *const ring = &queue->rings[0];
    uint64_t const ticket =
        girt__ring_next(ring, girt_load_relaxed(&ring->tail) & RING_TICKET);
    return queue->rings_count == 1 &&
           girt_load_relaxed(&girt__ring_slot(ring, ticket)->turn) == ticket;
}

static const girt__awaited an_item = {looks_poppable, looks_twice_poppable,
                                      arm_items, pass_on_items};
static const girt__awaited some_room = {looks_pushable, looks_twice_pushable,
                                        arm_room, pass_on_room};

/* Pauses without a look at first, for as long as that has paid lately: a thread
 * that takes each item of a stream the moment it comes shares the line with its
 * producer at every item.  If there is a second item after the lull, the next
 * lull is longer; if not, as in a dialogue, it is shorter, down to 50 ns.
 * 1P1C blocking: 32 ns of CPU an item with no lull, 8 with one of 20 pauses. */
static void spin(girt_queue *queue, uint32_t *lull, const girt__awaited *what)
{
    uint32_t const before = girt_load_relaxed(lull);
    for (uint32_t i = 0; i < before; i++)
        girt_pause();
    for (uint32_t i = before; i < SPIN_PAUSES && !what->looks_good(queue); i++)
        girt_pause();
    uint32_t const after =
        what->looks_twice_good(queue) ? before * 2 : before / 2;
    if (after != before && after >= QUEUE_LULL_MIN && after <= QUEUE_LULL_MAX)
        girt_store_relaxed(lull, after);
}

/* Waits a little, or sleeps on the park when that has not helped. */
static void wait_a_round(girt_queue *queue, patience *p, int64_t timeout_ns,
                         girt__park *park, uint32_t *lull,
                         const girt__awaited *what)
{
    if (!p->waiting)
        p->deadline_ns = girt__deadline(timeout_ns);
    p->waiting = true;
    p->rounds++;
    if (p->rounds > 1 && p->since_ns == 0)
        p->since_ns = girt__queue_wait_begin(queue);
    if (p->rounds == 1) {
        spin(queue, lull, what);
    } else if (p->rounds <= 1 + SPIN_YIELDS) {
        (void)sched_yield();
        p->expired = timeout_ns != GIRT_FOREVER &&
                     girt__clock_now(&girt_clock_monotonic) >= p->deadline_ns;
    } else {
        uint32_t const key = girt__park_prepare(park); /* W0 */
        if (what->arm(queue)) {
            p->expired = !girt__park_wait(park, key, p->deadline_ns);
        } else {
            girt__park_cancel(park);
            p->rounds = 1; /* it may be claimed only: yield to who did */
        }
        p->slept = true;
    }
}

static bool drop_one(girt_queue *queue)
{
    void *item = NULL;
    size_t popped = 0;
    uint64_t seen = 0;
    bool const found = queue->rings_count == 1
                           ? girt__ring_pop(&queue->rings[0], &item, 1, &popped,
                                            &seen) == GIRT_OK
                           : girt__several_pop_oldest(queue, &item);
    if (found) {
        girt__report_count(queue->report, GIRT__QUEUE_DROPPED, 1);
        girt_probe2(queue_drop, queue, item);
    }
    if (found && queue->dropped != NULL)
        queue->dropped(queue->context, item);
    return found;
}

girt_status girt__queue_push_wait(girt_queue *queue, unsigned band,
                                  void *const *items, size_t count,
                                  int64_t timeout_ns, size_t *pushed)
{
    const girt__awaited *const what =
        girt__queue_is_pair(queue) ? &girt__pair_room : &some_room;
    patience p = {.expired = timeout_ns == GIRT_NOW};
    size_t done = 0;
    girt_status status = GIRT_OK;
    while (done < count) {
        size_t some = 0;
        status = girt__queue_try_push(queue, band, items + done, count - done,
                                      &some);
        if (p.slept)
            what->leave(queue);
        p.slept = false;
        if (status == GIRT_OK) {
            girt_probe2(queue_push, queue, some);
            done += some;
            p.rounds = 0;
            continue;
        }
        if (status == GIRT_CLOSED)
            break;
        if (queue->drop_oldest) {
            if (!drop_one(queue)) /* popped, or in another pusher's hands */
                girt__ring_relax(&p.rounds);
            continue;
        }
        if (p.expired) {
            status = timeout_ns == GIRT_NOW ? GIRT_FULL : GIRT_TIMEOUT;
            girt__report_count(queue->report, GIRT__QUEUE_FULL, 1);
            girt_probe1(queue_reject, queue);
            break;
        }
        wait_a_round(queue, &p, timeout_ns, &queue->room, &queue->room_lull,
                     what);
    }
    girt__queue_wait_end(queue, GIRT__QUEUE_PUSH_WAITS, p.since_ns);
    *pushed = done;
    return status;
}

girt_status girt__queue_pop_wait(girt_queue *queue, void **items, size_t count,
                                 int64_t timeout_ns, size_t *popped)
{
    const girt__awaited *const what =
        girt__queue_is_pair(queue) ? &girt__pair_item : &an_item;
    patience p = {.expired = timeout_ns == GIRT_NOW};
    for (;;) {
        girt_status const status =
            girt__queue_try_pop(queue, items, count, popped);
        if (p.slept)
            what->leave(queue);
        p.slept = false;
        if (status != GIRT_EMPTY) {
            if (status == GIRT_OK)
                girt_probe2(queue_pop, queue, *popped);
            girt__queue_wait_end(queue, GIRT__QUEUE_POP_WAITS, p.since_ns);
            return status;
        }
        if (!p.expired) {
            wait_a_round(queue, &p, timeout_ns, &queue->items,
                         &queue->item_lull, what);
        } else if (!girt__queue_is_watched(queue) || girt__watch_empty(queue)) {
            girt__queue_wait_end(queue, GIRT__QUEUE_POP_WAITS, p.since_ns);
            return timeout_ns == GIRT_NOW ? GIRT_EMPTY : GIRT_TIMEOUT;
        }
    }
}

void girt_queue_close(girt_queue *queue)
{
    if (queue == NULL)
        return;
    if (queue->inner != NULL) {
        girt_queue_close(queue->inner);
        return;
    }
    if (girt__queue_is_pair(queue))
        girt__pair_settle(queue);
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        girt__ring_note_all(&queue->rings[i]);
        (void)girt_or_acq_rel(&queue->rings[i].tail, RING_CLOSED);
    }
    girt__park_wake(&queue->items, UINT32_MAX);
    girt__park_wake(&queue->room, UINT32_MAX);
    girt__watch_signal(queue, true);
}
