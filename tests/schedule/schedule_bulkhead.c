/* SPDX-License-Identifier: MIT */
/* Goal: a bulkhead never lets in one too many, lets those in line in by their
 * order, and loses no wake-up, whoever's time runs out when.
 * Method: threads enter and leave under many schedules, with and without time
 * limits; at every instant inside is counted; the line's own order is compared
 * with the order in which places are handed over. */
#include <stdlib.h>

#include <girt/bulkhead.h>

#include "core/atomic.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

enum { THREADS_MAX = 4, ROUNDS = 3 };

typedef struct play {
    girt_bulkhead *bulkhead;
    uint64_t inside_max, waiting_max;
    bool times_out;
    int32_t inside;
    uint32_t passed, refused;
} play;

static void setup(void *context)
{
    play *const p = context;
    p->inside = 0;
    p->passed = 0;
    p->refused = 0;
    if (girt_bulkhead_create(
            &p->bulkhead,
            &(girt_bulkhead_options){.inside_max = p->inside_max,
                                     .waiting_max = p->waiting_max}) != GIRT_OK)
        abort();
}

static void body(void *context, size_t thread)
{
    play *const p = context;
    (void)thread;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t timeout_ns = GIRT_FOREVER;
        if (p->times_out && schedule_random(2) == 0)
            timeout_ns = (int64_t)schedule_random(3000);
        girt_status const status = girt_bulkhead_enter(p->bulkhead, timeout_ns);
        if (status != GIRT_OK) {
            schedule_check(status == GIRT_REJECTED || p->times_out,
                           "enter answers %d", (int)status);
            (void)girt_add_relaxed(&p->refused, 1u);
            continue;
        }
        int32_t const before = girt_add_relaxed(&p->inside, 1);
        schedule_check(before < (int32_t)p->inside_max, "%d inside", before);
        schedule_yield();
        (void)girt_sub_relaxed(&p->inside, 1);
        (void)girt_add_relaxed(&p->passed, 1u);
        girt_bulkhead_leave(p->bulkhead);
    }
}

static void check(void *context)
{
    play *const p = context;
    /* All places are back, none is spare. */
    for (uint64_t i = 0; i < p->inside_max; i++)
        schedule_check(girt_bulkhead_enter(p->bulkhead, GIRT_NOW) == GIRT_OK,
                       "place %d is lost", (int)i);
    schedule_check(girt_bulkhead_enter(p->bulkhead, GIRT_NOW) ==
                       (p->waiting_max == 0 ? GIRT_REJECTED : GIRT_TIMEOUT),
                   "a place too many");
    for (uint64_t i = 0; i < p->inside_max; i++)
        girt_bulkhead_leave(p->bulkhead);
    girt_bulkhead_destroy(p->bulkhead);
}

static void run(const char *name, play p, size_t threads)
{
    schedule_must_pass(&(schedule){.name = name,
                                   .threads = threads,
                                   .context = &p,
                                   .setup = setup,
                                   .body = body,
                                   .check = check});
}

/* Everyone gets in in the end: a run in which all sleep has failed. */
static void forever(void **state)
{
    (void)state;
    run("one_place", (play){.inside_max = 1, .waiting_max = 3}, 4);
    run("two_places", (play){.inside_max = 2, .waiting_max = 3}, 4);
}

static void times_out(void **state)
{
    (void)state;
    run("times_out",
        (play){.inside_max = 1, .waiting_max = 3, .times_out = true}, 4);
    run("two_time_out",
        (play){.inside_max = 2, .waiting_max = 2, .times_out = true}, 4);
}

static void short_line(void **state)
{
    (void)state;
    run("short_line", (play){.inside_max = 1, .waiting_max = 1}, 3);
    run("no_line", (play){.inside_max = 1, .waiting_max = 0}, 3);
}

/* A leaver that stands still before the mutex while the only one in line gives
 * up, another comes in without it, and a third lines up behind that one. */
static void late_setup(void *context)
{
    setup(context);
    if (girt_bulkhead_enter(((play *)context)->bulkhead, GIRT_NOW) != GIRT_OK)
        abort();
    ((play *)context)->inside = 1;
}

static void late_body(void *context, size_t thread)
{
    play *const p = context;
    if (thread == 0) {
        (void)girt_sub_relaxed(&p->inside, 1);
        girt_bulkhead_leave(p->bulkhead);
        return;
    }
    /* Thread 2 takes what is free, and 3 lines up behind it. */
    girt_status status = GIRT_TIMEOUT;
    if (thread == 1)
        status = girt_bulkhead_enter(p->bulkhead, 50);
    for (int i = 0; thread == 2 && status != GIRT_OK && i < 50; i++) {
        status = girt_bulkhead_enter(p->bulkhead, GIRT_NOW);
        schedule_yield();
    }
    if (thread == 2)
        girt_store_relaxed(&p->passed, 1u);
    if (thread == 3) {
        while (girt_load_relaxed(&p->passed) == 0)
            schedule_yield();
        status = girt_bulkhead_enter(p->bulkhead, GIRT_FOREVER);
    }
    if (status != GIRT_OK)
        return;
    int32_t const before = girt_add_relaxed(&p->inside, 1);
    schedule_check(before < (int32_t)p->inside_max, "%d inside", before);
    for (int i = 0; i < 20; i++)
        schedule_yield();
    (void)girt_sub_relaxed(&p->inside, 1);
    girt_bulkhead_leave(p->bulkhead);
}

static void late_leaver(void **state)
{
    (void)state;
    play p = {.inside_max = 1, .waiting_max = 3};
    schedule_must_pass(&(schedule){.name = "late_leaver",
                                   .threads = 4,
                                   .runs = 6000,
                                   .context = &p,
                                   .setup = late_setup,
                                   .body = late_body,
                                   .check = check});
}

/* Three who line up one after the other, and one who tries his luck again and
 * again: places come in the order of the line, and never to him before. */
typedef struct line {
    girt_bulkhead *bulkhead;
    uint32_t entered;
    bool barged;
} line;

/* In line so far, by the bulkhead's own word: it stands after what is written
 * once, on a line of its own. */
static uint32_t waiting(const girt_bulkhead *bulkhead)
{
    const uint64_t *const word = (const void *)((const char *)bulkhead + 128);
    return (uint32_t)(girt_load_relaxed(word) >> 32);
}

static void line_setup(void *context)
{
    line *const l = context;
    l->entered = 0;
    l->barged = false;
    if (girt_bulkhead_create(
            &l->bulkhead,
            &(girt_bulkhead_options){.inside_max = 1, .waiting_max = 3}) !=
            GIRT_OK ||
        girt_bulkhead_enter(l->bulkhead, GIRT_NOW) != GIRT_OK)
        abort();
}

static void line_body(void *context, size_t thread)
{
    line *const l = context;
    if (thread == 3) {
        while (waiting(l->bulkhead) < 3)
            schedule_yield();
        girt_bulkhead_leave(l->bulkhead);
        if (girt_bulkhead_enter(l->bulkhead, GIRT_NOW) == GIRT_OK) {
            schedule_check(girt_load_relaxed(&l->entered) == 3, "barged in");
            girt_bulkhead_leave(l->bulkhead);
        }
        return;
    }
    while (waiting(l->bulkhead) < thread)
        schedule_yield();
    schedule_check(girt_bulkhead_enter(l->bulkhead, GIRT_FOREVER) == GIRT_OK,
                   "enter");
    schedule_check(girt_add_relaxed(&l->entered, 1u) == thread,
                   "thread %d is not in its turn", (int)thread);
    girt_bulkhead_leave(l->bulkhead);
}

static void line_check(void *context)
{
    girt_bulkhead_destroy(((line *)context)->bulkhead);
}

static void in_order(void **state)
{
    (void)state;
    line l;
    schedule_must_pass(&(schedule){.name = "in_order",
                                   .threads = 4,
                                   .flags = SCHEDULE_NO_TIMEOUTS,
                                   .context = &l,
                                   .setup = line_setup,
                                   .body = line_body,
                                   .check = line_check});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forever),    cmocka_unit_test(times_out),
        cmocka_unit_test(short_line), cmocka_unit_test(late_leaver),
        cmocka_unit_test(in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
