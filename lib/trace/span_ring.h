/* SPDX-License-Identifier: MIT */
/* span_ring.h - the spans of one thread, the oldest making room. */
#ifndef GIRT_TRACE_SPAN_RING_H
#define GIRT_TRACE_SPAN_RING_H

#include <girt/alloc.h>

#include "core/cacheline.h"
#include "trace/span_record.h"

typedef struct girt__span_slot {
    uint64_t version; /* 2 n + 1: record n comes; 2 n + 2: it is there */
    uint64_t words[GIRT__SPAN_RECORD_WORDS];
} girt__span_slot;
_Static_assert(sizeof(girt__span_slot) == 256, "four lines");

typedef struct girt__span_ring {
    /* Written once. */
    girt__span_slot *slots;
    uint64_t mask;
    /* The owner's: records so far. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t head;
    /* The reader's, under the tracer's mutex. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t read; /* the first unread one */
    uint64_t base; /* what the head was when counting began */
    uint64_t dropped, left_out;
    uint64_t end; /* where the last write ended, and what it found */
    uint64_t now_written, now_left_out;
} girt__span_ring;

/* capacity: a power of two. NULL: no memory. */
girt__span_ring *girt__span_ring_create(size_t capacity,
                                        const girt_allocator *allocator);
void girt__span_ring_destroy(girt__span_ring *ring,
                             const girt_allocator *allocator);

/* The owner only. */
void girt__span_ring_push(girt__span_ring *ring,
                          const girt__span_record *record);

/* Any thread; a reader after R0 -> W1 sees all records below. */
uint64_t girt__span_ring_head(const girt__span_ring *ring);
/* Copies record n, below the head; false: it was overwritten. */
bool girt__span_ring_read(const girt__span_ring *ring, uint64_t n,
                          girt__span_record *record);

#endif /* GIRT_TRACE_SPAN_RING_H */
