/* SPDX-License-Identifier: MIT */
/* Goal: what limiters tell a registry is what they answered.  Method: calls of
 * each kind with known answers under a manual clock, and a scrape. */
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>

#include "support/check.h"
#include "support/fake_registry.h"

static fake_registry registry;
static int64_t now;
static girt_clock manual;

static int begin(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    now = 1000000;
    girt_clock_manual(&manual, &now);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_registry_end(&registry);
    return 0;
}

static void check_values(const char *name, double allowed, double limited,
                         double taken, double tokens)
{
    fake_registry_scrape(&registry);
    assert_true(fake_value(&registry, "girt_limiter_allowed_total", name,
                           NULL) == allowed);
    assert_true(fake_value(&registry, "girt_limiter_limited_total", name,
                           NULL) == limited);
    assert_true(fake_value(&registry, "girt_limiter_taken_total", name, NULL) ==
                taken);
    assert_true(fake_value(&registry, "girt_limiter_tokens", name, NULL) ==
                tokens);
}

static girt_limiter *made(const char *name, uint64_t lease)
{
    girt_limiter *limiter = NULL;
    check_status(girt_limiter_create(&limiter,
                                     &(girt_limiter_options){
                                         .rate = {1, 1000000000, 10},
                                         .clock = manual,
                                         .lease = lease,
                                         .name = name,
                                         .metrics = fake_metrics(&registry)}),
                 GIRT_OK);
    return limiter;
}

static void every_way_to_take_counts(void **state)
{
    (void)state;
    girt_limiter *const l = made("l", 0);
    check_values("l", 0, 0, 0, 10);
    check_status(girt_limiter_take(l, 3, NULL), GIRT_OK);
    check_status(girt_limiter_take_at(l, 4, now, NULL), GIRT_OK);
    girt_decision decision;
    check_status(girt_limiter_take(l, 4, &decision), GIRT_LIMITED);
    check_status(girt_limiter_take(l, 11, NULL), GIRT_NEVER);
    check_status(girt_limiter_take(NULL, 1, NULL), GIRT_E_INVALID);
    check_values("l", 2, 2, 7, 3);
    check_status(girt_limiter_peek(l, 1, NULL), GIRT_OK);
    check_status(girt_limiter_peek(l, 9, NULL), GIRT_LIMITED);
    check_values("l", 2, 2, 7, 3);
    girt_reservation turn;
    check_status(girt_limiter_reserve(l, 2, 0, &turn), GIRT_OK);
    check_status(girt_limiter_reserve(l, 5, 0, &turn), GIRT_LIMITED);
    check_status(girt_limiter_wait(l, 1, 0), GIRT_OK);
    check_status(girt_limiter_wait(l, 1, 0), GIRT_TIMEOUT);
    check_values("l", 4, 4, 10, 0);
    girt_limiter_destroy(l);
}

static void of_several_the_refusing_one_counts(void **state)
{
    (void)state;
    girt_limiter *const both[] = {made("a", 0), made("b", 0)};
    check_status(girt_limiter_take(both[1], 8, NULL), GIRT_OK);
    check_status(girt_limiter_take_all(both, 2, 2, NULL, NULL), GIRT_OK);
    size_t refused_by = 7;
    check_status(girt_limiter_take_all(both, 2, 1, &refused_by, NULL),
                 GIRT_LIMITED);
    assert_int_equal(refused_by, 1);
    check_values("a", 1, 0, 2, 8);
    check_values("b", 2, 1, 10, 0);
    girt_limiter_destroy(both[0]);
    girt_limiter_destroy(both[1]);
}

static void leases_count_what_they_hand_out(void **state)
{
    (void)state;
    girt_limiter *const l = made("l", 4);
    for (int i = 0; i < 3; i++)
        check_status(girt_limiter_take(l, 1, NULL), GIRT_OK);
    check_status(girt_limiter_wait(l, 1, 0), GIRT_OK);
    check_values("l", 4, 0, 4, 6);
    check_status(girt_limiter_take_at(l, 11, now, NULL), GIRT_NEVER);
    check_values("l", 4, 1, 4, 6);
    girt_limiter_destroy(l);
}

static void keys_count_together(void **state)
{
    (void)state;
    girt_keyed_limiter *l = NULL;
    check_status(
        girt_keyed_limiter_create(
            &l,
            &(girt_keyed_limiter_options){.rate = {1, 1000000000, 2},
                                          .clock = manual,
                                          .keys = 4,
                                          .name = "k",
                                          .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 3; k++)
            (void)girt_keyed_limiter_take(l, &(char){(char)i}, 1, 1, NULL);
    check_status(girt_keyed_limiter_take_at(l, "x", 1, 3, now, NULL),
                 GIRT_NEVER);
    fake_registry_scrape(&registry);
    static const struct {
        const char *series;
        double value;
    } wanted[] = {
        {"girt_keyed_limiter_allowed_total", 8},
        {"girt_keyed_limiter_limited_total", 4 + 6 + 1},
        {"girt_keyed_limiter_full_total", 6},
        {"girt_keyed_limiter_keys", 4},
        {"girt_keyed_limiter_keys_max", 4},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_true(fake_value(&registry, wanted[i].series, "k", NULL) ==
                    wanted[i].value);
    girt_keyed_limiter_destroy(l);
}

#define TEST(body) cmocka_unit_test_setup_teardown(body, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_way_to_take_counts),
        TEST(of_several_the_refusing_one_counts),
        TEST(leases_count_what_they_hand_out),
        TEST(keys_count_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
