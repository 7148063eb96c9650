/* SPDX-License-Identifier: MIT */
/* bell.h - waiting for another process, which may be killed at any instant.
 *
 *   sleeper                              ringer
 *   key = prepare(bell);                 make the condition true;
 *   if (condition) done;                 ring(bell, n);
 *   else wait(bell, key, deadline);
 *   look again.
 *
 * A ring after prepare ends the wait of one sleeper that prepared; a wait ends
 * by itself after GIRT__BELL_SLICE_NS at the latest, so that a ringer that is
 * killed before it rings, or a sleeper that is killed with the ring meant for
 * it, costs the others no more than that. */
#ifndef GIRT_SHARED_BELL_H
#define GIRT_SHARED_BELL_H

#include <stdint.h>

#include "core/atomic.h"
#include "core/cacheline.h"

#define GIRT__BELL_SLICE_NS INT64_C(50000000)

typedef struct girt__bell {
    uint32_t epoch;   /* the futex: moves with every ring that is heard */
    uint32_t waiting; /* 1: somebody may be asleep; 0: rings do nothing */
} girt__bell;

uint32_t girt__bell_prepare(girt__bell *bell);
/* Until a ring since prepare, deadline_ns on the monotonic clock, a signal, or
 * the end of the slice. */
void girt__bell_wait(girt__bell *bell, uint32_t key, int64_t deadline_ns);
/* The part of a ring that makes a system call. */
void girt__bell_wake(girt__bell *bell, uint64_t count);

/* Wakes up to `count`; the condition was made true by a store of any order.
 * Without sleepers a fence and a load. */
static inline void girt__bell_ring(girt__bell *bell, uint64_t count)
{
    girt_fence_seq_cst(); /* F2 -> F1: the condition, then waiting */
    if (girt_unlikely(girt_load_relaxed(&bell->waiting) != 0))
        girt__bell_wake(bell, count);
}

/* The same where a read-modify-write made it true, just before. */
static inline void girt__bell_ring_after_rmw(girt__bell *bell, uint64_t count)
{
    girt_fence_after_rmw(); /* F2 -> F1 */
    if (girt_unlikely(girt_load_relaxed(&bell->waiting) != 0))
        girt__bell_wake(bell, count);
}

#endif /* GIRT_SHARED_BELL_H */
