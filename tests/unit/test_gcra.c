/* SPDX-License-Identifier: MIT */
/* Goal: a rate is kept exactly or refused, at any size.
 * Method: the line of marks of extreme and of ordinary rates is compared with
 * the fraction that they stand for. */
#include "limiter/gcra_internal.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

__extension__ typedef unsigned __int128 uwide;

#define FINE ((uint64_t)1 << 27)

static girt_status set(girt__gcra *g, uint64_t limit, int64_t period_ns,
                       uint64_t burst)
{
    girt_rate const rate = {limit, period_ns, burst};
    g->base_ns = 0;
    return girt__gcra_set(g, &rate, FINE, GIRT__MARK_TIME);
}

static void test_ranges(void **state)
{
    (void)state;
    girt__gcra g;
    check_status(set(&g, 1, 1, 0), GIRT_E_INVALID);
    check_status(set(&g, 1, 0, 1), GIRT_E_INVALID);
    check_status(set(&g, 1, -1, 1), GIRT_E_INVALID);
    check_status(set(&g, 1, INT64_MIN, 1), GIRT_E_INVALID);
    check_status(set(&g, UINT64_C(1) << 63, 1, 1), GIRT_E_INVALID);
    check_status(set(&g, UINT64_C(1) << 63, INT64_MAX, 1), GIRT_E_INVALID);
    check_status(set(&g, UINT64_MAX, 1, UINT64_MAX), GIRT_E_INVALID);
    check_status(set(&g, 1, 1, GIRT_RATE_BURST_MAX + 1), GIRT_E_INVALID);
    check_status(set(&g, (UINT64_C(1) << 26) + 1, 1, 1), GIRT_E_INVALID);
    check_status(set(&g, UINT64_C(1) << 26, 1, 1), GIRT_OK);
    check_status(set(&g, GIRT_RATE_LIMIT_MAX, INT64_MAX, 1), GIRT_OK);
    check_status(set(&g, 1, INT64_MAX, GIRT_RATE_BURST_MAX), GIRT_OK);
    check_status(set(&g, 0, INT64_MAX, GIRT_RATE_BURST_MAX), GIRT_OK);
}

/* cost * den / tick is period / limit, whatever was cut. */
static void test_ratio(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t kept = 0;
    for (size_t i = 0; i < 200000; i++) {
        girt_rate const rate = {
            1 + (rng_next(&r) >> (1 + rng_below(&r, 63))),
            1 + (int64_t)(rng_next(&r) >> (1 + rng_below(&r, 63))),
            1 + (rng_next(&r) >> (4 + rng_below(&r, 60)))};
        girt__gcra g;
        if (girt__gcra_set(&g, &rate, FINE, GIRT__MARK_TIME) != GIRT_OK)
            continue;
        kept++;
        uint64_t const halves = g.den == 1 ? g.tick / 2 : g.tick;
        assert_true((uwide)(g.cost / 2) * g.den * rate.limit ==
                    (uwide)(uint64_t)rate.period_ns * halves);
        assert_true(g.cost >= 2 && g.cost % 2 == 0);
        assert_true(g.room > 0 && g.room <= GIRT__MARK_ROOM);
        assert_true((uint64_t)g.room == g.cost * rate.burst);
        assert_true(g.reach_ns > 0);
    }
    assert_true(kept > 100000);
}

static void test_time_and_until_agree(void **state)
{
    (void)state;
    rng r = {test_seed()};
    static const girt_rate rates[] = {
        {10, 1000000000, 1},
        {999999937, 1000000000, UINT64_C(1) << 40}, /* not exact */
        {3, 7000000000, UINT64_C(1) << 40},
        {GIRT_RATE_LIMIT_MAX, INT64_MAX, 5},
        {1, INT64_MAX, 1000},
        {7, 10, 3}};
    for (size_t i = 0; i < 6; i++) {
        girt__gcra g;
        check_status(girt__gcra_set(&g, &rates[i], FINE, GIRT__MARK_TIME),
                     GIRT_OK);
        g.base_ns = 12345;
        for (size_t k = 0; k < 20000; k++) {
            int64_t const reach = g.reach_ns > INT64_MAX / 2
                                      ? INT64_MAX / 2
                                      : (int64_t)g.reach_ns;
            int64_t const now_ns =
                g.base_ns - reach + (int64_t)rng_below(&r, (uint64_t)reach * 2);
            int64_t const time = girt__gcra_time(&g, now_ns);
            int64_t const above = girt__gcra_time_up(&g, now_ns);
            assert_true(time % 2 == 0 && (above == time || above == time + 2));
            int64_t const mark =
                time + 2 * (int64_t)rng_below(&r, g.cost * 2 + 5);
            int64_t const wait = girt__gcra_until(&g, mark, now_ns);
            if (wait == INT64_MAX || wait > reach - (now_ns - g.base_ns))
                continue;
            assert_true(girt__gcra_time(&g, now_ns + wait) >= mark);
            if (wait > 0)
                assert_true(girt__gcra_time(&g, now_ns + wait - 1) < mark);
        }
    }
}

static void test_out_of_reach(void **state)
{
    (void)state;
    girt__gcra g;
    check_status(set(&g, 999983, 1000000000, 5), GIRT_OK);
    int64_t const end = girt__gcra_time(&g, (int64_t)g.reach_ns);
    assert_true(girt__gcra_time(&g, INT64_MAX) == end);
    assert_true(girt__gcra_time(&g, INT64_MIN) == -GIRT__MARK_SPAN);
    assert_false(girt__gcra_near(0, g.reach_ns, INT64_MAX));
    assert_false(girt__gcra_near(INT64_MIN, g.reach_ns, INT64_MAX));
    assert_true(girt__gcra_near(5, g.reach_ns, 4));
    check_status(set(&g, 0, 1, 5), GIRT_OK);
    assert_true(girt__gcra_until(&g, 2, 0) == INT64_MAX);
    assert_true(girt__gcra_until(&g, 0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ratio),
        cmocka_unit_test(test_time_and_until_agree),
        cmocka_unit_test(test_out_of_reach),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
