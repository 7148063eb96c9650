/* SPDX-License-Identifier: MIT */
/* Goal: set_rate creates no token and loses none, and takes meanwhile see one
 * rate whole.
 * Method: a standing manual clock and random rates; then a thread that takes
 * while another changes. */
#include <girt/limiter.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

#define SECOND_NS INT64_C(1000000000)

static int64_t now;

static girt_limiter *make(girt_rate rate)
{
    girt_limiter_options options = {.rate = rate};
    girt_clock_manual(&options.clock, &now);
    girt_limiter *limiter;
    check_status(girt_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

static uint64_t remaining(girt_limiter *l)
{
    girt_decision d;
    (void)girt_limiter_peek(l, 0, &d);
    return d.remaining;
}

static void test_arguments(void **state)
{
    (void)state;
    girt_limiter *const l = make((girt_rate){10, SECOND_NS, 5});
    check_status(girt_limiter_set_rate(NULL, (girt_rate){10, SECOND_NS, 5}),
                 GIRT_E_INVALID);
    check_status(girt_limiter_set_rate(l, (girt_rate){10, SECOND_NS, 0}),
                 GIRT_E_INVALID);
    check_status(girt_limiter_set_rate(l, (girt_rate){10, 0, 5}),
                 GIRT_E_INVALID);
    check_status(girt_limiter_set_rate(l, (girt_rate){UINT64_C(1) << 63, 1, 5}),
                 GIRT_E_INVALID);
    assert_int_equal(remaining(l), 5);
    girt_limiter_destroy(l);
}

static void test_tokens_stay(void **state)
{
    (void)state;
    girt_limiter *const l = make((girt_rate){10, SECOND_NS, 5});
    check_status(girt_limiter_set_rate(l, (girt_rate){10, SECOND_NS, 100}),
                 GIRT_OK);
    assert_int_equal(remaining(l), 5); /* a larger burst brings none */
    check_status(girt_limiter_set_rate(l, (girt_rate){7, SECOND_NS, 3}),
                 GIRT_OK);
    assert_int_equal(remaining(l), 3); /* a smaller one clips */
    check_status(girt_limiter_set_rate(l, (girt_rate){0, 1, 100}), GIRT_OK);
    assert_int_equal(remaining(l), 3);
    check_status(girt_limiter_set_rate(l, (girt_rate){1, SECOND_NS, 100}),
                 GIRT_OK);
    now += 2 * SECOND_NS;
    assert_int_equal(remaining(l), 5);
    girt_reservation r;
    check_status(girt_limiter_reserve(l, 7, GIRT_FOREVER, &r), GIRT_OK);
    assert_int_equal(r.act_at_ns, now + 2 * SECOND_NS);
    check_status(girt_limiter_set_rate(l, (girt_rate){2, SECOND_NS, 50}),
                 GIRT_OK);
    girt_decision d;
    check_status(girt_limiter_take(l, 0, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, SECOND_NS); /* 2 tokens short */
    girt_limiter_destroy(l);
}

static void test_standing_clock(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = 0; i < scaled(300); i++) {
        girt_limiter *const l = make((girt_rate){1, 50, 40});
        uint64_t left = 40;
        for (size_t k = 0; k < 200; k++) {
            girt_rate const rate = {rng_below(&r, 20),
                                    1 + (int64_t)rng_below(&r, 1000),
                                    1 + rng_below(&r, 60)};
            check_status(girt_limiter_set_rate(l, rate), GIRT_OK);
            if (left > rate.burst)
                left = rate.burst;
            assert_int_equal(remaining(l), left);
            uint64_t const tokens = rng_below(&r, 2);
            if (girt_limiter_take(l, tokens, NULL) == GIRT_OK)
                left -= tokens;
        }
        girt_limiter_destroy(l);
    }
}

typedef struct race {
    girt_limiter *limiter;
    uint64_t admitted;
} race;

static void change_or_take(void *context, size_t index)
{
    race *const x = context;
    size_t const count = scaled(200000);
    if (index == 0) {
        for (size_t i = 0; i < count / 10; i++) {
            girt_rate const rate = {1 + i % 3, 10 + (int64_t)(i % 7),
                                    500 + i % 2};
            check_status(girt_limiter_set_rate(x->limiter, rate), GIRT_OK);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        girt_decision d;
        girt_status const status =
            girt_limiter_take(x->limiter, 1, i % 2 == 0 ? &d : NULL);
        if (status == GIRT_OK)
            (void)__atomic_add_fetch(&x->admitted, 1, __ATOMIC_RELAXED);
        if (i % 2 == 0)
            assert_true(d.remaining <= 501 && d.retry_after_ns <= 17);
    }
}

static void test_race(void **state)
{
    (void)state;
    race x = {.limiter = make((girt_rate){1, 10, 500})};
    threads_run(3, change_or_take, &x);
    /* The clock stood still: the burst, and not one more. Fractions of tokens
     * are lost when a rate cannot say them. */
    assert_in_range(x.admitted, 490, 500);
    girt_limiter_destroy(x.limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_tokens_stay),
        cmocka_unit_test(test_standing_clock),
        cmocka_unit_test(test_race),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
