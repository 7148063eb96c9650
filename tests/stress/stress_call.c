/* SPDX-License-Identifier: MIT */
/* Goal: with many threads in girt_call at once and all parts on, nothing is
 * lost or doubled: places, probes, tokens, retries, callbacks, changes.
 * Method: threads call with random outcomes and are sometimes cancelled inside;
 * all is counted on both sides and compared when they are done. */
#include <girt/call.h>

#include <pthread.h>
#include <sched.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 8, PLACES = 2, PROBES = 3, TRIES_MAX = 4 };
enum { TOKENS = 1 << 24, CALLS_A_RETRY = 128, CHANGES_LEAST = 4 };

typedef struct counts {
    uint64_t calls, first, ran, judged, asked, slept, ok, cancelled;
    uint64_t attempts, ends[GIRT_CALL_BUDGET + 1];
} counts;

typedef struct arena {
    girt_call_options o;
    int64_t now_ns;
    size_t calls;
    uint64_t seed;
    uint32_t inside;
    /* of on_change, which is told one at a time */
    uint32_t telling;
    girt_breaker_state told;
    uint64_t changes;
    pthread_mutex_t mutex;
    counts all; /* under the mutex */
} arena;

/* Of the calling thread; what the callbacks get is the arena. */
static _Thread_local counts mine;
static _Thread_local rng dice;

static girt_status work(void *argument, const girt_call_try *attempt)
{
    arena *const a = argument;
    assert_in_range(attempt->number, 1, TRIES_MAX);
    mine.ran++;
    mine.first += attempt->number == 1;
    assert_true(__atomic_add_fetch(&a->inside, 1, __ATOMIC_RELAXED) <= PLACES);
    (void)__atomic_add_fetch(&a->now_ns, 1, __ATOMIC_RELAXED);
    if (rng_below(&dice, 16) == 0)
        (void)sched_yield();
    (void)__atomic_sub_fetch(&a->inside, 1, __ATOMIC_RELAXED);
    if (rng_below(&dice, 2) == 0)
        pthread_testcancel();
    return rng_below(&dice, 3) == 0   ? GIRT_E_IO
           : rng_below(&dice, 8) == 0 ? GIRT_TIMEOUT
                                      : GIRT_OK;
}

static girt_outcome judge(void *context, girt_status status)
{
    (void)context;
    mine.judged++;
    pthread_testcancel();
    return status == GIRT_OK     ? GIRT_SUCCESS
           : status == GIRT_E_IO ? GIRT_FAILURE
                                 : GIRT_IGNORED;
}

static int worth_it(void *context, girt_status status)
{
    (void)context;
    assert_true(status != GIRT_OK);
    mine.asked++;
    return 1;
}

static void sleep_virtually(void *context, int64_t ns)
{
    arena *const a = context;
    mine.slept++;
    (void)__atomic_add_fetch(&a->now_ns, ns, __ATOMIC_RELAXED);
}

static void hear(void *context, girt_breaker_state from, girt_breaker_state to)
{
    arena *const a = context;
    assert_int_equal(__atomic_add_fetch(&a->telling, 1, __ATOMIC_RELAXED), 1);
    assert_int_equal(from, a->told);
    assert_true(from != to);
    a->told = to;
    a->changes++;
    pthread_testcancel(); /* none here */
    (void)__atomic_sub_fetch(&a->telling, 1, __ATOMIC_RELAXED);
}

static void add_up(void *context)
{
    arena *const a = context;
    (void)pthread_mutex_lock(&a->mutex);
    const uint64_t *const from = (const uint64_t *)&mine;
    uint64_t *const to = (uint64_t *)&a->all;
    for (size_t i = 0; i < sizeof mine / sizeof *from; i++)
        to[i] += from[i];
    (void)pthread_mutex_unlock(&a->mutex);
}

static void call_once(arena *a)
{
    girt_call_report report;
    uint64_t const ran = mine.ran;
    mine.calls++;
    /* Also where nothing runs: an open breaker must not stay open. */
    (void)__atomic_add_fetch(&a->now_ns, 1, __ATOMIC_RELAXED);
    girt_status const status = girt_call(&a->o, work, a, &report);
    assert_int_equal(report.attempts, mine.ran - ran);
    mine.attempts += report.attempts;
    mine.ends[report.end]++;
    mine.ok += status == GIRT_OK;
    if (report.attempts == 0) /* those inside may need the core */
        (void)sched_yield();
    if (report.end == GIRT_CALL_FUNCTION || report.end == GIRT_CALL_ATTEMPTS)
        check_status(report.last, status);
}

/* A thread that is cancelled somewhere in its calls. */
static void *call_until_cancelled(void *context)
{
    arena *const a = context;
    mine = (counts){.calls = 0};
    dice = (rng){a->seed ^ (uint64_t)(uintptr_t)&mine};
    pthread_cleanup_push(add_up, a);
    for (;;)
        call_once(a);
    pthread_cleanup_pop(1);
    return NULL;
}

static void call_many(void *context, size_t index)
{
    arena *const a = context;
    mine = (counts){.calls = 0};
    dice = (rng){a->seed + index};
    for (size_t i = 0; i < a->calls; i++) {
        call_once(a);
        if (i % 512 == 0) {
            pthread_t thread;
            assert_int_equal(
                pthread_create(&thread, NULL, call_until_cancelled, a), 0);
            (void)sched_yield();
            assert_int_equal(pthread_cancel(thread), 0);
            void *result = NULL;
            assert_int_equal(pthread_join(thread, &result), 0);
            assert_ptr_equal(result, PTHREAD_CANCELED);
            mine.cancelled++;
        }
    }
    add_up(a);
}

static void start(arena *a)
{
    *a = (arena){.calls = scaled(100000), .seed = test_seed()};
    girt_clock_manual(&a->o.clock, &a->now_ns);
    a->o.attempts_max = TRIES_MAX;
    a->o.timeout_ns = INT64_C(1000000000000);
    a->o.backoff_base_ns = a->o.backoff_max_ns = 100;
    a->o.outcome = judge;
    a->o.retryable = worth_it;
    a->o.sleep = sleep_virtually;
    a->o.context = a;
    assert_int_equal(pthread_mutex_init(&a->mutex, NULL), 0);
    check_status(
        girt_bulkhead_create(
            &a->o.bulkhead,
            &(girt_bulkhead_options){.inside_max = PLACES, .waiting_max = 1}),
        GIRT_OK);
    check_status(girt_concurrency_create(
                     &a->o.concurrency,
                     &(girt_concurrency_options){.kind = GIRT_CONCURRENCY_AIMD,
                                                 .min = PLACES - 1,
                                                 .max = PLACES,
                                                 .clock = a->o.clock}),
                 GIRT_OK);
    /* Opens often, and soon is half-open. */
    check_status(
        girt_breaker_create(&a->o.breaker,
                            &(girt_breaker_options){.failure_ratio = 0.4,
                                                    .calls_min = 20,
                                                    .window_ns = 1000,
                                                    .open_ns = 20,
                                                    .open_max_ns = 40,
                                                    .probes = PROBES,
                                                    .on_change = hear,
                                                    .context = a,
                                                    .clock = a->o.clock}),
        GIRT_OK);
    girt_limiter_options const limiter = {.rate = {0, 1, TOKENS},
                                          .clock = a->o.clock};
    check_status(girt_limiter_create(&a->o.limiter, &limiter), GIRT_OK);
    check_status(girt_retry_budget_create(
                     &a->o.budget,
                     &(girt_retry_budget_options){.ratio = 1.0 / CALLS_A_RETRY,
                                                  .floor_per_s = -1,
                                                  .window_ns = INT64_MAX,
                                                  .clock = a->o.clock}),
                 GIRT_OK);
}

/* All places are free, and none is spare. */
static void check_places(arena *a)
{
    girt_permit permits[PLACES + 1];
    for (int i = 0; i < PLACES; i++)
        check_status(girt_bulkhead_enter(a->o.bulkhead, GIRT_NOW), GIRT_OK);
    check_status(girt_bulkhead_enter(a->o.bulkhead, GIRT_NOW), GIRT_TIMEOUT);
    for (int i = 0; i < PLACES; i++)
        girt_bulkhead_leave(a->o.bulkhead);
    uint64_t const limit = girt_concurrency_limit(a->o.concurrency);
    assert_in_range(limit, PLACES - 1, PLACES);
    for (uint64_t i = 0; i < limit; i++)
        check_status(girt_concurrency_enter(a->o.concurrency, &permits[i]),
                     GIRT_OK);
    check_status(girt_concurrency_enter(a->o.concurrency, &permits[PLACES]),
                 GIRT_REJECTED);
    for (uint64_t i = 0; i < limit; i++)
        girt_concurrency_leave(a->o.concurrency, &permits[i], GIRT_IGNORED);
}

/* Probes that cancelled threads had are not on their way any more: whatever
 * state it was left in, as many successes as there are still missing close it
 * without any time passing. */
static void check_breaker(arena *a)
{
    girt_permit permit;
    a->now_ns += 1000; /* an opening is over, a probe would not be lost */
    for (int i = 0; girt_breaker_state_now(a->o.breaker) != GIRT_BREAKER_CLOSED;
         i++) {
        assert_true(i < PROBES);
        check_status(girt_breaker_enter(a->o.breaker, &permit), GIRT_OK);
        girt_breaker_leave(a->o.breaker, &permit, GIRT_SUCCESS);
    }
    assert_int_equal(a->told, GIRT_BREAKER_CLOSED);
}

static void check_counts(arena *a)
{
    const counts *const c = &a->all;
    uint64_t tokens = 0;
    while (girt_limiter_take(a->o.limiter, 1, NULL) == GIRT_OK)
        tokens++;
    /* A token a run, as limiter stands right before the function. */
    assert_int_equal(tokens + c->ran, TOKENS);
    /* A cancellation in the function leaves one unjudged, and none is judged
     * twice. */
    assert_in_range(c->ran - c->judged, 0, c->cancelled);
    assert_true(c->asked <= c->judged && c->slept <= c->asked);
    /* Retries are what was slept before: with those that are left, as many as
     * the calls that went out allow. */
    uint64_t retries = 0;
    while (girt_retry_budget_take(a->o.budget) == GIRT_OK)
        retries++;
    assert_int_equal(retries + c->slept, c->first / CALLS_A_RETRY);
    assert_true(c->attempts <= c->ran && c->ok <= c->calls);
    uint64_t ends = 0;
    for (size_t i = 0; i <= GIRT_CALL_BUDGET; i++)
        ends += c->ends[i];
    assert_in_range(c->calls - ends, 0, c->cancelled);
}

static void test_all_parts(void **state)
{
    (void)state;
    static arena a;
    start(&a);
    threads_run(THREADS, call_many, &a);
    assert_int_equal(a.inside, 0);
    printf("%llu calls, %llu runs, %llu retries, %llu cancelled, %llu changes; "
           "ended by",
           (unsigned long long)a.all.calls, (unsigned long long)a.all.ran,
           (unsigned long long)a.all.slept, (unsigned long long)a.all.cancelled,
           (unsigned long long)a.changes);
    for (size_t i = 0; i <= GIRT_CALL_BUDGET; i++)
        printf(" %llu", (unsigned long long)a.all.ends[i]);
    printf("\n");
    assert_true(a.changes >= CHANGES_LEAST);
    check_places(&a);
    check_breaker(&a);
    check_counts(&a);
    girt_bulkhead_destroy(a.o.bulkhead);
    girt_concurrency_destroy(a.o.concurrency);
    girt_breaker_destroy(a.o.breaker);
    girt_limiter_destroy(a.o.limiter);
    girt_retry_budget_destroy(a.o.budget);
    (void)pthread_mutex_destroy(&a.mutex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all_parts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
