/* SPDX-License-Identifier: MIT */
/* Goal: no wake-up of a park is lost, a wait ends early only when woken, and
 * what it counts comes back to zero. Method: tokens that threads sleep for,
 * under many schedules; a run in which all sleep has failed. */
#include <limits.h>

#include <girt/clock.h>
#include <girt/status.h>

#include "core/atomic.h"
#include "core/park.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

typedef struct tokens {
    girt__park park;
    uint32_t count;
    uint32_t timeouts;
} tokens;

static bool take(tokens *t)
{
    uint32_t count = girt_load_relaxed(&t->count);
    while (count != 0)
        if (girt_cas_acquire(&t->count, &count, count - 1))
            return true;
    return false;
}

static bool wait_for_one(tokens *t, int64_t deadline_ns)
{
    while (!take(t)) {
        uint32_t const key = girt__park_prepare(&t->park);
        if (take(t)) {
            girt__park_cancel(&t->park);
            return true;
        }
        if (!girt__park_wait(&t->park, key, deadline_ns)) {
            schedule_check(schedule_now() >= deadline_ns, "woke too early");
            return take(t);
        }
    }
    return true;
}

static void setup(void *context)
{
    *(tokens *)context = (tokens){0};
}

static void nobody_is_counted(void *context)
{
    schedule_check(((tokens *)context)->park.waiters == 0, "waiters stay");
}

/* Two sleepers, two who give: each token wakes one. */
static void one_each(void *context, size_t thread)
{
    tokens *const t = context;
    if (thread < 2) {
        (void)wait_for_one(t, GIRT_FOREVER);
        return;
    }
    (void)girt_add_relaxed(&t->count, 1);
    girt__park_wake(&t->park, 1);
}

/* A store by itself, of the weakest order, then one wake for all. */
static void all_at_once(void *context, size_t thread)
{
    tokens *const t = context;
    if (thread != 0) {
        (void)wait_for_one(t, GIRT_FOREVER);
        return;
    }
    girt_store_relaxed(&t->count, 3);
    girt__park_wake(&t->park, UINT_MAX);
}

/* A token is passed on and on: each wait comes after a wake. */
static void ping_pong(void *context, size_t thread)
{
    tokens *const t = (tokens *)context + thread;
    tokens *const other = (tokens *)context + 1 - thread;
    for (int i = 0; i < 3; i++) {
        if (thread == 1 || i != 0)
            (void)wait_for_one(t, GIRT_FOREVER);
        (void)girt_add_release(&other->count, 1);
        girt__park_wake(&other->park, 1);
    }
}

static void setup_two(void *context)
{
    setup(context);
    setup((tokens *)context + 1);
}

/* Deadlines that pass while the wake is on its way. */
static void with_deadlines(void *context, size_t thread)
{
    tokens *const t = context;
    if (thread < 2) {
        int64_t const deadline = girt__deadline((int64_t)schedule_random(3000));
        if (!wait_for_one(t, deadline))
            (void)girt_add_relaxed(&t->timeouts, 1);
        return;
    }
    for (int i = 0; i < 2; i++) {
        (void)girt_add_relaxed(&t->count, 1);
        girt__park_wake(&t->park, 1);
    }
}

static void tokens_add_up(void *context)
{
    const tokens *const t = context;
    schedule_check(t->count == t->timeouts, "a token is lost");
    nobody_is_counted(context);
}

static void each_token_wakes_one(void **state)
{
    (void)state;
    tokens t;
    schedule const s = {.name = "one_each",
                        .threads = 4,
                        .runs = 60000,
                        .flags = SCHEDULE_SIGNALS,
                        .context = &t,
                        .setup = setup,
                        .body = one_each,
                        .check = nobody_is_counted};
    schedule_must_pass(&s);
}

static void one_wake_serves_all(void **state)
{
    (void)state;
    tokens t;
    schedule const s = {.name = "all_at_once",
                        .threads = 4,
                        .runs = 60000,
                        .context = &t,
                        .setup = setup,
                        .body = all_at_once,
                        .check = nobody_is_counted};
    schedule_must_pass(&s);
}

static void tokens_go_back_and_forth(void **state)
{
    (void)state;
    tokens two[2];
    schedule const s = {.name = "ping_pong",
                        .threads = 2,
                        .runs = 60000,
                        .context = two,
                        .setup = setup_two,
                        .body = ping_pong,
                        .check = nobody_is_counted};
    schedule_must_pass(&s);
}

static void deadlines_pass_on_time(void **state)
{
    (void)state;
    tokens t;
    schedule const s = {.name = "deadlines",
                        .threads = 3,
                        .runs = 60000,
                        .flags = SCHEDULE_SIGNALS,
                        .context = &t,
                        .setup = setup,
                        .body = with_deadlines,
                        .check = tokens_add_up};
    schedule_must_pass(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_token_wakes_one),
        cmocka_unit_test(one_wake_serves_all),
        cmocka_unit_test(tokens_go_back_and_forth),
        cmocka_unit_test(deadlines_pass_on_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
