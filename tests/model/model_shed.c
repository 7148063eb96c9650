/* SPDX-License-Identifier: MIT */
/* Goal: a shed admits, interval by interval, as many as shed.h says, the most
 * important first and the last priority evenly spread.
 * Method: random requests, waits and steps of time beside a twin that keeps
 * every request of an interval and works out the next goal from them. */
#include <girt/shed.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { PRIORITIES_MAX = 6, STEPS = 4000 };

/* A level is kept in whole parts. */
#define PART (1.0 / 65536)

typedef struct twin {
    girt_shed_options o;
    int64_t now_ns, ends_ns;
    /* Of this interval. */
    uint64_t came[PRIORITIES_MAX], admitted[PRIORITIES_MAX];
    bool told;
    int64_t least_ns;
    /* Priorities that pass, the last one in part; the shed's own level is not
     * further away than what whole parts may have cost. */
    double level, cost;
} twin;

/* Of as many as came, from priority 0 on, `goal` pass. */
static void set_goal(twin *t, double goal)
{
    unsigned p = 0;
    while (p < t->o.priorities && goal >= (double)t->came[p])
        goal -= (double)t->came[p++];
    t->level = p < t->o.priorities ? p + goal / (double)t->came[p] : p;
    t->cost = 2 * PART;
}

static void end_interval(twin *t)
{
    uint64_t all = 0, admitted = 0;
    for (unsigned p = 0; p < t->o.priorities; p++) {
        all += t->came[p];
        admitted += t->admitted[p];
    }
    bool const overloaded = t->told && t->least_ns > t->o.target_ns;
    if (t->now_ns >= t->ends_ns + t->o.interval_ns || (all == 0 && !overloaded))
        t->level = t->o.priorities; /* a whole interval without any */
    else if (all == 0) {
        t->level *= 0.95;
        t->cost += 20 * PART;
    } else if (overloaded)
        set_goal(t, 0.95 * (double)admitted < 1 ? 1 : 0.95 * (double)admitted);
    else
        set_goal(t, admitted < 100 ? (double)admitted + 1
                                   : 1.01 * (double)admitted);
    memset(t->came, 0, sizeof t->came);
    memset(t->admitted, 0, sizeof t->admitted);
    t->told = false;
    t->ends_ns = t->now_ns + t->o.interval_ns;
}

/* What part of a priority passes at a level. */
static double part_of(double level, unsigned priority)
{
    double const part = level - priority;
    return part < 0 ? 0 : part > 1 ? 1 : part;
}

static void admit(twin *t, girt_shed *shed, unsigned priority)
{
    double const least = part_of(t->level - t->cost, priority);
    double const most = part_of(t->level + t->cost, priority);
    girt_status const status = girt_shed_admit(shed, priority);
    double const came = (double)++t->came[priority];
    if (status == GIRT_OK)
        t->admitted[priority]++;
    else
        check_status(status, GIRT_REJECTED);
    if (least == 1)
        check_status(status, GIRT_OK);
    if (most == 0)
        check_status(status, GIRT_REJECTED);
    double const passed = (double)t->admitted[priority];
    assert_true(passed < most * came + 1);
    assert_true(passed > least * came - 1);
}

static void one_step(rng *r, twin *t, girt_shed *shed, int64_t wait_ns)
{
    if (rng_below(r, 4) == 0)
        t->now_ns += (int64_t)rng_below(r, (uint64_t)t->o.interval_ns / 10);
    if (rng_below(r, 400) == 0)
        t->now_ns += (int64_t)rng_below(r, (uint64_t)t->o.interval_ns * 3);
    if (t->now_ns >= t->ends_ns)
        end_interval(t);
    if (rng_below(r, 3) != 0) {
        uint64_t const p = rng_below(r, t->o.priorities * t->o.priorities);
        admit(t, shed, (unsigned)(p / t->o.priorities));
    } else {
        int64_t const tells_ns =
            wait_ns + (int64_t)rng_below(r, 100) - (wait_ns == 0 ? 50 : 0);
        girt_shed_observe(shed, tells_ns);
        int64_t const counts_ns = tells_ns < 0 ? 0 : tells_ns;
        if (!t->told || counts_ns < t->least_ns)
            t->least_ns = counts_ns;
        t->told = true;
    }
}

static void one_shed(rng *r)
{
    twin t = {.now_ns = (int64_t)rng_below(r, 1000000)};
    t.o.priorities = 1 + (unsigned)rng_below(r, PRIORITIES_MAX);
    t.o.interval_ns = (int64_t)(10 + rng_below(r, 2000));
    t.o.target_ns = (int64_t)(1 + rng_below(r, 500));
    girt_clock_manual(&t.o.clock, &t.now_ns);
    girt_shed *shed;
    check_status(girt_shed_create(&shed, &t.o), GIRT_OK);
    t.ends_ns = t.now_ns + t.o.interval_ns;
    t.level = t.o.priorities;
    int64_t wait_ns = 0;
    for (int i = 0; i < STEPS; i++) {
        if (rng_below(r, 500) == 0) /* overload comes and goes */
            wait_ns = wait_ns == 0 ? t.o.target_ns + 1 : 0;
        one_step(r, &t, shed, wait_ns);
    }
    girt_shed_destroy(shed);
}

static void test_shed(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = scaled(8000); i > 0; i--)
        one_shed(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
