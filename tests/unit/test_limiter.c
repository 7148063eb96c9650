/* SPDX-License-Identifier: MIT */
/* Goal: create refuses what is out of range, take and peek keep their header's
 * word at the edges.
 * Method: a manual clock, extreme tokens, times and rates, one call each. */
#include <girt/limiter.h>

#include "support/check.h"

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

static void refuse(const girt_limiter_options *options)
{
    girt_limiter *limiter = (girt_limiter *)&now;
    check_status(girt_limiter_create(&limiter, options), GIRT_E_INVALID);
    assert_ptr_equal(limiter, &now);
}

static void *no_allocate(void *context, size_t size, size_t alignment)
{
    (void)context, (void)size, (void)alignment;
    return NULL;
}

static void test_create(void **state)
{
    (void)state;
    girt_rate const fine = {10, SECOND_NS, 5};
    girt_limiter_options o = {.rate = fine};
    girt_limiter *limiter;
    check_status(girt_limiter_create(NULL, &o), GIRT_E_INVALID);
    refuse(NULL);
    refuse(&(girt_limiter_options){.rate = {10, SECOND_NS, 0}});
    refuse(&(girt_limiter_options){.rate = {10, 0, 1}});
    refuse(&(girt_limiter_options){.rate = {10, -1, 1}});
    refuse(&(girt_limiter_options){.rate = {UINT64_C(1) << 63, SECOND_NS, 1}});
    refuse(&(girt_limiter_options){.rate = {10, SECOND_NS, UINT64_MAX}});
    refuse(&(girt_limiter_options){.rate = fine, .lease = 6});
    refuse(&(girt_limiter_options){.rate = fine, .lease = UINT64_MAX});
    refuse(&(girt_limiter_options){.rate = fine, .name = ""});
    refuse(
        &(girt_limiter_options){.rate = fine, .metrics = (girt_metrics *)&now});
    refuse(&(girt_limiter_options){.rate = fine, .reserved = {0, 0, 0, 1}});
    girt_allocator const half = {.allocate = no_allocate};
    refuse(&(girt_limiter_options){.rate = fine, .allocator = &half});
    static char name[10000];
    memset(name, 'n', sizeof name - 1);
    refuse(&(girt_limiter_options){.rate = fine, .name = name});
    name[255] = '\0';
    o.name = name;
    o.lease = 5;
    check_status(girt_limiter_create(&limiter, &o), GIRT_OK);
    girt_limiter_destroy(limiter);
    girt_limiter_destroy(NULL);
}

static void test_arguments(void **state)
{
    (void)state;
    girt_decision d;
    check_status(girt_limiter_take(NULL, 1, &d), GIRT_E_INVALID);
    check_status(girt_limiter_take_at(NULL, 1, 0, &d), GIRT_E_INVALID);
    check_status(girt_limiter_peek(NULL, 1, &d), GIRT_E_INVALID);
    girt_limiter *const l = make((girt_rate){10, SECOND_NS, 5});
    check_status(girt_limiter_take(l, UINT64_MAX, &d), GIRT_NEVER);
    assert_int_equal(d.status, GIRT_NEVER);
    assert_int_equal(d.retry_after_ns, INT64_MAX);
    assert_int_equal(d.remaining, 5);
    check_status(girt_limiter_take(l, UINT64_C(1) << 63, NULL), GIRT_NEVER);
    check_status(girt_limiter_take(l, 6, NULL), GIRT_NEVER);
    check_status(girt_limiter_peek(l, 6, &d), GIRT_NEVER);
    check_status(girt_limiter_take(l, 0, &d), GIRT_OK);
    assert_int_equal(d.remaining, 5);
    check_status(girt_limiter_peek(l, 5, NULL), GIRT_OK);
    check_status(girt_limiter_take(l, 5, &d), GIRT_OK);
    assert_int_equal(d.remaining, 0);
    assert_int_equal(d.retry_after_ns, 0);
    assert_int_equal(d.reset_after_ns, SECOND_NS / 2);
    check_status(girt_limiter_take(l, 0, &d), GIRT_OK);
    check_status(girt_limiter_take(l, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, SECOND_NS / 10);
    girt_limiter_destroy(l);
}

static void test_limit_zero(void **state)
{
    (void)state;
    girt_limiter *const l = make((girt_rate){0, 1, 3});
    girt_decision d;
    check_status(girt_limiter_take(l, 2, &d), GIRT_OK);
    assert_int_equal(d.remaining, 1);
    assert_int_equal(d.reset_after_ns, INT64_MAX);
    check_status(girt_limiter_take(l, 2, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, INT64_MAX);
    check_status(girt_limiter_take_at(l, 1, INT64_MAX, NULL), GIRT_OK);
    check_status(girt_limiter_take_at(l, 1, INT64_MAX, &d), GIRT_LIMITED);
    check_status(girt_limiter_take_at(l, 1, INT64_MIN, &d), GIRT_LIMITED);
    girt_limiter_destroy(l);
}

/* Every instant of an int64_t, with rates whose line is short. */
static void test_far_times(void **state)
{
    (void)state;
    static const girt_rate rates[] = {{999983, SECOND_NS, 2},
                                      {999999937, SECOND_NS, 2},
                                      {10, SECOND_NS, 2},
                                      {UINT64_C(1) << 26, 1, 2}};
    for (size_t i = 0; i < 4; i++) {
        now = 0;
        girt_limiter *const l = make(rates[i]);
        girt_decision d;
        check_status(girt_limiter_take_at(l, 2, INT64_MIN, NULL), GIRT_OK);
        check_status(girt_limiter_take_at(l, 1, INT64_MIN, &d), GIRT_LIMITED);
        int64_t const wait_ns = d.retry_after_ns;
        assert_in_range(wait_ns, 1, SECOND_NS);
        check_status(girt_limiter_take_at(l, 2, 0, NULL), GIRT_OK);
        check_status(girt_limiter_take_at(l, 1, 0, &d), GIRT_LIMITED);
        assert_int_equal(d.retry_after_ns, wait_ns);
        check_status(girt_limiter_take_at(l, 1, INT64_MIN, NULL), GIRT_LIMITED);
        check_status(girt_limiter_take_at(l, 2, INT64_MAX, NULL), GIRT_OK);
        check_status(girt_limiter_take_at(l, 1, INT64_MAX, NULL), GIRT_LIMITED);
        check_status(girt_limiter_take_at(l, 1, 0, NULL), GIRT_LIMITED);
        girt_limiter_destroy(l);
    }
}

/* 7e8 a second is not 1e9 a second, nor is a prime near 1e9. */
static void test_long_run(void **state)
{
    (void)state;
    static const uint64_t limits[] = {700000000, 999999937, 1, 999983};
    for (size_t i = 0; i < 4; i++) {
        girt_limiter *const l = make((girt_rate){limits[i], SECOND_NS, 50});
        uint64_t sum = 0;
        int64_t at = 0;
        for (; sum < 200000 && at < 200 * SECOND_NS; at++) {
            girt_decision d;
            while (girt_limiter_take_at(l, 1, at, &d) == GIRT_OK)
                sum++;
            if (d.retry_after_ns > 1)
                at += d.retry_after_ns - 1;
        }
        double const ideal = 50 + (double)at / 1e9 * (double)limits[i];
        assert_true((double)sum <= ideal && (double)sum >= ideal - 2);
        girt_limiter_destroy(l);
    }
}

static void test_clock_goes_back(void **state)
{
    (void)state;
    now = 1000 * SECOND_NS;
    girt_limiter *const l = make((girt_rate){10, SECOND_NS, 5});
    check_status(girt_limiter_take(l, 5, NULL), GIRT_OK);
    uint64_t sum = 0;
    for (int i = 0; i < 1000; i++) {
        now -= SECOND_NS * (i % 2 == 0 ? 1 : -1);
        sum += girt_limiter_take(l, 1, NULL) == GIRT_OK;
    }
    assert_int_equal(sum, 0);
    girt_limiter_destroy(l);
    now = 0;
}

/* Beyond the reach of the base, where a take moves it. */
static void test_peek_far_from_the_base(void **state)
{
    (void)state;
    static const girt_rate rates[] = {
        {999983, 86400 * SECOND_NS, 1000000},
        {712, INT64_C(8785767127719383), 247},
        {80751968, INT64_C(3290047006958), UINT64_C(6885395378)}};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        uint64_t const burst = rates[i].burst;
        now = 0;
        girt_limiter *const l = make(rates[i]);
        girt_decision d;
        check_status(girt_limiter_take(l, burst, &d), GIRT_OK);
        for (int round = 0; round < 20; round++) {
            now += d.reset_after_ns;
            check_status(girt_limiter_peek(l, burst, &d), GIRT_OK);
            assert_int_equal(d.remaining, burst);
            assert_int_equal(d.reset_after_ns, 0);
            size_t refused_by = 0;
            check_status(girt_limiter_take_all(&l, 1, burst, &refused_by, &d),
                         GIRT_OK);
            check_status(girt_limiter_peek(l, 1, &d), GIRT_LIMITED);
            assert_int_equal(d.remaining, 0);
            assert_true(d.retry_after_ns > 0);
            (void)girt_limiter_peek(l, 0, &d);
        }
        girt_limiter_destroy(l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_limit_zero),
        cmocka_unit_test(test_far_times),
        cmocka_unit_test(test_long_run),
        cmocka_unit_test(test_peek_far_from_the_base),
        cmocka_unit_test(test_clock_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
