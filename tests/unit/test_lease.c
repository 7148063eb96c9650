/* SPDX-License-Identifier: MIT */
/* Goal: leases hand out no more than the bound and lose nothing that they
 * need not.
 * Method: threads of one after another on a manual clock, with every token
 * counted. */
#include <girt/limiter.h>

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/threads.h"

static int64_t now = 1000000;

static girt_limiter *make(uint64_t burst, uint64_t lease)
{
    girt_limiter_options options = {.rate = {1, 50, burst}, .lease = lease};
    girt_clock_manual(&options.clock, &now);
    girt_limiter *limiter;
    check_status(girt_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

static uint64_t take_all_there_is(girt_limiter *l)
{
    uint64_t sum = 0;
    while (girt_limiter_take(l, 1, NULL) == GIRT_OK)
        sum++;
    return sum;
}

static void test_one_thread(void **state)
{
    (void)state;
    girt_limiter *const l = make(100, 32);
    girt_decision d;
    check_status(girt_limiter_peek(l, 1, &d), GIRT_OK);
    assert_int_equal(d.remaining, 100);
    check_status(girt_limiter_take(l, 1, &d), GIRT_OK);
    assert_int_equal(d.remaining, 99);
    check_status(girt_limiter_peek(l, 1, &d), GIRT_OK);
    assert_int_equal(d.remaining, 99);
    check_status(girt_limiter_take(l, 101, &d), GIRT_NEVER);
    check_status(girt_limiter_take(l, 99, &d), GIRT_OK); /* lease and shared */
    assert_int_equal(d.remaining, 0);
    check_status(girt_limiter_take(l, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, 50);
    check_status(girt_limiter_take(l, 0, NULL), GIRT_OK);
    now += 49;
    check_status(girt_limiter_take(l, 1, NULL), GIRT_LIMITED);
    now += 1;
    check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
    /* The lease was empty when the rest began, and is a third of the burst. */
    now += 50 * 1000;
    assert_int_equal(take_all_there_is(l), 68);
    girt_limiter_destroy(l);
}

static void take_one(void *context, size_t index)
{
    (void)index;
    check_status(girt_limiter_take(context, 1, NULL), GIRT_OK);
}

static void test_ends_give_back(void **state)
{
    (void)state;
    girt_limiter *const l = make(100, 20);
    for (int i = 0; i < 30; i++)
        threads_run(1, take_one, l);
    threads_run(4, take_one, l);
    assert_int_equal(take_all_there_is(l), 66);
    girt_limiter_destroy(l);
}

static pthread_barrier_t turn;

static void hold(void *context, size_t index)
{
    girt_limiter *const l = context;
    if (index == 0) {
        (void)pthread_barrier_wait(&turn);
        /* 80 of the burst of 100 are here, 20 less 1 are the other's. */
        girt_decision d;
        check_status(girt_limiter_take(l, 100, &d), GIRT_LIMITED);
        /* The other's lease was called in, and counts as used. */
        assert_int_equal(d.retry_after_ns, 20 * 50);
        now += d.retry_after_ns;
        check_status(girt_limiter_take(l, 100, NULL), GIRT_OK);
        (void)pthread_barrier_wait(&turn);
    } else {
        check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
        (void)pthread_barrier_wait(&turn);
        (void)pthread_barrier_wait(&turn);
        check_status(girt_limiter_take(l, 1, NULL), GIRT_LIMITED);
    }
}

static void test_large_request_calls_in(void **state)
{
    (void)state;
    girt_limiter *const l = make(100, 20);
    assert_int_equal(pthread_barrier_init(&turn, NULL, 2), 0);
    threads_run(2, hold, l);
    (void)pthread_barrier_destroy(&turn);
    girt_limiter_destroy(l);
}

static void use_after_rest(void *context, size_t index)
{
    girt_limiter *const l = context;
    uint64_t sum = 0;
    if (index == 0)
        check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
    (void)pthread_barrier_wait(&turn);
    if (index == 1) {
        now += 1000000; /* the shared bucket is full again */
        sum = take_all_there_is(l);
        assert_int_equal(sum, 80);
    }
    (void)pthread_barrier_wait(&turn);
    if (index == 0) /* 19 on lease complete the burst, and the 20th is not */
        assert_int_equal(take_all_there_is(l), 19);
    (void)pthread_barrier_wait(&turn);
}

static void test_window_after_rest(void **state)
{
    (void)state;
    girt_limiter *const l = make(100, 20);
    assert_int_equal(pthread_barrier_init(&turn, NULL, 2), 0);
    threads_run(2, use_after_rest, l);
    (void)pthread_barrier_destroy(&turn);
    girt_limiter_destroy(l);
}

static void test_set_rate(void **state)
{
    (void)state;
    girt_limiter *const l = make(100, 20);
    check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
    check_status(girt_limiter_set_rate(l, (girt_rate){1, 70, 60}), GIRT_OK);
    girt_decision d;
    check_status(girt_limiter_peek(l, 1, &d), GIRT_OK);
    assert_int_equal(d.remaining, 59); /* 40 shared, 19 on lease */
    /* Less than twice the lease: it is called in and lost. */
    check_status(girt_limiter_set_rate(l, (girt_rate){1, 70, 30}), GIRT_OK);
    check_status(girt_limiter_peek(l, 1, &d), GIRT_OK);
    assert_int_equal(d.remaining, 30);
    assert_int_equal(take_all_there_is(l), 30);
    girt_limiter_destroy(l);
}

static void many(void *context, size_t index)
{
    (void)index;
    check_status(girt_limiter_take(context, 1, NULL), GIRT_OK);
    (void)pthread_barrier_wait(&turn);
}

/* More threads than the first block of leases, more than half of the burst. */
static void test_many_threads(void **state)
{
    (void)state;
    girt_limiter *const l = make(1000, 10);
    assert_int_equal(pthread_barrier_init(&turn, NULL, 60), 0);
    threads_run(60, many, l);
    (void)pthread_barrier_destroy(&turn);
    assert_int_equal(take_all_there_is(l), 940);
    girt_limiter_destroy(l);
}

static void fork_while_held(void *context, size_t index)
{
    girt_limiter *const l = context;
    if (index == 1)
        check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
    (void)pthread_barrier_wait(&turn);
    if (index == 0) {
        pid_t const child = fork();
        if (child == 0) /* the other thread's lease came back here */
            _exit(take_all_there_is(l) == 99 ? 0 : 1);
        int status = -1;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    (void)pthread_barrier_wait(&turn);
}

static void test_fork(void **state)
{
    (void)state;
    girt_limiter *const l = make(100, 20);
    assert_int_equal(pthread_barrier_init(&turn, NULL, 2), 0);
    threads_run(2, fork_while_held, l);
    (void)pthread_barrier_destroy(&turn);
    girt_limiter_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_thread),
        cmocka_unit_test(test_ends_give_back),
        cmocka_unit_test(test_large_request_calls_in),
        cmocka_unit_test(test_window_after_rest),
        cmocka_unit_test(test_set_rate),
        cmocka_unit_test(test_many_threads),
        cmocka_unit_test(test_fork),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
