/* SPDX-License-Identifier: MIT */
/* Goal: places are strict, permits count once, and bad options are refused.
 * Method: a manual clock and single calls; the limit is driven up and down. */
#include <girt/concurrency.h>

#include "support/check.h"

enum { PERMITS = 1000 };

typedef struct play {
    int64_t now_ns;
    girt_concurrency *limit;
    girt_permit permits[PERMITS];
} play;

static void start(play *p, girt_concurrency_options o)
{
    p->now_ns = 1;
    girt_clock_manual(&o.clock, &p->now_ns);
    check_status(girt_concurrency_create(&p->limit, &o), GIRT_OK);
}

/* Fills it, lets took_ns pass, and ends all in one way. */
static uint64_t fill(play *p, int64_t took_ns, girt_outcome outcome)
{
    uint64_t count = 0;
    while (girt_concurrency_enter(p->limit, &p->permits[count]) == GIRT_OK)
        count++;
    assert_int_equal(p->permits[count].generation, 0);
    p->now_ns += took_ns;
    for (uint64_t i = 0; i < count; i++)
        girt_concurrency_leave(p->limit, &p->permits[i], outcome);
    return count;
}

static void test_places(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_concurrency_options){.name = "c"});
    assert_int_equal(girt_concurrency_limit(p.limit), 20);
    assert_int_equal(fill(&p, 10, GIRT_IGNORED), 20);
    assert_int_equal(fill(&p, 10, (girt_outcome)77), 20);
    girt_permit permit;
    check_status(girt_concurrency_enter(p.limit, &permit), GIRT_OK);
    girt_concurrency_leave(p.limit, &permit, GIRT_IGNORED);
    girt_concurrency_leave(p.limit, &permit, GIRT_IGNORED);
    assert_int_equal(fill(&p, 10, GIRT_IGNORED), 20);
    girt_concurrency_destroy(p.limit);
}

/* Each kind grows while latency stays, and falls when it does not. */
static void test_follows(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        play p;
        start(&p, (girt_concurrency_options){
                      .kind = (girt_concurrency_kind)kind, .min = 2});
        for (int i = 0; i < 100; i++)
            (void)fill(&p, 1000, GIRT_SUCCESS);
        assert_int_equal(girt_concurrency_limit(p.limit), 200);
        if (kind != GIRT_CONCURRENCY_AIMD) {
            /* Vegas takes its least time anew now and then: quick ones between.
             */
            uint64_t lowest = UINT64_MAX;
            for (int i = 0; i < 10; i++) {
                (void)fill(&p, 1000, GIRT_SUCCESS);
                (void)fill(&p, 100000, GIRT_SUCCESS);
                uint64_t const limit = girt_concurrency_limit(p.limit);
                lowest = limit < lowest ? limit : lowest;
            }
            assert_true(lowest < 150);
        }
        for (int i = 0; i < 100; i++)
            (void)fill(&p, 1, GIRT_FAILURE);
        assert_int_equal(girt_concurrency_limit(p.limit), 2);
        girt_concurrency_destroy(p.limit);
    }
}

/* With little to do the limit stays where it is. */
static void test_unused(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        play p;
        start(&p,
              (girt_concurrency_options){.kind = (girt_concurrency_kind)kind});
        for (int i = 0; i < 1000; i++) {
            girt_permit permit;
            check_status(girt_concurrency_enter(p.limit, &permit), GIRT_OK);
            p.now_ns += 1000 + i;
            girt_concurrency_leave(p.limit, &permit, GIRT_SUCCESS);
        }
        assert_int_equal(girt_concurrency_limit(p.limit), 20);
        girt_concurrency_destroy(p.limit);
    }
}

static void test_bounds(void **state)
{
    (void)state;
    static const struct {
        uint64_t initial, min, max, want;
    } fine[] = {
        {0, 0, 0, 20},    {10, 0, 20, 10},  {0, 0, 5, 5},
        {0, 50, 0, 50},   {500, 0, 0, 500}, {0, 500, 0, 500},
        {10, 10, 10, 10}, {1, 1, 1, 1},     {0, 0, GIRT_CONCURRENCY_MAX, 20},
    };
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        play p;
        start(&p, (girt_concurrency_options){.initial = fine[i].initial,
                                             .min = fine[i].min,
                                             .max = fine[i].max});
        assert_int_equal(girt_concurrency_limit(p.limit), fine[i].want);
        girt_concurrency_destroy(p.limit);
    }
    girt_concurrency *c = NULL;
    const girt_concurrency_options wrong[] = {
        {.kind = (girt_concurrency_kind)3},
        {.kind = (girt_concurrency_kind)-1},
        {.min = 30, .max = 20},
        {.initial = 30, .max = 20},
        {.initial = 10, .min = 20},
        {.name = ""},
        {.metrics = (girt_metrics *)&c},
        {.reserved = {0, 0, 0, 9}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        check_status(girt_concurrency_create(&c, &wrong[i]), GIRT_E_INVALID);
    static const uint64_t huge[] = {UINT64_C(1) << 31, UINT64_C(1) << 63,
                                    UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        check_status(girt_concurrency_create(
                         &c, &(girt_concurrency_options){.max = huge[i]}),
                     GIRT_E_TOO_LARGE);
        check_status(girt_concurrency_create(
                         &c, &(girt_concurrency_options){.min = huge[i]}),
                     GIRT_E_TOO_LARGE);
    }
    assert_null(c);
    check_status(girt_concurrency_create(NULL, NULL), GIRT_E_INVALID);
    girt_permit permit = {3, 0};
    check_status(girt_concurrency_enter(NULL, &permit), GIRT_E_INVALID);
    girt_concurrency_leave(NULL, &permit, GIRT_SUCCESS);
    assert_int_equal(girt_concurrency_limit(NULL), 0);
    girt_concurrency_destroy(NULL);
    check_status(girt_concurrency_create(&c, NULL), GIRT_OK);
    check_status(girt_concurrency_enter(c, NULL), GIRT_E_INVALID);
    girt_concurrency_leave(c, NULL, GIRT_SUCCESS);
    girt_concurrency_destroy(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_follows),
        cmocka_unit_test(test_unused),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
