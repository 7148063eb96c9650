/* SPDX-License-Identifier: MIT */
/* channel_internal.h - the layout of a channel and its lanes; see channel.c.
 *
 *   part "name":  [facts | bell | table of lanes]  [lane 0]
 *   other parts:  [lane 1]  [lane 2]  ...          made when they are needed
 *
 * A lane's part has a name of its own kind: where its channel is, and its
 * number.
 *
 *   lane:  tail | head | bell of its sender | index | data
 *
 *   index: a word for each message: where in the data its frame begins, and its
 *          size.  Message number i is at i modulo the slots, a power of two.
 *   data:  frames one behind the other, round and round; room for `capacity`
 *          of the largest, so it is never full before the index is. */
#ifndef GIRT_SHARED_CHANNEL_INTERNAL_H
#define GIRT_SHARED_CHANNEL_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/channel.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/thread.h"
#include "shared/bell.h"
#include "shared/shared_internal.h"

enum { GIRT__FRAME_HEAD = 8 }; /* bytes: the size of the message */

/* A lane in shared memory. */
typedef struct girt__lane {
    /* Written by its sender; how many messages were ever sent. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t tail;
    /* Written by receivers; how many were ever received. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t head;
    /* The sender sleeps here for room. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__bell room;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t words[]; /* index, then data */
} girt__lane;

/* A line of the table. */
typedef struct girt__lane_entry {
    uint64_t owner;  /* the process that sends here; 0: none. core/process.h */
    uint64_t offset; /* from the segment's start; 0: not made yet */
} girt__lane_entry;

typedef struct girt__channel_facts {
    uint64_t capacity;
    uint64_t message_max;
    uint64_t check; /* of the two */
} girt__channel_facts;

typedef struct girt__channel_block {
    girt__channel_facts facts; /* written once */
    /* No lane beyond it was ever claimed; 0 counts as 1. */
    uint32_t lanes_end;
    /* Receivers sleep here for messages. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__bell messages;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__lane_entry lanes[GIRT_CHANNEL_LANES];
} girt__channel_block;
_Static_assert(sizeof(girt__channel_block) % GIRT_DESTRUCTIVE == 0,
               "lane 0 follows");

/* What a process computes once from capacity and message_max. */
typedef struct girt__lane_shape {
    uint64_t capacity;
    uint64_t message_max;
    uint64_t index_mask;
    uint64_t data_bytes;
    size_t bytes; /* of a lane */
} girt__lane_shape;

struct girt_channel {
    /* Written at open. */
    girt_shared *shared;
    girt__channel_block *block;
    girt__shared_part part;
    girt__lane_shape shape;
    girt__thread_observer observer; /* of forks */
    /* Receiving, any thread: lanes seen so far, and where to look first. */
    girt__lane *lanes[GIRT_CHANNEL_LANES];
    uint32_t cursor;
    /* Sending, under the mutex. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t mutex;
    girt__lane *mine; /* NULL: none yet */
    uint32_t mine_index;
    uint64_t tail;      /* mine->tail */
    uint64_t head_seen; /* mine->head was at least that */
    uint64_t data_at;   /* where the next frame goes */
};

/* An index word. */
static inline uint64_t girt__index_word(uint64_t data_at, uint64_t size)
{
    return data_at / 8 << 32 | size;
}
static inline uint64_t girt__index_at(uint64_t word)
{
    return (word >> 32) * 8;
}
static inline uint64_t girt__index_size(uint64_t word)
{
    return word & UINT32_MAX;
}

static inline uint64_t girt__frame_bytes(uint64_t size)
{
    return GIRT__FRAME_HEAD + ((size + 7) & ~UINT64_C(7));
}

static inline uint64_t *girt__lane_index(const girt__lane_shape *shape,
                                         girt__lane *lane, uint64_t number)
{
    return &lane->words[number & shape->index_mask];
}
static inline uint64_t *girt__lane_data(const girt__lane_shape *shape,
                                        girt__lane *lane, uint64_t at)
{
    return &lane->words[shape->index_mask + 1 + at / 8];
}

/* Whether an index word could be one of ours. */
static inline bool girt__index_fits(const girt__lane_shape *shape,
                                    uint64_t word)
{
    return girt__index_at(word) < shape->data_bytes &&
           girt__index_size(word) <= shape->message_max;
}

/* Where the frame behind this one begins. */
static inline uint64_t girt__data_after(const girt__lane_shape *shape,
                                        uint64_t at, uint64_t bytes)
{
    at += bytes; /* bytes <= data_bytes */
    return at >= shape->data_bytes ? at - shape->data_bytes : at;
}

/* channel_lane.c */
/* GIRT_E_INVALID: 0; GIRT_E_TOO_LARGE: cannot be addressed. */
girt_status girt__lane_shape_set(girt__lane_shape *shape, size_t capacity,
                                 size_t message_max);
/* Lane 0 stands behind the block. */
static inline girt__lane *girt__lane_first(const girt_channel *channel)
{
    return (girt__lane *)(void *)(channel->block + 1);
}
/* Looks up the lane of that number for receivers, and keeps it in
 * channel->lanes; NULL: not made, or *broken. */
girt__lane *girt__lane_look_up(girt_channel *channel, uint32_t index,
                               bool *broken);
/* Gets this process a lane to send on; under the mutex.  GIRT_OK;
 * GIRT_E_NOMEM; GIRT_E_BUSY; GIRT_E_CORRUPT. */
girt_status girt__lane_claim(girt_channel *channel);
void girt__lane_give_up(girt_channel *channel);

#endif /* GIRT_SHARED_CHANNEL_INTERNAL_H */
