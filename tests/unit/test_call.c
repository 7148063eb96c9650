/* SPDX-License-Identifier: MIT */
/* Goal: a call passes its guards in order, retries within its bounds, and gives
 * everything back on every way out.
 * Method: virtual time; a function that fails as it is told; after each call
 * all places of the guards must be free. */
#include <girt/call.h>

#include <pthread.h>
#include <sched.h>

#include "support/check.h"

typedef struct play {
    int64_t now_ns, slept_ns;
    unsigned fails, ran; /* how often it still fails */
    unsigned judged;
    girt_call_options o;
} play;

static void sleep_virtually(void *context, int64_t ns)
{
    play *const p = context;
    assert_true(ns >= 0);
    p->now_ns += ns;
    p->slept_ns += ns;
}

static girt_status work(void *argument, const girt_call_try *attempt)
{
    play *const p = argument;
    p->ran++;
    assert_int_equal(attempt->number, p->ran);
    p->now_ns += 10;
    if (p->fails == 0)
        return GIRT_OK;
    p->fails--;
    return GIRT_E_IO;
}

static void start(play *p)
{
    *p = (play){.now_ns = 1000};
    girt_clock_manual(&p->o.clock, &p->now_ns);
    p->o.sleep = sleep_virtually;
    p->o.context = p;
    check_status(girt_bulkhead_create(
                     &p->o.bulkhead, &(girt_bulkhead_options){.inside_max = 1}),
                 GIRT_OK);
    check_status(
        girt_concurrency_create(&p->o.concurrency,
                                &(girt_concurrency_options){
                                    .kind = GIRT_CONCURRENCY_AIMD, .max = 1}),
        GIRT_OK);
    girt_breaker_options b = {.clock = p->o.clock};
    check_status(girt_breaker_create(&p->o.breaker, &b), GIRT_OK);
    girt_limiter_options l = {.rate = {1, 1000000000, 10}, .clock = b.clock};
    check_status(girt_limiter_create(&p->o.limiter, &l), GIRT_OK);
    girt_retry_budget_options r = {
        .ratio = 1, .floor_per_s = 0.3, .clock = b.clock};
    check_status(girt_retry_budget_create(&p->o.budget, &r), GIRT_OK);
}

static void check_free(play *p)
{
    girt_permit permit;
    check_status(girt_bulkhead_enter(p->o.bulkhead, GIRT_NOW), GIRT_OK);
    girt_bulkhead_leave(p->o.bulkhead);
    check_status(girt_concurrency_enter(p->o.concurrency, &permit), GIRT_OK);
    girt_concurrency_leave(p->o.concurrency, &permit, GIRT_IGNORED);
}

static void stop(play *p)
{
    check_free(p);
    girt_bulkhead_destroy(p->o.bulkhead);
    girt_concurrency_destroy(p->o.concurrency);
    girt_breaker_destroy(p->o.breaker);
    girt_limiter_destroy(p->o.limiter);
    girt_retry_budget_destroy(p->o.budget);
}

static void check_call(play *p, unsigned fails, girt_status status,
                       unsigned attempts, girt_call_end end)
{
    girt_call_report report;
    p->fails = fails;
    p->ran = 0;
    check_status(girt_call(&p->o, work, p, &report), status);
    assert_int_equal(report.attempts, attempts);
    assert_int_equal(p->ran, attempts);
    assert_int_equal(report.end, end);
}

static void test_plain(void **state)
{
    (void)state;
    play p = {.fails = 1};
    check_status(girt_call(NULL, work, &p, NULL), GIRT_E_IO);
    p.ran = 0;
    check_status(girt_call(NULL, work, &p, NULL), GIRT_OK);
    check_status(girt_call(NULL, NULL, &p, NULL), GIRT_E_INVALID);
    const girt_call_options wrong[] = {{.timeout_ns = -1},
                                       {.backoff_base_ns = -1},
                                       {.backoff_max_ns = -1},
                                       {.reserved = {1}}};
    for (size_t i = 0; i < 4; i++)
        check_status(girt_call(&wrong[i], work, &p, NULL), GIRT_E_INVALID);
    assert_int_equal(p.ran, 1);
}

static void test_retries(void **state)
{
    (void)state;
    play p;
    start(&p);
    check_call(&p, 1, GIRT_E_IO, 1, GIRT_CALL_ATTEMPTS);
    p.o.attempts_max = 3;
    check_call(&p, 2, GIRT_OK, 3, GIRT_CALL_FUNCTION);
    assert_true(p.slept_ns <= 30000000);
    check_call(&p, 9, GIRT_E_IO, 3, GIRT_CALL_ATTEMPTS);
    /* 3 calls and a floor of 3 allow 6 retries, of which 4 were made; there
     * are 10 tokens, of which 7 were taken. */
    check_call(&p, 9, GIRT_E_IO, 3, GIRT_CALL_ATTEMPTS);
    check_call(&p, 0, GIRT_LIMITED, 0, GIRT_CALL_LIMITER);
    stop(&p);
}

static void test_budget(void **state)
{
    (void)state;
    play p;
    start(&p);
    p.o.attempts_max = 9;
    check_call(&p, 9, GIRT_E_IO, 5, GIRT_CALL_BUDGET);
    stop(&p);
}

/* What never went out earns no retries. */
static void test_budget_of_refused(void **state)
{
    (void)state;
    play p;
    start(&p);
    p.o.attempts_max = 9;
    girt_breaker_force(p.o.breaker, GIRT_BREAKER_FORCED_OPEN);
    for (int i = 0; i < 20; i++)
        check_call(&p, 0, GIRT_REJECTED, 0, GIRT_CALL_BREAKER);
    girt_breaker_force(p.o.breaker, GIRT_BREAKER_FORCED_CLOSED);
    check_call(&p, 9, GIRT_E_IO, 5, GIRT_CALL_BUDGET);
    stop(&p);
}

static void test_deadline(void **state)
{
    (void)state;
    play p;
    start(&p);
    p.o.attempts_max = 100;
    p.o.timeout_ns = 15;
    p.o.backoff_base_ns = INT64_MAX;
    p.o.backoff_max_ns = INT64_MAX;
    check_call(&p, 9, GIRT_E_IO, 1, GIRT_CALL_DEADLINE);
    assert_int_equal(p.slept_ns, 0);
    stop(&p);
}

static void test_refusals(void **state)
{
    (void)state;
    play p;
    start(&p);
    p.o.attempts_max = 3;
    girt_breaker_force(p.o.breaker, GIRT_BREAKER_FORCED_OPEN);
    check_call(&p, 0, GIRT_REJECTED, 0, GIRT_CALL_BREAKER);
    girt_breaker_force(p.o.breaker, GIRT_BREAKER_HALF_OPEN);
    girt_permit permit;
    check_status(girt_breaker_enter(p.o.breaker, &permit), GIRT_OK);
    check_call(&p, 0, GIRT_REJECTED, 0, GIRT_CALL_BREAKER);
    girt_breaker_leave(p.o.breaker, &permit, GIRT_SUCCESS);
    check_status(girt_bulkhead_enter(p.o.bulkhead, GIRT_NOW), GIRT_OK);
    check_call(&p, 0, GIRT_REJECTED, 0, GIRT_CALL_BULKHEAD);
    girt_bulkhead_leave(p.o.bulkhead);
    check_status(girt_concurrency_enter(p.o.concurrency, &permit), GIRT_OK);
    check_call(&p, 0, GIRT_REJECTED, 0, GIRT_CALL_CONCURRENCY);
    girt_concurrency_leave(p.o.concurrency, &permit, GIRT_IGNORED);
    /* A refusal of the limiter frees the probe's place. */
    girt_breaker_force(p.o.breaker, GIRT_BREAKER_HALF_OPEN);
    while (girt_limiter_take(p.o.limiter, 1, NULL) == GIRT_OK)
        continue;
    check_call(&p, 0, GIRT_LIMITED, 0, GIRT_CALL_LIMITER);
    check_status(girt_breaker_enter(p.o.breaker, &permit), GIRT_OK);
    girt_breaker_leave(p.o.breaker, &permit, GIRT_SUCCESS);
    check_call(&p, 0, GIRT_LIMITED, 0, GIRT_CALL_LIMITER);
    stop(&p);
}

static girt_status exit_inside(void *argument, const girt_call_try *attempt)
{
    (void)attempt;
    pthread_exit(argument);
}

static void *call_and_exit(void *context)
{
    play *const p = context;
    (void)girt_call(&p->o, exit_inside, p, NULL);
    return NULL;
}

static void test_thread_ends_inside(void **state)
{
    (void)state;
    play p;
    start(&p);
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, call_and_exit, &p), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, &p);
    stop(&p);
}

typedef struct late {
    play p;
    girt_status status;
    girt_call_report report;
} late;

static void *call_in_line(void *context)
{
    late *const l = context;
    l->status = girt_call(&l->p.o, work, &l->p, &l->report);
    return NULL;
}

/* A place that comes when the deadline has passed is of no use. */
static void test_late_place(void **state)
{
    (void)state;
    late l;
    play *const p = &l.p;
    start(p);
    girt_bulkhead_destroy(p->o.bulkhead);
    check_status(girt_bulkhead_create(&p->o.bulkhead,
                                      &(girt_bulkhead_options){
                                          .inside_max = 1, .waiting_max = 1}),
                 GIRT_OK);
    p->o.timeout_ns = INT64_C(3600000000000);
    check_status(girt_bulkhead_enter(p->o.bulkhead, GIRT_NOW), GIRT_OK);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, call_in_line, &l), 0);
    /* The line is full when it stands in it. */
    while (girt_bulkhead_enter(p->o.bulkhead, GIRT_NOW) != GIRT_REJECTED)
        (void)sched_yield();
    __atomic_store_n(&p->now_ns, p->o.timeout_ns + 1000, __ATOMIC_RELEASE);
    girt_bulkhead_leave(p->o.bulkhead);
    assert_int_equal(pthread_join(thread, NULL), 0);
    check_status(l.status, GIRT_TIMEOUT);
    assert_int_equal(l.report.end, GIRT_CALL_DEADLINE);
    assert_int_equal(p->ran, 0);
    stop(p);
}

static int never(void *context, girt_status status)
{
    (void)context;
    (void)status;
    return 0;
}

static void test_not_retryable(void **state)
{
    (void)state;
    play p;
    start(&p);
    p.o.attempts_max = 3;
    p.o.retryable = never;
    check_call(&p, 9, GIRT_E_IO, 1, GIRT_CALL_FUNCTION);
    stop(&p);
}

static girt_outcome count_and_judge(void *context, girt_status status)
{
    play *const p = context;
    p->judged++;
    return status == GIRT_OK ? GIRT_SUCCESS : GIRT_FAILURE;
}

/* Who counts in the callback counts each try once. */
static void test_judged_once(void **state)
{
    (void)state;
    play p;
    start(&p);
    p.o.attempts_max = 3;
    p.o.outcome = count_and_judge;
    check_call(&p, 2, GIRT_OK, 3, GIRT_CALL_FUNCTION);
    assert_int_equal(p.judged, 3);
    check_call(&p, 9, GIRT_E_IO, 3, GIRT_CALL_ATTEMPTS);
    assert_int_equal(p.judged, 6);
    stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_retries),
        cmocka_unit_test(test_judged_once),
        cmocka_unit_test(test_budget),
        cmocka_unit_test(test_budget_of_refused),
        cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_late_place),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_thread_ends_inside),
        cmocka_unit_test(test_not_retryable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
