/* SPDX-License-Identifier: MIT */
/* breaker.h - stop calling what keeps failing.
 *
 * Each call asks first and tells afterwards how it went:
 *
 *     girt_permit permit;
 *     if (girt_breaker_enter(breaker, &permit) != GIRT_OK)
 *         return unavailable();
 *     bool const done = call();
 *     girt_breaker_leave(breaker, &permit, done ? GIRT_SUCCESS : GIRT_FAILURE);
 *
 *     CLOSED --- too many fail or are slow ---> OPEN <--- a probe fails ---+
 *        ^                                       | after open_ns           |
 *        +--- all probes succeed --- HALF_OPEN <-+ ------------------------+
 *
 * CLOSED: every call passes.  It opens when, of the calls that ended in the
 * last window_ns, calls_min or more,
 *
 *     failures >= failure_ratio * calls  or  slow >= slow_ratio * calls  (I1)
 *
 * exactly at the record that makes it so while one thread records; with several
 * at most 63 records of each thread later, or at its next tenth of the window.
 * OPEN: none passes.  The first opening lasts open_ns; each further one in a
 * row twice as long, times a random factor in [0.9, 1], never above
 * open_max_ns.
 * HALF_OPEN: at most `probes` calls are on their way or have succeeded, at any
 * instant and under any race (I2): a call that comes while fewer are passes.
 * A failure reopens; when `probes` have succeeded it closes (or reopens when
 * slow_ratio of them were slow).  GIRT_IGNORED frees its place, and so does a
 * probe that was lost: not heard of for permit_timeout_ns.
 *
 *                enter  leave  state_now  force  destroy
 *   enter        -      -      -          -      X        X: the caller
 *   leave        -      -      -          -      X           excludes them.
 *   state_now    -      -      -          -      X
 *   force        -      -      -          -      X
 *   destroy      X      X      X          X      X
 *
 * A permit is used by one thread at a time.  A leave that comes after the state
 * has changed, twice, or with a zeroed permit is ignored (I3).
 * Progress: lock-free in every state but HALF_OPEN (records of the first 32
 * threads are wait-free); admissions and results of probes, and changes of
 * state, hold a mutex for some dozen instructions.  A refusal writes nothing
 * shared.  A caller that stops or ends between enter and leave holds up nobody:
 * nothing in CLOSED, a place for permit_timeout_ns in HALF_OPEN.
 * Fork: the child has a copy, unless another thread was changing its state.
 * Signals: nothing here is async-signal-safe. */
#ifndef GIRT_BREAKER_H
#define GIRT_BREAKER_H

#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** The most probes that a breaker can have. */
#define GIRT_BREAKER_PROBES_MAX 1024

/** What a breaker lets through. */
typedef enum girt_breaker_state {
    GIRT_BREAKER_CLOSED,       /**< every call */
    GIRT_BREAKER_OPEN,         /**< none, for a time */
    GIRT_BREAKER_HALF_OPEN,    /**< a few, to see */
    GIRT_BREAKER_FORCED_OPEN,  /**< none, until it is forced otherwise */
    GIRT_BREAKER_FORCED_CLOSED /**< all, whatever becomes of them */
} girt_breaker_state;

/** How a call ended. */
typedef enum girt_outcome {
    GIRT_SUCCESS, /**< well */
    GIRT_FAILURE, /**< badly, by the fault of what was called */
    GIRT_IGNORED  /**< in a way that says nothing about it */
} girt_outcome;

/** What enter gives and leave takes back; not to be looked into. */
typedef struct girt_permit {
    uint64_t generation; /**< which admission it is; 0: none */
    int64_t start_ns;    /**< when, where that is needed */
} girt_permit;

/** A circuit breaker. */
typedef struct girt_breaker girt_breaker;

/** How a breaker is made; all zero is a good one. */
typedef struct girt_breaker_options {
    /** Opens at this share of failures, above 0 up to 1; 0: 0.5. */
    double failure_ratio;
    /** Opens at this share of slow calls, above 0 up to 1; 0: 1. */
    double slow_ratio;
    /** A call that took this long is slow; 0: none is. */
    int64_t slow_ns;
    /** Opens by no fewer calls than these; 0: 100. */
    uint64_t calls_min;
    /** How long a call counts, 10 ns and up; 0: 10 s. */
    int64_t window_ns;
    /** How long it is open the first time; 0: 5 s. */
    int64_t open_ns;
    /** The longest, at least open_ns; 0: 60 s, or open_ns if that is more. */
    int64_t open_max_ns;
    /** Calls that must succeed to close it, up to GIRT_BREAKER_PROBES_MAX; 0:
     * 1. */
    uint64_t probes;
    /** A probe not heard of for so long is lost; 0: 60 s. */
    int64_t permit_timeout_ns;
    /** Told of every change of state, or NULL: outside any lock, one at a time
     * and in order, in a thread that made a change or is telling of one.  It
     * may use the breaker, but not destroy it, and must not end its thread;
     * cancellation is off meanwhile.  `from` is the `to` of the
     * change before; with 16 changes untold the last ones are told as one. */
    void (*on_change)(void *context, girt_breaker_state from,
                      girt_breaker_state to);
    /** Passed to on_change. */
    void *context;
    /** Zero: the monotonic clock; the window then takes its coarse form where
     * a tenth of the window is long beside that one's tick, and where window_ns
     * is 10 s or more, up to 7 successes in a row of a thread may be counted
     * for an instant before their own, by less than a second. */
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
} girt_breaker_options;

/**
 * Makes a breaker, closed.
 *
 * @param[out] out  set on GIRT_OK only.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID: out NULL, a field out of range;
 *          GIRT_E_TOO_LARGE: probes over GIRT_BREAKER_PROBES_MAX;
 *          GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another breaker reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates about 13 KB).
 * Order: what happened before it is seen by whoever is handed the breaker.
 * Since: 0.1
 */
GIRT_API girt_status girt_breaker_create(girt_breaker **out,
                                         const girt_breaker_options *options);

/**
 * Frees a breaker.
 *
 * @param breaker  that nobody uses any more; permits may be outstanding, and
 *        must not be given back later.  NULL does nothing.
 *
 * Threads: one.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_breaker_destroy(girt_breaker *breaker);

/**
 * May I call?
 *
 * @param breaker  of what is to be called.
 * @param[out] permit  for girt_breaker_leave; zeroed on GIRT_REJECTED.
 * @return  GIRT_OK: yes; GIRT_REJECTED: no; GIRT_E_INVALID: a NULL.
 *
 * Threads: any.
 * Progress: lock-free but in HALF_OPEN: blocking.
 * Order: what happened before the change to the state that admits is seen.
 * Since: 0.1
 */
GIRT_API girt_status girt_breaker_enter(girt_breaker *breaker,
                                        girt_permit *permit);

/**
 * Tells how a call ended.
 *
 * @param breaker  the one of the enter; NULL does nothing.
 * @param[in,out] permit  from it; zeroed, so that another leave is ignored (of
 *        a copy that cannot be known).  NULL does nothing.
 * @param outcome  how; GIRT_IGNORED, or a number that is none of them, counts
 *        nothing and frees a probe's place.
 *
 * Threads: any, also another than entered.
 * Progress: lock-free but in HALF_OPEN and when it opens: blocking.
 * Order: what happened before is seen by on_change for what it brings about.
 * Since: 0.1
 */
GIRT_API void girt_breaker_leave(girt_breaker *breaker, girt_permit *permit,
                                 girt_outcome outcome);

/**
 * The state at this moment.
 *
 * An open breaker whose time is over is HALF_OPEN; on_change is told so by the
 * next enter.
 *
 * @param breaker  which; NULL: GIRT_BREAKER_CLOSED.
 * @return  the state.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_breaker_state girt_breaker_state_now(const girt_breaker *breaker);

/**
 * Sets the state, for operators and tests.
 *
 * @param breaker  which; NULL does nothing.
 * @param state  CLOSED forgets all that was counted and how often it opened;
 *        OPEN opens as if by failures; HALF_OPEN admits probes at once; the
 *        forced states stay until the next force.  Any other number does
 *        nothing.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: what happened before is seen by enters that the state admits.
 * Since: 0.1
 */
GIRT_API void girt_breaker_force(girt_breaker *breaker,
                                 girt_breaker_state state);

GIRT_END

#endif /* GIRT_BREAKER_H */
