/* SPDX-License-Identifier: MIT */
/* channel_receive.c - from any lane, by any process; the proof is in channel.c.
 *
 * A receiver copies first and then takes what it has copied.  Before the
 * compare-and-swap has succeeded nothing that it read need be true: another may
 * have taken the message, and the sender may be writing the next one there.  So
 * all of it is bounded, and nonsense counts as damage only if `head` is still
 * what it was. */
#include <girt/channel.h>

#include <girt/clock.h>

#include "core/park.h"
#include "shared/channel_internal.h"
#include "shared/racy_copy.h"

/* Looks before the first sleep, with a pause each; some microseconds in all,
 * which is what a sleep and a wake-up cost. */
enum { SPINS = 64 };

/* Where messages go. */
typedef struct sink {
    void *bytes;
    size_t capacity;
    bool is_batch;
    size_t size;
    size_t count;
} sink;

/* Messages head .. tail - 1 of a lane, as they were seen. */
typedef struct sight {
    girt__lane *lane;
    uint64_t head;
    uint64_t tail;
} sight;

/* Copies bytes of the data from `at` on, round its end. */
static void get(const girt_channel *channel, const sight *seen, uint64_t at,
                void *to, size_t bytes)
{
    const girt__lane_shape *const shape = &channel->shape;
    if (bytes == 0)
        return;
    size_t const straight = (size_t)(shape->data_bytes - at);
    size_t const first = bytes < straight ? bytes : straight;
    girt__racy_copy_out(to, girt__lane_data(shape, seen->lane, at), first);
    if (bytes > first)
        girt__racy_copy_out((char *)to + first,
                            girt__lane_data(shape, seen->lane, 0),
                            bytes - first);
}

static uint64_t index_word(const girt_channel *channel, const sight *seen,
                           uint64_t number)
{
    return girt_load_relaxed(
        girt__lane_index(&channel->shape, seen->lane, number));
}

/* Copies the first message. */
static girt_status copy_one(const girt_channel *channel, const sight *seen,
                            sink *s)
{
    uint64_t const word = index_word(channel, seen, seen->head);
    uint64_t const size = girt__index_size(word);
    if (!girt__index_fits(&channel->shape, word))
        return GIRT_E_CORRUPT;
    if (size > s->capacity)
        return GIRT_E_TOO_LARGE;
    get(channel, seen,
        girt__data_after(&channel->shape, girt__index_at(word),
                         GIRT__FRAME_HEAD),
        s->bytes, (size_t)size);
    s->size = (size_t)size;
    s->count = 1;
    return GIRT_OK;
}

/* Bytes of the frames of `count` messages, the first of which begins at
 * `begin`; more than there can be: nonsense. */
static uint64_t bytes_of(const girt_channel *channel, const sight *seen,
                         uint64_t begin, uint64_t count)
{
    const girt__lane_shape *const shape = &channel->shape;
    uint64_t const last = index_word(channel, seen, seen->head + count - 1);
    if (!girt__index_fits(shape, last))
        return UINT64_MAX;
    uint64_t const end = girt__data_after(
        shape, girt__index_at(last), girt__frame_bytes(girt__index_size(last)));
    /* All the way round: as much as there is. */
    return end > begin ? end - begin : end + shape->data_bytes - begin;
}

/* The most messages, up to *count, whose frames fit in `capacity` bytes, and
 * their bytes; at most 34 rounds.  The first two guess that all are as large as
 * the first one: each look elsewhere is a line of the index that the sender has
 * in its cache, a dozen of them where the lane is full. */
static uint64_t bytes_that_fit(const girt_channel *channel, const sight *seen,
                               uint64_t frame, uint64_t begin, size_t capacity,
                               uint64_t *count)
{
    uint64_t fits = 0, too_many = *count + 1, bytes_fit = 0;
    uint64_t middle = capacity / frame; /* the first one fits */
    for (int round = 0; too_many - fits > 1; round++) {
        if (round == 1 && fits != 0)
            middle = fits + 1;
        else if (round != 0)
            middle = fits + (too_many - fits) / 2;
        middle = middle < too_many ? middle : too_many - 1;
        uint64_t const bytes = bytes_of(channel, seen, begin, middle);
        if (bytes <= capacity) {
            fits = middle;
            bytes_fit = bytes;
        } else {
            too_many = middle;
        }
    }
    *count = fits;
    return bytes_fit;
}

/* Copies as many messages as there are and fit. */
static girt_status copy_some(const girt_channel *channel, const sight *seen,
                             sink *s)
{
    uint64_t const first = index_word(channel, seen, seen->head);
    if (!girt__index_fits(&channel->shape, first))
        return GIRT_E_CORRUPT;
    uint64_t const frame = girt__frame_bytes(girt__index_size(first));
    if (frame > s->capacity)
        return GIRT_E_TOO_LARGE;
    uint64_t const begin = girt__index_at(first);
    uint64_t count = seen->tail - seen->head;
    uint64_t const bytes =
        bytes_that_fit(channel, seen, frame, begin, s->capacity, &count);
    if (count == 0 || bytes > channel->shape.data_bytes)
        return GIRT_E_CORRUPT; /* the first one fits */
    get(channel, seen, begin, s->bytes, (size_t)bytes);
    s->size = (size_t)bytes;
    s->count = (size_t)count;
    return GIRT_OK;
}

/* Wakes the sender only when half of the lane is free: woken for each message,
 * it would fill the lane again at once and sleep again, and every receive would
 * be a system call.  What is between full and half its own slices find. */
static inline void ring_for_room(const girt_channel *channel, const sight *seen,
                                 size_t taken)
{
    if (seen->tail - seen->head - taken <= channel->shape.capacity / 2)
        girt__bell_ring_after_rmw(&seen->lane->room, UINT64_MAX);
}

static girt_status take(girt_channel *channel, girt__lane *lane, sink *s)
{
    sight seen = {.lane = lane};
    /* A round fails only if another receiver took messages meanwhile. */
    for (;;) {
        /* In this order: head is not beyond a tail that is read after it. */
        seen.head = girt_load_acquire(&lane->head);
        seen.tail = girt_load_acquire(&lane->tail); /* A1 <- R1 */
        uint64_t const count = seen.tail - seen.head;
        if (count == 0)
            return GIRT_EMPTY;
        girt_status status = GIRT_E_CORRUPT;
        if (girt_likely(count <= channel->shape.capacity))
            status = s->is_batch ? copy_some(channel, &seen, s)
                                 : copy_one(channel, &seen, s);
        uint64_t head = seen.head;
        if (girt_likely(status == GIRT_OK)) {
            /* R2 -> A2 (channel_send.c): the copy is made. */
            if (girt_cas_release(&lane->head, &head, head + s->count)) {
                ring_for_room(channel, &seen, s->count);
                return GIRT_OK;
            }
        } else {
            girt_fence_acquire(); /* what was read, then head again */
            if (girt_load_relaxed(&lane->head) == head)
                return status;
        }
    }
}

/* From the first lane that has some, beginning behind the one that gave the
 * last. */
static girt_status attempt(girt_channel *channel, sink *s)
{
    /* Relaxed: a lane that is claimed just now has nothing yet, or its ring
     * makes us look again. */
    uint32_t end = girt_load_relaxed(&channel->block->lanes_end);
    end = end == 0 ? 1 : end > GIRT_CHANNEL_LANES ? GIRT_CHANNEL_LANES : end;
    uint32_t at = girt_load_relaxed(&channel->cursor);
    for (uint32_t i = 0; i < end; i++, at++) {
        at = at >= end ? 0 : at;
        bool broken = false;
        girt__lane *lane = girt_load_relaxed(&channel->lanes[at]);
        if (girt_unlikely(lane == NULL))
            lane = girt__lane_look_up(channel, at, &broken);
        if (lane == NULL && !broken)
            continue;
        girt_status const status =
            broken ? GIRT_E_CORRUPT : take(channel, lane, s);
        if (status == GIRT_EMPTY)
            continue;
        girt_store_relaxed(&channel->cursor, at + 1);
        return status;
    }
    return GIRT_EMPTY;
}

static girt_status receive_or_wait(girt_channel *channel, sink *s,
                                   int64_t timeout_ns)
{
    girt_status status = attempt(channel, s);
    if (status != GIRT_EMPTY || timeout_ns == GIRT_NOW)
        return status;
    for (int i = 0; i < SPINS && status == GIRT_EMPTY; i++) {
        girt_pause();
        status = attempt(channel, s);
    }
    if (status != GIRT_EMPTY)
        return status;
    int64_t const deadline_ns = girt__deadline(timeout_ns);
    girt__bell *const bell = &channel->block->messages;
    /* Ends with the deadline; senders make progress meanwhile. */
    for (;;) {
        uint32_t const key = girt__bell_prepare(bell);
        status = attempt(channel, s);
        if (status != GIRT_EMPTY)
            return status;
        if (deadline_ns != GIRT_FOREVER &&
            girt_clock_monotonic.now_ns(NULL) >= deadline_ns)
            return GIRT_TIMEOUT;
        girt__bell_wait(bell, key, deadline_ns);
    }
}

girt_status girt_channel_receive(girt_channel *channel, void *message,
                                 size_t capacity, size_t *size,
                                 int64_t timeout_ns)
{
    if (girt_unlikely(channel == NULL || size == NULL ||
                      (message == NULL && capacity != 0) || timeout_ns < 0))
        return GIRT_E_INVALID;
    sink s = {.bytes = message, .capacity = capacity};
    girt_status const status = receive_or_wait(channel, &s, timeout_ns);
    if (status == GIRT_OK)
        *size = s.size;
    return status;
}

girt_status girt_channel_receive_n(girt_channel *channel, void *frames,
                                   size_t capacity, int64_t timeout_ns,
                                   size_t *size, size_t *received)
{
    if (girt_unlikely(channel == NULL || size == NULL ||
                      (frames == NULL && capacity != 0) || timeout_ns < 0))
        return GIRT_E_INVALID;
    sink s = {.bytes = frames, .capacity = capacity, .is_batch = true};
    girt_status const status = receive_or_wait(channel, &s, timeout_ns);
    if (status != GIRT_OK)
        return status;
    *size = s.size;
    if (received != NULL)
        *received = s.count;
    return GIRT_OK;
}
