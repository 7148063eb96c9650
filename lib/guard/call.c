/* SPDX-License-Identifier: MIT */
/* call.c - the guards around one function, in the order of girt/call.h.
 *
 * I1: what a try has entered is in `entered`; give_back leaves all of it, once,
 *     on every way out, also when the thread is cancelled inside.  Nothing in
 *     give_back is a point of cancellation: of the parts only a breaker calls
 *     anybody, with cancellation off. */
#include <girt/call.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "core/random.h"
#include "guard/guard_internal.h"

#define BASE_NS_DEFAULT INT64_C(10000000)
#define MAX_NS_DEFAULT  INT64_C(1000000000)

enum { NS_PER_S = 1000000000 };

typedef girt_status (*tried)(void *argument, const girt_call_try *attempt);

/* What a try holds. */
typedef struct entered {
    const girt_call_options *options;
    bool in_bulkhead;
    girt_permit concurrency, breaker;
    girt_outcome outcome;
} entered;

static void give_back(void *argument)
{
    entered *const e = argument;
    girt_breaker_leave(e->options->breaker, &e->breaker, e->outcome);
    girt_concurrency_leave(e->options->concurrency, &e->concurrency,
                           e->outcome);
    if (e->in_bulkhead)
        girt_bulkhead_leave(e->options->bulkhead);
    e->in_bulkhead = false;
}

static int64_t time_left(const girt_clock *clock, int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX)
        return GIRT_FOREVER;
    int64_t const now_ns = girt__clock_now(clock);
    return now_ns >= deadline_ns ? 0 : deadline_ns - now_ns;
}

/* Steps 2 to 6; what was entered before a refusal is the caller's to leave. */
static girt_status enter_all(entered *e, int64_t deadline_ns, int64_t left_ns,
                             girt_call_end *end)
{
    const girt_call_options *const o = e->options;
    girt_status status = GIRT_OK;
    if (o->breaker != NULL) {
        *end = GIRT_CALL_BREAKER;
        girt_breaker_state const state = girt_breaker_state_now(o->breaker);
        if (state == GIRT_BREAKER_OPEN || state == GIRT_BREAKER_FORCED_OPEN)
            return GIRT_REJECTED;
    }
    if (o->bulkhead != NULL) {
        *end = GIRT_CALL_BULKHEAD;
        if ((status = girt_bulkhead_enter(o->bulkhead, left_ns)) != GIRT_OK)
            return status;
        e->in_bulkhead = true;
        girt_clock const clock = girt__clock_resolve(&o->clock);
        if (time_left(&clock, deadline_ns) == 0) { /* over, in line */
            *end = GIRT_CALL_DEADLINE;
            return GIRT_TIMEOUT;
        }
    }
    if (o->concurrency != NULL) {
        *end = GIRT_CALL_CONCURRENCY;
        status = girt_concurrency_enter(o->concurrency, &e->concurrency);
        if (status != GIRT_OK)
            return status;
    }
    if (o->breaker != NULL) {
        *end = GIRT_CALL_BREAKER;
        status = girt_breaker_enter(o->breaker, &e->breaker);
        if (status != GIRT_OK)
            return status;
    }
    if (o->limiter != NULL) {
        *end = GIRT_CALL_LIMITER;
        status = girt_limiter_take(o->limiter, 1, NULL);
    }
    return status;
}

/* What an answer says of the called. */
static girt_outcome judge(const girt_call_options *o, girt_status status)
{
    if (o->outcome != NULL)
        return o->outcome(o->context, status);
    return status == GIRT_OK ? GIRT_SUCCESS : GIRT_FAILURE;
}

/* One try. *outcome is set, and *end GIRT_CALL_FUNCTION, when the status is the
 * function's. */
static girt_status try_once(const girt_call_options *o, tried function,
                            void *argument, const girt_call_try *attempt,
                            int64_t left_ns, girt_call_end *end,
                            girt_outcome *outcome)
{
    entered e = {.options = o, .outcome = GIRT_IGNORED};
    girt_status status;
    /* I1: what is called in here may end the thread. */
    pthread_cleanup_push(give_back, &e);
    status = enter_all(&e, attempt->deadline_ns, left_ns, end);
    if (status == GIRT_OK) {
        *end = GIRT_CALL_FUNCTION;
        if (attempt->number == 1)
            girt_retry_budget_call(o->budget);
        status = function(argument, attempt);
        *outcome = e.outcome = judge(o, status);
    }
    pthread_cleanup_pop(1);
    return status;
}

static bool is_retryable(const girt_call_options *o, girt_status status,
                         girt_outcome outcome)
{
    if (o->retryable != NULL)
        return o->retryable(o->context, status) != 0;
    return outcome == GIRT_FAILURE;
}

static void wait_between(const girt_call_options *o, int64_t ns)
{
    if (o->sleep != NULL) {
        o->sleep(o->context, ns);
        return;
    }
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ns / NS_PER_S;
    until.tv_nsec += ns % NS_PER_S;
    if (until.tv_nsec >= NS_PER_S) {
        until.tv_nsec -= NS_PER_S;
        until.tv_sec++;
    }
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) ==
           EINTR)
        continue; /* a signal; the end stands */
}

/* May there be another try, and after which wait? */
static bool may_retry(const girt_call_options *o, unsigned attempts,
                      int64_t left_ns, uint64_t *random, int64_t *wait_ns,
                      girt_call_end *end)
{
    *end = GIRT_CALL_ATTEMPTS;
    if (attempts >= o->attempts_max) /* 0 is 1 */
        return false;
    *end = GIRT_CALL_DEADLINE;
    *wait_ns = girt_backoff_ns(
        o->backoff_base_ns == 0 ? BASE_NS_DEFAULT : o->backoff_base_ns,
        o->backoff_max_ns == 0 ? MAX_NS_DEFAULT : o->backoff_max_ns,
        attempts - 1, random);
    if (*wait_ns >= left_ns)
        return false;
    *end = GIRT_CALL_BUDGET;
    return o->budget == NULL || girt_retry_budget_take(o->budget) == GIRT_OK;
}

static bool options_valid(const girt_call_options *o)
{
    return o->timeout_ns >= 0 && o->backoff_base_ns >= 0 &&
           o->backoff_max_ns >= 0 &&
           girt__options_are_valid(NULL, NULL, o->reserved);
}

girt_status girt_call(const girt_call_options *options,
                      girt_status (*function)(void *argument,
                                              const girt_call_try *attempt),
                      void *argument, girt_call_report *report)
{
    static const girt_call_options none;
    const girt_call_options *const o = options == NULL ? &none : options;
    if (function == NULL || !options_valid(o))
        return GIRT_E_INVALID;
    girt_clock const clock = girt__clock_resolve(&o->clock);
    girt_call_report r = {.end = GIRT_CALL_DEADLINE};
    girt_call_try attempt = {.deadline_ns = INT64_MAX};
    uint64_t random = 0;
    girt_status status;
    if (o->timeout_ns != 0)
        attempt.deadline_ns =
            girt__guard_later(girt__clock_now(&clock), o->timeout_ns);
    for (;;) { /* at most attempts_max turns */
        int64_t const left_ns = time_left(&clock, attempt.deadline_ns);
        girt_outcome outcome = GIRT_IGNORED;
        status = GIRT_TIMEOUT;
        r.end = GIRT_CALL_DEADLINE;
        attempt.number = r.attempts + 1;
        if (left_ns > 0)
            status = try_once(o, function, argument, &attempt, left_ns, &r.end,
                              &outcome);
        if (r.end != GIRT_CALL_FUNCTION)
            break;
        r.attempts++;
        r.last = status;
        if (status == GIRT_OK || !is_retryable(o, status, outcome))
            break;
        if (random == 0)
            random = girt__random_seed();
        int64_t wait_ns = 0;
        if (!may_retry(o, r.attempts, time_left(&clock, attempt.deadline_ns),
                       &random, &wait_ns, &r.end))
            break;
        wait_between(o, wait_ns);
    }
    if (report != NULL)
        *report = r;
    return status;
}
