/* SPDX-License-Identifier: MIT */
/* span_ring.c - the spans of one thread, the oldest making room.
 *
 * One writer, which never waits, and readers that look again: a slot has a
 * version, and a record is its words between two looks at the same one
 * (Lamport 1977).
 *
 *   I1: the writer's steps do not depend on what any reader does.
 *   I2: what read answers is record n, whole.
 *
 * Proof of I2. The words of record n are stored after W0 (version 2 n + 1,
 * then a release fence) and before W1 (version 2 n + 2, release). A reader that
 * saw 2 n + 2 at R0 (acquire) has every word of record n, or a later one. If
 * one of its loads saw a word of a later record m, the fence behind W0 of m
 * and the reader's fence R1 synchronize, so that its second look sees 2 m + 1
 * or later, which is not 2 n + 2. Versions of one slot only rise. */
#include "trace/span_ring.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/atomic.h"

girt__span_ring *girt__span_ring_create(size_t capacity,
                                        const girt_allocator *allocator)
{
    girt__span_ring *const ring =
        girt__allocate_zeroed(allocator, sizeof *ring, GIRT_DESTRUCTIVE);
    if (ring == NULL)
        return NULL;
    ring->mask = capacity - 1;
    ring->slots = girt__allocate_zeroed(
        allocator, capacity * sizeof *ring->slots, GIRT_DESTRUCTIVE);
    if (ring->slots == NULL) {
        girt__release(allocator, ring, sizeof *ring);
        return NULL;
    }
    return ring;
}

void girt__span_ring_destroy(girt__span_ring *ring,
                             const girt_allocator *allocator)
{
    girt__release(allocator, ring->slots,
                  (ring->mask + 1) * sizeof *ring->slots);
    girt__release(allocator, ring, sizeof *ring);
}

void girt__span_ring_push(girt__span_ring *ring,
                          const girt__span_record *record)
{
    uint64_t words[GIRT__SPAN_RECORD_WORDS];
    size_t const count =
        GIRT__SPAN_HEAD_WORDS + ((size_t)record->text_used + 7) / 8;
    memcpy(words, record, count * sizeof *words);

    /* Relaxed: only this thread stores it. */
    uint64_t const n = girt_load_relaxed(&ring->head);
    girt__span_slot *const slot = &ring->slots[n & ring->mask];
    /* W0 -> R1: who sees a word of this record sees this version. */
    girt_store_relaxed(&slot->version, 2 * n + 1);
    girt_fence_release();
    for (size_t i = 0; i < count; i++)
        girt_store_relaxed(&slot->words[i], words[i]);
    /* W1 -> R0: the words are there before the version that says so. */
    girt_store_release(&slot->version, 2 * n + 2);
    /* W2 -> R2: and before the head that counts them. */
    girt_store_release(&ring->head, n + 1);
}

uint64_t girt__span_ring_head(const girt__span_ring *ring)
{
    /* R2 <- W2. */
    return girt_load_acquire(&ring->head);
}

bool girt__span_ring_read(const girt__span_ring *ring, uint64_t n,
                          girt__span_record *record)
{
    const girt__span_slot *const slot = &ring->slots[n & ring->mask];
    uint64_t words[GIRT__SPAN_RECORD_WORDS];
    /* R0 <- W1. */
    if (girt_load_acquire(&slot->version) != 2 * n + 2)
        return false;
    for (size_t i = 0; i < GIRT__SPAN_RECORD_WORDS; i++)
        words[i] = girt_load_relaxed(&slot->words[i]);
    /* R1 <- W0: if a word was of a later record, its version is seen now. */
    girt_fence_acquire();
    if (girt_load_relaxed(&slot->version) != 2 * n + 2)
        return false;
    memcpy(record, words, sizeof *record);
    return true;
}
