/* SPDX-License-Identifier: MIT */
/* fast/spsc.h - the layout and the bodies of girt_spsc_push and girt_spsc_pop.
 *
 * Comes in by <girt/spsc.h> when GIRT_INLINE_FAST is defined; not an interface.
 *
 * Slots stand in cache lines of seven, each headed by a count that the
 * producer writes after the items of that line:
 *
 *     line 0: [filled | 0 1 2 3 4 5 6]   line 1: [filled | 7 8 ...]
 *
 * A push writes its items, then the ticket after the last of them into filled
 * of the line where it began.  The consumer looks there, and only there, when
 * it has taken all that it knew of.  Finding an item therefore touches no line
 * but the item's own: the consumer never reads the producer's index.  The
 * producer reads the consumer's only when the last value that it saw leaves no
 * room.
 *
 * I1: consumer.ticket <= producer.ticket <= consumer.ticket + capacity.
 * I2: filled of the line of ticket t, when t is one that a push began at or
 *     will begin at, is past t iff that push is done.  (Before it, that line
 *     was last written by a push that began earlier, whose end is at most t;
 *     after it, by itself or a later one.)
 * I3: a side's limit is a value that the other side had reached: the end of a
 *     push for the consumer, so that I2 holds for the ticket at which it looks;
 *     consumed plus capacity for the producer.
 *
 * Cached opposite index: Lee, Bu, Chandranmenon, "A lock-free, cache-efficient
 * multi-core synchronization mechanism for line-rate network traffic
 * monitoring", IPDPS 2010; emptiness told by the slots themselves: Giacomoni,
 * Moseley, Vachharajani, "FastForward for efficient pipeline parallelism",
 * PPoPP 2008. */
#ifndef GIRT_FAST_SPSC_H
#define GIRT_FAST_SPSC_H

#include <girt/alloc.h>
#include <girt/fast/atomic.h>
#include <girt/spsc.h>

GIRT_BEGIN

/** Items of a line; with filled they take 64 bytes. */
#define GIRT_FAST_SPSC_LINE_ITEMS 7

/** Seven slots and how far they are filled. */
typedef struct girt_fast_spsc_line {
    /** The ticket after the last push that began here (producer only). */
    uint64_t filled;
    /** Slots; stored before filled, loaded after it. */
    void *items[GIRT_FAST_SPSC_LINE_ITEMS];
} __attribute__((aligned(64))) girt_fast_spsc_line;

/** What one side knows; only ticket is read by others. */
typedef struct girt_fast_spsc_side {
    /** Items pushed, or popped, so far. */
    uint64_t ticket;
    /** The ticket must not pass it without a look at the other side. */
    uint64_t limit;
    /** The line of the next slot. */
    girt_fast_spsc_line *line;
    /** The next slot's place in that line. */
    uint64_t index;
    /** Written once at create: the lines and the capacity. */
    girt_fast_spsc_line *first;
    /** Past the last line. */
    girt_fast_spsc_line *end;
    /** What was asked for. */
    uint64_t capacity;
    /** The ticket whose lull brought nothing, plus 1; 0: none. */
    uint64_t vain;
    /** Of the next lull. */
    uint64_t pauses;
} girt_fast_spsc_side;

/** Version 1 of the layout: a change renames girt_spsc_layout_1. */
struct girt_spsc {
    /** Written by the producer. */
    girt_fast_spsc_side producer __attribute__((aligned(128)));
    /** Written by the consumer. */
    girt_fast_spsc_side consumer __attribute__((aligned(128)));
    /** Written once at create. */
    girt_allocator allocator __attribute__((aligned(128)));
    /** Of the lines. */
    size_t lines_bytes;
};

/** There so that a program with another inlined layout does not load. */
extern GIRT_API const char girt_spsc_layout_1;

#if defined(GIRT_FAST_INLINED) && !defined(GIRT_EMIT_FAST)
static const char *const girt_fast_spsc_layout __attribute__((used)) =
    &girt_spsc_layout_1;
#endif

/** Pauses of a lull at most, and one lull of a pause in so many tickets where
 * lulls have brought nothing. */
enum { GIRT_FAST_SPSC_LULL_MAX = 64, GIRT_FAST_SPSC_LULL_TRIAL = 64 };

/** For a side that has reached its limit and learned of nothing beyond it:
 * pauses without a look, at most once a ticket.  false: it did not.
 *
 * A consumer that takes each item of a stream the moment it comes shares a line
 * with its producer at every item, a little later there are lines full of
 * them; so with room and a producer.  Lulls that find one for every two pauses
 * grow, others shrink, down to none: a queue at rest, a dialogue and a slow
 * stream are answered at once, but for one pause in many tickets, which notices
 * that a fast stream began. */
static inline __attribute__((unused)) bool girt_fast_spsc_lull(
    const girt_fast_spsc_side *side)
{
    bool const trial =
        side->pauses == 0 && side->ticket % GIRT_FAST_SPSC_LULL_TRIAL == 0;
    if ((side->pauses == 0 && !trial) || side->vain == side->ticket + 1)
        return false;
    for (uint64_t i = 0; i < side->pauses + trial; i++)
        girt_fast_pause();
    return true;
}

/** After a lull: `count` items, or places, are there.  true: some. */
static inline __attribute__((unused)) bool girt_fast_spsc_lulled(
    girt_fast_spsc_side *side, int64_t count)
{
    if (count <= 0)
        side->vain = side->ticket + 1;
    uint64_t const found = count <= 0 ? 0 : (uint64_t)count;
    if (found < 2 || found < side->pauses / 2 || found > side->capacity / 2)
        side->pauses /= 2;
    else if (found < side->capacity / 4 &&
             side->pauses < GIRT_FAST_SPSC_LULL_MAX)
        side->pauses = side->pauses == 0 ? 1 : 2 * side->pauses;
    return count > 0;
}

/** Lulls, then looks for items again. */
static __attribute__((noinline, unused)) bool girt_fast_spsc_await_item(
    girt_fast_spsc_side *side)
{
    if (!girt_fast_spsc_lull(side))
        return false;
    /* A1 <- R1 (push). */
    uint64_t const filled = girt_fast_load_acquire(&side->line->filled);
    if (!girt_fast_spsc_lulled(side, (int64_t)(filled - side->ticket)))
        return false;
    side->limit = filled;
    return true;
}

/** Lulls, then looks for room again. */
static __attribute__((noinline, unused)) bool girt_fast_spsc_await_room(
    girt_spsc *queue)
{
    girt_fast_spsc_side *const side = &queue->producer;
    if (!girt_fast_spsc_lull(side))
        return false;
    /* A2 <- R2 (pop). */
    side->limit =
        girt_fast_load_acquire(&queue->consumer.ticket) + side->capacity;
    return girt_fast_spsc_lulled(side, (int64_t)(side->limit - side->ticket));
}

#if defined(GIRT_FAST_INLINED) || defined(GIRT_EMIT_FAST)

/** Moves past the slot that was just used. true: into another line. */
static inline __attribute__((unused)) bool girt_fast_spsc_step(
    girt_fast_spsc_side *side)
{
    if (++side->index < GIRT_FAST_SPSC_LINE_ITEMS)
        return false;
    side->index = 0;
    if (++side->line == side->end)
        side->line = side->first;
    return true;
}

GIRT_FAST bool girt_spsc_push(girt_spsc *queue, void *item)
{
    girt_fast_spsc_side *const side = &queue->producer;
    uint64_t const ticket = side->ticket;
    if (__builtin_expect(ticket == side->limit, 0)) {
        /* A2 <- R2 (pop): the slot was read before it is written again. */
        side->limit =
            girt_fast_load_acquire(&queue->consumer.ticket) + side->capacity;
        if (ticket == side->limit && !girt_fast_spsc_await_room(queue))
            return false;
    }
    girt_fast_store_relaxed(&side->line->items[side->index], item);
    /* R1 -> A1 (pop): the item is there before the count that tells of it. */
    girt_fast_store_release(&side->line->filled, ticket + 1);
    /* Relaxed: read only by count, which may be stale. */
    girt_fast_store_relaxed(&side->ticket, ticket + 1);
    /* Two lines ahead: 1.20 against 1.46 ns an item at capacity 1024. */
    if (girt_fast_spsc_step(side) && side->end - side->line > 2)
        girt_fast_prefetch_write(side->line + 2);
    return true;
}

GIRT_FAST bool girt_spsc_pop(girt_spsc *queue, void **item)
{
    girt_fast_spsc_side *const side = &queue->consumer;
    uint64_t const ticket = side->ticket;
    if (__builtin_expect(ticket == side->limit, 0)) {
        /* A1 <- R1 (push). */
        uint64_t const filled = girt_fast_load_acquire(&side->line->filled);
        if ((int64_t)(filled - ticket) > 0)
            side->limit = filled;
        else if (!girt_fast_spsc_await_item(side))
            return false;
    }
    *item = girt_fast_load_relaxed(&side->line->items[side->index]);
    /* R2 -> A2 (push): read before the slot is given back. */
    girt_fast_store_release(&side->ticket, ticket + 1);
    (void)girt_fast_spsc_step(side);
    return true;
}

#endif

GIRT_END

#endif /* GIRT_FAST_SPSC_H */
