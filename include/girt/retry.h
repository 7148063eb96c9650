/* SPDX-License-Identifier: MIT */
/* retry.h - retries as a share of calls plus a floor; backoff with jitter.
 *
 * Retries multiply load just when there is too much.  A budget shared by all
 * callers of a service bounds them: of the calls and retries of any stretch
 * that ends with an admitted retry and lasts w, nine tenths of the window to a
 * whole one,
 *
 *     retries <= ratio * calls + floor_per_s * window                    (I1)
 *
 * A new budget has its floor whole: floor_per_s * window retries at once.
 * Time is cut in tenths of the window, counted from create; w begins with one.
 *
 *                call  take  destroy
 *   call         -     -     X        X: the caller excludes them.
 *   take         -     -     X
 *   destroy      X     X     X
 *
 * LIMITED is strict when no call is being counted meanwhile: an admission is
 * never lost or doubled, whatever the threads.
 * Progress: call is wait-free for the first 32 threads and lock-free for
 * more; take is lock-free, and one that is refused writes nothing (with
 * metrics: its thread's count).  A thread that stops or ends anywhere stops
 * nobody.
 * Fork: the child has a copy, whole at every instant.
 * Signals: nothing here is async-signal-safe but girt_backoff_ns.
 * Idea: Finagle's RetryBudget; full jitter: Brooker, "Exponential Backoff And
 * Jitter", 2015. */
#ifndef GIRT_RETRY_H
#define GIRT_RETRY_H

#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** How many retries there may be, for all callers of one service. */
typedef struct girt_retry_budget girt_retry_budget;

/** How a retry budget is made; all zero is a good one. */
typedef struct girt_retry_budget_options {
    /** Retries per call, above 0 up to 1000; 0: 0.2. */
    double ratio;
    /** Retries per second that are allowed whatever the calls; 0: 10;
     * negative: none. */
    double floor_per_s;
    /** How long a call counts, 10 ns and up; 0: 10 s. */
    int64_t window_ns;
    /** Zero: the monotonic clock, or its coarse form where a tenth of the
     * window is long beside that one's tick. */
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
} girt_retry_budget_options;

/**
 * Makes a retry budget.
 *
 * @param[out] out  set on GIRT_OK only.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID: out NULL, a field out of range;
 *          GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another budget reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates about 13 KB).
 * Order: what happened before it is seen by whoever is handed the budget.
 * Since: 0.1
 */
GIRT_API girt_status girt_retry_budget_create(
    girt_retry_budget **out, const girt_retry_budget_options *options);

/**
 * Frees a retry budget.
 *
 * @param budget  that nobody uses any more; NULL does nothing.
 *
 * Threads: one.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_retry_budget_destroy(girt_retry_budget *budget);

/**
 * Counts a call: a first try, not a retry.
 *
 * @param budget  NULL does nothing.
 *
 * Threads: any.
 * Progress: wait-free for the first 32 threads, lock-free for more.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_retry_budget_call(girt_retry_budget *budget);

/**
 * May I retry?
 *
 * @param budget  the service's.
 * @return  GIRT_OK: yes, and it is counted; GIRT_LIMITED: no, give up;
 *          GIRT_E_INVALID: NULL.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_retry_budget_take(girt_retry_budget *budget);

/**
 * How long to wait before a retry: anything from 0 to an end that doubles with
 * each attempt ("full jitter"), so that those who failed together do not come
 * back together.
 *
 * @param base_ns  the end at attempt 0; 0 or less: no wait.
 * @param max_ns  no end is above it; 0 or less: no wait.
 * @param attempt  0 before the first retry; any number.
 * @param[in,out] random_state  any number, the caller's own; moves on.  NULL:
 *        no jitter, the end itself.
 * @return  uniform in [0, min(max_ns, base_ns * 2^attempt)], saturating.
 *
 * Threads: any, each with its own state; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API int64_t girt_backoff_ns(int64_t base_ns, int64_t max_ns,
                                 unsigned attempt, uint64_t *random_state);

GIRT_END

#endif /* GIRT_RETRY_H */
