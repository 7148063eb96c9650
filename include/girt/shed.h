/* SPDX-License-Identifier: MIT */
/* shed.h - refuse early, by queueing delay (CoDel) and by priority (DAGOR).
 *
 * A server that takes more than it can do answers everyone late.  Shedding
 * refuses some at the door, so that the rest are answered in time.  Whoever
 * takes work out of the server's queue tells how long it had waited there; at
 * the door each request asks.
 *
 * Time is cut in intervals.  The server is overloaded in one if the *least*
 * wait told in it is above target_ns: a burst makes some waits long, only a
 * standing queue all of them.  After each interval
 *
 *     overloaded: goal = 0.95 * admitted    else: goal = 1.01 * admitted, at
 *                                           least one more
 *
 * and of the next interval's requests so many are admitted, by the mix of
 * priorities that came in this one: whole priorities from 0 up, the last one in
 * part, evenly spread (I1).  A priority is refused only where all that are
 * more important pass (I2).  Some of priority 0 always pass.  An interval
 * without any request or wait admits all again; one with waits too long but no
 * request lowers by 5 % what part of the mix passes.
 *
 *                admit  observe  destroy
 *   admit        -      -        X        X: the caller excludes them.
 *   observe      -      -        X
 *   destroy      X      X        X
 *
 * Progress: lock-free; the first call after an interval's end adds it up under
 * a mutex that others pass by.
 * Fork: the child has a copy, unless another thread was just adding up: it
 * then stays with its level.
 * Signals: nothing here is async-signal-safe.
 * Source: Nichols, Jacobson, "Controlling Queue Delay", 2012; Zhou et al.,
 * "Overload Control for Scaling WeChat Microservices", 2018. */
#ifndef GIRT_SHED_H
#define GIRT_SHED_H

#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** The most priorities. */
#define GIRT_SHED_PRIORITIES_MAX 256

/** What decides at the door. */
typedef struct girt_shed girt_shed;

/** How a shed is made; all zero is a good one. */
typedef struct girt_shed_options {
    /** Waits in the queue up to here are fine; 0: 5 ms. */
    int64_t target_ns;
    /** Between two decisions; 0: 100 ms. */
    int64_t interval_ns;
    /** How many there are, up to GIRT_SHED_PRIORITIES_MAX; 0: 1.  Priority 0 is
     * shed last. */
    unsigned priorities;
    /** Zero: the monotonic clock, or its coarse form where the interval is long
     * beside that one's tick. */
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
} girt_shed_options;

/**
 * Makes a shed that admits all.
 *
 * @param[out] out  set on GIRT_OK only.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID: out NULL, a field out of range;
 *          GIRT_E_TOO_LARGE: priorities over GIRT_SHED_PRIORITIES_MAX;
 *          GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another shed reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: what happened before it is seen by whoever is handed the shed.
 * Since: 0.1
 */
GIRT_API girt_status girt_shed_create(girt_shed **out,
                                      const girt_shed_options *options);

/**
 * Frees a shed.
 *
 * @param shed  that nobody uses any more; NULL does nothing.
 *
 * Threads: one.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_shed_destroy(girt_shed *shed);

/**
 * May this request come in?
 *
 * @param shed  the server's.
 * @param priority  of the request, below the options' number; 0 is shed last.
 * @return  GIRT_OK; GIRT_REJECTED: refuse it now; GIRT_E_INVALID: NULL, or no
 *          such priority.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_shed_admit(girt_shed *shed, unsigned priority);

/**
 * Tells how long what just left the queue had waited in it.
 *
 * @param shed  the server's; NULL does nothing.
 * @param queued_ns  the wait; less than 0 counts as 0.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_shed_observe(girt_shed *shed, int64_t queued_ns);

GIRT_END

#endif /* GIRT_SHED_H */
