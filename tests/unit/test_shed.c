/* SPDX-License-Identifier: MIT */
/* Goal: a standing queue sheds, a burst does not, the least important go first,
 * and all come back.
 * Method: a manual clock, one interval after the other, requests counted. */
#include <girt/shed.h>

#include "support/check.h"

#define MS_NS INT64_C(1000000)

enum { PRIORITIES = 4, EACH = 100 };

typedef struct play {
    int64_t now_ns;
    girt_shed *shed;
    unsigned priorities;
    unsigned passed[PRIORITIES];
} play;

static void start(play *p, unsigned priorities)
{
    *p = (play){.now_ns = 5, .priorities = priorities};
    girt_shed_options o = {.priorities = priorities, .name = "s"};
    girt_clock_manual(&o.clock, &p->now_ns);
    check_status(girt_shed_create(&p->shed, &o), GIRT_OK);
}

/* An interval with EACH requests of each priority; all that pass. */
static unsigned interval(play *p, int64_t least_ns, int64_t most_ns)
{
    unsigned all = 0;
    memset(p->passed, 0, sizeof p->passed);
    for (unsigned i = 0; i < EACH; i++) {
        for (unsigned k = 0; k < p->priorities; k++) {
            girt_status const status = girt_shed_admit(p->shed, k);
            if (status == GIRT_OK) {
                p->passed[k]++;
                all++;
            } else {
                check_status(status, GIRT_REJECTED);
            }
        }
        girt_shed_observe(p->shed, i % 10 == 0 ? least_ns : most_ns);
    }
    p->now_ns += 100 * MS_NS;
    return all;
}

static void test_burst(void **state)
{
    (void)state;
    play p;
    start(&p, 0 + 1);
    for (int i = 0; i < 20; i++)
        assert_int_equal(interval(&p, 5 * MS_NS, 500 * MS_NS), EACH);
    girt_shed_destroy(p.shed);
}

/* No wait is too long to count. */
static void test_longest_wait(void **state)
{
    (void)state;
    play p;
    start(&p, 1);
    assert_int_equal(interval(&p, INT64_MAX, INT64_MAX), EACH);
    assert_in_range(interval(&p, INT64_MAX, INT64_MAX), 0.94 * EACH,
                    0.96 * EACH);
    girt_shed_destroy(p.shed);
}

/* 5 % less each interval, and the least important of them. */
static void test_sheds(void **state)
{
    (void)state;
    play p;
    start(&p, PRIORITIES);
    unsigned before = interval(&p, 6 * MS_NS, 6 * MS_NS);
    assert_int_equal(before, PRIORITIES * EACH);
    for (int i = 0; i < 60; i++) {
        unsigned const now = interval(&p, 6 * MS_NS, 6 * MS_NS);
        assert_in_range(now, before * 95 / 100 - 2, before * 95 / 100 + 2);
        for (unsigned k = 1; k < PRIORITIES; k++)
            if (p.passed[k] != 0)
                assert_int_equal(p.passed[k - 1], EACH);
        before = now;
    }
    for (int i = 0; i < 200; i++)
        before = interval(&p, 6 * MS_NS, 6 * MS_NS);
    assert_in_range(before, 1, 3); /* never none */
    for (int i = 0; i < 600; i++) {
        unsigned const now = interval(&p, 0, 500 * MS_NS);
        assert_true(now >= before);
        before = now;
    }
    assert_int_equal(before, PRIORITIES * EACH);
    girt_shed_destroy(p.shed);
}

static void test_idle(void **state)
{
    (void)state;
    play p;
    start(&p, 1);
    for (int i = 0; i < 30; i++)
        (void)interval(&p, 6 * MS_NS, 6 * MS_NS);
    assert_true(interval(&p, 6 * MS_NS, 6 * MS_NS) < EACH / 2);
    p.now_ns += 200 * MS_NS;
    assert_int_equal(interval(&p, 6 * MS_NS, 6 * MS_NS), EACH);
    girt_shed_destroy(p.shed);
}

/* Half of them: every second one, not fifty in a row. */
static void test_even(void **state)
{
    (void)state;
    play p;
    start(&p, 1);
    while (interval(&p, 6 * MS_NS, 6 * MS_NS) > 50)
        continue;
    unsigned in_a_row = 0;
    for (int i = 0; i < 100; i++) {
        in_a_row = girt_shed_admit(p.shed, 0) == GIRT_OK ? in_a_row + 1 : 0;
        assert_true(in_a_row <= 1);
    }
    girt_shed_destroy(p.shed);
}

static void test_invalid(void **state)
{
    (void)state;
    girt_shed *shed = NULL;
    const girt_shed_options wrong[] = {
        {.target_ns = -1},
        {.interval_ns = -1},
        {.interval_ns = INT64_MIN},
        {.name = ""},
        {.metrics = (girt_metrics *)&shed},
        {.reserved = {0, 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_status(girt_shed_create(&shed, &wrong[i]), GIRT_E_INVALID);
    check_status(
        girt_shed_create(&shed, &(girt_shed_options){.priorities = 257}),
        GIRT_E_TOO_LARGE);
    check_status(
        girt_shed_create(&shed, &(girt_shed_options){.priorities = UINT32_MAX}),
        GIRT_E_TOO_LARGE);
    assert_null(shed);
    check_status(girt_shed_create(NULL, NULL), GIRT_E_INVALID);
    check_status(girt_shed_admit(NULL, 0), GIRT_E_INVALID);
    girt_shed_observe(NULL, 1);
    girt_shed_destroy(NULL);
    check_status(girt_shed_create(&shed, NULL), GIRT_OK);
    check_status(girt_shed_admit(shed, 1), GIRT_E_INVALID);
    check_status(girt_shed_admit(shed, 0), GIRT_OK);
    girt_shed_observe(shed, INT64_MIN);
    girt_shed_observe(shed, INT64_MAX);
    girt_shed_destroy(shed);
    check_status(
        girt_shed_create(&shed, &(girt_shed_options){.target_ns = INT64_MAX,
                                                     .interval_ns = INT64_MAX,
                                                     .priorities = 256}),
        GIRT_OK);
    check_status(girt_shed_admit(shed, 255), GIRT_OK);
    girt_shed_destroy(shed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_burst), cmocka_unit_test(test_longest_wait),
        cmocka_unit_test(test_sheds), cmocka_unit_test(test_idle),
        cmocka_unit_test(test_even),  cmocka_unit_test(test_invalid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
