/* SPDX-License-Identifier: MIT */
/* Goal: tokens from several limiters, all or nothing.
 * Method: limiters of which one is short; what is left in the others. */
#include <girt/limiter.h>

#include "limiter/limiter_internal.h"
#include "support/check.h"

#define SECOND_NS INT64_C(1000000000)

static int64_t now;

static girt_limiter *make(uint64_t limit, uint64_t burst)
{
    girt_limiter_options options = {.rate = {limit, SECOND_NS, burst}};
    girt_clock_manual(&options.clock, &now);
    girt_limiter *limiter;
    check_status(girt_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

static uint64_t left(girt_limiter *l)
{
    girt_decision d;
    (void)girt_limiter_peek(l, 0, &d);
    return d.remaining;
}

static void test_arguments(void **state)
{
    (void)state;
    girt_limiter *const a = make(1, 5), *const b = make(1, 5);
    girt_limiter *const twice[] = {a, b, a}, *const hole[] = {a, NULL};
    girt_limiter *many[GIRT_TAKE_ALL_MAX + 1];
    size_t by = 77;
    girt_decision d = {.remaining = 77};
    check_status(girt_limiter_take_all(NULL, 1, 1, &by, &d), GIRT_E_INVALID);
    check_status(girt_limiter_take_all(twice, 0, 1, &by, &d), GIRT_E_INVALID);
    check_status(girt_limiter_take_all(twice, 3, 1, &by, &d), GIRT_E_INVALID);
    check_status(girt_limiter_take_all(hole, 2, 1, &by, &d), GIRT_E_INVALID);
    check_status(girt_limiter_take_all(many, GIRT_TAKE_ALL_MAX + 1, 1, &by, &d),
                 GIRT_E_TOO_LARGE);
    check_status(girt_limiter_take_all(many, SIZE_MAX, 1, &by, &d),
                 GIRT_E_TOO_LARGE);
    assert_int_equal(by, 77);
    assert_int_equal(d.remaining, 77);
    assert_int_equal(left(a), 5);
    for (size_t i = 0; i < GIRT_TAKE_ALL_MAX; i++)
        many[i] = make(1, 5);
    check_status(girt_limiter_take_all(many, GIRT_TAKE_ALL_MAX, 5, NULL, NULL),
                 GIRT_OK);
    for (size_t i = 0; i < GIRT_TAKE_ALL_MAX; i++) {
        assert_int_equal(left(many[i]), 0);
        girt_limiter_destroy(many[i]);
    }
    girt_limiter_destroy(a);
    girt_limiter_destroy(b);
}

static void test_all_or_nothing(void **state)
{
    (void)state;
    girt_limiter *const all[] = {make(1, 10), make(2, 4), make(1, 4)};
    size_t by = 77;
    girt_decision d;
    check_status(girt_limiter_take_all(all, 3, 3, &by, &d), GIRT_OK);
    assert_int_equal(by, 77);
    assert_int_equal(d.remaining, 1);
    check_status(girt_limiter_take_all(all, 3, 3, &by, &d), GIRT_LIMITED);
    assert_int_equal(by, 2); /* 2 s, the second one 1 s */
    assert_int_equal(d.retry_after_ns, 2 * SECOND_NS);
    assert_int_equal(left(all[0]), 7);
    assert_int_equal(left(all[1]), 1);
    check_status(girt_limiter_take_all(all, 3, 5, &by, &d), GIRT_NEVER);
    assert_int_equal(by, 1);
    now += 2 * SECOND_NS;
    check_status(girt_limiter_take_all(all, 3, 3, NULL, NULL), GIRT_OK);
    check_status(girt_limiter_take_all(all, 3, 3, NULL, NULL), GIRT_LIMITED);
    for (size_t i = 0; i < 3; i++)
        girt_limiter_destroy(all[i]);
}

/* What take_all does when a later limiter refuses after all. */
static void test_rollback(void **state)
{
    (void)state;
    girt_limiter *const l = make(1, 10);
    girt__sight mine;
    int64_t wait_ns;
    check_status(girt__limiter_acquire(l, 4, now, 0, &mine, &wait_ns), GIRT_OK);
    assert_int_equal(left(l), 6);
    girt__limiter_give_back(l, 4, mine.word, mine.generation, now, false);
    assert_int_equal(left(l), 10);
    /* Others took 3 since: they may have been promised it. */
    check_status(girt__limiter_acquire(l, 4, now, 0, &mine, &wait_ns), GIRT_OK);
    check_status(girt_limiter_take(l, 3, NULL), GIRT_OK);
    girt__limiter_give_back(l, 4, mine.word, mine.generation, now, false);
    assert_int_equal(left(l), 4);
    /* The bucket was full and in use again since: nothing is owed to us. */
    now += 100 * SECOND_NS;
    check_status(girt__limiter_acquire(l, 4, now, 0, &mine, &wait_ns), GIRT_OK);
    now += 100 * SECOND_NS;
    check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
    girt__limiter_give_back(l, 4, mine.word, mine.generation, now, false);
    assert_int_equal(left(l), 9);
    /* Nor under another rate. */
    check_status(girt__limiter_acquire(l, 4, now, 0, &mine, &wait_ns), GIRT_OK);
    check_status(girt_limiter_set_rate(l, (girt_rate){2, SECOND_NS, 10}),
                 GIRT_OK);
    girt__limiter_give_back(l, 4, mine.word, mine.generation, now, false);
    assert_int_equal(left(l), 5);
    girt_limiter_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_all_or_nothing),
        cmocka_unit_test(test_rollback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
