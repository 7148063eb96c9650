/* SPDX-License-Identifier: MIT */
/* channel_lane.c - lanes: how large, where, and whose.
 *
 * A lane is made when a process sends that finds none free: memory goes by the
 * most processes that ever sent at a time.  An entry of the table is claimed
 * first and then given its lane; where the claimer is killed in between, the
 * next one claims the entry from it and finds, or makes, the same part.
 *
 * A lane that is taken over may still hold messages.  The new owner sends
 * behind them: tail, head and the index say all there is to know.  Empty ones
 * are taken first, then new ones made, so that this is rare. */
#include "shared/channel_internal.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/power.h"
#include "core/process.h"

girt_status girt__lane_shape_set(girt__lane_shape *shape, size_t capacity,
                                 size_t message_max)
{
    if (capacity == 0 || message_max == 0)
        return GIRT_E_INVALID;
    /* An index word has 32 bits for the size, 32 for the place by eights. */
    if (message_max > UINT32_MAX || capacity > UINT32_MAX / 2)
        return GIRT_E_TOO_LARGE;
    size_t const frame = (size_t)girt__frame_bytes(message_max);
    size_t const slots = girt__power_from(capacity);
    size_t data, bytes;
    if (!girt__size_multiply(frame, capacity, &data) || data / 8 > UINT32_MAX ||
        !girt__size_add(data, slots * sizeof(uint64_t), &bytes) ||
        !girt__size_add(bytes, sizeof(girt__lane), &bytes))
        return GIRT_E_TOO_LARGE;
    *shape = (girt__lane_shape){
        .capacity = capacity,
        .message_max = message_max,
        .index_mask = slots - 1,
        .data_bytes = data,
        .bytes = bytes,
    };
    return GIRT_OK;
}

girt__lane *girt__lane_look_up(girt_channel *channel, uint32_t index,
                               bool *broken)
{
    const girt_shared *const shared = channel->shared;
    /* A4 <- R4 (publish): the lane's zeros. */
    uint64_t const offset =
        girt_load_acquire(&channel->block->lanes[index].offset);
    if (offset == 0)
        return NULL;
    if (offset < shared->parts_at || offset % shared->page != 0 ||
        offset > shared->bytes ||
        channel->shape.bytes > shared->bytes - offset) {
        *broken = true;
        return NULL;
    }
    girt__lane *const lane =
        (girt__lane *)(void *)((char *)shared->header + offset);
    /* Relaxed: for threads that see it, the lane was whole before. */
    girt_store_relaxed(&channel->lanes[index], lane);
    return lane;
}

static void make_lane(void *block, size_t bytes, const void *context)
{
    (void)block, (void)bytes, (void)context; /* all zero */
}

/* Gives a claimed entry its lane. */
static girt_status find_or_make(girt_channel *channel, uint32_t index,
                                girt__lane **out)
{
    uint64_t const name[2] = {channel->part.offset, index};
    girt__shared_plan const plan = {
        .kind = GIRT__SHARED_LANE,
        .name = name,
        .name_size = sizeof name,
        .bytes = channel->shape.bytes,
        .make = make_lane,
    };
    girt__shared_part part;
    girt_status const status =
        girt__shared_find_or_make(channel->shared, &plan, &part);
    if (status != GIRT_OK)
        return status;
    if (part.bytes < channel->shape.bytes)
        return GIRT_E_CORRUPT;
    girt_store_release(&channel->block->lanes[index].offset,
                       (uint64_t)part.offset); /* R4 -> A4 */
    *out = girt__shared_block(channel->shared, &part);
    return GIRT_OK;
}

/* Takes up sending where the lane's last owner left off. */
static girt_status attach(girt_channel *channel, uint32_t index,
                          girt__lane *lane)
{
    const girt__lane_shape *const shape = &channel->shape;
    uint64_t const tail = girt_load_acquire(&lane->tail);
    uint64_t const head = girt_load_acquire(&lane->head); /* A2 <- R2 */
    if (tail - head > shape->capacity)
        return GIRT_E_CORRUPT;
    uint64_t data_at = 0;
    if (tail != 0) {
        uint64_t const last =
            girt_load_relaxed(girt__lane_index(shape, lane, tail - 1));
        if (!girt__index_fits(shape, last))
            return GIRT_E_CORRUPT;
        data_at = girt__data_after(shape, girt__index_at(last),
                                   girt__frame_bytes(girt__index_size(last)));
    }
    channel->tail = tail;
    channel->head_seen = head;
    channel->data_at = data_at;
    channel->mine = lane;
    channel->mine_index = index;
    return GIRT_OK;
}

/* false: it is a living process's. */
static bool take_over(girt__lane_entry *entry, uint64_t self)
{
    uint64_t owner = girt_load_relaxed(&entry->owner);
    if (owner != 0 && !girt__process_is_gone(owner))
        return false;
    return girt_cas_acquire(&entry->owner, &owner, self); /* A3 <- R3 */
}

/* Says that lanes up to `index` are to be looked at. */
static void raise_end(girt__channel_block *block, uint32_t index)
{
    uint32_t end = girt_load_relaxed(&block->lanes_end);
    /* A round fails only if another process raised it. */
    while (end <= index &&
           !girt_cas_relaxed(&block->lanes_end, &end, index + 1))
        ;
}

typedef enum wish { EMPTY_LANE, NEW_LANE, ANY_LANE } wish;

/* GIRT_MISSING: there is none such. */
static girt_status claim_one(girt_channel *channel, uint64_t self, wish wanted)
{
    girt__channel_block *const block = channel->block;
    for (uint32_t i = 0; i < GIRT_CHANNEL_LANES; i++) {
        girt__lane_entry *const entry = &block->lanes[i];
        bool broken = false;
        girt__lane *lane = girt_load_relaxed(&channel->lanes[i]);
        if (lane == NULL)
            lane = girt__lane_look_up(channel, i, &broken);
        if (broken)
            return GIRT_E_CORRUPT;
        if ((lane == NULL) != (wanted == NEW_LANE) ||
            (wanted == EMPTY_LANE && girt_load_relaxed(&lane->tail) !=
                                         girt_load_relaxed(&lane->head)) ||
            !take_over(entry, self))
            continue;
        raise_end(block, i);
        girt_status status = GIRT_OK;
        if (lane == NULL)
            status = find_or_make(channel, i, &lane);
        if (status == GIRT_OK)
            status = attach(channel, i, lane);
        if (status != GIRT_OK)
            girt_store_release(&entry->owner, (uint64_t)0); /* R3 -> A3 */
        return status;
    }
    return GIRT_MISSING;
}

girt_status girt__lane_claim(girt_channel *channel)
{
    uint64_t const self = girt__process_self();
    girt_status status = claim_one(channel, self, EMPTY_LANE);
    if (status != GIRT_MISSING)
        return status;
    girt_status const made = claim_one(channel, self, NEW_LANE);
    if (made != GIRT_MISSING && made != GIRT_E_NOMEM)
        return made;
    status = claim_one(channel, self, ANY_LANE);
    return status == GIRT_MISSING ? GIRT_E_NOMEM : status;
}

void girt__lane_give_up(girt_channel *channel)
{
    if (channel->mine == NULL)
        return;
    girt_store_release(&channel->block->lanes[channel->mine_index].owner,
                       (uint64_t)0); /* R3 -> A3 */
    channel->mine = NULL;
}
