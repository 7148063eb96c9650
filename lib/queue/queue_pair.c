/* SPDX-License-Identifier: MIT */
/* queue_pair.c - the engine for one producer and one consumer.
 *
 * Problem: girt_spsc hands over an item with plain stores, so it has no word
 * in which sleepers, watchers or close could meet a push; to store an item and
 * then look whether anybody is to be told takes a full fence.
 *
 * Idea: they tell it in `alerts`, and pay for both sides' fence: core's
 * asym_fence.h, light in a push or pop, heavy in who sets a bit.  Without
 * membarrier(2) queue.c takes a ring: a real fence made this slower than one
 * (1P1C: 11.6 ns an item against 7.1).
 *
 *   push  P0 alerts: bits for a pusher?    pop  Q0 an item?  none: Q3
 *         P1 girt_spsc_push                     Q1 girt_spsc_pop
 *         P2 light fence                        Q2 light fence
 *         P3 alerts, again                      Q3 alerts
 *
 *   POPPER   a popper may sleep; who clears it in P3 owes a wake
 *   PUSHER   a pusher may sleep; likewise Q3
 *   WATCHED  the eventfd is to be made readable: queue_fd.c
 *   CLOSED   close has begun
 *   SETTLED  `end` is known, and is final
 *
 * Sleep.  The popper joins the park (W0), sets POPPER, fences heavily, and
 * looks.  A push whose P2 comes before that fence is seen by the look; any
 * other sees POPPER in P3, unless an earlier push cleared it, which then wakes
 * somebody who has joined.  So an item and a popper asleep exclude each other.
 * Room and PUSHER likewise, with Q2 and Q3; the eventfd likewise, where the
 * look is under queue_fd.c's lock.
 *
 * Close.  A push that looks, then stores, may store after any fence of close;
 * so it looks after it stored, and tickets decide: those below `end` were
 * accepted.  Settling is: set CLOSED; fence heavily; end = the furthest ticket
 * that either side has reached; set SETTLED.  It is done once, under a lock,
 * by close or by the first that finds CLOSED in P3 or Q3.
 *
 *   I1: a push whose P3 missed CLOSED has all its tickets below end: its
 *       store of the producer's ticket (P1) came before P2, which came before
 *       the heavy fence.  One that found CLOSED settles and goes by end: what
 *       is not below was not accepted, and it answers CLOSED.  Its successor
 *       finds CLOSED in P0, so at most one call leaves such items behind.
 *   I2: a pop whose Q3 missed CLOSED took tickets below end only: its store of
 *       the consumer's ticket (Q1) came before Q2.  One that found CLOSED
 *       settles and keeps what is below end.  So an item is delivered only if
 *       its push answers OK.
 *   I3: pop answers CLOSED only when settled with its ticket at end or past
 *       it: everything accepted was delivered.
 *
 * The consumer's ticket counts because it may have taken an item whose producer
 * has not stored its own ticket yet.  Of a batch, end may take a part.
 *
 * Empty and full are girt_spsc's: exact.  After Q3 found CLOSED, a popper
 * below end waits until the item, on its way when end was set, gets to it. */
#define GIRT_INLINE_FAST 1
#include <girt/spsc.h>

#include "core/asym_fence.h"
#include "core/assert.h"
#include "core/probe.h"
#include "queue/queue_internal.h"
#include "queue/spsc_internal.h"

enum {
    PAIR_POPPER = 1,
    PAIR_PUSHER = 2,
    PAIR_WATCHED = 4,
    PAIR_CLOSED = 8,
    PAIR_SETTLED = 16,
};
#define FOR_PUSHES (PAIR_POPPER | PAIR_WATCHED | PAIR_CLOSED)
#define FOR_POPS   (PAIR_PUSHER | PAIR_CLOSED)

girt_status girt__pair_init(girt_queue *queue)
{
    return girt__spsc_create_at(&queue->pair.ring, queue->capacity,
                                &queue->allocator, 0);
}

void girt__pair_release(girt_queue *queue)
{
    girt_spsc_destroy(queue->pair.ring);
}

/* --- close --- */

void girt__pair_settle(girt_queue *queue)
{
    girt__pair *const pair = &queue->pair;
    if (girt_load_acquire(&pair->alerts) & PAIR_SETTLED)
        return;
    (void)pthread_mutex_lock(&queue->watch.lock);
    if (!(girt_load_relaxed(&pair->alerts) & PAIR_SETTLED)) {
        (void)girt_or_acq_rel(&pair->alerts, (uint32_t)PAIR_CLOSED);
        girt__asym_heavy(); /* -> P2, Q2 */
        uint64_t const head = girt_load_acquire(&pair->ring->consumer.ticket);
        uint64_t const tail = girt_load_acquire(&pair->ring->producer.ticket);
        girt_store_relaxed(&pair->end,
                           (int64_t)(tail - head) < 0 ? head : tail);
        (void)girt_or_acq_rel(&pair->alerts, (uint32_t)PAIR_SETTLED);
    }
    (void)pthread_mutex_unlock(&queue->watch.lock);
}

bool girt__pair_is_closed(const girt_queue *queue)
{
    return girt_load_acquire(&queue->pair.alerts) & PAIR_CLOSED;
}

/* Of `count` tickets from `first` on, those below the end; settled. */
static size_t accepted(const girt__pair *pair, uint64_t first, size_t count)
{
    int64_t const left = (int64_t)(girt_load_relaxed(&pair->end) - first);
    return left <= 0 ? 0 : (uint64_t)left < count ? (size_t)left : count;
}

/* --- push --- */

/* P3 found something.  Answers how many of the items count. */
static __attribute__((noinline)) size_t tell_pushed(girt_queue *queue,
                                                    uint64_t first,
                                                    size_t count)
{
    girt__pair *const pair = &queue->pair;
    uint32_t const alerts = girt_load_acquire(&pair->alerts);
    if (alerts & PAIR_CLOSED) {
        girt__pair_settle(queue);
        count = accepted(pair, first, count);
    }
    if ((alerts & PAIR_POPPER) &&
        (girt_and_acq_rel(&pair->alerts, ~(uint32_t)PAIR_POPPER) & PAIR_POPPER))
        girt__park_wake(&queue->items, 1);
    if (alerts & PAIR_WATCHED)
        girt__watch_signal(queue, false);
    return count;
}

girt_status girt__pair_try_push(girt_queue *queue, void *const *items,
                                size_t count, size_t *pushed)
{
    girt__pair *const pair = &queue->pair;
    if (girt_load_acquire(&pair->alerts) & PAIR_CLOSED) /* P0 */
        return GIRT_CLOSED;
    uint64_t const first = pair->ring->producer.ticket;
    size_t done = girt_spsc_push_n(pair->ring, items, count); /* P1 */
    if (done == 0)
        return GIRT_FULL;
    girt__asym_light();                                  /* P2 */
    if (girt_load_relaxed(&pair->alerts) & FOR_PUSHES) { /* P3 */
        done = tell_pushed(queue, first, done);
        if (done == 0)
            return GIRT_CLOSED;
    }
    *pushed = done;
    return GIRT_OK;
}

static __attribute__((noinline)) girt_status push_slowly(girt_queue *queue,
                                                         void *item,
                                                         int64_t timeout_ns)
{
    size_t pushed = 0;
    return girt__queue_push_wait(queue, 0, &item, 1, timeout_ns, &pushed);
}

static __attribute__((noinline)) girt_status told_pushed(girt_queue *queue)
{
    uint64_t const first = queue->pair.ring->producer.ticket - 1;
    if (tell_pushed(queue, first, 1) == 0)
        return GIRT_CLOSED;
    girt_probe2(queue_push, queue, 1);
    return GIRT_OK;
}

static girt_status no_room(const girt_queue *queue)
{
    girt__report_count(queue->report, GIRT__QUEUE_FULL, 1);
    girt_probe1(queue_reject, queue);
    return GIRT_FULL;
}

girt_status girt__pair_push(girt_queue *queue, void *item, int64_t timeout_ns)
{
    girt__pair *const pair = &queue->pair;
    if (girt_unlikely(girt_load_relaxed(&pair->alerts) & FOR_PUSHES)) /* P0 */
        return push_slowly(queue, item, timeout_ns);
    if (girt_unlikely(!girt_spsc_push(pair->ring, item))) /* P1 */
        return timeout_ns == GIRT_NOW ? no_room(queue)
                                      : push_slowly(queue, item, timeout_ns);
    girt__asym_light();                                               /* P2 */
    if (girt_unlikely(girt_load_relaxed(&pair->alerts) & FOR_PUSHES)) /* P3 */
        return told_pushed(queue);
    girt_probe2(queue_push, queue, 1);
    return GIRT_OK;
}

/* --- pop --- */

/* Q3 found something.  Answers how many of the items count. */
static __attribute__((noinline)) size_t tell_popped(girt_queue *queue,
                                                    uint64_t first,
                                                    size_t count)
{
    girt__pair *const pair = &queue->pair;
    uint32_t const alerts = girt_load_acquire(&pair->alerts);
    if (alerts & PAIR_CLOSED) {
        girt__pair_settle(queue);
        count = accepted(pair, first, count);
    }
    if ((alerts & PAIR_PUSHER) &&
        (girt_and_acq_rel(&pair->alerts, ~(uint32_t)PAIR_PUSHER) & PAIR_PUSHER))
        girt__park_wake(&queue->room, 1);
    return count;
}

girt_status girt__pair_try_pop(girt_queue *queue, void **items, size_t count,
                               size_t *popped)
{
    girt__pair *const pair = &queue->pair;
    uint64_t const first = pair->ring->consumer.ticket;
    size_t done = girt_spsc_pop_n(pair->ring, items, count); /* Q1 */
    for (unsigned rounds = 0; done == 0;) {
        if (!(girt_load_acquire(&pair->alerts) & PAIR_CLOSED)) /* Q3 */
            return GIRT_EMPTY;
        girt__pair_settle(queue);
        if (accepted(pair, first, 1) == 0)
            return GIRT_CLOSED;
        done = girt_spsc_pop_n(pair->ring, items, count);
        if (done == 0)
            girt__ring_relax(&rounds);
    }
    girt__asym_light();                                /* Q2 */
    if (girt_load_relaxed(&pair->alerts) & FOR_POPS) { /* Q3 */
        done = tell_popped(queue, first, done);
        if (done == 0)
            return GIRT_CLOSED;
    }
    *popped = done;
    return GIRT_OK;
}

static __attribute__((noinline)) girt_status pop_slowly(girt_queue *queue,
                                                        void **item,
                                                        int64_t timeout_ns)
{
    size_t popped = 0;
    void *got = NULL;
    girt_status const status =
        girt__queue_pop_wait(queue, &got, 1, timeout_ns, &popped);
    if (status == GIRT_OK)
        *item = got;
    return status;
}

static __attribute__((noinline)) girt_status told_popped(girt_queue *queue,
                                                         void **item, void *got)
{
    uint64_t const first = queue->pair.ring->consumer.ticket - 1;
    if (tell_popped(queue, first, 1) == 0)
        return GIRT_CLOSED;
    *item = got;
    girt_probe2(queue_pop, queue, 1);
    return GIRT_OK;
}

girt_status girt__pair_pop(girt_queue *queue, void **item, int64_t timeout_ns)
{
    girt__pair *const pair = &queue->pair;
    void *got;
    if (girt_unlikely(!girt_spsc_pop(pair->ring, &got))) { /* Q1 */
        /* Not closed and nobody watches: that was the answer. */
        if (timeout_ns == GIRT_NOW &&
            !(girt_load_acquire(&pair->alerts) & PAIR_CLOSED) &&
            !girt__queue_is_watched(queue))
            return GIRT_EMPTY;
        return pop_slowly(queue, item, timeout_ns);
    }
    girt__asym_light();                                             /* Q2 */
    if (girt_unlikely(girt_load_relaxed(&pair->alerts) & FOR_POPS)) /* Q3 */
        return told_popped(queue, item, got);
    *item = got;
    girt_probe2(queue_pop, queue, 1);
    return GIRT_OK;
}

/* --- waiting: each in the thread whose side it looks from --- */

/* Items that the line of the next one tells of. */
static int64_t items_seen(const girt_queue *queue)
{
    const girt_fast_spsc_side *const side = &queue->pair.ring->consumer;
    return (int64_t)(girt_load_relaxed(&side->line->filled) - side->ticket);
}

static int64_t room_seen(const girt_queue *queue)
{
    const girt_spsc *const ring = queue->pair.ring;
    return (int64_t)(girt_load_relaxed(&ring->consumer.ticket) +
                     ring->producer.capacity - ring->producer.ticket);
}

static bool looks_poppable(const girt_queue *queue)
{
    return items_seen(queue) > 0;
}

static bool looks_twice_poppable(const girt_queue *queue)
{
    return items_seen(queue) > 1;
}

static bool looks_pushable(const girt_queue *queue)
{
    return room_seen(queue) > 0;
}

static bool looks_twice_pushable(const girt_queue *queue)
{
    return room_seen(queue) > 1;
}

static void announce(girt_queue *queue, uint32_t bit)
{
    uint32_t const before = girt_or_acq_rel(&queue->pair.alerts, bit);
    girt_require(!(before & bit)); /* one producer, one consumer */
    (void)before;
    girt__asym_heavy(); /* -> P2, Q2 */
}

static bool arm_item(girt_queue *queue)
{
    announce(queue, PAIR_POPPER);
    return !looks_poppable(queue) && !girt__pair_is_closed(queue);
}

static void leave_item(girt_queue *queue)
{
    (void)girt_and_acq_rel(&queue->pair.alerts, ~(uint32_t)PAIR_POPPER);
}

static bool arm_room(girt_queue *queue)
{
    announce(queue, PAIR_PUSHER);
    return !looks_pushable(queue) && !girt__pair_is_closed(queue);
}

static void leave_room(girt_queue *queue)
{
    (void)girt_and_acq_rel(&queue->pair.alerts, ~(uint32_t)PAIR_PUSHER);
}

const girt__awaited girt__pair_item = {looks_poppable, looks_twice_poppable,
                                       arm_item, leave_item};
const girt__awaited girt__pair_room = {looks_pushable, looks_twice_pushable,
                                       arm_room, leave_room};

/* --- the eventfd --- */

/* By the tickets, in any thread: an item's is stored last, so a push is seen
 * here no later than it looks at alerts. */
bool girt__pair_is_empty(const girt_queue *queue)
{
    const girt_spsc *const ring = queue->pair.ring;
    uint64_t const tail = girt_load_acquire(&ring->producer.ticket);
    uint64_t const head = girt_load_acquire(&ring->consumer.ticket);
    return (int64_t)(tail - head) <= 0;
}

bool girt__pair_watch(girt_queue *queue)
{
    (void)girt_or_acq_rel(&queue->pair.alerts, (uint32_t)PAIR_WATCHED);
    girt__asym_heavy(); /* -> P2 */
    return girt__pair_is_empty(queue) && !girt__pair_is_closed(queue);
}

void girt__pair_unwatch(girt_queue *queue)
{
    (void)girt_and_acq_rel(&queue->pair.alerts, ~(uint32_t)PAIR_WATCHED);
}

bool girt__pair_is_watched(const girt_queue *queue)
{
    return girt_load_acquire(&queue->pair.alerts) & PAIR_WATCHED;
}

/* --- statistics --- */

void girt__pair_tickets(const girt_queue *queue, uint64_t *pushed,
                        uint64_t *popped)
{
    const girt__pair *const pair = &queue->pair;
    *popped = girt_load_acquire(&pair->ring->consumer.ticket);
    *pushed = girt_load_acquire(&pair->alerts) & PAIR_SETTLED
                  ? girt_load_relaxed(&pair->end)
                  : girt_load_relaxed(&pair->ring->producer.ticket);
}

size_t girt__pair_count(const girt_queue *queue)
{
    uint64_t tail, head;
    girt__pair_tickets(queue, &tail, &head);
    int64_t const count = (int64_t)(tail - head);
    if (count <= 0)
        return 0;
    return (size_t)count < queue->capacity ? (size_t)count : queue->capacity;
}

bool girt__pair_is_valid(const girt_queue *queue)
{
    const girt__pair *const pair = &queue->pair;
    uint32_t const alerts = pair->alerts;
    if (alerts & (PAIR_POPPER | PAIR_PUSHER))
        return false; /* nobody is in a call */
    if (!(alerts & PAIR_CLOSED) != !(alerts & PAIR_SETTLED))
        return false;
    if ((alerts & PAIR_SETTLED) &&
        (int64_t)(pair->ring->producer.ticket - pair->end) < 0)
        return false; /* accepted, never pushed */
    if (!(alerts & PAIR_WATCHED) != !queue->watch.armed)
        return false; /* queue_fd.c's I1 */
    return girt__spsc_is_valid(pair->ring);
}
