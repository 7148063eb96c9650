/* SPDX-License-Identifier: MIT */
/* call.h - one call through all of its guards, with retries.
 *
 * What people write by hand around each remote call, in the right order; every
 * part is optional:
 *
 *   each try   1 the deadline: is there time left?
 *              2 the breaker, a look only: do not wait in line for what is open
 *              3 the bulkhead (waits in line, within the deadline: a place that
 *                comes after it is given back)
 *              4 the concurrency limit
 *              5 the breaker: after waiting, so that it knows the latest, and
 *                times the call alone
 *              6 the limiter: last, so that no token is spent on what the
 *                others refuse
 *              7 the function; with the first try the retry budget counts the
 *                call: one that is refused loads nobody and earns no retries
 *              8 all is given back, told how it went, in reverse order
 *   between    was it retryable, are tries left, does the wait (full jitter)
 *              end before the deadline, does the budget allow one?
 *
 * What a guard refuses ends the call at once: to retry against one's own guards
 * adds load where there is too much.
 *
 * Permits are given back however a try ends: also if its thread is cancelled or
 * exits in the function or an options' callback (told as GIRT_IGNORED).  A
 * retry that the budget has allowed stays counted.  None of them may leave by
 * longjmp or a C++ exception, and asynchronous cancellation must be off.  Only
 * what is called here, and the wait between tries, can be a point of
 * cancellation; waiting in line is none.
 *
 * Threads: any number may call with one options struct, which is only read.
 * Progress: blocking: it waits in line and between tries, as bounded by
 * timeout_ns.
 * Fork and signals: as the parts. */
#ifndef GIRT_CALL_H
#define GIRT_CALL_H

#include <stdint.h>

#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/clock.h>
#include <girt/concurrency.h>
#include <girt/export.h>
#include <girt/limiter.h>
#include <girt/retry.h>
#include <girt/status.h>

GIRT_BEGIN

/** What the function is told of a try. */
typedef struct girt_call_try {
    unsigned number;     /**< 1 and up */
    int64_t deadline_ns; /**< by the options' clock; INT64_MAX: none */
} girt_call_try;

/** Which part ended a call. */
typedef enum girt_call_end {
    GIRT_CALL_FUNCTION,    /**< its answer is final */
    GIRT_CALL_DEADLINE,    /**< no time for a try, or for another */
    GIRT_CALL_BREAKER,     /**< refused */
    GIRT_CALL_BULKHEAD,    /**< refused, or waited in vain */
    GIRT_CALL_CONCURRENCY, /**< refused */
    GIRT_CALL_LIMITER,     /**< refused */
    GIRT_CALL_ATTEMPTS,    /**< none are left */
    GIRT_CALL_BUDGET       /**< allows no retry */
} girt_call_end;

/** How a call went. */
typedef struct girt_call_report {
    unsigned attempts; /**< how often the function ran */
    girt_call_end end; /**< what made this the last try */
    girt_status last;  /**< its last answer; GIRT_OK where it never ran */
} girt_call_report;

/** The parts of a call; all zero: one plain try. */
typedef struct girt_call_options {
    /** NULL, or a token is taken for each try. */
    girt_limiter *limiter;
    /** NULL, or each try is inside. */
    girt_bulkhead *bulkhead;
    /** NULL, or each try is inside. */
    girt_concurrency *concurrency;
    /** NULL, or asked and told of each try. */
    girt_breaker *breaker;
    /** NULL, or asked for each retry. */
    girt_retry_budget *budget;
    /** For all tries together; 0: no limit. */
    int64_t timeout_ns;
    /** Tries at most; 0: 1. */
    unsigned attempts_max;
    /** The first backoff's end; 0: 10 ms. */
    int64_t backoff_base_ns;
    /** The longest backoff; 0: 1 s. */
    int64_t backoff_max_ns;
    /** What an answer says of the called, asked once for each; NULL: GIRT_OK is
     * GIRT_SUCCESS, all else GIRT_FAILURE. */
    girt_outcome (*outcome)(void *context, girt_status status);
    /** 0: not worth another try; NULL: every GIRT_FAILURE is worth one. */
    int (*retryable)(void *context, girt_status status);
    /** How to wait between tries, e.g. in virtual time; NULL: sleep. */
    void (*sleep)(void *context, int64_t ns);
    /** Passed to the three above. */
    void *context;
    /** Of the deadline; zero: monotonic. */
    girt_clock clock;
    /** Zero. */
    uint64_t reserved[4];
} girt_call_options;

/**
 * Calls a function through its guards.
 *
 * @param options  the parts; NULL: none.
 * @param function  does one try, and answers GIRT_OK or how it failed.
 * @param argument  passed to it.
 * @param[out] report  NULL, or how it went; set unless GIRT_E_INVALID.
 * @return  the last answer of the function where it ran last; else what the
 *          guard that refused answered: GIRT_REJECTED, GIRT_LIMITED,
 *          GIRT_NEVER, GIRT_TIMEOUT (in line, or no time left);
 *          GIRT_E_INVALID: function NULL, a field out of range.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: as the parts.
 * Since: 0.1
 */
GIRT_API girt_status
girt_call(const girt_call_options *options,
          girt_status (*function)(void *argument, const girt_call_try *attempt),
          void *argument, girt_call_report *report);

GIRT_END

#endif /* GIRT_CALL_H */
