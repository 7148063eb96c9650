/* SPDX-License-Identifier: MIT */
/* bulkhead.h - at most N callers inside; the rest wait in a bounded line or
 * are turned away.
 *
 * A service that turns slow fills the threads of everyone who calls it.  A
 * bulkhead before each such service keeps its callers to N, so that the other
 * threads go on with what does not need it.
 *
 *                enter  leave  destroy
 *   enter        -      -      X        X: the caller excludes them.
 *   leave        -      -      X
 *   destroy      X      X      X
 *
 * Inside: never more than inside_max, at any instant (I1).
 * The line: at most waiting_max callers.  A place that is left goes to the
 * first in line, in the order in which they came; nobody who comes later, and
 * nobody with more luck, gets it before (I2).  One whose time is over leaves
 * the line and moves up those behind.
 * REJECTED only if at an instant within the call waiting_max callers were in
 * line, or, with waiting_max 0, inside_max inside.  TIMEOUT only if timeout_ns passed and no
 * place had been handed to the caller: a place that comes at the last moment
 * is taken and answered OK.  Time limits are by the monotonic clock.
 * Progress: lock-free while nobody waits and fewer than half of the places are
 * taken.  With callers in line, enter and leave hold a mutex for some dozen
 * instructions.  A bulkhead that is half empty leaves places with the threads
 * that use them; an enter that then finds none gathers them under the mutex
 * first, so that it is not turned away while one is free.  A caller that stops
 * inside keeps its place.  A waiting thread costs no CPU.
 * Threads that end inside, or are cancelled, keep their place for ever: leave
 * in a cleanup handler.  Waiting is no cancellation point.
 * Fork: the child has a copy in which the callers of other threads are inside
 * for ever; make a new one.
 * Signals: nothing here is async-signal-safe. */
#ifndef GIRT_BULKHEAD_H
#define GIRT_BULKHEAD_H

#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** The largest inside_max and waiting_max: 2^31 - 1. */
#define GIRT_BULKHEAD_MAX 2147483647

/** Places inside, and a line before them. */
typedef struct girt_bulkhead girt_bulkhead;

/** How a bulkhead is made; inside_max has no default. */
typedef struct girt_bulkhead_options {
    /** Callers inside at once, 1 to GIRT_BULKHEAD_MAX. */
    uint64_t inside_max;
    /** Callers in line, up to GIRT_BULKHEAD_MAX; 0: none waits. */
    uint64_t waiting_max;
    /** Labels its metrics: 1 to 255 bytes, copied, of UTF-8 where there are
     * metrics; NULL: none. */
    const char *name;
    /** Where it reports itself under its name, which must be there; outlives
     * it. NULL: nowhere. */
    girt_metrics *metrics;
    /** NULL: the default. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_bulkhead_options;

/**
 * Makes a bulkhead.
 *
 * @param[out] out  set on GIRT_OK only.
 * @param options  copied.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, inside_max 0, a field out of
 *          range; GIRT_E_TOO_LARGE: inside_max or waiting_max over
 *          GIRT_BULKHEAD_MAX; GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another bulkhead reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: what happened before it is seen by whoever is handed the bulkhead.
 * Since: 0.1
 */
GIRT_API girt_status girt_bulkhead_create(girt_bulkhead **out,
                                          const girt_bulkhead_options *options);

/**
 * Frees a bulkhead.
 *
 * @param bulkhead  that nobody is in, in line for, or uses any more; NULL does
 *        nothing.
 *
 * Threads: one.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_bulkhead_destroy(girt_bulkhead *bulkhead);

/**
 * Goes inside, or waits in line for a place.
 *
 * @param bulkhead  which.
 * @param timeout_ns  how long to wait in line, 0 and up; GIRT_NOW: not at all;
 *        GIRT_FOREVER.
 * @return  GIRT_OK: inside, and girt_bulkhead_leave is owed; GIRT_REJECTED: no
 *          place, and the line is full (with waiting_max 0 it always is);
 *          GIRT_TIMEOUT: the line had room but the time is over, with GIRT_NOW
 *          at once; GIRT_E_INVALID: NULL, or a negative timeout.
 *
 * Threads: any.
 * Progress: lock-free while nobody waits and fewer than half of the places are
 *           taken, else blocking.
 * Order: what callers did before the leave that made the place is seen.
 * Since: 0.1
 */
GIRT_API girt_status girt_bulkhead_enter(girt_bulkhead *bulkhead,
                                         int64_t timeout_ns);

/**
 * Leaves: the place goes to the first in line.
 *
 * @param bulkhead  where an enter answered GIRT_OK that has not been left yet,
 *        in any thread; another leave is misuse.  NULL does nothing.
 *
 * Threads: any.
 * Progress: lock-free while nobody waits, else blocking.
 * Order: what the caller did before is seen by who gets the place.
 * Since: 0.1
 */
GIRT_API void girt_bulkhead_leave(girt_bulkhead *bulkhead);

GIRT_END

#endif /* GIRT_BULKHEAD_H */
