/* SPDX-License-Identifier: MIT */
/* Goal: with one thread a breaker is, call by call, in the state that a naive
 * one is in.
 * Method: random calls, outcomes, delays, lost permits and steps of time beside
 * a twin that keeps every record and counts them all each time; only the random
 * length of repeated openings is taken from the breaker, within its bounds. */
#include <girt/breaker.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { RECORDS = 3000, HELD = 8, SLICES = 10 };

typedef struct record {
    int64_t at_ns;
    bool failed, slow;
} record;

typedef struct held {
    girt_permit permit;
    bool alive;
    uint64_t period; /* of the twin */
    bool probe;
    int64_t start_ns;
} held;

typedef struct twin {
    girt_breaker_options o;
    int64_t base_ns, now_ns;
    girt_breaker_state state;
    uint64_t period;
    record records[RECORDS];
    size_t count;
    int64_t opened_ns, length_ns; /* length: the longest it may be */
    unsigned openings;
    unsigned succeeded, slow;
    held held[HELD];
} twin;

static void to(twin *t, girt_breaker_state state)
{
    t->state = state;
    t->period++;
    t->count = 0;
    t->succeeded = t->slow = 0;
    if (state == GIRT_BREAKER_CLOSED)
        t->openings = 0;
    if (state == GIRT_BREAKER_OPEN) {
        t->opened_ns = t->now_ns;
        t->length_ns = t->o.open_ns;
        for (unsigned i = 0; i < t->openings; i++)
            t->length_ns = t->length_ns * 2 > t->o.open_max_ns
                               ? t->o.open_max_ns
                               : t->length_ns * 2;
        t->openings++;
    }
}

static bool is_lost(const twin *t, const held *h)
{
    return t->now_ns - h->start_ns >= t->o.permit_timeout_ns;
}

/* Probes of this period that are on their way and not lost. */
static unsigned on_their_way(const twin *t)
{
    unsigned count = 0;
    for (size_t i = 0; i < HELD; i++)
        count += t->held[i].probe && t->held[i].period == t->period &&
                 !is_lost(t, &t->held[i]);
    return count;
}

static void record_call(twin *t, const held *h, girt_outcome outcome)
{
    assert_true(t->count < RECORDS);
    t->records[t->count++] = (record){t->now_ns, outcome == GIRT_FAILURE,
                                      t->now_ns - h->start_ns >= t->o.slow_ns};
    int64_t const slice_ns = t->o.window_ns / SLICES;
    int64_t const from =
        t->base_ns +
        ((t->now_ns - t->base_ns) / slice_ns - (SLICES - 1)) * slice_ns;
    unsigned calls = 0, failed = 0, slow = 0;
    for (size_t i = 0; i < t->count; i++) {
        if (t->records[i].at_ns < from)
            continue;
        calls++;
        failed += t->records[i].failed;
        slow += t->records[i].slow;
    }
    if (calls >= t->o.calls_min &&
        (failed + 1e-6 >= t->o.failure_ratio * calls ||
         slow + 1e-6 >= t->o.slow_ratio * calls))
        to(t, GIRT_BREAKER_OPEN);
}

static void leave(twin *t, held *h, girt_outcome outcome)
{
    bool const counts = h->period == t->period;
    h->period = 0; /* on its way no more */
    if (!counts)
        return;
    if (t->state == GIRT_BREAKER_CLOSED) {
        if (outcome != GIRT_IGNORED)
            record_call(t, h, outcome);
        return;
    }
    if (t->state != GIRT_BREAKER_HALF_OPEN || is_lost(t, h))
        return;
    if (outcome == GIRT_FAILURE) {
        to(t, GIRT_BREAKER_OPEN);
        return;
    }
    if (outcome == GIRT_IGNORED)
        return;
    t->succeeded++;
    t->slow += t->now_ns - h->start_ns >= t->o.slow_ns;
    if (t->succeeded == t->o.probes)
        to(t, t->slow != 0 &&
                      t->slow + 1e-6 >= t->o.slow_ratio * (double)t->o.probes
                  ? GIRT_BREAKER_OPEN
                  : GIRT_BREAKER_CLOSED);
}

static bool enter(twin *t, girt_breaker *b, held *h)
{
    if (t->state == GIRT_BREAKER_OPEN) {
        int64_t const past_ns = t->now_ns - t->opened_ns;
        bool over = past_ns >= t->length_ns;
        if (!over && t->openings > 1 && past_ns >= t->length_ns / 10 * 9)
            over = girt_breaker_state_now(b) == GIRT_BREAKER_HALF_OPEN;
        if (!over)
            return false;
        to(t, GIRT_BREAKER_HALF_OPEN);
    }
    h->probe = t->state == GIRT_BREAKER_HALF_OPEN;
    if (h->probe && on_their_way(t) + t->succeeded >= t->o.probes)
        return false;
    h->period = t->period;
    h->start_ns = t->now_ns;
    return t->state != GIRT_BREAKER_FORCED_OPEN;
}

static void one_step(rng *r, twin *t, girt_breaker *b)
{
    held *const h = &t->held[rng_below(r, HELD)];
    if (rng_below(r, 3) == 0)
        t->now_ns += (int64_t)rng_below(r, 30);
    if (rng_below(r, 200) == 0)
        t->now_ns += (int64_t)rng_below(r, 2000);
    if (rng_below(r, 500) == 0) {
        girt_breaker_state const state = (girt_breaker_state)rng_below(r, 5);
        girt_breaker_force(b, state);
        to(t, state);
    } else if (h->alive && rng_below(r, 20) == 0) {
        h->alive = false; /* never left; it may still be on its way */
    } else if (h->alive) {
        girt_outcome const outcome =
            rng_below(r, 100) < 35 ? GIRT_FAILURE
                                   : (girt_outcome)(rng_below(r, 9) / 8 * 2);
        girt_breaker_leave(b, &h->permit, outcome);
        leave(t, h, outcome);
        h->alive = false;
    } else if (!h->probe || h->period != t->period || is_lost(t, h)) {
        h->period = 0;
        bool const want = enter(t, b, h);
        check_status(girt_breaker_enter(b, &h->permit),
                     want ? GIRT_OK : GIRT_REJECTED);
        h->alive = want;
        if (!want)
            h->period = 0;
    }
    girt_breaker_state const now = girt_breaker_state_now(b);
    if (t->state == GIRT_BREAKER_OPEN)
        assert_true(now == GIRT_BREAKER_OPEN || now == GIRT_BREAKER_HALF_OPEN);
    else
        assert_int_equal(now, t->state);
}

static void one_breaker(rng *r)
{
    twin *const t = calloc(1, sizeof *t);
    assert_non_null(t);
    t->now_ns = (int64_t)rng_below(r, 1000000);
    t->base_ns = t->now_ns;
    t->period = 1;
    t->o = (girt_breaker_options){
        .failure_ratio = (double)(1 + rng_below(r, 10)) / 10,
        .slow_ratio = (double)(1 + rng_below(r, 10)) / 10,
        .slow_ns = (int64_t)(60 + rng_below(r, 200)),
        .calls_min = 1 + rng_below(r, 30),
        .window_ns = (int64_t)(10 * (1 + rng_below(r, 200))),
        .open_ns = (int64_t)(10 * (1 + rng_below(r, 50))),
        .open_max_ns = 2000,
        .probes = 1 + rng_below(r, 4),
        .permit_timeout_ns = (int64_t)(1 + rng_below(r, 1000))};
    girt_clock_manual(&t->o.clock, &t->now_ns);
    girt_breaker *b;
    check_status(girt_breaker_create(&b, &t->o), GIRT_OK);
    for (int i = 0; i < RECORDS; i++)
        one_step(r, t, b);
    girt_breaker_destroy(b);
    free(t);
}

static void test_breaker(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = scaled(300); i > 0; i--)
        one_breaker(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_breaker)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
