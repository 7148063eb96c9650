/* SPDX-License-Identifier: MIT */
/* Goal: create refuses what is out of range, keys are bytes of any length, and
 * a full table answers as it was told to.
 * Method: a manual clock, few keys. */
#include <girt/keyed_limiter.h>

#include "support/check.h"

#define SECOND_NS INT64_C(1000000000)

static int64_t now = 5;

static void refuse(const girt_keyed_limiter_options *options,
                   girt_status status)
{
    girt_keyed_limiter *limiter = (girt_keyed_limiter *)&now;
    check_status(girt_keyed_limiter_create(&limiter, options), status);
    assert_ptr_equal(limiter, &now);
}

static void test_create(void **state)
{
    (void)state;
    girt_rate const fine = {10, SECOND_NS, 5};
    girt_keyed_limiter_options o = {.rate = fine, .keys = 10};
    girt_keyed_limiter *limiter;
    check_status(girt_keyed_limiter_create(NULL, &o), GIRT_E_INVALID);
    refuse(NULL, GIRT_E_INVALID);
    refuse(&(girt_keyed_limiter_options){.rate = fine}, GIRT_E_INVALID);
    refuse(&(girt_keyed_limiter_options){.keys = 10}, GIRT_E_INVALID);
    girt_keyed_limiter_options bad = o;
    bad.when_full = GIRT_FULL;
    refuse(&bad, GIRT_E_INVALID);
    bad.when_full = GIRT_LIMITED;
    bad.admit_when_full = true;
    refuse(&bad, GIRT_E_INVALID);
    bad = o;
    bad.metrics = (girt_metrics *)&now;
    refuse(&bad, GIRT_E_INVALID);
    bad = o;
    bad.name = "";
    refuse(&bad, GIRT_E_INVALID);
    bad = o;
    bad.reserved[0] = 1;
    refuse(&bad, GIRT_E_INVALID);
    bad = o;
    bad.rate.limit = UINT64_C(1) << 63;
    refuse(&bad, GIRT_E_INVALID);
    bad = o;
    bad.rate = (girt_rate){3, 1, 1}; /* over 2 a ns */
    refuse(&bad, GIRT_E_INVALID);
    bad = o;
    bad.keys = SIZE_MAX;
    refuse(&bad, GIRT_E_TOO_LARGE);
    bad.keys = (size_t)1 << 63;
    refuse(&bad, GIRT_E_TOO_LARGE);
    bad = o;
    bad.name = "clients";
    bad.when_full = GIRT_LIMITED;
    check_status(girt_keyed_limiter_create(&limiter, &bad), GIRT_OK);
    girt_keyed_limiter_destroy(limiter);
    girt_keyed_limiter_destroy(NULL);
}

/* Rounds: full as by default, as said, and admitted. */
static girt_keyed_limiter *make(size_t keys, int round)
{
    girt_keyed_limiter_options options = {
        .rate = {10, SECOND_NS, 2},
        .keys = keys,
        .when_full = round == 1 ? GIRT_LIMITED : (girt_status)0,
        .admit_when_full = round == 2};
    girt_clock_manual(&options.clock, &now);
    girt_keyed_limiter *limiter;
    check_status(girt_keyed_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

static void test_keys(void **state)
{
    (void)state;
    static char large[GIRT_KEYED_LIMITER_KEY_MAX + 1];
    girt_keyed_limiter *const l = make(100, 1);
    check_status(girt_keyed_limiter_take(NULL, "a", 1, 1, NULL),
                 GIRT_E_INVALID);
    check_status(girt_keyed_limiter_take_at(NULL, "a", 1, 1, 0, NULL),
                 GIRT_E_INVALID);
    check_status(girt_keyed_limiter_take(l, NULL, 1, 1, NULL), GIRT_E_INVALID);
    check_status(girt_keyed_limiter_take(l, "a", (size_t)1 << 32, 1, NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_keyed_limiter_take(l, large, sizeof large, 1, NULL),
                 GIRT_E_TOO_LARGE);
    /* NULL and "" are one key, and each length of zeros is another. */
    check_status(girt_keyed_limiter_take(l, NULL, 0, 2, NULL), GIRT_OK);
    check_status(girt_keyed_limiter_take(l, "x", 0, 1, NULL), GIRT_LIMITED);
    for (size_t size = 1; size <= GIRT_KEYED_LIMITER_KEY_MAX; size *= 2) {
        girt_decision d;
        check_status(girt_keyed_limiter_take(l, large, size, 1, &d), GIRT_OK);
        assert_int_equal(d.remaining, 1);
        assert_int_equal(d.reset_after_ns, SECOND_NS / 10);
        check_status(girt_keyed_limiter_take(l, large, size, 1, NULL), GIRT_OK);
        check_status(girt_keyed_limiter_take(l, large, size, 1, &d),
                     GIRT_LIMITED);
        assert_int_equal(d.retry_after_ns, SECOND_NS / 10);
    }
    girt_decision d;
    check_status(girt_keyed_limiter_take(l, "k", 1, UINT64_MAX, &d),
                 GIRT_NEVER);
    assert_int_equal(d.remaining, 2);
    assert_int_equal(d.retry_after_ns, INT64_MAX);
    check_status(girt_keyed_limiter_take(l, "k", 1, 0, &d), GIRT_OK);
    girt_keyed_limiter_destroy(l);
}

static void test_full(void **state)
{
    (void)state;
    for (int round = 0; round < 3; round++) {
        girt_status const when_full = round == 2 ? GIRT_OK : GIRT_LIMITED;
        girt_keyed_limiter *const l = make(64, round);
        for (uint32_t key = 0; key < 64; key++)
            check_status(girt_keyed_limiter_take(l, &key, sizeof key, 1, NULL),
                         GIRT_OK);
        for (int again = 0; again < 100; again++) {
            girt_decision d;
            check_status(girt_keyed_limiter_take(l, "new", 3, 1, &d),
                         when_full);
            if (when_full == GIRT_LIMITED)
                assert_int_equal(d.retry_after_ns, SECOND_NS / 10);
        }
        for (uint32_t key = 0; key < 64; key++)
            check_status(girt_keyed_limiter_take(l, &key, sizeof key, 1, NULL),
                         GIRT_OK);
        now += SECOND_NS / 5;
        check_status(girt_keyed_limiter_take(l, "new", 3, 1, NULL), GIRT_OK);
        girt_keyed_limiter_destroy(l);
    }
}

static void test_times(void **state)
{
    (void)state;
    girt_keyed_limiter *const l = make(4, 0);
    check_status(girt_keyed_limiter_take_at(l, "a", 1, 2, 0, NULL), GIRT_OK);
    check_status(girt_keyed_limiter_take_at(l, "a", 1, 1, INT64_MIN, NULL),
                 GIRT_LIMITED);
    check_status(girt_keyed_limiter_take_at(l, "a", 1, 2, INT64_MAX, NULL),
                 GIRT_OK);
    check_status(girt_keyed_limiter_take_at(l, "a", 1, 1, 0, NULL),
                 GIRT_LIMITED);
    girt_keyed_limiter_destroy(l);
}

/* A limit that is not exact on the coarse line, and limit 0. */
static void test_rates(void **state)
{
    (void)state;
    girt_keyed_limiter_options options = {.rate = {999983, SECOND_NS, 5},
                                          .keys = 4};
    girt_keyed_limiter *l;
    check_status(girt_keyed_limiter_create(&l, &options), GIRT_OK);
    uint64_t sum = 0;
    for (int64_t at = 0; at < SECOND_NS / 10; at += 100)
        sum += girt_keyed_limiter_take_at(l, "a", 1, 1, at, NULL) == GIRT_OK;
    assert_in_range(sum, 99999, 100003);
    girt_keyed_limiter_destroy(l);
    options.rate = (girt_rate){0, 1, 3};
    check_status(girt_keyed_limiter_create(&l, &options), GIRT_OK);
    girt_decision d;
    check_status(girt_keyed_limiter_take(l, "a", 1, 3, &d), GIRT_OK);
    check_status(girt_keyed_limiter_take(l, "a", 1, 1, &d), GIRT_LIMITED);
    assert_int_equal(d.retry_after_ns, INT64_MAX);
    girt_keyed_limiter_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create), cmocka_unit_test(test_keys),
        cmocka_unit_test(test_full),   cmocka_unit_test(test_times),
        cmocka_unit_test(test_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
