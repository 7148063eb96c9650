/* SPDX-License-Identifier: MIT */
/* spsc.c - create, destroy and the batches of the one-to-one queue.
 *
 * The idea, the invariants and the single operations are in
 * include/girt/fast/spsc.h.  A batch writes all its items, then one count for
 * all of them into the line where it began (I2), and so appears at once.
 *
 * Labels: R1 -> A1 an item before the count that tells of it; R2 -> A2 a slot
 * read before it is written again. */
#include <girt/fast/spsc.h>

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/cacheline.h"
#include "queue/spsc_internal.h"

_Static_assert(sizeof(girt_fast_spsc_line) == GIRT_CACHELINE,
               "a count and its items are one line");
_Static_assert(offsetof(struct girt_spsc, consumer) -
                       offsetof(struct girt_spsc, producer) ==
                   GIRT_DESTRUCTIVE,
               "each side owns its lines");
_Static_assert(sizeof(size_t) == 8, "capacities are 64 bits wide");

/* --- create and destroy --- */

static bool lines_size(size_t capacity, size_t *bytes)
{
    size_t const lines = capacity / GIRT_FAST_SPSC_LINE_ITEMS +
                         (capacity % GIRT_FAST_SPSC_LINE_ITEMS != 0);
    return girt__size_multiply(lines, sizeof(girt_fast_spsc_line), bytes);
}

void girt__spsc_start(girt_spsc *queue, uint64_t first)
{
    girt_fast_spsc_side *const producer = &queue->producer;
    for (girt_fast_spsc_line *l = producer->first;
         first != 0 && l < producer->end; l++)
        l->filled = first;
    producer->ticket = queue->consumer.ticket = first;
    producer->limit = first + producer->capacity;
    queue->consumer.limit = first;
}

girt_status girt__spsc_create_at(girt_spsc **out, size_t capacity,
                                 const girt_allocator *allocator,
                                 uint64_t first)
{
    girt_allocator own;
    if (out == NULL || capacity == 0)
        return GIRT_E_INVALID;
    girt_status const status = girt__allocator_resolve(&own, allocator);
    if (status != GIRT_OK)
        return status;
    size_t bytes;
    if (capacity > GIRT_SPSC_CAPACITY_MAX || !lines_size(capacity, &bytes))
        return GIRT_E_TOO_LARGE;

    girt_spsc *const queue =
        girt__allocate_zeroed(&own, sizeof *queue, GIRT_DESTRUCTIVE);
    if (queue == NULL)
        return GIRT_E_NOMEM;
    girt_fast_spsc_line *const lines =
        girt__allocate_zeroed(&own, bytes, GIRT_DESTRUCTIVE);
    if (lines == NULL)
        goto fail_lines;

    queue->allocator = own;
    queue->lines_bytes = bytes;
    queue->producer = (girt_fast_spsc_side){
        .line = lines,
        .first = lines,
        .end = lines + bytes / sizeof *lines,
        .capacity = capacity,
    };
    queue->consumer = queue->producer;
    girt__spsc_start(queue, first);
    *out = queue;
    return GIRT_OK;

fail_lines:
    girt__release(&own, queue, sizeof *queue);
    return GIRT_E_NOMEM;
}

girt_status girt_spsc_create(girt_spsc **out, size_t capacity,
                             const girt_allocator *allocator)
{
    return girt__spsc_create_at(out, capacity, allocator, 0);
}

void girt_spsc_destroy(girt_spsc *queue)
{
    if (queue == NULL)
        return;
    girt_audit(girt__spsc_is_valid(queue));
    girt_allocator const own = queue->allocator;
    girt__release(&own, queue->producer.first, queue->lines_bytes);
    girt__release(&own, queue, sizeof *queue);
}

/* --- batches --- */

/* Items whose lines a batch asks for in advance. */
#define ITEMS_ASKED (8u * GIRT_FAST_SPSC_LINE_ITEMS)

/* Where a batch stands: a side's line and index, in registers.  Reached through
 * the side they would be stored and loaded at every line, since the caller's
 * array might overlap it as far as the compiler knows. */
typedef struct cursor {
    girt_fast_spsc_line *line;
    uint64_t index;
    girt_fast_spsc_line *first, *end;
} cursor;

static inline cursor cursor_of(const girt_fast_spsc_side *side)
{
    return (cursor){side->line, side->index, side->first, side->end};
}

static inline void store_cursor(girt_fast_spsc_side *side, cursor at)
{
    side->line = at.line;
    side->index = at.index;
}

static inline void next_line(cursor *at)
{
    at->index = 0;
    if (girt_unlikely(++at->line == at->end))
        at->line = at->first;
}

/* Fewer items than a line has, by halves: a loop over them would turn another
 * number of times at every line. */
static inline void copy_some(void *to[], void *const from[], uint64_t count)
{
    if (count & 4) {
        memcpy(to, from, 4 * sizeof *to);
        to += 4;
        from += 4;
    }
    if (count & 2) {
        memcpy(to, from, 2 * sizeof *to);
        to += 2;
        from += 2;
    }
    if (count & 1)
        *to = *from;
}

/* Moves `count` items, at least one, from the caller's array into the slots
 * from `at` on, or the other way.  Plain copies: the release of filled or
 * ticket and its acquire keep the sides apart.  Whole lines, most of a batch,
 * have a size known to the compiler, too. */
static inline __attribute__((always_inline)) void copy_run(cursor *at,
                                                           void **array,
                                                           uint64_t count,
                                                           bool fills)
{
    if (at->index != 0) {
        uint64_t const rest = GIRT_FAST_SPSC_LINE_ITEMS - at->index;
        uint64_t const some = rest < count ? rest : count;
        void **const slots = &at->line->items[at->index];
        copy_some(fills ? slots : array, fills ? array : slots, some);
        array += some;
        count -= some;
        at->index += some;
        if (at->index == GIRT_FAST_SPSC_LINE_ITEMS)
            next_line(at);
    }
    for (; count >= GIRT_FAST_SPSC_LINE_ITEMS;
         count -= GIRT_FAST_SPSC_LINE_ITEMS) {
        void **const slots = at->line->items;
        memcpy(fills ? slots : array, fills ? array : slots,
               GIRT_FAST_SPSC_LINE_ITEMS * sizeof *array);
        array += GIRT_FAST_SPSC_LINE_ITEMS;
        next_line(at);
    }
    if (count > 0) {
        void **const slots = at->line->items;
        copy_some(fills ? slots : array, fills ? array : slots, count);
        at->index = count;
    }
}

/* Asks for the lines that `count` items are about to go to, for writing: the
 * consumer read them in the last round, and stores alone fetch one after the
 * other (batches of 32 at capacity 1024: 2.59 ns an item, 2.86 without). */
static inline void ask_for_lines(const cursor *at, uint64_t count)
{
    const girt_fast_spsc_line *line = at->line;
    for (uint64_t i = 0; i < count && i < ITEMS_ASKED;
         i += GIRT_FAST_SPSC_LINE_ITEMS) {
        girt_fast_prefetch_write(line);
        if (girt_unlikely(++line == at->end))
            line = at->first;
    }
}

size_t girt_spsc_push_n(girt_spsc *queue, void *const items[], size_t count)
{
    girt_fast_spsc_side *const side = &queue->producer;
    uint64_t ticket = side->ticket;
    if (side->limit - ticket < count) {
        /* A2 <- R2 (pop, pop_n). */
        side->limit =
            girt_fast_load_acquire(&queue->consumer.ticket) + side->capacity;
    }
    if (side->limit == ticket && count != 0)
        (void)girt_fast_spsc_await_room(queue);
    uint64_t const room = side->limit - ticket;
    size_t const fit = count < room ? count : room;
    if (fit == 0)
        return 0;
    cursor at = cursor_of(side);
    girt_fast_spsc_line *const first = at.line;
    ask_for_lines(&at, fit);
    copy_run(&at, (void **)(uintptr_t)items, fit, true);
    store_cursor(side, at);
    ticket += fit;
    /* R1 -> A1 (pop, pop_n). */
    girt_fast_store_release(&first->filled, ticket);
    /* Relaxed: read only by count, which may be stale. */
    girt_fast_store_relaxed(&side->ticket, ticket);
    return fit;
}

size_t girt_spsc_pop_n(girt_spsc *queue, void *items[], size_t count)
{
    girt_fast_spsc_side *const side = &queue->consumer;
    uint64_t ticket = side->ticket;
    cursor at = cursor_of(side);
    size_t done = 0;
    while (done < count) {
        if (ticket == side->limit) {
            /* A1 <- R1 (push, push_n). */
            uint64_t const filled = girt_fast_load_acquire(&at.line->filled);
            if ((int64_t)(filled - ticket) > 0)
                side->limit = filled;
            else if (done != 0 || !girt_fast_spsc_await_item(side))
                break;
        }
        uint64_t const there = side->limit - ticket;
        uint64_t const some = there < count - done ? there : count - done;
        copy_run(&at, items + done, some, false);
        ticket += some;
        done += some;
    }
    if (done == 0)
        return 0;
    store_cursor(side, at);
    /* R2 -> A2 (push, push_n). */
    girt_fast_store_release(&side->ticket, ticket);
    return done;
}

/* --- statistics --- */

size_t girt_spsc_count(const girt_spsc *queue)
{
    /* Relaxed: two moments; what they differ by is clipped to 0..capacity. */
    uint64_t const head = girt_fast_load_relaxed(&queue->consumer.ticket);
    uint64_t const tail = girt_fast_load_relaxed(&queue->producer.ticket);
    int64_t const count = (int64_t)(tail - head);
    if (count <= 0)
        return 0;
    uint64_t const capacity = queue->producer.capacity;
    return (uint64_t)count < capacity ? (size_t)count : (size_t)capacity;
}

size_t girt_spsc_capacity(const girt_spsc *queue)
{
    return (size_t)queue->producer.capacity;
}

/* Where a side's line and index stand, as one number. */
static uint64_t place(const girt_fast_spsc_side *side)
{
    return (uint64_t)(side->line - side->first) * GIRT_FAST_SPSC_LINE_ITEMS +
           side->index;
}

bool girt__spsc_is_valid(const girt_spsc *queue)
{
    const girt_fast_spsc_side *const producer = &queue->producer;
    const girt_fast_spsc_side *const consumer = &queue->consumer;
    uint64_t const count = producer->ticket - consumer->ticket;
    uint64_t const slots =
        (uint64_t)(producer->end - producer->first) * GIRT_FAST_SPSC_LINE_ITEMS;
    if (count > producer->capacity) /* I1 */
        return false;
    if (place(producer) != (place(consumer) + count) % slots)
        return false;
    for (const girt_fast_spsc_line *l = producer->first; l < producer->end; l++)
        if ((int64_t)(l->filled - producer->ticket) > 0) /* I2 */
            return false;
    return consumer->limit - consumer->ticket <= count && /* I3 */
           producer->limit - producer->ticket <= producer->capacity - count;
}
