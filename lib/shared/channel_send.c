/* SPDX-License-Identifier: MIT */
/* channel_send.c - into this process's own lane; the proof is in channel.c.
 *
 * Frames and index words are written first, and the store of `tail` publishes
 * them all (R1).  Until then a kill leaves no trace. */
#include <girt/channel.h>

#include <string.h>

#include <girt/clock.h>

#include "core/park.h"
#include "shared/channel_internal.h"
#include "shared/racy_copy.h"

/* How many more messages fit, as far as known without reading the receivers'
 * line. */
static uint64_t room_known(const girt_channel *channel)
{
    return channel->shape.capacity - (channel->tail - channel->head_seen);
}

/* Reads it. */
static girt_status look_for_room(girt_channel *channel)
{
    /* A2 <- R2 (channel_receive.c): what is overwritten has been copied. */
    uint64_t const head = girt_load_acquire(&channel->mine->head);
    uint64_t const used = channel->tail - head;
    if (used > channel->shape.capacity)
        return GIRT_E_CORRUPT;
    channel->head_seen = head;
    return used == channel->shape.capacity ? GIRT_FULL : GIRT_OK;
}

/* A lane, and room for a message in it. */
static girt_status get_ready(girt_channel *channel)
{
    if (girt_unlikely(channel->mine == NULL)) {
        girt_status const status = girt__lane_claim(channel);
        if (status != GIRT_OK)
            return status;
    }
    return girt_likely(room_known(channel) != 0) ? GIRT_OK
                                                 : look_for_room(channel);
}

/* Copies bytes to the data from `at` on, round its end. */
static void put(girt_channel *channel, uint64_t at, const void *from,
                size_t bytes)
{
    const girt__lane_shape *const shape = &channel->shape;
    if (bytes == 0)
        return;
    size_t const straight = (size_t)(shape->data_bytes - at);
    size_t const first = bytes < straight ? bytes : straight;
    girt__racy_copy_in(girt__lane_data(shape, channel->mine, at), from, first);
    if (bytes > first)
        girt__racy_copy_in(girt__lane_data(shape, channel->mine, 0),
                           (const char *)from + first, bytes - first);
}

static void note(girt_channel *channel, uint64_t number, uint64_t at,
                 uint64_t size)
{
    girt_store_relaxed(girt__lane_index(&channel->shape, channel->mine, number),
                       girt__index_word(at, size));
}

static void publish(girt_channel *channel, uint64_t count, uint64_t bytes)
{
    channel->data_at =
        girt__data_after(&channel->shape, channel->data_at, bytes);
    channel->tail += count;
    girt_store_release(&channel->mine->tail, channel->tail); /* R1 -> A1 */
}

static girt_status try_send(girt_channel *channel, const void *message,
                            size_t size)
{
    girt_status const status = get_ready(channel);
    if (girt_unlikely(status != GIRT_OK))
        return status;
    uint64_t const at = channel->data_at;
    girt_store_relaxed(girt__lane_data(&channel->shape, channel->mine, at),
                       (uint64_t)size);
    put(channel, girt__data_after(&channel->shape, at, GIRT__FRAME_HEAD),
        message, size);
    note(channel, channel->tail, at, size);
    publish(channel, 1, girt__frame_bytes(size));
    return GIRT_OK;
}

/* Tries before the first sleep, with a pause each. */
enum { SPINS = 32 };

/* One message, or a batch that has not gone yet. */
typedef struct parcel {
    const char *bytes;
    size_t size;
    bool is_batch;
    size_t done;   /* of size: sent */
    uint64_t sent; /* messages */
} parcel;

/* The size of the message whose frame begins there, in `room` bytes. */
static inline girt_status frame_size(const char *frame, size_t room,
                                     uint64_t message_max, uint64_t *size)
{
    uint64_t head;
    if (girt_unlikely(room < sizeof head))
        return GIRT_E_INVALID;
    memcpy(&head, frame, sizeof head);
    if (girt_unlikely(head > room - sizeof head ||
                      girt__frame_bytes(head) > room))
        return GIRT_E_INVALID;
    *size = head;
    return girt_unlikely(head > message_max) ? GIRT_E_TOO_LARGE : GIRT_OK;
}

/* Whether all of the batch from `at` on is frames that may be sent. */
static girt_status check_frames(const girt_channel *channel, const parcel *p,
                                size_t at)
{
    while (at < p->size) { /* each frame has bytes */
        uint64_t size;
        girt_status const status = frame_size(
            p->bytes + at, p->size - at, channel->shape.message_max, &size);
        if (status != GIRT_OK)
            return status;
        at += (size_t)girt__frame_bytes(size);
    }
    return GIRT_OK;
}

/* Writes the index of up to *count frames from *at on and moves *at behind
 * them; *count is then how many there were. */
static girt_status write_index(const girt_channel *channel, const parcel *p,
                               size_t *at, uint64_t *count)
{
    /* Copies, because the stores below might write them for all the compiler
     * knows: 2 ns a message. */
    girt__lane_shape const shape = channel->shape;
    const char *const bytes = p->bytes;
    size_t const end = p->size;
    girt__lane *const lane = channel->mine;
    uint64_t number = channel->tail, data_at = channel->data_at;
    uint64_t const last = number + *count;
    uint64_t usual = 0, frame = girt__frame_bytes(0);
    size_t from = *at;
    while (number != last && from < end) {
        uint64_t size;
        girt_status const status =
            frame_size(bytes + from, end - from, shape.message_max, &size);
        if (girt_unlikely(status != GIRT_OK))
            return status;
        /* A branch, not a computation: guessed right, the CPU goes on to the
         * next frame before this one's size has come. */
        if (girt_unlikely(size != usual)) {
            usual = size;
            frame = girt__frame_bytes(size);
            girt_fence_compiler();
        }
        girt_store_relaxed(girt__lane_index(&shape, lane, number),
                           girt__index_word(data_at, usual));
        data_at = girt__data_after(&shape, data_at, frame);
        from += (size_t)frame;
        number++;
    }
    *at = from;
    *count = number - channel->tail;
    return GIRT_OK;
}

/* Sends as many as there is room for.  The index is written while the frames
 * are checked; nothing is published unless all of them are right. */
static girt_status try_send_n(girt_channel *channel, parcel *p)
{
    girt_status status = get_ready(channel);
    if (girt_unlikely(status != GIRT_OK))
        return status;
    size_t at = p->done;
    uint64_t count = room_known(channel);
    status = write_index(channel, p, &at, &count);
    if (status == GIRT_OK && at < p->size && p->done == 0)
        status = check_frames(channel, p, at);
    if (girt_unlikely(status != GIRT_OK))
        return status;
    put(channel, channel->data_at, p->bytes + p->done, at - p->done);
    publish(channel, count, at - p->done);
    p->done = at;
    p->sent += count;
    return at == p->size ? GIRT_OK : GIRT_FULL;
}

/* What was not known to be room the first time may be now. */
static girt_status try_send_all(girt_channel *channel, parcel *p)
{
    girt_status const status = try_send_n(channel, p);
    return status == GIRT_FULL && p->done != 0 ? try_send_n(channel, p)
                                               : status;
}

/* One try, and the ring for what it sent. */
static girt_status attempt(girt_channel *channel, parcel *p)
{
    uint64_t const before = p->sent;
    (void)pthread_mutex_lock(&channel->mutex);
    girt_status status;
    if (p->is_batch) {
        status = try_send_all(channel, p);
    } else {
        status = try_send(channel, p->bytes, p->size);
        p->sent = status == GIRT_OK;
    }
    (void)pthread_mutex_unlock(&channel->mutex);
    if (p->sent != before)
        girt__bell_ring(&channel->block->messages, p->sent - before);
    return status;
}

static girt_status send_or_wait(girt_channel *channel, parcel *p,
                                int64_t timeout_ns)
{
    girt_status status = attempt(channel, p);
    if (status != GIRT_FULL || timeout_ns == GIRT_NOW)
        return status;
    for (int i = 0; i < SPINS && status == GIRT_FULL; i++) {
        girt_pause();
        status = attempt(channel, p);
    }
    if (status != GIRT_FULL)
        return status;
    int64_t const deadline_ns = girt__deadline(timeout_ns);
    /* Ends with the deadline; receivers make progress meanwhile. */
    for (;;) {
        /* Set by the attempt that found it full, and then for good. */
        girt__bell *const bell = &channel->mine->room;
        uint32_t const key = girt__bell_prepare(bell);
        status = attempt(channel, p);
        if (status != GIRT_FULL)
            return status;
        if (deadline_ns != GIRT_FOREVER &&
            girt_clock_monotonic.now_ns(NULL) >= deadline_ns)
            return GIRT_TIMEOUT;
        girt__bell_wait(bell, key, deadline_ns);
    }
}

girt_status girt_channel_send(girt_channel *channel, const void *message,
                              size_t size, int64_t timeout_ns)
{
    if (girt_unlikely(channel == NULL || (message == NULL && size != 0) ||
                      timeout_ns < 0))
        return GIRT_E_INVALID;
    if (girt_unlikely(size > channel->shape.message_max))
        return GIRT_E_TOO_LARGE;
    parcel p = {.bytes = message, .size = size};
    return send_or_wait(channel, &p, timeout_ns);
}

girt_status girt_channel_send_n(girt_channel *channel, const void *frames,
                                size_t size, int64_t timeout_ns, size_t *sent)
{
    if (girt_unlikely(channel == NULL || sent == NULL ||
                      (frames == NULL && size != 0) || timeout_ns < 0))
        return GIRT_E_INVALID;
    parcel p = {.bytes = frames, .size = size, .is_batch = true};
    girt_status const status =
        size == 0 ? GIRT_OK : send_or_wait(channel, &p, timeout_ns);
    if (status >= 0 || p.sent != 0)
        *sent = (size_t)p.sent;
    return status;
}
