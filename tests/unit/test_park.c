/* SPDX-License-Identifier: MIT */
/* Goal: a wait ends by a wake or at its deadline, neither early nor lost, and
 * a signal does not end it.  Method: waits alone against the clock, pairs that
 * hand a turn to and fro, and a sleeper under a storm of signals. */
#include "core/park.h"

#include <pthread.h>
#include <signal.h>

#include <girt/clock.h>

#include "core/atomic.h"
#include "support/check.h"
#include "support/threads.h"

enum { MS = 1000000 };

static int64_t now_ns(void)
{
    return girt_clock_monotonic.now_ns(NULL);
}

static void deadlines_saturate(void **state)
{
    (void)state;
    int64_t const before = now_ns();
    assert_true(girt__deadline(0) >= before);
    assert_true(girt__deadline(0) <= now_ns());
    assert_true(girt__deadline(-1) <= now_ns());
    assert_true(girt__deadline(INT64_MIN) <= now_ns());
    assert_true(girt__deadline(5 * MS) >= before + 5 * MS);
    assert_true(girt__deadline(GIRT_FOREVER) == GIRT_FOREVER);
    assert_true(girt__deadline(GIRT_FOREVER - 1) == GIRT_FOREVER);
}

static void a_wait_is_never_early(void **state)
{
    (void)state;
    static const int64_t waits[] = {1, 1000, MS, 20 * MS};
    girt__park park = {0, 0};
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++) {
        int64_t const deadline = girt__deadline(waits[i]);
        uint32_t const key = girt__park_prepare(&park);
        assert_false(girt__park_wait(&park, key, deadline));
        assert_true(now_ns() >= deadline);
        assert_int_equal(park.waiters, 0);
    }
}

static void a_passed_deadline_does_not_wait(void **state)
{
    (void)state;
    static const int64_t past[] = {0, 1, -1, INT64_MIN};
    girt__park park = {0, 0};
    for (size_t i = 0; i < sizeof past / sizeof *past; i++) {
        uint32_t const key = girt__park_prepare(&park);
        assert_false(girt__park_wait(&park, key, past[i]));
    }
}

static void a_wake_between_prepare_and_wait_is_kept(void **state)
{
    (void)state;
    girt__park park = {0, 0};
    uint32_t const key = girt__park_prepare(&park);
    girt__park_wake(&park, 1);
    assert_true(girt__park_wait(&park, key, GIRT_FOREVER));
    assert_int_equal(park.waiters, 0);
}

static void a_wake_with_nobody_there_is_not_kept(void **state)
{
    (void)state;
    girt__park park = {0, 0};
    girt__park_wake(&park, 1);
    girt__park_wake(&park, UINT32_MAX);
    uint32_t key = girt__park_prepare(&park);
    girt__park_cancel(&park);
    girt__park_wake(&park, 1);
    key = girt__park_prepare(&park);
    assert_false(girt__park_wait(&park, key, girt__deadline(MS)));
}

static void a_key_from_before_the_count_wraps(void **state)
{
    (void)state;
    girt__park park = {UINT32_MAX, 0};
    uint32_t const key = girt__park_prepare(&park);
    assert_int_equal(key, UINT32_MAX);
    girt__park_wake(&park, 1);
    assert_int_equal(park.epoch, 0);
    assert_true(girt__park_wait(&park, key, GIRT_FOREVER));
}

typedef struct turns {
    girt__park park;
    uint32_t turn;
} turns;

static void take_turns(void *context, size_t me)
{
    turns *const t = context;
    for (int i = 0; i < 1000; i++) {
        for (;;) {
            uint32_t const key = girt__park_prepare(&t->park);
            if (girt_load_acquire(&t->turn) % 2 == me) {
                girt__park_cancel(&t->park);
                break;
            }
            assert_true(girt__park_wait(&t->park, key, GIRT_FOREVER));
        }
        girt_store_release(&t->turn, t->turn + 1);
        girt__park_wake(&t->park, 1);
    }
}

static void two_threads_hand_over(void **state)
{
    (void)state;
    turns t = {{0, 0}, 0};
    threads_run(2, take_turns, &t);
    assert_int_equal(t.turn, 2000);
    assert_int_equal(t.park.waiters, 0);
}

static uint32_t signals;

static void count_signal(int number)
{
    (void)number;
    (void)girt_add_relaxed(&signals, 1);
}

typedef struct stormed {
    girt__park park;
    int64_t deadline;
    bool in_time;
    bool finished;
    int64_t ended;
} stormed;

static void *sleep_in_storm(void *context)
{
    stormed *const s = context;
    uint32_t const key = girt__park_prepare(&s->park);
    s->in_time = girt__park_wait(&s->park, key, s->deadline);
    s->ended = now_ns();
    girt_store_release(&s->finished, true);
    return NULL;
}

static void signals_do_not_end_a_wait(void **state)
{
    (void)state;
    struct sigaction action = {.sa_handler = count_signal}; /* no SA_RESTART */
    struct sigaction before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    stormed s = {.deadline = girt__deadline(30 * MS), .in_time = true};
    pthread_t sleeper;
    assert_int_equal(pthread_create(&sleeper, NULL, sleep_in_storm, &s), 0);
    while (!girt_load_acquire(&s.finished)) {
        assert_int_equal(pthread_kill(sleeper, SIGUSR1), 0);
        for (int i = 0; i < 1000; i++)
            girt_pause();
    }
    assert_int_equal(pthread_join(sleeper, NULL), 0);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
    assert_true(girt_load_relaxed(&signals) > 0);
    assert_false(s.in_time);
    assert_true(s.ended >= s.deadline);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadlines_saturate),
        cmocka_unit_test(a_wait_is_never_early),
        cmocka_unit_test(a_passed_deadline_does_not_wait),
        cmocka_unit_test(a_wake_between_prepare_and_wait_is_kept),
        cmocka_unit_test(a_wake_with_nobody_there_is_not_kept),
        cmocka_unit_test(a_key_from_before_the_count_wraps),
        cmocka_unit_test(two_threads_hand_over),
        cmocka_unit_test(signals_do_not_end_a_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
