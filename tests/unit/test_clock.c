/* SPDX-License-Identifier: MIT */
/* Goal: the clocks never go back, agree with the kernel's, and the manual one
 * shows what it is told.  Method: readings enclosed between the kernel's own,
 * and a clock that a second thread moves. */
#include <girt/clock.h>

#include <time.h>

#include "core/atomic.h"
#include "core/clock_internal.h"
#include "support/check.h"
#include "support/threads.h"

static int64_t kernel_ns(clockid_t id)
{
    struct timespec now;
    assert_int_equal(clock_gettime(id, &now), 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t read_ns(const girt_clock *clock)
{
    return clock->now_ns(clock->context);
}

static void clocks_agree_with_the_kernel(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t const before = kernel_ns(CLOCK_MONOTONIC);
        int64_t const fine = read_ns(&girt_clock_monotonic);
        assert_true(before <= fine);
        assert_true(fine <= kernel_ns(CLOCK_MONOTONIC));
        int64_t const tick = kernel_ns(CLOCK_MONOTONIC_COARSE);
        int64_t const coarse = read_ns(&girt_clock_coarse);
        assert_true(tick <= coarse);
        assert_true(coarse <= kernel_ns(CLOCK_MONOTONIC));
    }
}

static void clocks_do_not_go_back(void **state)
{
    (void)state;
    const girt_clock clocks[] = {girt_clock_monotonic, girt_clock_coarse};
    for (size_t c = 0; c < 2; c++) {
        int64_t last = read_ns(&clocks[c]);
        for (int i = 0; i < 100000; i++) {
            int64_t const now = read_ns(&clocks[c]);
            assert_true(now >= last);
            last = now;
        }
    }
}

static void a_manual_clock_shows_what_it_is_told(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, -1, 0, 1, INT64_MAX};
    int64_t now = 5;
    girt_clock clock;
    girt_clock_manual(&clock, &now);
    assert_true(read_ns(&clock) == 5);
    girt_clock const copy = clock;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        now = times[i];
        assert_true(read_ns(&clock) == times[i]);
        assert_true(read_ns(&copy) == times[i]);
    }
}

static void a_manual_clock_needs_both(void **state)
{
    (void)state;
    int64_t now = 1;
    girt_clock clock = girt_clock_coarse;
    girt_clock_manual(&clock, NULL);
    assert_true(clock.now_ns == girt_clock_coarse.now_ns);
    girt_clock_manual(NULL, &now);
    girt_clock_manual(NULL, NULL);
}

static void nothing_means_the_monotonic_clock(void **state)
{
    (void)state;
    const girt_clock none = {NULL, NULL};
    girt_clock clock = girt__clock_resolve(NULL);
    assert_true(clock.now_ns == girt_clock_monotonic.now_ns);
    clock = girt__clock_resolve(&none);
    assert_true(clock.now_ns == girt_clock_monotonic.now_ns);
    clock = girt__clock_resolve(&girt_clock_coarse);
    assert_true(clock.now_ns == girt_clock_coarse.now_ns);
    assert_true(girt__clock_now(&clock) > 0);
}

typedef struct moved {
    int64_t now;
    int64_t told; /* plain: the clock's order makes it safe to read */
    girt_clock clock;
} moved;

static void move_or_watch(void *context, size_t me)
{
    moved *const m = context;
    if (me == 0) {
        m->told = 42;
        girt_store_release(&m->now, 1);
        return;
    }
    while (read_ns(&m->clock) == 0)
        girt_pause();
    assert_true(m->told == 42);
}

static void what_came_before_the_time_is_seen(void **state)
{
    (void)state;
    moved m = {0, 0, {NULL, NULL}};
    girt_clock_manual(&m.clock, &m.now);
    threads_run(2, move_or_watch, &m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks_agree_with_the_kernel),
        cmocka_unit_test(clocks_do_not_go_back),
        cmocka_unit_test(a_manual_clock_shows_what_it_is_told),
        cmocka_unit_test(a_manual_clock_needs_both),
        cmocka_unit_test(nothing_means_the_monotonic_clock),
        cmocka_unit_test(what_came_before_the_time_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
