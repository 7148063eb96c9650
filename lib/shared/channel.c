/* SPDX-License-Identifier: MIT */
/* channel.c - opening and closing; the layout is in channel_internal.h, lanes
 * in channel_lane.c, sending and receiving in files of their own.
 *
 * Why a lane for each sending process: where several write to one queue, each
 * has to leave its place to the next in a state that the next can go on from,
 * and a killed one does not.  With one writer there is nothing to leave: what
 * is not published by the store of `tail` is not there.  Receivers are many to
 * a lane, but they write nothing of it but `head`, by one compare-and-swap when
 * they have their copy; a killed one has taken a message or has not.
 *
 * I1: head <= tail <= head + capacity; tail moves by its owner's stores, head
 *     by compare-and-swap, neither ever back.
 * I2: the index words and the data of messages head .. tail - 1 are whole and
 *     are not written.  (The sender writes them before it stores `tail`, and
 *     again only after it saw a `head` beyond them.)
 * I3: a lane has one owner, a living process, or none: `owner` goes from 0 or a
 *     process that is gone to another by compare-and-swap.
 *
 * No message is lost or repeated.  A receiver that moves head from h to h + n
 * read those n while head was h: head never comes back to a value, so it was h
 * all the time in between, and by I2 what it copied was whole.  Each number is
 * passed by one compare-and-swap, so by one receiver.
 *
 * R1 -> A1: tail; the messages below it.        sender to receiver
 * R2 -> A2: head; the copies were made.         receiver to sender
 * R3 -> A3: owner; the lane's tail and index.   sender to its successor; from a
 *     killed one the kernel's end of it, which the successor saw. */
#include <girt/channel.h>

#include <string.h>

#include <girt/hash.h>

#include "core/alloc_internal.h"
#include "shared/channel_internal.h"

#define CHECK_SEED UINT64_C(0x676972746368616e)

static uint64_t check_of(const girt__channel_facts *facts)
{
    return girt_hash(facts, offsetof(girt__channel_facts, check), CHECK_SEED);
}

static void make(void *block, size_t bytes, const void *context)
{
    const girt__lane_shape *const shape = context;
    girt__channel_facts *const facts = &((girt__channel_block *)block)->facts;
    (void)bytes; /* zero, which is right for all the rest */
    facts->capacity = shape->capacity;
    facts->message_max = shape->message_max;
    facts->check = check_of(facts);
}

/* Whether the block is a channel of this shape. */
static girt_status check_block(const girt__channel_block *block, size_t bytes,
                               const girt__lane_shape *shape)
{
    if (bytes < sizeof *block)
        return GIRT_E_CORRUPT;
    girt__channel_facts const facts = block->facts;
    if (facts.check != check_of(&facts))
        return GIRT_E_CORRUPT;
    if (facts.capacity != shape->capacity ||
        facts.message_max != shape->message_max)
        return GIRT_E_INVALID;
    return bytes - sizeof *block < shape->bytes ? GIRT_E_CORRUPT : GIRT_OK;
}

static void thread_ended(girt__thread_observer *observer, uint32_t index)
{
    (void)observer, (void)index;
}

static void before_fork(girt__thread_observer *observer)
{
    girt_channel *const channel =
        girt_container_of(observer, girt_channel, observer);
    (void)pthread_mutex_lock(&channel->mutex);
}

/* The child's sends must not go on in the parent's lane. */
static void after_fork(girt__thread_observer *observer, bool in_child)
{
    girt_channel *const channel =
        girt_container_of(observer, girt_channel, observer);
    if (in_child)
        channel->mine = NULL;
    (void)pthread_mutex_unlock(&channel->mutex);
}

static girt_status make_handle(girt_channel **out, girt_shared *shared,
                               const girt__shared_part *part,
                               const girt__lane_shape *shape)
{
    girt_allocator const allocator = girt__allocator_default();
    girt_channel *const channel = girt__allocate_zeroed(
        &allocator, sizeof *channel, _Alignof(girt_channel));
    if (channel == NULL)
        return GIRT_E_NOMEM;
    if (pthread_mutex_init(&channel->mutex, NULL) != 0) {
        girt__release(&allocator, channel, sizeof *channel);
        return GIRT_E_NOMEM;
    }
    channel->shared = shared;
    channel->block = girt__shared_block(shared, part);
    channel->part = *part;
    channel->shape = *shape;
    channel->lanes[0] = girt__lane_first(channel);
    channel->observer.ended = thread_ended;
    channel->observer.before_fork = before_fork;
    channel->observer.after_fork = after_fork;
    girt__shared_keep(shared);
    girt__thread_observe(&channel->observer);
    *out = channel;
    return GIRT_OK;
}

girt_status girt_channel_open(girt_channel **out, girt_shared *shared,
                              const char *name, size_t capacity,
                              size_t message_max)
{
    size_t const name_size = girt__shared_name_size(name);
    if (out == NULL || shared == NULL || name_size == 0)
        return GIRT_E_INVALID;
    girt__lane_shape shape;
    girt_status status = girt__lane_shape_set(&shape, capacity, message_max);
    if (status != GIRT_OK)
        return status;
    girt__shared_plan const plan = {
        .kind = GIRT__SHARED_CHANNEL,
        .name = name,
        .name_size = name_size,
        .bytes = sizeof(girt__channel_block) + shape.bytes,
        .make = make,
        .context = &shape,
    };
    girt__shared_part part;
    status = girt__shared_find_or_make(shared, &plan, &part);
    if (status == GIRT_OK)
        status =
            check_block(girt__shared_block(shared, &part), part.bytes, &shape);
    return status == GIRT_OK ? make_handle(out, shared, &part, &shape) : status;
}

void girt_channel_close(girt_channel *channel)
{
    if (channel == NULL)
        return;
    girt__thread_unobserve(&channel->observer);
    girt__lane_give_up(channel);
    (void)pthread_mutex_destroy(&channel->mutex);
    girt_shared *const shared = channel->shared;
    girt_allocator const allocator = girt__allocator_default();
    girt__release(&allocator, channel, sizeof *channel);
    girt_shared_close(shared);
}
