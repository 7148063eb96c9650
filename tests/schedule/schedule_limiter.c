/* SPDX-License-Identifier: MIT */
/* Goal: takes, cancels, changes of rate and leases agree on one number of
 * tokens under every interleaving, and a thread stopped in any of them stops no
 * take. Method: a clock that stands still, so that the burst is all there is:
 * what was granted and what is left in the end add up. */
#include <stdlib.h>

#include <girt/limiter.h>

#include "schedule/support/scheduler.h"
#include "support/check.h"

enum { BURST = 12 };

typedef struct game {
    girt_limiter *limiter, *other;
    uint64_t lease, calls;
    bool changes; /* thread 0 changes the rate */
    uint64_t granted[SCHEDULE_THREADS_MAX];
} game;

static int64_t standing(void *context)
{
    (void)context;
    return 1000;
}

static void setup(void *context)
{
    game *const g = context;
    memset(g->granted, 0, sizeof g->granted);
    girt_limiter_options options = {
        .rate = {1, 50, BURST}, .clock = {standing, NULL}, .lease = g->lease};
    if (girt_limiter_create(&g->limiter, &options) != GIRT_OK)
        abort();
    options.lease = 0;
    options.rate.burst = 3;
    if (girt_limiter_create(&g->other, &options) != GIRT_OK)
        abort();
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    girt_limiter *const both[] = {g->limiter, g->other};
    if (g->lease != 0) {
        /* A thread gets its number once in its life, under a lock. */
        if (girt_limiter_take(g->limiter, 1, NULL) == GIRT_OK)
            g->granted[thread]++;
        schedule_stop_from_here();
    }
    for (uint64_t i = 0; i < g->calls; i++) {
        girt_decision d = {0};
        girt_reservation r;
        switch (schedule_random(4)) {
        case 0:
            if (g->changes && thread == 0) {
                /* Twice as fast or half as: tokens stay whole. */
                girt_rate const rate = {1, 25 << schedule_random(3), BURST};
                schedule_check(girt_limiter_set_rate(g->limiter, rate) ==
                                   GIRT_OK,
                               "set_rate");
            }
            break;
        case 1:
            if (girt_limiter_reserve(g->limiter, 1, 0, &r) == GIRT_OK) {
                schedule_check(r.act_at_ns == 1000, "later");
                if (schedule_random(2) == 0)
                    girt_limiter_cancel(g->limiter, &r);
                else
                    g->granted[thread]++;
            }
            break;
        case 2:
            if (girt_limiter_take_all(both, 2, 1, NULL, NULL) == GIRT_OK)
                g->granted[thread]++;
            break;
        default:
            if (girt_limiter_take(g->limiter, 2,
                                  schedule_random(2) == 0 ? &d : NULL) ==
                GIRT_OK)
                g->granted[thread] += 2;
            schedule_check(d.remaining <= BURST, "remaining");
        }
    }
}

static void check(void *context)
{
    game *const g = context;
    uint64_t granted = 0;
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        granted += g->granted[i];
    uint64_t left = 0;
    while (girt_limiter_take(g->limiter, 1, NULL) == GIRT_OK)
        left++;
    schedule_check(granted + left <= BURST, "%llu and %llu of %d",
                   (unsigned long long)granted, (unsigned long long)left,
                   BURST);
    girt_limiter_destroy(g->limiter);
    girt_limiter_destroy(g->other);
}

static void play(const char *name, size_t threads, size_t stopped, game g)
{
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 8000,
                        .stopped_threads = stopped,
                        .context = &g,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 20000,
                        .flags = g.lease != 0 ? SCHEDULE_STOPS_LATER : 0};
    schedule_must_pass(&s);
}

static void takes_and_cancels(void **state)
{
    (void)state;
    play("takes", 3, 3, (game){.calls = 4});
}

static void changes_of_rate(void **state)
{
    (void)state;
    play("changes", 3, 3, (game){.calls = 4, .changes = true});
}

static void leases(void **state)
{
    (void)state;
    play("leases", 3, 3, (game){.calls = 4, .lease = 3});
}

static void leases_and_changes(void **state)
{
    (void)state;
    play("both", 3, 0, (game){.calls = 4, .lease = 3, .changes = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_and_cancels),
        cmocka_unit_test(changes_of_rate),
        cmocka_unit_test(leases),
        cmocka_unit_test(leases_and_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
