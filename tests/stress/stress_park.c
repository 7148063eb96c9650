/* SPDX-License-Identifier: MIT */
/* Goal: no wake is lost.  Method: a counting semaphore over the event count,
 * with more takers than processors and no wake but the one for each token: a
 * lost one leaves a taker asleep for ever and the test running into its time
 * limit.  Some takers give up at deadlines and come again. */
#include "core/park.h"

#include "core/atomic.h"
#include <girt/status.h>
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { GIVERS = 2, TAKERS = 6 };

typedef struct semaphore {
    girt__park park;
    uint64_t tokens;
    uint64_t each;
    uint64_t taken;
    uint64_t seed;
} semaphore;

static bool try_take(semaphore *s)
{
    uint64_t tokens = girt_load_relaxed(&s->tokens);
    while (tokens != 0)
        if (girt_cas_acquire(&s->tokens, &tokens, tokens - 1))
            return true;
    return false;
}

static void take(semaphore *s, rng *r)
{
    while (!try_take(s)) {
        uint32_t const key = girt__park_prepare(&s->park);
        if (try_take(s)) {
            girt__park_cancel(&s->park);
            return;
        }
        int64_t const deadline =
            rng_below(r, 4) == 0 ? girt__deadline(1000) : GIRT_FOREVER;
        /* One that gives up may have swallowed a wake: it looks again. */
        (void)girt__park_wait(&s->park, key, deadline);
    }
}

static void give_or_take(void *context, size_t me)
{
    semaphore *const s = context;
    rng r = {s->seed ^ me};
    if (me < GIVERS) {
        for (uint64_t i = 0; i < s->each * TAKERS / GIVERS; i++) {
            (void)girt_add_release(&s->tokens, 1);
            girt__park_wake(&s->park, 1);
            for (uint64_t n = rng_below(&r, 200); n > 0; n--)
                girt_pause();
        }
        return;
    }
    for (uint64_t i = 0; i < s->each; i++) {
        take(s, &r);
        (void)girt_add_relaxed(&s->taken, 1);
    }
}

static void every_token_finds_its_taker(void **state)
{
    (void)state;
    semaphore s = {.each = scaled(20000), .seed = test_seed()};
    threads_run(GIVERS + TAKERS, give_or_take, &s);
    assert_int_equal(s.taken, s.each * TAKERS);
    assert_int_equal(s.tokens, 0);
    assert_int_equal(s.park.waiters, 0);
}

typedef struct gate {
    girt__park park;
    uint32_t round;
    uint32_t passed;
} gate;

/* All wait for the next round; the last one to pass opens it. */
static void pass_rounds(void *context, size_t me)
{
    gate *const g = context;
    (void)me;
    uint32_t const rounds = (uint32_t)scaled(2000);
    for (uint32_t round = 0; round < rounds; round++) {
        if (girt_add_acq_rel(&g->passed, 1) + 1 == (round + 1) * TAKERS) {
            girt_store_release(&g->round, round + 1);
            girt__park_wake(&g->park, UINT32_MAX);
            continue;
        }
        for (;;) {
            uint32_t const key = girt__park_prepare(&g->park);
            if (girt_load_acquire(&g->round) > round) {
                girt__park_cancel(&g->park);
                break;
            }
            assert_true(girt__park_wait(&g->park, key, GIRT_FOREVER));
        }
    }
}

static void a_wake_for_all_wakes_all(void **state)
{
    (void)state;
    gate g = {{0, 0}, 0, 0};
    threads_run(TAKERS, pass_rounds, &g);
    assert_int_equal(g.park.waiters, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_token_finds_its_taker),
        cmocka_unit_test(a_wake_for_all_wakes_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
