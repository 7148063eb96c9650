/* SPDX-License-Identifier: MIT */
/* concurrency.h - a bulkhead whose N follows measured latency.
 *
 * How many calls a service can bear at once is seen from here: beyond it calls
 * only queue up over there and take longer.  Each call that ends is a sample
 * {time it took, calls on their way when it began, dropped or not} and moves
 * the limit L, always within [min, max]:
 *
 *   GRADIENT2  L := 0.8 L + 0.2 (L * clamp(1.5 * long / now, 0.5, 1) + 4),
 *              where long is a mean over 600 samples.  A drop: L := 0.9 L.
 *   VEGAS      queue = ceil(L * (1 - least / now)), least being the shortest
 *              time seen; with l = max(1, floor(log10 L)):
 *              queue <= l: L += 6 l;  < 3 l: L += l;  > 6 l or a drop: L -= l.
 *              `least` is taken anew every 15 to 30 L samples.
 *   AIMD       a drop: L := floor(0.9 L), else L += 1.
 *
 * None grows while less than half of L is used.  GIRT_FAILURE is a drop, and
 * its time is not looked at (what fails, fails fast); GIRT_IGNORED is neutral.
 *
 *                enter  leave  limit  destroy
 *   enter        -      -      -      X        X: the caller excludes them.
 *   leave        -      -      -      X
 *   limit        -      -      -      X
 *   destroy      X      X      X      X
 *
 * Inside: an enter is answered OK only if fewer calls than L were on their way
 * (I1); when L falls, those inside stay, and none is let in until they are
 * fewer.  REJECTED only if at an instant within the call L or more were.
 * Progress: enter is lock-free; leave is blocking: samples take turns under a
 * mutex of some dozen instructions.  A sample that meets another is left out,
 * a drop waits.  A caller that stops keeps its place; one that ends
 * inside, for ever.
 * Fork: the child has a copy in which the callers of other threads are inside
 * for ever; make a new one.
 * Signals: nothing here is async-signal-safe.
 * Source: Netflix concurrency-limits; Brakmo, Peterson, "TCP Vegas", 1995. */
#ifndef GIRT_CONCURRENCY_H
#define GIRT_CONCURRENCY_H

#include <stdint.h>

#include <girt/alloc.h>
#include <girt/breaker.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** The largest limit: 2^31 - 1. */
#define GIRT_CONCURRENCY_MAX 2147483647

/** How the limit follows. */
typedef enum girt_concurrency_kind {
    GIRT_CONCURRENCY_GRADIENT2, /**< the ratio of long to short latency */
    GIRT_CONCURRENCY_VEGAS,     /**< an estimate of the queue over there */
    GIRT_CONCURRENCY_AIMD       /**< up by one, down by a tenth on a drop */
} girt_concurrency_kind;

/** A limit of calls on their way. */
typedef struct girt_concurrency girt_concurrency;

/** How a limit is made; all zero is a good one. */
typedef struct girt_concurrency_options {
    /** How it follows. */
    girt_concurrency_kind kind;
    /** Where it starts, in [min, max]; 0: 20, or what of [min, max] is nearest.
     */
    uint64_t initial;
    /** The least it falls to; 0: 20, or less where initial or max is less. */
    uint64_t min;
    /** The most it grows to, up to GIRT_CONCURRENCY_MAX; 0: 200, or more where
     * initial or min is more. */
    uint64_t max;
    /** Measures calls; zero: monotonic. */
    girt_clock clock;
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
} girt_concurrency_options;

/**
 * Makes a limit.
 *
 * @param[out] out  set on GIRT_OK only.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID: out NULL, a field out of range, min over
 *          max; GIRT_E_TOO_LARGE: a limit over GIRT_CONCURRENCY_MAX;
 *          GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another limit reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: what happened before it is seen by whoever is handed the limit.
 * Since: 0.1
 */
GIRT_API girt_status girt_concurrency_create(
    girt_concurrency **out, const girt_concurrency_options *options);

/**
 * Frees a limit.
 *
 * @param limit  that nobody uses any more; NULL does nothing.
 *
 * Threads: one.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_concurrency_destroy(girt_concurrency *limit);

/**
 * May I call?
 *
 * @param limit  of what is to be called.
 * @param[out] permit  for girt_concurrency_leave; zeroed on GIRT_REJECTED.
 * @return  GIRT_OK: yes; GIRT_REJECTED: too many are on their way;
 *          GIRT_E_INVALID: a NULL.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: what callers did before the leave that made the place is seen.
 * Since: 0.1
 */
GIRT_API girt_status girt_concurrency_enter(girt_concurrency *limit,
                                            girt_permit *permit);

/**
 * Tells how a call ended, and gives its place back.
 *
 * @param limit  the one of the enter; NULL does nothing.
 * @param[in,out] permit  from it; zeroed, so that another leave is ignored (of
 *        a copy that cannot be known).  NULL does nothing.
 * @param outcome  GIRT_SUCCESS: its time is a sample; GIRT_FAILURE: dropped or
 *        refused over there; GIRT_IGNORED, or any other number: no sample.
 *
 * Threads: any, also another than entered.
 * Progress: blocking.
 * Order: what the caller did before is seen by who gets the place.
 * Since: 0.1
 */
GIRT_API void girt_concurrency_leave(girt_concurrency *limit,
                                     girt_permit *permit, girt_outcome outcome);

/**
 * The limit now.
 *
 * @param limit  which; NULL: 0.
 * @return  calls that may be on their way.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API uint64_t girt_concurrency_limit(const girt_concurrency *limit);

GIRT_END

#endif /* GIRT_CONCURRENCY_H */
