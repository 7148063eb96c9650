/* SPDX-License-Identifier: MIT */
/* fast/queue.h - the ring inside a girt_queue, and the first tries of
 * girt_queue_push and girt_queue_pop.
 *
 * Comes in by <girt/queue.h> when GIRT_INLINE_FAST is defined; not an
 * interface.  What the words mean, and why this is right, stands at the head of
 * lib/queue/queue_ring.h.
 *
 * One straight try is inlined: a queue of one ring, a slot that is ready, a
 * claim that is won.  All else is a call, which tries again. */
#ifndef GIRT_FAST_QUEUE_H
#define GIRT_FAST_QUEUE_H

#include <girt/fast/atomic.h>
#include <girt/queue.h>

GIRT_BEGIN

/** One ticket, in a word that has flags below it. */
#define GIRT_FAST_RING_STEP  UINT64_C(65536)
/** Of a turn: the slot holds the item of this ticket. */
#define GIRT_FAST_RING_FULL  UINT64_C(8)
/** Where the first ring stands in a girt_queue, which begins with the number
 * of its rings as a uint32_t. */
#define GIRT_FAST_QUEUE_RING 768

/** Packed, four to a line: padding to a line each was 2-4 times slower. */
typedef struct girt_fast_slot {
    /** The ticket the slot is free for, or with FULL holds the item of. */
    uint64_t turn;
    /** Owned by whoever claimed the slot's ticket. */
    void *item;
} girt_fast_slot;

/** How a side that finds no item, or no room, pauses before it looks at the
 * other side's word: a guess, relaxed. */
typedef struct girt_fast_ring_lull {
    /** The ticket whose lull brought nothing; 1: none. */
    uint64_t vain;
    /** Of the next lull. */
    uint32_t pauses;
} girt_fast_ring_lull;

/** Version 1 of the layout: a change renames girt_queue_layout_1. */
typedef struct girt_fast_ring {
    /** Written once at create. */
    girt_fast_slot *slots;
    /** Of a ticket, in place. */
    uint64_t index_mask;
    /** The index of the last slot, in place. */
    uint64_t last;
    /** last less a step: index - step >= inner, as numbers without sign, says
     * that the slot is the first or the last. */
    uint64_t inner;
    /** What a ticket is short of the next lap's for the same slot. */
    uint64_t lap;
    /** Slots. */
    size_t capacity;
    /** The longest lull. */
    uint32_t lull_max;
    /** The only ring of its queue: its pushes note that they overtake. */
    bool is_alone;
    /** A ticket and CLOSED; changed seldom, read by pops that find nothing. */
    uint64_t overtaken;
    /** Pushers': the next ticket, grants, flags. */
    uint64_t tail __attribute__((aligned(128)));
    /** Theirs. */
    girt_fast_ring_lull push_lull;
    /** Poppers': the next ticket, a flag. */
    uint64_t head __attribute__((aligned(128)));
    /** Theirs. */
    girt_fast_ring_lull pop_lull;
    /** How far head's pops have been given back to the budget; pushers'. */
    uint64_t settled __attribute__((aligned(128)));
} girt_fast_ring;

/** There so that a program with another inlined layout does not load. */
extern GIRT_API const char girt_queue_layout_1;

/** What a first try came to. */
enum {
    GIRT_FAST_FIRST_DONE,
    GIRT_FAST_FIRST_OTHER, /* nothing changed: the whole of the call decides */
    GIRT_FAST_FIRST_LOST,  /* nothing changed: another claim came before */
    GIRT_FAST_FIRST_EDGE   /* nothing changed: a slot at an end of the array */
};

/** The slot of this index. */
static inline __attribute__((unused)) girt_fast_slot *girt_fast_ring_slot(
    const girt_fast_ring *ring, uint64_t index)
{
    /* The index stands 16 bits up, a slot is 16 bytes. */
    return (girt_fast_slot *)(void *)((char *)ring->slots + (index >> 12));
}

/** Claims `ticket`, whose word was just that, for the caller. */
static inline __attribute__((always_inline, unused)) bool girt_fast_ring_claim(
    uint64_t *word, uint64_t ticket, uint64_t next)
{
    return __atomic_compare_exchange_n(word, &ticket, next, false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}

/** A push, straight through: no flag set, the slot free and neither the first
 * nor the last, nothing to note, the claim won.  A turn has no flags and no
 * grants, so turn == tail says that tail has none either. */
static inline __attribute__((always_inline, unused)) int girt_fast_ring_push(
    girt_fast_ring *ring, void *item)
{
    uint64_t const tail = girt_fast_load_relaxed(&ring->tail);
    uint64_t const index = tail & ring->index_mask;
    girt_fast_slot *const slot = girt_fast_ring_slot(ring, index);
    if (__builtin_expect(girt_fast_load_acquire(&slot->turn) != tail,
                         0)) /* R4 */
        return GIRT_FAST_FIRST_OTHER;
    if (__builtin_expect(index - GIRT_FAST_RING_STEP >= ring->inner, 0))
        return GIRT_FAST_FIRST_EDGE;
    uint64_t const before = girt_fast_load_acquire(&slot[-1].turn);
    if (__builtin_expect((int64_t)(before - (tail - GIRT_FAST_RING_STEP +
                                             GIRT_FAST_RING_FULL)) < 0,
                         0))
        return GIRT_FAST_FIRST_OTHER;
    if (__builtin_expect(!girt_fast_ring_claim(&ring->tail, tail,
                                               tail + GIRT_FAST_RING_STEP),
                         0))
        return GIRT_FAST_FIRST_LOST;
    slot->item = item;
    /* R1 -> R2 */
    girt_fast_store_release(&slot->turn, tail + GIRT_FAST_RING_FULL);
    return GIRT_FAST_FIRST_DONE;
}

/** A pop, likewise.  With a flag in head the turn does not match. */
static inline __attribute__((always_inline, unused)) int girt_fast_ring_pop(
    girt_fast_ring *ring, void **item)
{
    uint64_t const head = girt_fast_load_relaxed(&ring->head);
    uint64_t const index = head & ring->index_mask;
    girt_fast_slot *const slot = girt_fast_ring_slot(ring, index);
    if (__builtin_expect(girt_fast_load_acquire(&slot->turn) != /* R2 */
                             head + GIRT_FAST_RING_FULL,
                         0))
        return GIRT_FAST_FIRST_OTHER;
    uint64_t next = head + GIRT_FAST_RING_STEP;
    if (__builtin_expect(index == ring->last, 0))
        next += ring->index_mask - ring->last;
    if (__builtin_expect(!girt_fast_ring_claim(&ring->head, head, next), 0))
        return GIRT_FAST_FIRST_LOST;
    *item = slot->item;
    /* R3 -> R4 */
    girt_fast_store_release(&slot->turn, head + ring->lap);
    return GIRT_FAST_FIRST_DONE;
}

/** girt_queue_push after a first try that came to `first`. */
GIRT_API girt_status girt_fast_queue_push_on(girt_queue *queue, void *item,
                                             int64_t timeout_ns, int first);
/** girt_queue_pop after a first try that came to `first`. */
GIRT_API girt_status girt_fast_queue_pop_on(girt_queue *queue, void **item,
                                            int64_t timeout_ns, int first);

#if defined(GIRT_FAST_INLINED)

/** Refers to the layout. */
static const char *const girt_fast_queue_layout __attribute__((used)) =
    &girt_queue_layout_1;

/** The ring that is all of the queue, or NULL. */
static inline __attribute__((unused)) girt_fast_ring *girt_fast_queue_alone(
    girt_queue *queue)
{
    if (__builtin_expect(
            queue == NULL || *(const uint32_t *)(const void *)queue != 1, 0))
        return NULL;
    return (girt_fast_ring *)(void *)((char *)queue + GIRT_FAST_QUEUE_RING);
}

GIRT_FAST girt_status girt_queue_push(girt_queue *queue, void *item,
                                      int64_t timeout_ns)
{
    int first = GIRT_FAST_FIRST_OTHER;
    girt_fast_ring *const ring = girt_fast_queue_alone(queue);
    if (__builtin_expect(ring != NULL && timeout_ns >= 0, 1)) {
        first = girt_fast_ring_push(ring, item);
        if (__builtin_expect(first == GIRT_FAST_FIRST_DONE, 1))
            return GIRT_OK;
    }
    return girt_fast_queue_push_on(queue, item, timeout_ns, first);
}

GIRT_FAST girt_status girt_queue_pop(girt_queue *queue, void **item,
                                     int64_t timeout_ns)
{
    int first = GIRT_FAST_FIRST_OTHER;
    girt_fast_ring *const ring = girt_fast_queue_alone(queue);
    if (__builtin_expect(ring != NULL && item != NULL && timeout_ns >= 0, 1)) {
        first = girt_fast_ring_pop(ring, item);
        if (__builtin_expect(first == GIRT_FAST_FIRST_DONE, 1))
            return GIRT_OK;
    }
    return girt_fast_queue_pop_on(queue, item, timeout_ns, first);
}

#endif

GIRT_END

#endif /* GIRT_FAST_QUEUE_H */
