/* SPDX-License-Identifier: MIT */
/* Goal: places, line, refusals and time limits are as bulkhead.h says.
 * Method: single calls from one thread; waiting calls in threads of their own,
 * which the test sees by the answers they cause. */
#include <girt/bulkhead.h>

#include <girt/clock.h>
#include <pthread.h>
#include <sched.h>

#include "support/check.h"
#include "support/threads.h"

static girt_bulkhead *make(uint64_t inside_max, uint64_t waiting_max)
{
    girt_bulkhead *bulkhead = NULL;
    check_status(
        girt_bulkhead_create(
            &bulkhead, &(girt_bulkhead_options){.inside_max = inside_max,
                                                .waiting_max = waiting_max,
                                                .name = "b"}),
        GIRT_OK);
    return bulkhead;
}

static void test_places(void **state)
{
    (void)state;
    girt_bulkhead *const b = make(3, 0);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 3; i++)
            check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_OK);
        check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_REJECTED);
        check_status(girt_bulkhead_enter(b, GIRT_FOREVER), GIRT_REJECTED);
        girt_bulkhead_leave(b);
        check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_OK);
        for (int i = 0; i < 3; i++)
            girt_bulkhead_leave(b);
    }
    girt_bulkhead_destroy(b);
}

/* Places that lie in shards count as free: for who comes in by another one, and
 * for him alone who takes all. */
enum { MANY = 100, ROUNDS = 1000 };

static void take_all(void *context, size_t index)
{
    (void)index;
    for (int i = 0; i < MANY; i++)
        check_status(girt_bulkhead_enter(context, GIRT_NOW), GIRT_OK);
    check_status(girt_bulkhead_enter(context, GIRT_NOW), GIRT_REJECTED);
}

static void put_all(void *context, size_t index)
{
    (void)index;
    for (int i = 0; i < MANY; i++)
        girt_bulkhead_leave(context);
}

static void come_and_go(void *context, size_t index)
{
    (void)index;
    for (int i = 0; i < ROUNDS; i++) {
        check_status(girt_bulkhead_enter(context, GIRT_NOW), GIRT_OK);
        girt_bulkhead_leave(context);
    }
}

static void test_shards(void **state)
{
    (void)state;
    girt_bulkhead *const b = make(MANY, 0);
    for (int round = 0; round < 3; round++) {
        take_all(b, 0);
        threads_run(1, put_all, b);
        threads_run(1, take_all, b);
        put_all(b, 0);
        /* Calm again: it lends, and all who find places do. */
        threads_run(3, come_and_go, b);
    }
    girt_bulkhead_destroy(b);
}

static void test_timeout(void **state)
{
    (void)state;
    girt_bulkhead *const b = make(1, 2);
    check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_OK);
    check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_TIMEOUT);
    int64_t const before_ns = girt_clock_monotonic.now_ns(NULL);
    check_status(girt_bulkhead_enter(b, 5000000), GIRT_TIMEOUT);
    assert_true(girt_clock_monotonic.now_ns(NULL) - before_ns >= 5000000);
    girt_bulkhead_leave(b);
    check_status(girt_bulkhead_enter(b, 5000000), GIRT_OK);
    girt_bulkhead_leave(b);
    girt_bulkhead_destroy(b);
}

static void wait_inside(void *context, size_t index)
{
    girt_bulkhead *const b = context;
    if (index == 0) {
        /* In line once the line, of one place, is full. */
        while (girt_bulkhead_enter(b, GIRT_NOW) == GIRT_TIMEOUT)
            (void)sched_yield();
        check_status(girt_bulkhead_enter(b, GIRT_FOREVER), GIRT_REJECTED);
        girt_bulkhead_leave(b);
    } else {
        check_status(girt_bulkhead_enter(b, GIRT_FOREVER), GIRT_OK);
        girt_bulkhead_leave(b);
    }
}

static void test_line(void **state)
{
    (void)state;
    girt_bulkhead *const b = make(1, 1);
    check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_OK);
    threads_run(2, wait_inside, b);
    check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_OK);
    girt_bulkhead_leave(b);
    girt_bulkhead_destroy(b);
}

static void test_invalid(void **state)
{
    (void)state;
    girt_bulkhead *b = NULL;
    const struct {
        girt_bulkhead_options options;
        girt_status status;
    } wrong[] = {
        {{.inside_max = 0}, GIRT_E_INVALID},
        {{.inside_max = UINT64_C(1) << 31}, GIRT_E_TOO_LARGE},
        {{.inside_max = UINT64_C(1) << 63}, GIRT_E_TOO_LARGE},
        {{.inside_max = UINT64_MAX}, GIRT_E_TOO_LARGE},
        {{.inside_max = 1, .waiting_max = UINT64_MAX}, GIRT_E_TOO_LARGE},
        {{.inside_max = 1, .waiting_max = UINT64_C(1) << 32}, GIRT_E_TOO_LARGE},
        {{.inside_max = 1, .name = ""}, GIRT_E_INVALID},
        {{.inside_max = 1, .metrics = (girt_metrics *)&b}, GIRT_E_INVALID},
        {{.inside_max = 1, .reserved = {0, 1}}, GIRT_E_INVALID},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        check_status(girt_bulkhead_create(&b, &wrong[i].options),
                     wrong[i].status);
        assert_null(b);
    }
    check_status(girt_bulkhead_create(&b, NULL), GIRT_E_INVALID);
    check_status(
        girt_bulkhead_create(NULL, &(girt_bulkhead_options){.inside_max = 1}),
        GIRT_E_INVALID);
    check_status(girt_bulkhead_enter(NULL, GIRT_NOW), GIRT_E_INVALID);
    girt_bulkhead_leave(NULL);
    girt_bulkhead_destroy(NULL);
    girt_bulkhead *const largest = make(GIRT_BULKHEAD_MAX, GIRT_BULKHEAD_MAX);
    check_status(girt_bulkhead_enter(largest, -1), GIRT_E_INVALID);
    check_status(girt_bulkhead_enter(largest, INT64_MIN), GIRT_E_INVALID);
    check_status(girt_bulkhead_enter(largest, GIRT_NOW), GIRT_OK);
    girt_bulkhead_leave(largest);
    girt_bulkhead_destroy(largest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),  cmocka_unit_test(test_shards),
        cmocka_unit_test(test_timeout), cmocka_unit_test(test_line),
        cmocka_unit_test(test_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
