/* SPDX-License-Identifier: MIT */
/* Goal: with one thread a concurrency limit admits exactly below its limit, and
 * the limit moves, sample by sample, as concurrency.h says.
 * Method: random enters, outcomes, delays, double leaves and steps of time
 * beside a twin that follows the formulas in plain arithmetic.  Vegas' rounds
 * end before its least time is taken anew, which is by chance. */
#include <girt/concurrency.h>

#include <math.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { HELD = 200, STEPS = 3000, WARM_UPS = 10 };

typedef struct twin {
    girt_concurrency_options o;
    int64_t now_ns;
    double limit;
    double least_ns, long_ns; /* 0: none yet */
    unsigned timed;           /* samples that were not drops */
    uint64_t on_the_way;
} twin;

typedef struct held {
    girt_permit permit;
    uint64_t on_the_way; /* at its enter, itself included; 0: not inside */
    int64_t start_ns;
} held;

static double clamp(double x, double low, double high)
{
    return fmin(fmax(x, low), high);
}

static void sample_gradient(twin *t, double took_ns, bool used)
{
    if (t->timed <= WARM_UPS)
        t->long_ns += (took_ns - t->long_ns) / t->timed;
    else
        t->long_ns = t->long_ns * 599 / 601 + took_ns * 2 / 601;
    double const gradient = clamp(1.5 * t->long_ns / took_ns, 0.5, 1);
    if (t->long_ns > 2 * took_ns)
        t->long_ns *= 0.95;
    if (used)
        t->limit = 0.8 * t->limit + 0.2 * (t->limit * gradient + 4);
}

static void sample_vegas(twin *t, double took_ns, bool used)
{
    if (t->timed == 1 || took_ns < t->least_ns) {
        t->least_ns = took_ns;
        return;
    }
    if (!used)
        return;
    double const l = fmax(1, floor(log10(t->limit)));
    double const queue = ceil(t->limit * (1 - t->least_ns / took_ns));
    if (queue <= l)
        t->limit += 6 * l;
    else if (queue < 3 * l)
        t->limit += l;
    else if (queue > 6 * l)
        t->limit -= l;
}

static void sample(twin *t, const held *h, girt_outcome outcome)
{
    bool const used = (double)h->on_the_way * 2 >= t->limit;
    double const took_ns = fmax(1, (double)(t->now_ns - h->start_ns));
    if (outcome == GIRT_FAILURE) {
        if (t->o.kind == GIRT_CONCURRENCY_VEGAS)
            t->limit -= fmax(1, floor(log10(t->limit)));
        else
            t->limit *= 0.9;
        if (t->o.kind == GIRT_CONCURRENCY_AIMD)
            t->limit = floor(t->limit);
    } else if (outcome == GIRT_SUCCESS) {
        t->timed++;
        if (t->o.kind == GIRT_CONCURRENCY_GRADIENT2)
            sample_gradient(t, took_ns, used);
        else if (t->o.kind == GIRT_CONCURRENCY_VEGAS)
            sample_vegas(t, took_ns, used);
        else if (used)
            t->limit++;
    }
    t->limit = clamp(t->limit, (double)t->o.min, (double)t->o.max);
}

/* Gradient2's is no whole number: but for what rounding may do to either. */
static void check_limit(const twin *t, const girt_concurrency *limit)
{
    double const is = (double)girt_concurrency_limit(limit);
    double const fine = t->o.kind == GIRT_CONCURRENCY_GRADIENT2 ? 1e-7 : 0;
    assert_true(is == floor(t->limit - fine) || is == floor(t->limit + fine));
}

static girt_outcome throw_outcome(rng *r)
{
    uint64_t const of_20 = rng_below(r, 20);
    return of_20 < 2    ? GIRT_FAILURE
           : of_20 == 2 ? GIRT_IGNORED
           : of_20 == 3 ? (girt_outcome)99
                        : GIRT_SUCCESS;
}

static void one_step(rng *r, twin *t, girt_concurrency *limit, held *h)
{
    if (rng_below(r, 3) == 0)
        t->now_ns += (int64_t)rng_below(r, rng_below(r, 50) == 0 ? 5000 : 50);
    if (h->on_the_way == 0) {
        bool const want = t->on_the_way < girt_concurrency_limit(limit);
        check_status(girt_concurrency_enter(limit, &h->permit),
                     want ? GIRT_OK : GIRT_REJECTED);
        if (want)
            *h = (held){h->permit, ++t->on_the_way, t->now_ns};
        else
            assert_true(h->permit.generation == 0);
        return;
    }
    girt_outcome const outcome = throw_outcome(r);
    girt_concurrency_leave(limit, &h->permit, outcome);
    if (rng_below(r, 4) == 0) /* again is nothing */
        girt_concurrency_leave(limit, &h->permit, throw_outcome(r));
    t->on_the_way--;
    sample(t, h, outcome);
    h->on_the_way = 0;
    check_limit(t, limit);
}

/* Vegas looks anew after 15 times its first limit of samples or more. */
static bool goes_on(const twin *t)
{
    return t->o.kind != GIRT_CONCURRENCY_VEGAS ||
           t->timed + 1 < 15 * t->o.initial;
}

static void one_limit(rng *r)
{
    twin t = {.now_ns = (int64_t)rng_below(r, 1000000)};
    t.o.kind = (girt_concurrency_kind)rng_below(r, 3);
    t.o.min = 1 + rng_below(r, 20);
    t.o.initial = t.o.min + rng_below(r, 80);
    t.o.max = t.o.initial + rng_below(r, 100);
    t.limit = (double)t.o.initial;
    girt_clock_manual(&t.o.clock, &t.now_ns);
    girt_concurrency *limit;
    check_status(girt_concurrency_create(&limit, &t.o), GIRT_OK);
    static held all[HELD];
    memset(all, 0, sizeof all);
    uint64_t const crowd = 1 + rng_below(r, HELD);
    for (int i = 0; i < STEPS && goes_on(&t); i++)
        one_step(r, &t, limit, &all[rng_below(r, crowd)]);
    girt_concurrency_destroy(limit);
}

static void test_concurrency(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = scaled(8000); i > 0; i--)
        one_limit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_concurrency)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
