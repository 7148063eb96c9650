/* SPDX-License-Identifier: MIT */
/* channel.h - messages between the processes of a host, through shared memory.
 *
 * Each process that sends has a lane of its own, so no two processes ever wait
 * for each other in the middle of a send; any process receives from all lanes.
 * A message is received once, by one of them.
 *
 *     girt_channel_open(&jobs, shared, "jobs", 1024, 256);
 *     girt_channel_send(jobs, job, job_size, GIRT_FOREVER);
 *     girt_channel_receive(jobs, job, sizeof job, &job_size, GIRT_FOREVER);
 *
 *              open  send  receive  close
 *   send        -     -      -       X      X: the caller excludes them, on one
 *   receive     -     -      -       X         handle.
 *
 * Killed processes block nobody, at whatever instruction:
 * - A message is published by one store.  Until then it is not there; from then
 *   on it is accepted, and GIRT_OK is answered only afterwards.
 * - A receiver copies a message out and then takes it by one compare-and-swap.
 *   Killed before, it took nothing and another receives the message; killed
 *   after, the message is gone with it.  No survivor gets a message twice.
 * - Every sleep ends by itself after 50 ms at most and looks again.
 * - A dead process's lane is drained by receivers, and is the next sender's.
 *
 * Order: what one process sends arrives in that order, as long as one receiver
 * takes it; between lanes there is no order.
 * Bound: each lane holds `capacity` messages, whatever their sizes.
 * Empty and full: GIRT_EMPTY only if each lane was empty at an instant within
 * the call; GIRT_FULL only if the lane was full at one.
 * Progress: receive takes by compare-and-swap: a process that stops anywhere
 * stops no receiver (a retry means that another took the message).  Senders of
 * different processes never meet; threads of one process take turns under a
 * mutex of the handle, or open a handle, and so a lane, each.  With a timeout
 * both sleep.
 * Fork: a handle stays good in the child, which gets a lane of its own when it
 * sends.  Handles of one process that are open more than once have a lane each.
 * Signals: nothing here is async-signal-safe.
 * Trust: whoever can write to the segment can spoil messages, not the process
 * that reads them: sizes and places are checked, GIRT_E_CORRUPT. */
#ifndef GIRT_CHANNEL_H
#define GIRT_CHANNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <girt/export.h>
#include <girt/shared.h>
#include <girt/status.h>

GIRT_BEGIN

/** The most handles of a channel that send at the same time. */
#define GIRT_CHANNEL_LANES 64

/** A channel, as one process has it. */
typedef struct girt_channel girt_channel;

/**
 * Finds a channel by name in a segment, or makes it.
 *
 * A channel takes 1280 bytes and a lane, each further process that sends at the
 * same time another lane.  A lane is 384 bytes, 8 for each message (`capacity`
 * rounded up to a power of two), and `capacity` frames of the largest size
 * (GIRT_CHANNEL_FRAME).  All is rounded up to pages of 4096.
 *
 * @param out  set on GIRT_OK only.
 * @param shared  the segment; it may be closed before the channel.
 * @param name  1 to 255 bytes.
 * @param capacity  messages that a lane holds, 1 and up; the same for all who
 * open it.
 * @param message_max  bytes of the largest message, 1 and up; the same for all.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, a 0, a name out of range or of
 * another kind of part, other numbers than it was made with; GIRT_E_TOO_LARGE:
 * a message_max of 2^32 or more, a lane of 32 GiB or more; GIRT_E_NOMEM: no
 * room in the segment, or out of memory; GIRT_E_CORRUPT: the segment is
 * damaged; GIRT_E_BUSY: a process that is stopped keeps others from making it.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_channel_open(girt_channel **out, girt_shared *shared,
                                       const char *name, size_t capacity,
                                       size_t message_max);

/**
 * Gives the channel up in this process; what was sent stays for receivers, and
 * the lane is free for another process.
 *
 * @param channel  gone afterwards; NULL does nothing.
 *
 * Threads: one, excluding all others on this handle.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_channel_close(girt_channel *channel);

/**
 * Sends a message.
 *
 * @param channel  the channel.
 * @param message  size bytes; may be NULL when size is 0.
 * @param size  0 to message_max.
 * @param timeout_ns  how long to wait for room, in ns; GIRT_NOW, GIRT_FOREVER.
 * @return  GIRT_OK: accepted, it will be received once; GIRT_FULL: no room,
 * with GIRT_NOW; GIRT_TIMEOUT: no room in that time; GIRT_E_TOO_LARGE: more
 * than message_max; GIRT_E_INVALID: a NULL or a negative timeout; GIRT_E_NOMEM:
 * the segment has no room for this process's lane; GIRT_E_BUSY: a process that
 * is stopped keeps others from making one; GIRT_E_CORRUPT: the lane is damaged.
 * But for GIRT_OK nothing was sent.
 *
 * Threads: any; those of one handle take turns.
 * Progress: blocking, see the head of this file.
 * Order: what happened before it is seen by whoever receives the message.
 * Since: 0.1
 */
GIRT_API girt_status girt_channel_send(girt_channel *channel,
                                       const void *message, size_t size,
                                       int64_t timeout_ns);

/**
 * Receives a message.
 *
 * @param channel  the channel.
 * @param message  room for it; what it holds is only a message with GIRT_OK.
 * May be NULL when capacity is 0.
 * @param capacity  bytes of room; message_max is enough for any.
 * @param size  set to the message's bytes with GIRT_OK, else untouched.
 * @param timeout_ns  how long to wait for one, in ns; GIRT_NOW, GIRT_FOREVER.
 * @return  GIRT_OK; GIRT_EMPTY: none there, with GIRT_NOW; GIRT_TIMEOUT: none
 * came in that time; GIRT_E_TOO_LARGE: the next one has more than capacity
 * bytes, it stays; GIRT_E_INVALID: a NULL or a negative timeout;
 * GIRT_E_CORRUPT: a lane is damaged; the next call looks at another first.
 *
 * Threads: any.
 * Progress: blocking, see the head of this file.
 * Order: sees what happened before the message was sent.
 * Since: 0.1
 */
GIRT_API girt_status girt_channel_receive(girt_channel *channel, void *message,
                                          size_t capacity, size_t *size,
                                          int64_t timeout_ns);

/** Bytes of a message of `size` bytes in a batch: 8 with its size, then the
 * message, filled up to a multiple of 8. */
#define GIRT_CHANNEL_FRAME(size) (8 + (((size_t)(size) + 7) & ~(size_t)7))

/**
 * Adds a message to a batch for girt_channel_send_n.
 *
 * @param frames  the batch; of any alignment.
 * @param capacity  its bytes.
 * @param used  bytes that are filled, 0 at first; moved on with GIRT_OK.
 * @param message  size bytes; may be NULL when size is 0.
 * @param size  of the message.
 * @return  GIRT_OK; GIRT_FULL: does not fit.
 *
 * Threads: one at a time for one batch.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
static inline __attribute__((unused)) girt_status girt_channel_frame_put(
    void *frames, size_t capacity, size_t *used, const void *message,
    size_t size)
{
    if (*used > capacity || size > SIZE_MAX - 15 ||
        GIRT_CHANNEL_FRAME(size) > capacity - *used)
        return GIRT_FULL;
    char *const frame = (char *)frames + *used;
    uint64_t const head = size;
    uint64_t const end = 0;
    memcpy(frame, &head, sizeof head);
    /* The last word first: what the message leaves of it is zero. */
    if (size % 8 != 0)
        memcpy(frame + GIRT_CHANNEL_FRAME(size) - 8, &end, sizeof end);
    if (size != 0)
        memcpy(frame + 8, message, size);
    *used += GIRT_CHANNEL_FRAME(size);
    return GIRT_OK;
}

/**
 * The next message of a batch that girt_channel_receive_n filled.
 *
 * @param frames  the batch.
 * @param size  its bytes, as girt_channel_receive_n gave them.
 * @param at  how far it was read, 0 at first; moved on with GIRT_OK.
 * @param message  set with GIRT_OK: where the message is in the batch.
 * @param message_size  set with GIRT_OK: its bytes.
 * @return  GIRT_OK; GIRT_EMPTY: that was all; GIRT_E_CORRUPT: what follows is
 * no frame.
 *
 * Threads: any, each with its own `at`.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
static inline __attribute__((unused)) girt_status girt_channel_frame_next(
    const void *frames, size_t size, size_t *at, const void **message,
    size_t *message_size)
{
    if (*at >= size)
        return GIRT_EMPTY;
    size_t const room = size - *at;
    const char *const frame = (const char *)frames + *at;
    uint64_t head;
    if (room < sizeof head)
        return GIRT_E_CORRUPT;
    memcpy(&head, frame, sizeof head);
    if (head > room - sizeof head || GIRT_CHANNEL_FRAME(head) > room)
        return GIRT_E_CORRUPT;
    *message = frame + 8;
    *message_size = (size_t)head;
    *at += GIRT_CHANNEL_FRAME(head);
    return GIRT_OK;
}

/**
 * Sends a batch, in order, which is several times cheaper than single messages.
 *
 * @param channel  the channel.
 * @param frames  messages framed by girt_channel_frame_put, or by hand: each a
 * uint64_t with its size, then its bytes, filled up to a multiple of 8.
 * @param size  bytes of all frames; 0 sends nothing.
 * @param timeout_ns  how long to wait for room altogether, in ns; GIRT_NOW,
 * GIRT_FOREVER.
 * @param sent  set to how many of the first messages were accepted, with
 * GIRT_OK, GIRT_FULL and GIRT_TIMEOUT; with a failure, where some were
 * nevertheless, else untouched.
 * @return  GIRT_OK: all of them; as girt_channel_send; GIRT_E_INVALID also for
 * bytes that are no frames, GIRT_E_TOO_LARGE for one message over message_max.
 *
 * Threads: any; those of one handle take turns; a batch that has to wait for
 * room may have others' messages in between.
 * Progress: blocking, see the head of this file.
 * Order: as girt_channel_send.
 * Since: 0.1
 */
GIRT_API girt_status girt_channel_send_n(girt_channel *channel,
                                         const void *frames, size_t size,
                                         int64_t timeout_ns, size_t *sent);

/**
 * Receives as many messages of one lane as there are and fit; waits for the
 * first only.
 *
 * @param channel  the channel.
 * @param frames  room for a batch, of any alignment; read it with
 * girt_channel_frame_next.
 * @param capacity  bytes of room; GIRT_CHANNEL_FRAME(message_max) is enough for
 * one of any size.
 * @param timeout_ns  how long to wait for the first, in ns; GIRT_NOW,
 * GIRT_FOREVER.
 * @param size  set to the bytes that were filled, with GIRT_OK.
 * @param received  set to the number of messages, with GIRT_OK; may be NULL.
 * @return  as girt_channel_receive; with GIRT_OK at least one came.
 *
 * Threads: any.
 * Progress: blocking, see the head of this file.
 * Order: as girt_channel_receive.
 * Since: 0.1
 */
GIRT_API girt_status girt_channel_receive_n(girt_channel *channel, void *frames,
                                            size_t capacity, int64_t timeout_ns,
                                            size_t *size, size_t *received);

GIRT_END

#endif /* GIRT_CHANNEL_H */
