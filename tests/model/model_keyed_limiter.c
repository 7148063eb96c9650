/* SPDX-License-Identifier: MIT */
/* Goal: every key has a bucket of its own, `keys` of them live at once, and
 * not one more.
 * Method: random takes of random keys, of which too many are live now and
 * then, beside a plain array with one arrival time a key. */
#include <girt/keyed_limiter.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { UNIVERSE = 600 };

typedef struct world {
    girt_rate rate; /* limit 1: a token is period_ns */
    uint64_t keys;
    girt_status when_full;
    int64_t arrival[UNIVERSE];
} world;

/* Live keys but for `key`, and when the first of them ends. */
static uint64_t count_live(const world *w, size_t key, int64_t now_ns,
                           int64_t *soonest)
{
    uint64_t live = 0;
    *soonest = INT64_MAX;
    for (size_t i = 0; i < UNIVERSE; i++) {
        if (i == key || w->arrival[i] <= now_ns)
            continue;
        live++;
        if (w->arrival[i] < *soonest)
            *soonest = w->arrival[i];
    }
    return live;
}

/* true: the answer is that of a full table. */
static bool expect(world *w, size_t key, uint64_t tokens, int64_t now_ns,
                   girt_decision *d)
{
    int64_t const burst_ns = (int64_t)w->rate.burst * w->rate.period_ns;
    int64_t const need_ns = (int64_t)tokens * w->rate.period_ns;
    int64_t owed = w->arrival[key] > now_ns ? w->arrival[key] - now_ns : 0;
    int64_t soonest;
    *d = (girt_decision){.status = GIRT_OK};
    if (owed == 0 && tokens != 0 && tokens <= w->rate.burst &&
        count_live(w, key, now_ns, &soonest) == w->keys) {
        d->status = w->when_full;
        if (w->when_full == GIRT_OK)
            d->remaining = w->rate.burst - tokens;
        else
            d->retry_after_ns = soonest - now_ns;
        return true;
    }
    if (tokens > w->rate.burst) {
        d->status = GIRT_NEVER;
        d->retry_after_ns = INT64_MAX;
    } else if (owed + need_ns > burst_ns) {
        d->status = GIRT_LIMITED;
        d->retry_after_ns = owed + need_ns - burst_ns;
    } else if (tokens != 0) {
        owed += need_ns;
        w->arrival[key] = now_ns + owed;
    }
    d->remaining = (uint64_t)((burst_ns - owed) / w->rate.period_ns);
    d->reset_after_ns = owed;
    return false;
}

/* Half of the calls want no decision, one by one or as a batch. */
static bool take_tersely(girt_keyed_limiter *limiter, const uint64_t *key,
                         uint64_t tokens, uint64_t how, girt_status want)
{
    girt_keyed_request request = {key, sizeof *key, tokens, GIRT_E_SYSTEM};
    if (how > 1)
        return false;
    if (how == 0) {
        check_status(
            girt_keyed_limiter_take(limiter, key, sizeof *key, tokens, NULL),
            want);
    } else {
        assert_int_equal(girt_keyed_limiter_take_n(limiter, &request, 1),
                         want == GIRT_OK);
        check_status(request.status, want);
    }
    return true;
}

static void one_world(rng *r, size_t calls)
{
    world w = {
        .rate = {1, 1 + (int64_t)rng_below(r, 1000), 1 + rng_below(r, 5)},
        .keys = 1 + rng_below(r, 100),
        .when_full = rng_below(r, 2) == 0 ? GIRT_OK : GIRT_LIMITED};
    int64_t now_ns = (int64_t)rng_below(r, UINT64_C(1) << 61) + 1;
    for (size_t i = 0; i < UNIVERSE; i++)
        w.arrival[i] = INT64_MIN;
    girt_keyed_limiter_options options = {.rate = w.rate,
                                          .keys = w.keys,
                                          .admit_when_full =
                                              w.when_full == GIRT_OK};
    girt_clock_manual(&options.clock, &now_ns);
    girt_keyed_limiter *limiter;
    check_status(girt_keyed_limiter_create(&limiter, &options), GIRT_OK);
    uint64_t const universe = 1 + rng_below(r, UNIVERSE);
    for (size_t i = 0; i < calls; i++) {
        if (rng_below(r, 4) == 0)
            now_ns += (int64_t)rng_below(r, (uint64_t)w.rate.period_ns);
        if (rng_below(r, 300) == 0)
            now_ns += w.rate.period_ns * 10;
        uint64_t key = rng_below(r, universe);
        uint64_t const tokens = rng_below(r, w.rate.burst + 2);
        girt_decision is, want;
        bool const full = expect(&w, (size_t)key, tokens, now_ns, &want);
        if (take_tersely(limiter, &key, tokens, rng_below(r, 4), want.status))
            continue;
        girt_status const status =
            girt_keyed_limiter_take(limiter, &key, sizeof key, tokens, &is);
        check_status(status, want.status);
        check_status(is.status, want.status);
        assert_int_equal(is.remaining, want.remaining);
        /* Full: none is idle before, but those who took since last longer. */
        if (full && is.status == GIRT_LIMITED)
            assert_in_range(is.retry_after_ns, 1, want.retry_after_ns);
        else
            assert_int_equal(is.retry_after_ns, want.retry_after_ns);
        assert_int_equal(is.reset_after_ns, want.reset_after_ns);
    }
    girt_keyed_limiter_destroy(limiter);
}

static void test_against_array(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = 0; i < scaled(300); i++)
        one_world(&r, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_array),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
