/* SPDX-License-Identifier: MIT */
/* Goal: exactly `probes` calls are on their way or have succeeded in half-open,
 * under every schedule; what is ignored or stale frees a place once or never;
 * on_change is called one at a time, in order.
 * Method: threads come at the transition, count themselves, and leave in random
 * ways; permits of the time before are left in between. */
#include <stdlib.h>

#include <girt/breaker.h>

#include "core/atomic.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

enum { THREADS = 3 };

typedef struct play {
    girt_breaker *breaker;
    int64_t now_ns;
    uint64_t probes;
    bool ends;                  /* calls end, and others may follow */
    girt_permit stale[THREADS]; /* of the closed time before */
    uint32_t admitted;          /* in all */
    uint32_t places;            /* on their way or succeeded */
    uint32_t telling, told;
    girt_breaker_state last;
} play;

static int64_t play_now(void *context)
{
    return girt_load_acquire(&((play *)context)->now_ns);
}

static void on_change(void *context, girt_breaker_state from,
                      girt_breaker_state to)
{
    play *const p = context;
    schedule_check(girt_add_relaxed(&p->telling, 1u) == 0, "told at once");
    schedule_check(from == p->last, "from %d, not %d", (int)from, (int)p->last);
    schedule_yield();
    p->last = to;
    p->told++;
    (void)girt_sub_relaxed(&p->telling, 1u);
}

static void setup(void *context)
{
    play *const p = context;
    p->admitted = p->places = p->telling = p->told = 0;
    p->last = GIRT_BREAKER_CLOSED;
    p->now_ns = 1000;
    girt_breaker_options const o = {.probes = p->probes,
                                    .open_ns = 100,
                                    .clock = {play_now, p},
                                    .on_change = on_change,
                                    .context = p};
    if (girt_breaker_create(&p->breaker, &o) != GIRT_OK)
        abort();
    for (int i = 0; i < THREADS; i++)
        if (girt_breaker_enter(p->breaker, &p->stale[i]) != GIRT_OK)
            abort();
    girt_breaker_force(p->breaker, GIRT_BREAKER_OPEN);
    p->now_ns += 100;
}

static void body(void *context, size_t thread)
{
    play *const p = context;
    for (int i = 0; i < 3; i++) {
        girt_permit permit;
        girt_status const status = girt_breaker_enter(p->breaker, &permit);
        if (status != GIRT_OK) {
            schedule_check(permit.generation == 0, "a permit with a refusal");
            girt_breaker_leave(p->breaker, &p->stale[thread], GIRT_FAILURE);
            continue;
        }
        (void)girt_add_relaxed(&p->admitted, 1u);
        if (!p->ends)
            continue;
        uint32_t const before = girt_add_relaxed(&p->places, 1u);
        schedule_check(before < p->probes, "%u before", before);
        schedule_yield();
        /* Subtracted before the place is free, so never counted twice. */
        (void)girt_sub_relaxed(&p->places, 1u);
        girt_breaker_leave(p->breaker, &permit, GIRT_IGNORED);
    }
}

static void check(void *context)
{
    play *const p = context;
    if (!p->ends)
        schedule_check(p->admitted == p->probes, "%u admitted", p->admitted);
    schedule_check(p->told == 2 && p->last == GIRT_BREAKER_HALF_OPEN,
                   "%u changes, the last to %d", p->told, (int)p->last);
    girt_breaker_destroy(p->breaker);
}

static void run(const char *name, uint64_t probes, bool ends)
{
    play p = {.probes = probes, .ends = ends};
    schedule_must_pass(&(schedule){.name = name,
                                   .threads = THREADS,
                                   .context = &p,
                                   .setup = setup,
                                   .body = body,
                                   .check = check});
}

static void exactly(void **state)
{
    (void)state;
    run("one_probe", 1, false);
    run("two_probes", 2, false);
    run("seven_probes", 7, false);
}

static void ignored(void **state)
{
    (void)state;
    run("one_ignored", 1, true);
    run("two_ignored", 2, true);
}

/* One fails, others succeed, others force: the last change told is the state,
 * and no permit of before counts after. */
static void any_body(void *context, size_t thread)
{
    play *const p = context;
    for (int i = 0; i < 3; i++) {
        girt_permit permit;
        if (girt_breaker_enter(p->breaker, &permit) == GIRT_OK) {
            schedule_yield();
            girt_breaker_leave(p->breaker, &permit,
                               (girt_outcome)schedule_random(3));
        }
        girt_breaker_leave(p->breaker, &p->stale[thread], GIRT_FAILURE);
        (void)girt_add_relaxed(&p->now_ns, 60);
        if (thread == 0 && schedule_random(4) == 0)
            girt_breaker_force(p->breaker,
                               (girt_breaker_state)schedule_random(5));
    }
}

static void any_check(void *context)
{
    play *const p = context;
    girt_breaker_state const state = girt_breaker_state_now(p->breaker);
    schedule_check(state == p->last || (state == GIRT_BREAKER_HALF_OPEN &&
                                        p->last == GIRT_BREAKER_OPEN),
                   "in state %d, told %d", (int)state, (int)p->last);
    girt_breaker_destroy(p->breaker);
}

static void any(void **state)
{
    (void)state;
    play p = {.probes = 2};
    schedule_must_pass(&(schedule){.name = "any",
                                   .threads = THREADS,
                                   .context = &p,
                                   .setup = setup,
                                   .body = any_body,
                                   .check = any_check});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly),
        cmocka_unit_test(ignored),
        cmocka_unit_test(any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
