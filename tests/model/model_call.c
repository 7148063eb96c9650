/* SPDX-License-Identifier: MIT */
/* Goal: whatever its options, girt_call answers, reports, waits and runs its
 * function exactly as call.h says, or refuses the options and does nothing.
 * Method: random options, each part there or not, each guard open, full, used
 * up or free, a function with random answers and delays in virtual time, beside
 * a twin that walks through the eight steps. */
#include <girt/call.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { TRIES_MAX = 12, PLACES = 3 };

/* Guards that refuse, or do not, for the length of a call. */
typedef struct guards {
    bool no_bulkhead_place, no_concurrency_place;
    girt_breaker_state breaker; /* forced; or CLOSED, with nothing recorded */
    uint64_t tokens, retries;   /* that are left */
    uint64_t retries_per_call;
} guards;

typedef struct play {
    girt_call_options o;
    guards g;
    int64_t now_ns;
    girt_status answers[TRIES_MAX];
    int64_t takes_ns[TRIES_MAX], oversleeps_ns[TRIES_MAX];
    /* What happened. */
    unsigned ran;
    int64_t slept_ns[TRIES_MAX], deadline_ns[TRIES_MAX];
    unsigned sleeps;
    girt_call_end told;
} play;

static const girt_status answers[] = {GIRT_OK, GIRT_E_IO, GIRT_TIMEOUT,
                                      GIRT_MISSING};

static girt_status work(void *argument, const girt_call_try *attempt)
{
    play *const p = argument;
    assert_true(p->ran < TRIES_MAX);
    assert_int_equal(attempt->number, p->ran + 1);
    p->deadline_ns[p->ran] = attempt->deadline_ns;
    p->now_ns += p->takes_ns[p->ran];
    return p->answers[p->ran++];
}

static void sleep_virtually(void *context, int64_t ns)
{
    play *const p = context;
    assert_true(p->sleeps < TRIES_MAX && ns >= 0);
    p->now_ns += ns + p->oversleeps_ns[p->sleeps];
    p->slept_ns[p->sleeps++] = ns;
}

/* Missing is an answer; a timeout says nothing. */
static girt_outcome judge(void *context, girt_status status)
{
    (void)context;
    return status == GIRT_OK || status == GIRT_MISSING ? GIRT_SUCCESS
           : status == GIRT_TIMEOUT                    ? GIRT_IGNORED
                                                       : GIRT_FAILURE;
}

/* A success is not asked about. */
static int only_timeouts(void *context, girt_status status)
{
    (void)context;
    return status == GIRT_TIMEOUT || status == GIRT_OK ? -1 : 0;
}

/* The twin's. */
typedef struct walk {
    girt_status status;
    girt_call_report report;
    int64_t now_ns;
} walk;

/* Steps 1 to 6 refuse? */
static bool refused(const play *p, guards *g, walk *w, int64_t deadline_ns)
{
    const girt_call_options *const o = &p->o;
    if (deadline_ns != INT64_MAX && w->now_ns >= deadline_ns) {
        w->status = GIRT_TIMEOUT;
        w->report.end = GIRT_CALL_DEADLINE;
    } else if (o->breaker != NULL && g->breaker == GIRT_BREAKER_FORCED_OPEN) {
        w->status = GIRT_REJECTED;
        w->report.end = GIRT_CALL_BREAKER;
    } else if (o->bulkhead != NULL && g->no_bulkhead_place) {
        w->status = GIRT_REJECTED;
        w->report.end = GIRT_CALL_BULKHEAD;
    } else if (o->concurrency != NULL && g->no_concurrency_place) {
        w->status = GIRT_REJECTED;
        w->report.end = GIRT_CALL_CONCURRENCY;
    } else if (o->limiter != NULL && g->tokens == 0) {
        w->status = GIRT_LIMITED;
        w->report.end = GIRT_CALL_LIMITER;
    } else {
        g->tokens -= o->limiter != NULL;
        return false;
    }
    return true;
}

static bool worth_another(const play *p, girt_status status)
{
    if (status == GIRT_OK)
        return false;
    if (p->o.retryable != NULL)
        return status == GIRT_TIMEOUT;
    return p->o.outcome == NULL || judge(NULL, status) == GIRT_FAILURE;
}

/* May there be another try?  The wait is random: taken from what was slept,
 * within its bounds; if nothing was, it may have been too long. */
static bool goes_on(const play *p, guards *g, walk *w, int64_t deadline_ns)
{
    const girt_call_options *const o = &p->o;
    unsigned const done = w->report.attempts;
    int64_t const base_ns =
        o->backoff_base_ns == 0 ? 10000000 : o->backoff_base_ns;
    int64_t const max_ns =
        o->backoff_max_ns == 0 ? 1000000000 : o->backoff_max_ns;
    int64_t const end_ns = girt_backoff_ns(base_ns, max_ns, done - 1, NULL);
    w->report.end = GIRT_CALL_ATTEMPTS;
    if (done >= (o->attempts_max == 0 ? 1 : o->attempts_max))
        return false;
    bool const slept = p->sleeps >= done;
    int64_t const left_ns =
        deadline_ns == INT64_MAX ? INT64_MAX : deadline_ns - w->now_ns;
    w->report.end = GIRT_CALL_DEADLINE;
    if (left_ns <= 0)
        return false;
    bool const allowed = o->budget == NULL || g->retries > 0;
    if (!slept) { /* for want of a retry, or the wait that came up is too long
                   */
        bool const may_be_long = end_ns >= left_ns;
        assert_true(may_be_long || !allowed);
        if (!allowed && !(may_be_long && p->told == GIRT_CALL_DEADLINE))
            w->report.end = GIRT_CALL_BUDGET;
        return false;
    }
    assert_true(allowed && p->slept_ns[done - 1] < left_ns &&
                p->slept_ns[done - 1] <= end_ns);
    g->retries -= o->budget != NULL;
    w->now_ns += p->slept_ns[done - 1] + p->oversleeps_ns[done - 1];
    return true;
}

/* After the call, which it compares with what it would have done itself. */
static walk walk_through(const play *p, guards *g, int64_t start_ns)
{
    walk w = {.now_ns = start_ns};
    int64_t deadline_ns = INT64_MAX;
    if (p->o.timeout_ns != 0 &&
        __builtin_add_overflow(start_ns, p->o.timeout_ns, &deadline_ns))
        deadline_ns = INT64_MAX;
    while (!refused(p, g, &w, deadline_ns)) {
        unsigned const i = w.report.attempts++;
        if (i == 0)
            g->retries += g->retries_per_call;
        assert_true(i < p->ran && p->deadline_ns[i] == deadline_ns);
        w.now_ns += p->takes_ns[i];
        w.status = w.report.last = p->answers[i];
        w.report.end = GIRT_CALL_FUNCTION;
        if (!worth_another(p, w.status) || !goes_on(p, g, &w, deadline_ns))
            break;
    }
    return w;
}

/* Parts and their states; what is not there is NULL. */
static void make_guards(play *p, rng *r)
{
    girt_clock const clock = p->o.clock;
    guards *const g = &p->g;
    girt_permit permit;
    if (rng_below(r, 2) == 0) {
        girt_limiter_options const o = {.rate = {0, 1, TRIES_MAX},
                                        .clock = clock};
        check_status(girt_limiter_create(&p->o.limiter, &o), GIRT_OK);
        uint64_t const used =
            rng_below(r, 3) == 0 ? rng_below(r, TRIES_MAX + 1) : 0;
        for (uint64_t i = 0; i < used; i++)
            check_status(girt_limiter_take(p->o.limiter, 1, NULL), GIRT_OK);
        g->tokens = TRIES_MAX - used;
    }
    if (rng_below(r, 2) == 0) {
        girt_bulkhead_options const o = {.inside_max = PLACES};
        check_status(girt_bulkhead_create(&p->o.bulkhead, &o), GIRT_OK);
        g->no_bulkhead_place = rng_below(r, 8) == 0;
        for (int i = g->no_bulkhead_place ? 0 : 1; i < PLACES; i++)
            check_status(girt_bulkhead_enter(p->o.bulkhead, GIRT_NOW), GIRT_OK);
    }
    if (rng_below(r, 2) == 0) {
        girt_concurrency_options const o = {.min = PLACES, .max = PLACES};
        check_status(girt_concurrency_create(&p->o.concurrency, &o), GIRT_OK);
        g->no_concurrency_place = rng_below(r, 8) == 0;
        for (int i = g->no_concurrency_place ? 0 : 1; i < PLACES; i++)
            check_status(girt_concurrency_enter(p->o.concurrency, &permit),
                         GIRT_OK);
    }
    if (rng_below(r, 2) == 0) {
        girt_breaker_options const o = {.clock = clock};
        check_status(girt_breaker_create(&p->o.breaker, &o), GIRT_OK);
        if (rng_below(r, 8) == 0)
            g->breaker = GIRT_BREAKER_FORCED_OPEN;
        else if (rng_below(r, 2) == 0)
            g->breaker = GIRT_BREAKER_FORCED_CLOSED;
        if (g->breaker != GIRT_BREAKER_CLOSED)
            girt_breaker_force(p->o.breaker, g->breaker);
    }
    if (rng_below(r, 2) == 0) {
        g->retries = rng_below(r, TRIES_MAX);
        g->retries_per_call = rng_below(r, 2);
        girt_retry_budget_options o = {
            .ratio = g->retries_per_call == 0 ? 1e-9 : 1,
            .floor_per_s = g->retries == 0 ? -1 : (double)g->retries,
            .window_ns = 1000000000,
        };
        static int64_t stands_still;
        girt_clock_manual(&o.clock, &stands_still);
        check_status(girt_retry_budget_create(&p->o.budget, &o), GIRT_OK);
    }
}

static int64_t throw_ns(rng *r)
{
    static const int64_t extremes[] = {0, 1, INT64_MAX};
    return rng_below(r, 4) == 0
               ? extremes[rng_below(r, 3)]
               : (int64_t)(rng_next(r) >> (1 + rng_below(r, 60)));
}

static void make_options(play *p, rng *r)
{
    p->now_ns = (int64_t)rng_below(r, 1000000000);
    girt_clock_manual(&p->o.clock, &p->now_ns);
    p->o.sleep = sleep_virtually;
    p->o.context = p;
    p->o.attempts_max = (unsigned)rng_below(r, TRIES_MAX + 1);
    /* Sums of these stay below 2^63. */
    p->o.timeout_ns = rng_below(r, 2) == 0 ? 0 : throw_ns(r);
    p->o.backoff_base_ns = throw_ns(r) % (INT64_C(1) << 50);
    p->o.backoff_max_ns = throw_ns(r) % (INT64_C(1) << 50);
    p->o.outcome = rng_below(r, 2) == 0 ? judge : NULL;
    p->o.retryable = rng_below(r, 3) == 0 ? only_timeouts : NULL;
    for (int i = 0; i < TRIES_MAX; i++) {
        p->answers[i] = answers[rng_below(r, 4) == 0 ? 0 : 1 + rng_below(r, 3)];
        p->takes_ns[i] = (int64_t)(rng_next(r) >> (14 + rng_below(r, 50)));
        if (rng_below(r, 4) == 0)
            p->oversleeps_ns[i] =
                (int64_t)(rng_next(r) >> (14 + rng_below(r, 50)));
    }
}

/* Breaks one of them, or none. */
static bool make_wrong(play *p, rng *r)
{
    int64_t const negative = -1 - throw_ns(r);
    switch (rng_below(r, 40)) {
    case 0:
        p->o.timeout_ns = negative;
        return true;
    case 1:
        p->o.backoff_base_ns = negative;
        return true;
    case 2:
        p->o.backoff_max_ns = negative;
        return true;
    case 3:
        p->o.reserved[rng_below(r, 4)] = rng_next(r) | 1;
        return true;
    default:
        return false;
    }
}

/* What the driver holds, and not one more or less. */
static void check_places(const play *p)
{
    girt_permit permit;
    int const held = PLACES - 1;
    if (p->o.bulkhead != NULL) {
        if (!p->g.no_bulkhead_place)
            check_status(girt_bulkhead_enter(p->o.bulkhead, GIRT_NOW), GIRT_OK);
        check_status(girt_bulkhead_enter(p->o.bulkhead, GIRT_NOW),
                     GIRT_REJECTED);
        for (int i = 0; i <= held; i++)
            girt_bulkhead_leave(p->o.bulkhead);
    }
    if (p->o.concurrency != NULL) {
        if (!p->g.no_concurrency_place)
            check_status(girt_concurrency_enter(p->o.concurrency, &permit),
                         GIRT_OK);
        check_status(girt_concurrency_enter(p->o.concurrency, &permit),
                     GIRT_REJECTED);
    }
}

/* Of tokens and retries as many are left as the twin has. */
static void check_left(const play *p, const guards *left)
{
    uint64_t count = 0;
    while (p->o.limiter != NULL &&
           girt_limiter_take(p->o.limiter, 1, NULL) == GIRT_OK)
        count++;
    if (p->o.limiter != NULL)
        assert_int_equal(count, left->tokens);
    count = 0;
    while (p->o.budget != NULL &&
           girt_retry_budget_take(p->o.budget) == GIRT_OK)
        count++;
    if (p->o.budget != NULL)
        assert_int_equal(count, left->retries);
}

static void one_call(rng *r)
{
    play p = {.ran = 0};
    make_options(&p, r);
    make_guards(&p, r);
    bool const wrong = make_wrong(&p, r);
    int64_t const start_ns = p.now_ns;
    girt_call_report report, untouched;
    memset(&report, 0x5a, sizeof report);
    untouched = report;
    girt_status const status = girt_call(&p.o, work, &p, &report);
    guards left = p.g;
    p.told = report.end;
    if (wrong) {
        check_status(status, GIRT_E_INVALID);
        assert_int_equal(p.ran, 0);
        assert_memory_equal(&report, &untouched, sizeof report);
    } else {
        walk const w = walk_through(&p, &left, start_ns);
        check_status(status, w.status);
        assert_int_equal(p.ran, w.report.attempts);
        assert_int_equal(report.attempts, w.report.attempts);
        assert_int_equal(report.end, w.report.end);
        check_status(report.last, w.report.last);
        assert_true(p.now_ns == w.now_ns);
    }
    check_places(&p);
    check_left(&p, &left);
    girt_limiter_destroy(p.o.limiter);
    girt_bulkhead_destroy(p.o.bulkhead);
    girt_concurrency_destroy(p.o.concurrency);
    girt_breaker_destroy(p.o.breaker);
    girt_retry_budget_destroy(p.o.budget);
}

static void test_call(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = scaled(300000); i > 0; i--)
        one_call(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_call)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
