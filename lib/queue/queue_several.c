/* SPDX-License-Identifier: MIT */
/* queue_several.c - lanes and bands: several rings in one queue.
 *
 * Lanes: a producer's lane is its thread index modulo the lanes, the same for
 * its whole life, so what it pushes stays in order in one FIFO ring.  A
 * consumer stays on a lane for LANE_STAY pops, then goes to the next; an empty
 * lane is passed over.  So no lane waits for more than LANE_STAY pops of each
 * other one.
 *
 * Bands: of every 2^bands - 1 pops of a consumer, band b is looked at first in
 * 2^(bands - 1 - b): 8 4 2 1 with four.  The order of turns is the ruler
 * sequence (trailing zeros of 1, 2, 3, ...), which spreads each band evenly.
 * When that band is empty, the first one that is not is served. */
#include "queue/queue_internal.h"

#include "core/thread.h"

#define LANE_STAY 64u

girt__ring *girt__several_ring(girt_queue *queue, unsigned band)
{
    uint32_t const lane = girt__thread_index() & (queue->lanes - 1);
    return &queue->rings[band * queue->lanes + lane];
}

int girt__several_push_first(girt_queue *queue, unsigned band, void *item)
{
    girt__ring *const ring = girt__several_ring(queue, band);
    uint64_t tail = girt_load_relaxed(&ring->tail);
    uint64_t const ticket = tail & RING_TICKET;
    girt__slot *const slot = girt__ring_slot(ring, ticket);
    /* Grants and no flags. */
    if ((tail & ~(RING_TICKET | RING_GRANTS)) != 0 ||
        (tail & RING_GRANTS) == 0 ||
        girt_load_acquire(&slot->turn) != ticket) /* ring R4 */
        return GIRT_FAST_FIRST_OTHER;
    uint64_t const wish =
        girt__ring_next(ring, ticket) | ((tail & RING_GRANTS) - RING_GRANT);
    if (!girt_cas_acq_rel(&ring->tail, &tail, wish))
        return GIRT_FAST_FIRST_LOST;
    slot->item = item;
    girt_store_release(&slot->turn, ticket | RING_FULL); /* ring R1 */
    return GIRT_FAST_FIRST_DONE;
}

static girt__cursor *own_cursor(girt_queue *queue)
{
    return &queue->cursors[girt__thread_index() % QUEUE_CURSORS];
}

int girt__several_pop_first(girt_queue *queue, void **item)
{
    if (queue->bands != 1)
        return GIRT_FAST_FIRST_OTHER;
    girt__cursor *const cursor = own_cursor(queue);
    uint64_t const turn = girt_load_relaxed(&cursor->lane_turn);
    int const first = girt_fast_ring_pop(
        &queue->rings[turn / LANE_STAY & (queue->lanes - 1)], item);
    if (first == GIRT_FAST_FIRST_DONE)
        girt_store_relaxed(&cursor->lane_turn, turn + 1);
    return first;
}

static uint32_t first_band(const girt_queue *queue, const girt__cursor *cursor)
{
    if (queue->bands == 1)
        return 0;
    uint32_t const period = ((uint32_t)1 << queue->bands) - 1;
    uint32_t const turn =
        (uint32_t)(girt_load_relaxed(&cursor->band_turn) % period) + 1;
    return (uint32_t)__builtin_ctz(turn);
}

/* Whether the first slot has an item, or soon will: a look at no line that
 * pushers claim by. */
static bool looks_poppable(const girt__ring *ring)
{
    uint64_t const ticket = girt_load_relaxed(&ring->head) & RING_TICKET;
    return girt_load_relaxed(&girt__ring_slot(ring, ticket)->turn) != ticket;
}

/* Pops from the first lane of the band that has something, from where the
 * cursor is.  GIRT_CLOSED: every lane is closed and empty.  First only lanes
 * that look so are tried: a pop of an empty one may take a lull. */
static girt_status pop_band(girt_queue *queue, uint32_t band,
                            girt__cursor *cursor, void **items, size_t count,
                            size_t *popped, uint64_t *seen)
{
    girt__ring *const rings = &queue->rings[band * queue->lanes];
    uint64_t const turn = girt_load_relaxed(&cursor->lane_turn);
    uint32_t const lane = (uint32_t)(turn / LANE_STAY);
    girt_status all = GIRT_CLOSED;
    for (uint32_t i = 0; i < 2 * queue->lanes; i++) {
        girt__ring *const ring = &rings[(lane + i) & (queue->lanes - 1)];
        bool const is_sure = i >= queue->lanes;
        if (!is_sure && !looks_poppable(ring))
            continue;
        girt_status const status =
            girt__ring_pop(ring, items, count, popped, seen);
        if (status == GIRT_OK) {
            girt_store_relaxed(&cursor->lane_turn,
                               turn + i * LANE_STAY + *popped);
            return GIRT_OK;
        }
        if (is_sure && status == GIRT_EMPTY)
            all = GIRT_EMPTY;
    }
    return all;
}

/* One claim, from the band whose turn it is or the first with an item. */
static girt_status pop_turn(girt_queue *queue, girt__cursor *cursor,
                            void **items, size_t count, size_t *popped,
                            uint64_t *seen)
{
    uint32_t const first = first_band(queue, cursor);
    girt_status all = GIRT_CLOSED;
    for (uint32_t i = 0; i < queue->bands; i++) {
        uint32_t const band = i == 0 ? first : i <= first ? i - 1 : i;
        girt_status const status =
            pop_band(queue, band, cursor, items, count, popped, seen);
        if (status == GIRT_OK)
            girt_store_relaxed(&cursor->band_turn,
                               girt_load_relaxed(&cursor->band_turn) + 1);
        if (status == GIRT_OK)
            return GIRT_OK;
        if (status == GIRT_EMPTY)
            all = GIRT_EMPTY;
    }
    return all;
}

girt_status girt__several_pop(girt_queue *queue, void **items, size_t count,
                              size_t *popped, uint64_t *seen)
{
    girt__cursor *const cursor = own_cursor(queue);
    if (queue->bands == 1)
        return pop_turn(queue, cursor, items, count, popped, seen);
    /* With bands every item is a turn of its own. */
    size_t done = 0;
    uint64_t all_seen = 0;
    girt_status status = GIRT_OK;
    while (done < count) {
        size_t one = 0;
        status = pop_turn(queue, cursor, &items[done], 1, &one, seen);
        if (status != GIRT_OK)
            break;
        all_seen |= *seen;
        done += one;
    }
    if (done == 0)
        return status;
    *seen = all_seen;
    *popped = done;
    return GIRT_OK;
}

/* The least urgent band's, and there the calling producer's own lane first. */
bool girt__several_pop_oldest(girt_queue *queue, void **item)
{
    uint32_t const own = girt__thread_index();
    for (uint32_t band = queue->bands; band-- > 0;) {
        for (uint32_t i = 0; i < queue->lanes; i++) {
            uint32_t const lane = (own + i) & (queue->lanes - 1);
            size_t popped = 0;
            uint64_t seen = 0;
            if (girt__ring_pop(&queue->rings[band * queue->lanes + lane], item,
                               1, &popped, &seen) == GIRT_OK)
                return true;
        }
    }
    return false;
}
