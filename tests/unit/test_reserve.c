/* SPDX-License-Identifier: MIT */
/* Goal: reservations act when they say, cancel gives back what nobody was
 * promised on top of, wait ends when the clock says so.
 * Method: a manual clock; for wait also the real ones, and a thread that moves
 * the manual one. */
#include <girt/limiter.h>

#include "support/check.h"
#include "support/threads.h"

#define SECOND_NS INT64_C(1000000000)

static int64_t now;

static girt_limiter *make(girt_rate rate, const girt_clock *clock)
{
    girt_limiter_options options = {.rate = rate};
    if (clock != NULL)
        options.clock = *clock;
    else
        girt_clock_manual(&options.clock, &now);
    girt_limiter *limiter;
    check_status(girt_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

/* What the first cancel gave back must not hide the last promise from the
 * second one. */
static void test_cancel_younger_then_older(void **state)
{
    (void)state;
    girt_limiter *const l = make((girt_rate){1, 10, 4}, NULL);
    girt_reservation a, b, c, d;
    int64_t const start = now;
    check_status(girt_limiter_take(l, 4, NULL), GIRT_OK);
    check_status(girt_limiter_reserve(l, 4, SECOND_NS, &a), GIRT_OK);
    check_status(girt_limiter_reserve(l, 3, SECOND_NS, &b), GIRT_OK);
    check_status(girt_limiter_reserve(l, 1, SECOND_NS, &c), GIRT_OK);
    assert_int_equal(c.act_at_ns, start + 80);
    girt_limiter_cancel(l, &b);
    girt_limiter_cancel(l, &a);
    /* c and d: 5 tokens, one more than the burst, so 10 ns apart at least. */
    check_status(girt_limiter_reserve(l, 4, SECOND_NS, &d), GIRT_OK);
    assert_true(d.act_at_ns >= c.act_at_ns + 10);
    girt_limiter_destroy(l);
}

static void test_reserve(void **state)
{
    (void)state;
    girt_limiter *const l = make((girt_rate){10, SECOND_NS, 5}, NULL);
    girt_reservation r = {0};
    check_status(girt_limiter_reserve(NULL, 1, 0, &r), GIRT_E_INVALID);
    check_status(girt_limiter_reserve(l, 1, 0, NULL), GIRT_E_INVALID);
    check_status(girt_limiter_reserve(l, 6, GIRT_FOREVER, &r), GIRT_NEVER);
    check_status(girt_limiter_reserve(l, UINT64_MAX, GIRT_FOREVER, &r),
                 GIRT_NEVER);
    assert_int_equal(r.tokens, 0);
    check_status(girt_limiter_reserve(l, 5, INT64_MIN, &r), GIRT_OK);
    assert_int_equal(r.act_at_ns, now);
    check_status(girt_limiter_reserve(l, 1, SECOND_NS / 10 - 1, &r),
                 GIRT_LIMITED);
    check_status(girt_limiter_reserve(l, 1, SECOND_NS / 10, &r), GIRT_OK);
    assert_int_equal(r.act_at_ns, now + SECOND_NS / 10);
    assert_int_equal(r.tokens, 1);
    girt_limiter_cancel(NULL, &r);
    girt_limiter_cancel(l, NULL);
    girt_limiter_cancel(l, &r);
    girt_limiter_cancel(l, &r);
    assert_int_equal(r.tokens, 0);
    girt_decision d;
    check_status(girt_limiter_peek(l, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, SECOND_NS / 10);
    girt_limiter_destroy(l);
}

/* As many turns as the line holds, then a clear answer. */
static void test_far_ahead(void **state)
{
    (void)state;
    girt_limiter *const l =
        make((girt_rate){1, INT64_C(86400) * SECOND_NS * 365, 1}, NULL);
    girt_reservation r = {0};
    int count = 0;
    int64_t last = now - 1;
    while (count < 1000 &&
           girt_limiter_reserve(l, 1, GIRT_FOREVER, &r) == GIRT_OK) {
        assert_true(r.act_at_ns > last);
        last = r.act_at_ns;
        count++;
    }
    assert_in_range(count, 10, 300); /* years that an int64_t holds: 292 */
    check_status(girt_limiter_set_rate(l, (girt_rate){1, INT64_MAX, 1}),
                 GIRT_E_TOO_LARGE);
    girt_decision d;
    check_status(girt_limiter_take(l, 1, &d), GIRT_LIMITED);
    assert_true(d.retry_after_ns > 10 * 365 * 86400 * SECOND_NS);
    girt_limiter_destroy(l);
}

static void test_wait(void **state)
{
    (void)state;
    girt_limiter *const l = make((girt_rate){10, SECOND_NS, 2}, NULL);
    check_status(girt_limiter_wait(NULL, 1, 0), GIRT_E_INVALID);
    check_status(girt_limiter_wait(l, 3, GIRT_FOREVER), GIRT_NEVER);
    check_status(girt_limiter_wait(l, 2, GIRT_NOW), GIRT_OK);
    check_status(girt_limiter_wait(l, 1, GIRT_NOW), GIRT_TIMEOUT);
    check_status(girt_limiter_wait(l, 1, -5), GIRT_TIMEOUT);
    check_status(girt_limiter_wait(l, 1, SECOND_NS / 10 - 1), GIRT_TIMEOUT);
    now += SECOND_NS / 10;
    check_status(girt_limiter_wait(l, 1, GIRT_NOW), GIRT_OK);
    girt_limiter_destroy(l);
}

static void test_wait_real(void **state)
{
    (void)state;
    const girt_clock *const clocks[] = {&girt_clock_monotonic,
                                        &girt_clock_coarse};
    for (size_t i = 0; i < 2; i++) {
        girt_limiter *const l = make((girt_rate){100, SECOND_NS, 1}, clocks[i]);
        int64_t const start = clocks[i]->now_ns(clocks[i]->context);
        for (int k = 0; k < 4; k++)
            check_status(girt_limiter_wait(l, 1, GIRT_FOREVER), GIRT_OK);
        int64_t const end = clocks[i]->now_ns(clocks[i]->context);
        assert_true(end - start >= 3 * SECOND_NS / 100);
        girt_limiter_destroy(l);
    }
}

static int64_t shared_now;
static girt_limiter *shared;

static void wait_or_move(void *context, size_t index)
{
    (void)context;
    if (index == 0) {
        check_status(girt_limiter_wait(shared, 1, GIRT_FOREVER), GIRT_OK);
        assert_true(__atomic_load_n(&shared_now, __ATOMIC_ACQUIRE) >=
                    SECOND_NS / 10);
    } else {
        for (int i = 0; i < 100; i++)
            (void)__atomic_add_fetch(&shared_now, SECOND_NS / 1000,
                                     __ATOMIC_ACQ_REL);
    }
}

static void test_wait_manual(void **state)
{
    (void)state;
    girt_clock clock;
    girt_clock_manual(&clock, &shared_now);
    shared = make((girt_rate){10, SECOND_NS, 1}, &clock);
    check_status(girt_limiter_take_at(shared, 1, 0, NULL), GIRT_OK);
    threads_run(2, wait_or_move, NULL);
    girt_limiter_destroy(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reserve),     cmocka_unit_test(test_far_ahead),
        cmocka_unit_test(test_cancel_younger_then_older),
        cmocka_unit_test(test_wait),        cmocka_unit_test(test_wait_real),
        cmocka_unit_test(test_wait_manual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
