/* SPDX-License-Identifier: MIT */
/* Goal: a breaker opens, half-opens, closes and is forced as breaker.h says.
 * Method: a manual clock; every change is written down by on_change and
 * compared with what should have happened. */
#include <girt/breaker.h>

#include <math.h>

#include "support/check.h"
#include "support/shared.h"

#define MS_NS     INT64_C(1000000)
#define SECOND_NS INT64_C(1000000000)

enum { CHANGES = 64 };

typedef struct play {
    int64_t now_ns;
    girt_breaker *breaker;
    girt_breaker_state changes[CHANGES]; /* each `to` */
    girt_breaker_state last;
    size_t count;
} play;

static void on_change(void *context, girt_breaker_state from,
                      girt_breaker_state to)
{
    play *const p = context;
    assert_int_equal(from, p->last);
    assert_true(from != to && p->count < CHANGES);
    p->last = to;
    p->changes[p->count++] = to;
}

static void start(play *p, girt_breaker_options o)
{
    *p = (play){.now_ns = 12345};
    girt_clock_manual(&o.clock, &p->now_ns);
    o.on_change = on_change;
    o.context = p;
    check_status(girt_breaker_create(&p->breaker, &o), GIRT_OK);
}

static void check_state(play *p, girt_breaker_state state)
{
    assert_int_equal(girt_breaker_state_now(p->breaker), state);
}

static bool call(play *p, girt_outcome outcome)
{
    girt_permit permit = {77, 77};
    girt_status const status = girt_breaker_enter(p->breaker, &permit);
    if (status == GIRT_REJECTED)
        assert_int_equal(permit.generation, 0);
    else
        check_status(status, GIRT_OK);
    girt_breaker_leave(p->breaker, &permit, outcome);
    return status == GIRT_OK;
}

static void calls(play *p, unsigned count, girt_outcome outcome)
{
    for (unsigned i = 0; i < count; i++)
        assert_true(call(p, outcome));
}

/* Opens at the very record that reaches the ratio, with the clock at rest. */
static void test_opens_exactly(void **state)
{
    (void)state;
    static const double ratios[] = {0.1, 0.29, 0.5, 0.7, 1};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        for (unsigned successes = 0; successes < 700; successes += 113) {
            play p;
            start(&p, (girt_breaker_options){.failure_ratio = ratios[i],
                                             .calls_min = 10});
            calls(&p, successes, GIRT_SUCCESS);
            unsigned failures = 0;
            while (girt_breaker_state_now(p.breaker) == GIRT_BREAKER_CLOSED &&
                   failures < 5000) {
                calls(&p, 1, GIRT_FAILURE);
                failures++;
            }
            if (ratios[i] == 1 && successes != 0) {
                assert_int_equal(failures, 5000);
            } else {
                unsigned want = 1;
                while (want + successes < 10 ||
                       want + 1e-9 < ratios[i] * (want + successes))
                    want++;
                assert_int_equal(failures, want);
            }
            girt_breaker_destroy(p.breaker);
        }
    }
}

/* The same by the kernel's clock, which most records then do without: of so
 * many successes none is lost, and none is counted twice. */
static void test_opens_exactly_by_default(void **state)
{
    (void)state;
    for (int successes = 100; successes < 2000; successes += 77) {
        girt_breaker *breaker = NULL;
        check_status(girt_breaker_create(&breaker, NULL), GIRT_OK);
        for (int i = 0; i < 2 * successes; i++) {
            girt_permit permit;
            check_status(girt_breaker_enter(breaker, &permit), GIRT_OK);
            girt_breaker_leave(breaker, &permit,
                               i < successes ? GIRT_SUCCESS : GIRT_FAILURE);
        }
        assert_int_equal(girt_breaker_state_now(breaker), GIRT_BREAKER_OPEN);
        girt_breaker_destroy(breaker);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){.name = "b"});
    calls(&p, 50, GIRT_SUCCESS);
    calls(&p, 49, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    calls(&p, 5, GIRT_IGNORED);
    calls(&p, 1, (girt_outcome)99);
    check_state(&p, GIRT_BREAKER_CLOSED);
    calls(&p, 1, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_OPEN);
    assert_false(call(&p, GIRT_SUCCESS));
    p.now_ns += 5 * SECOND_NS - 1;
    assert_false(call(&p, GIRT_SUCCESS));
    p.now_ns += 1;
    check_state(&p, GIRT_BREAKER_HALF_OPEN);
    calls(&p, 1, GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_CLOSED);
    assert_int_equal(p.count, 3);
    /* What was counted before is forgotten. */
    calls(&p, 49, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    girt_breaker_destroy(p.breaker);
}

/* Old calls stop counting; the success that completes calls_min can open. */
static void test_window(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){.calls_min = 10});
    calls(&p, 9, GIRT_FAILURE);
    p.now_ns += 10 * SECOND_NS;
    calls(&p, 9, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    calls(&p, 1, GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_OPEN);
    girt_breaker_destroy(p.breaker);
    /* Successes leave the window, failures stay: the next record tells. */
    start(&p, (girt_breaker_options){.calls_min = 10});
    calls(&p, 100, GIRT_SUCCESS);
    p.now_ns += 5 * SECOND_NS;
    calls(&p, 60, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    p.now_ns += 5 * SECOND_NS;
    calls(&p, 1, GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_OPEN);
    girt_breaker_destroy(p.breaker);
}

static void test_slow(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){
                  .slow_ns = 100, .slow_ratio = 0.5, .calls_min = 4});
    for (int i = 0; i < 4; i++) {
        girt_permit permit;
        check_status(girt_breaker_enter(p.breaker, &permit), GIRT_OK);
        p.now_ns += i < 2 ? 99 : 100;
        check_state(&p, GIRT_BREAKER_CLOSED);
        girt_breaker_leave(p.breaker, &permit, GIRT_SUCCESS);
    }
    check_state(&p, GIRT_BREAKER_OPEN);
    /* A slow probe reopens, a quick one closes. */
    p.now_ns += 5 * SECOND_NS;
    girt_permit permit;
    check_status(girt_breaker_enter(p.breaker, &permit), GIRT_OK);
    p.now_ns += 100;
    girt_breaker_leave(p.breaker, &permit, GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_OPEN);
    p.now_ns += 10 * SECOND_NS;
    calls(&p, 1, GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_CLOSED);
    girt_breaker_destroy(p.breaker);
}

static void test_probes(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){.probes = 3,
                                     .permit_timeout_ns = 10 * SECOND_NS});
    girt_breaker_force(p.breaker, GIRT_BREAKER_OPEN);
    p.now_ns += 5 * SECOND_NS;
    girt_permit permits[4];
    for (int i = 0; i < 3; i++)
        check_status(girt_breaker_enter(p.breaker, &permits[i]), GIRT_OK);
    check_status(girt_breaker_enter(p.breaker, &permits[3]), GIRT_REJECTED);
    /* Ignored: its place is free, once. */
    girt_permit const copy = permits[0];
    girt_breaker_leave(p.breaker, &permits[0], GIRT_IGNORED);
    girt_breaker_leave(p.breaker, &permits[0], GIRT_IGNORED);
    girt_permit again = copy;
    girt_breaker_leave(p.breaker, &again, GIRT_FAILURE); /* ended already */
    check_state(&p, GIRT_BREAKER_HALF_OPEN);
    check_status(girt_breaker_enter(p.breaker, &permits[0]), GIRT_OK);
    check_status(girt_breaker_enter(p.breaker, &permits[3]), GIRT_REJECTED);
    /* A success keeps its place: three in all. */
    girt_breaker_leave(p.breaker, &permits[1], GIRT_SUCCESS);
    check_status(girt_breaker_enter(p.breaker, &permits[3]), GIRT_REJECTED);
    /* Two are lost; their late results are ignored. */
    p.now_ns += 10 * SECOND_NS;
    girt_permit fresh[2];
    check_status(girt_breaker_enter(p.breaker, &fresh[0]), GIRT_OK);
    check_status(girt_breaker_enter(p.breaker, &fresh[1]), GIRT_OK);
    check_status(girt_breaker_enter(p.breaker, &permits[3]), GIRT_REJECTED);
    girt_breaker_leave(p.breaker, &permits[0], GIRT_FAILURE);
    girt_breaker_leave(p.breaker, &permits[2], GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_HALF_OPEN);
    girt_breaker_leave(p.breaker, &fresh[0], GIRT_SUCCESS);
    girt_breaker_leave(p.breaker, &fresh[1], GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_CLOSED);
    girt_breaker_destroy(p.breaker);
}

static void test_lost_probe(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){0});
    girt_breaker_force(p.breaker, GIRT_BREAKER_HALF_OPEN);
    girt_permit lost, next;
    check_status(girt_breaker_enter(p.breaker, &lost), GIRT_OK);
    p.now_ns += 60 * SECOND_NS - 1;
    check_status(girt_breaker_enter(p.breaker, &next), GIRT_REJECTED);
    p.now_ns += 1;
    check_status(girt_breaker_enter(p.breaker, &next), GIRT_OK);
    girt_breaker_leave(p.breaker, &lost, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_HALF_OPEN);
    girt_breaker_leave(p.breaker, &next, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_OPEN);
    girt_breaker_destroy(p.breaker);
}

static void test_stale(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){.calls_min = 2});
    girt_permit old[3];
    for (int i = 0; i < 3; i++)
        check_status(girt_breaker_enter(p.breaker, &old[i]), GIRT_OK);
    girt_breaker_force(p.breaker, GIRT_BREAKER_CLOSED); /* another period */
    for (int i = 0; i < 2; i++)
        girt_breaker_leave(p.breaker, &old[i], GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    girt_breaker_force(p.breaker, GIRT_BREAKER_HALF_OPEN);
    girt_breaker_leave(p.breaker, &old[2], GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_HALF_OPEN);
    girt_permit twice;
    girt_breaker_force(p.breaker, GIRT_BREAKER_CLOSED);
    check_status(girt_breaker_enter(p.breaker, &twice), GIRT_OK);
    girt_breaker_leave(p.breaker, &twice, GIRT_FAILURE);
    girt_breaker_leave(p.breaker, &twice, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    calls(&p, 1, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_OPEN);
    girt_breaker_destroy(p.breaker);
}

/* Twice as long each time, up to a tenth less, never above the maximum. */
static void test_openings(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){0});
    int64_t wanted_ns = 5 * SECOND_NS;
    girt_breaker_force(p.breaker, GIRT_BREAKER_OPEN);
    bool jitters = false;
    for (int i = 0; i < 12; i++) {
        int64_t const start_ns = p.now_ns;
        int64_t const least_ns = i == 0 ? wanted_ns : wanted_ns / 10 * 9;
        p.now_ns = start_ns + least_ns - 1;
        check_state(&p, GIRT_BREAKER_OPEN);
        assert_false(call(&p, GIRT_SUCCESS));
        p.now_ns = start_ns + wanted_ns - 1;
        jitters |= girt_breaker_state_now(p.breaker) == GIRT_BREAKER_HALF_OPEN;
        p.now_ns = start_ns + wanted_ns;
        check_state(&p, GIRT_BREAKER_HALF_OPEN);
        assert_true(call(&p, GIRT_FAILURE));
        wanted_ns =
            wanted_ns * 2 > 60 * SECOND_NS ? 60 * SECOND_NS : wanted_ns * 2;
    }
    assert_true(jitters);
    girt_breaker_force(p.breaker, GIRT_BREAKER_CLOSED);
    girt_breaker_force(p.breaker, GIRT_BREAKER_OPEN);
    p.now_ns += 5 * SECOND_NS;
    check_state(&p, GIRT_BREAKER_HALF_OPEN);
    girt_breaker_destroy(p.breaker);
}

static void test_forced(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){.calls_min = 1});
    girt_breaker_force(p.breaker, GIRT_BREAKER_FORCED_CLOSED);
    calls(&p, 200, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_FORCED_CLOSED);
    girt_breaker_force(p.breaker, GIRT_BREAKER_FORCED_OPEN);
    p.now_ns += 1000 * SECOND_NS;
    assert_false(call(&p, GIRT_SUCCESS));
    check_state(&p, GIRT_BREAKER_FORCED_OPEN);
    girt_breaker_force(p.breaker, (girt_breaker_state)7);
    girt_breaker_force(p.breaker, (girt_breaker_state)-1);
    check_state(&p, GIRT_BREAKER_FORCED_OPEN);
    girt_breaker_force(p.breaker, GIRT_BREAKER_CLOSED);
    girt_breaker_force(p.breaker, GIRT_BREAKER_CLOSED);
    calls(&p, 1, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_OPEN);
    static const girt_breaker_state want[] = {
        GIRT_BREAKER_FORCED_CLOSED, GIRT_BREAKER_FORCED_OPEN,
        GIRT_BREAKER_CLOSED, GIRT_BREAKER_OPEN};
    assert_int_equal(p.count, 4);
    assert_memory_equal(p.changes, want, sizeof want);
    girt_breaker_destroy(p.breaker);
}

/* on_change forces the breaker itself: told afterwards, in order. */
static void from_inside(void *context, girt_breaker_state from,
                        girt_breaker_state to)
{
    play *const p = context;
    on_change(p, from, to);
    if (to == GIRT_BREAKER_OPEN) {
        for (int i = 0; i < 40; i++) /* more than can stay untold */
            girt_breaker_force(p->breaker, i % 2 == 0
                                               ? GIRT_BREAKER_FORCED_OPEN
                                               : GIRT_BREAKER_FORCED_CLOSED);
        assert_int_equal(p->last, GIRT_BREAKER_OPEN);
    }
}

static void test_change_in_change(void **state)
{
    (void)state;
    play p = {0};
    check_status(
        girt_breaker_create(
            &p.breaker,
            &(girt_breaker_options){.on_change = from_inside, .context = &p}),
        GIRT_OK);
    girt_breaker_force(p.breaker, GIRT_BREAKER_OPEN);
    check_state(&p, GIRT_BREAKER_FORCED_CLOSED);
    assert_int_equal(p.last, GIRT_BREAKER_FORCED_CLOSED);
    assert_in_range(p.count, 15, 17);
    girt_breaker_destroy(p.breaker);
}

static void test_invalid(void **state)
{
    (void)state;
    girt_breaker *b = NULL;
    const girt_breaker_options wrong[] = {
        {.failure_ratio = -0.1},
        {.failure_ratio = 1.1},
        {.failure_ratio = NAN},
        {.slow_ratio = INFINITY},
        {.slow_ns = -1},
        {.window_ns = -1},
        {.window_ns = 9},
        {.open_ns = -1},
        {.open_ns = 10, .open_max_ns = 9},
        {.open_max_ns = 1},
        {.open_max_ns = INT64_MIN},
        {.permit_timeout_ns = -1},
        {.name = ""},
        {.metrics = (girt_metrics *)&b},
        {.reserved = {0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        check_status(girt_breaker_create(&b, &wrong[i]), GIRT_E_INVALID);
        assert_null(b);
    }
    static const uint64_t huge[] = {1025, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t i = 0; i < 3; i++) {
        check_status(
            girt_breaker_create(&b, &(girt_breaker_options){.probes = huge[i]}),
            GIRT_E_TOO_LARGE);
        assert_null(b);
    }
    check_status(girt_breaker_create(NULL, NULL), GIRT_E_INVALID);
    girt_permit permit = {1, 2};
    check_status(girt_breaker_enter(NULL, &permit), GIRT_E_INVALID);
    assert_int_equal(permit.generation, 1);
    girt_breaker_leave(NULL, &permit, GIRT_SUCCESS);
    girt_breaker_force(NULL, GIRT_BREAKER_OPEN);
    assert_int_equal(girt_breaker_state_now(NULL), GIRT_BREAKER_CLOSED);
    girt_breaker_destroy(NULL);
    check_status(girt_breaker_create(&b, NULL), GIRT_OK);
    check_status(girt_breaker_enter(b, NULL), GIRT_E_INVALID);
    girt_breaker_leave(b, NULL, GIRT_SUCCESS);
    girt_breaker_destroy(b);
}

static void test_extremes(void **state)
{
    (void)state;
    play p;
    start(&p, (girt_breaker_options){.slow_ns = INT64_MAX,
                                     .calls_min = UINT64_MAX,
                                     .window_ns = INT64_MAX,
                                     .open_ns = INT64_MAX,
                                     .open_max_ns = INT64_MAX,
                                     .probes = GIRT_BREAKER_PROBES_MAX,
                                     .permit_timeout_ns = INT64_MAX});
    calls(&p, 1000, GIRT_FAILURE);
    check_state(&p, GIRT_BREAKER_CLOSED);
    girt_breaker_force(p.breaker, GIRT_BREAKER_HALF_OPEN);
    calls(&p, GIRT_BREAKER_PROBES_MAX, GIRT_SUCCESS);
    check_state(&p, GIRT_BREAKER_CLOSED);
    girt_breaker_force(p.breaker, GIRT_BREAKER_OPEN);
    p.now_ns = INT64_MAX - 1;
    check_state(&p, GIRT_BREAKER_OPEN);
    girt_breaker_destroy(p.breaker);
}

/* The table's breaker opens by more than 5 failures in a row, whatever came
 * before; this one counts shares of a window.  At the table's only opening
 * there are 12 calls, of which 11 failed: calls_min 12 and a ratio of 0.9 open
 * at the same one.  Its counters are not part of the interface, and its
 * openings do not grow: open_max_ns is open_ns.  All states must agree. */
static void test_gobreaker(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/gobreaker_default.tsv");
    if (file == NULL)
        skip_because("gobreaker_default.tsv is not here");
    play p;
    start(&p, (girt_breaker_options){.failure_ratio = 0.9,
                                     .calls_min = 12,
                                     .window_ns = 3600 * SECOND_NS,
                                     .open_ns = 60 * SECOND_NS,
                                     .open_max_ns = 60 * SECOND_NS});
    char line[256];
    size_t rows = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        char op[16], argument[32], result[16], after[16];
        if (line[0] == '#')
            continue;
        assert_int_equal(
            sscanf(line, "%15s %31s %15s %15s", op, argument, result, after),
            4);
        if (strcmp(op, "sleep_ms") == 0) {
            p.now_ns += (int64_t)(strtod(argument, NULL) * (double)MS_NS + 0.5);
        } else {
            bool const fails = strcmp(op, "fail") == 0;
            bool const permitted = strcmp(result, "permitted") == 0;
            int const count = atoi(argument + (argument[0] == 'x'));
            for (int i = 0; i < count; i++)
                assert_int_equal(call(&p, fails ? GIRT_FAILURE : GIRT_SUCCESS),
                                 permitted);
        }
        check_state(&p, strcmp(after, "open") == 0 ? GIRT_BREAKER_OPEN
                        : strcmp(after, "closed") == 0
                            ? GIRT_BREAKER_CLOSED
                            : GIRT_BREAKER_HALF_OPEN);
        rows++;
    }
    assert_int_equal(rows, 11);
    girt_breaker_destroy(p.breaker);
    (void)fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_exactly),
        cmocka_unit_test(test_opens_exactly_by_default),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_slow),
        cmocka_unit_test(test_probes),
        cmocka_unit_test(test_lost_probe),
        cmocka_unit_test(test_stale),
        cmocka_unit_test(test_openings),
        cmocka_unit_test(test_forced),
        cmocka_unit_test(test_change_in_change),
        cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_gobreaker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
