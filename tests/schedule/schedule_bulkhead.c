/* SPDX-License-Identifier: MIT */
/* Goal: a bulkhead never lets in one too many, lets those in line in by their
 * order, and loses no wake-up, whoever's time runs out when.
 * Method: threads enter and leave under many schedules, with and without time
 * limits; at every instant inside is counted; the line's own order is compared
 * with the order in which places are handed over. */
#include <stdlib.h>

#include <girt/bulkhead.h>

#include "core/atomic.h"
#include "guard/bulkhead_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

enum { THREADS_MAX = 4, ROUNDS = 3 };

typedef struct play {
    girt_bulkhead *bulkhead;
    uint64_t inside_max, waiting_max;
    bool times_out;
    int holds; /* 2: a second place, where one is free */
    int32_t inside;
    uint32_t passed, refused, handed_over;
} play;

static void setup(void *context)
{
    play *const p = context;
    p->inside = 0;
    p->passed = 0;
    p->refused = 0;
    p->handed_over = 0;
    if (girt_bulkhead_create(
            &p->bulkhead,
            &(girt_bulkhead_options){.inside_max = p->inside_max,
                                     .waiting_max = p->waiting_max}) != GIRT_OK)
        abort();
}

static bool go_in(play *p)
{
    int64_t timeout_ns = GIRT_FOREVER;
    if (p->times_out && schedule_random(2) == 0)
        timeout_ns = (int64_t)schedule_random(3000);
    girt_status const status = girt_bulkhead_enter(p->bulkhead, timeout_ns);
    if (status != GIRT_OK) {
        schedule_check(status == GIRT_REJECTED || p->times_out,
                       "enter answers %d", (int)status);
        (void)girt_add_relaxed(&p->refused, 1u);
        return false;
    }
    int32_t const before = girt_add_relaxed(&p->inside, 1);
    schedule_check(before < (int32_t)p->inside_max, "%d inside", before);
    return true;
}

/* Who holds one place and waits for another may wait for one who does, too: so
 * the second is taken only where one is free. */
static void body(void *context, size_t thread)
{
    play *const p = context;
    (void)thread;
    for (int i = 0; i < ROUNDS; i++) {
        int held = go_in(p) ? 1 : 0;
        if (held == 1 && p->holds == 2 &&
            girt_bulkhead_enter(p->bulkhead, GIRT_NOW) == GIRT_OK) {
            held = 2;
            int32_t const before = girt_add_relaxed(&p->inside, 1);
            schedule_check(before < (int32_t)p->inside_max, "%d inside",
                           before);
        }
        schedule_yield();
        for (; held > 0; held--) {
            (void)girt_sub_relaxed(&p->inside, 1);
            (void)girt_add_relaxed(&p->passed, 1u);
            girt_bulkhead_leave(p->bulkhead);
        }
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

/* Four places, in two shards of one: places stay in shards, are gathered when
 * somebody finds none, and are lent again (after two leaves, here). */
static void sharded(void **state)
{
    (void)state;
    run("sharded", (play){.inside_max = 4, .waiting_max = 2, .holds = 2}, 4);
    run("sharded_times_out",
        (play){
            .inside_max = 4, .waiting_max = 3, .holds = 2, .times_out = true},
        4);
}

/* Who is refused where nobody may wait: all places were taken at an instant of
 * his call.  Seen from outside: those who may have been inside when it began,
 * and those who began to enter until it ended, are enough to fill them. */
typedef struct full {
    girt_bulkhead *bulkhead;
    uint64_t callers; /* [ calls begun: 32 | that may be inside: 32 ] */
} full;

enum { FULL_PLACES = 4, FULL_HOLDS = 2 };

static void full_setup(void *context)
{
    full *const f = context;
    f->callers = 0;
    if (girt_bulkhead_create(
            &f->bulkhead,
            &(girt_bulkhead_options){.inside_max = FULL_PLACES}) != GIRT_OK)
        abort();
}

static void full_body(void *context, size_t thread)
{
    full *const f = context;
    (void)thread;
    for (int i = 0; i < ROUNDS; i++) {
        int held = 0;
        for (int j = 0; j < FULL_HOLDS; j++) {
            /* Both orders: leaves that ended before are seen by the enter. */
            uint64_t const before =
                girt_add_acq_rel(&f->callers, (UINT64_C(1) << 32) + 1);
            if (girt_bulkhead_enter(f->bulkhead, GIRT_FOREVER) == GIRT_OK) {
                held++;
                continue;
            }
            uint64_t const after = girt_sub_acq_rel(&f->callers, UINT64_C(1));
            uint64_t const about =
                (uint32_t)before + (after >> 32) - (before >> 32) - 1;
            schedule_check(about >= FULL_PLACES, "refused beside %d",
                           (int)about);
        }
        for (; held > 0; held--) {
            girt_bulkhead_leave(f->bulkhead);
            (void)girt_sub_acq_rel(&f->callers, UINT64_C(1));
        }
    }
}

static void full_check(void *context)
{
    girt_bulkhead_destroy(((full *)context)->bulkhead);
}

static void refused_when_full(void **state)
{
    (void)state;
    full f;
    schedule_must_pass(&(schedule){.name = "refused_when_full",
                                   .threads = 3,
                                   .context = &f,
                                   .setup = full_setup,
                                   .body = full_body,
                                   .check = full_check});
}

/* One enters by its shard, another leaves by its own, so that places go from
 * the one to the other, beside two who stay: a count is two or three. */
typedef struct census {
    girt_bulkhead *bulkhead;
    uint32_t primed;  /* there are places in a shard */
    uint32_t entered; /* to be left by the other thread */
} census;

enum { STAY = 2, PASSES = 2 };

static void census_setup(void *context)
{
    census *const c = context;
    c->primed = 0;
    c->entered = 0;
    if (girt_bulkhead_create(
            &c->bulkhead, &(girt_bulkhead_options){.inside_max = 8}) != GIRT_OK)
        abort();
    for (int i = 0; i < STAY; i++)
        (void)girt_bulkhead_enter(c->bulkhead, GIRT_NOW);
}

static void enter_one(const census *c)
{
    schedule_check(girt_bulkhead_enter(c->bulkhead, GIRT_NOW) == GIRT_OK,
                   "no place of eight");
}

static void census_body(void *context, size_t thread)
{
    census *const c = context;
    if (thread == 0) { /* puts places into its shard, and takes them */
        for (int i = 0; i < PASSES; i++)
            enter_one(c);
        for (int i = 0; i < PASSES; i++)
            girt_bulkhead_leave(c->bulkhead);
        girt_store_release(&c->primed, 1u);
        for (int i = 0; i < PASSES; i++) {
            enter_one(c);
            girt_store_release(&c->entered, 1u);
            while (girt_load_acquire(&c->entered) != 0)
                schedule_yield();
        }
    }
    for (int i = 0; thread == 1 && i < PASSES; i++) {
        while (girt_load_acquire(&c->entered) == 0)
            schedule_yield();
        girt_bulkhead_leave(c->bulkhead);
        girt_store_release(&c->entered, 0u);
    }
    while (thread == 2 && girt_load_acquire(&c->primed) == 0)
        schedule_yield();
    for (int i = 0; thread == 2 && i < 2 * PASSES; i++) {
        girt__bulkhead_count const count =
            girt__bulkhead_count_now(c->bulkhead);
        schedule_check(count.inside == STAY || count.inside == STAY + 1,
                       "%d inside", (int)count.inside);
    }
}

static void census_check(void *context)
{
    census *const c = context;
    schedule_check(girt__bulkhead_count_now(c->bulkhead).inside == STAY,
                   "not all are counted");
    for (int i = 0; i < STAY; i++)
        girt_bulkhead_leave(c->bulkhead);
    girt_bulkhead_destroy(c->bulkhead);
}

static void counted_at_one_instant(void **state)
{
    (void)state;
    census c;
    schedule_must_pass(&(schedule){.name = "counted_at_one_instant",
                                   .threads = 3,
                                   .context = &c,
                                   .setup = census_setup,
                                   .body = census_body,
                                   .check = census_check});
}

/* All places are taken and three are in line when two leave, who are late with
 * the places that they hand over; somebody who wants to lend comes between.
 * Were the shards open then, the next two leaves would not see the third. */
static void lend_setup(void *context)
{
    play *const p = context;
    setup(context);
    for (uint64_t i = 0; i <= p->inside_max; i++)
        (void)girt_bulkhead_enter(p->bulkhead, GIRT_NOW);
    p->inside = (int32_t)p->inside_max;
}

static void lend_body(void *context, size_t thread)
{
    play *const p = context;
    if (thread > 2) {
        schedule_check(
            girt_bulkhead_enter(p->bulkhead, GIRT_FOREVER) == GIRT_OK, "enter");
        schedule_check(girt_add_relaxed(&p->inside, 1) < (int32_t)p->inside_max,
                       "one too many");
        /* All three get in before one leaves. */
        (void)girt_add_relaxed(&p->handed_over, 1u);
        while (girt_load_relaxed(&p->handed_over) < 3)
            schedule_yield();
        (void)girt_sub_relaxed(&p->inside, 1);
        girt_bulkhead_leave(p->bulkhead);
        return;
    }
    while (girt_load_relaxed(&p->passed) == 0 && waiting(p->bulkhead) < 3)
        schedule_yield();
    girt_store_relaxed(&p->passed, 1u);
    for (int i = 0; i < 2; i++) {
        if (thread == 0) {
            girt__bulkhead_lend(p->bulkhead);
            continue;
        }
        (void)girt_sub_relaxed(&p->inside, 1);
        girt_bulkhead_leave(p->bulkhead);
    }
}

static void late_lender(void **state)
{
    (void)state;
    play p = {.inside_max = 4, .waiting_max = 3};
    schedule_must_pass(&(schedule){.name = "late_lender",
                                   .threads = 6,
                                   .runs = 6000,
                                   .context = &p,
                                   .setup = lend_setup,
                                   .body = lend_body,
                                   .check = check});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forever),
        cmocka_unit_test(times_out),
        cmocka_unit_test(short_line),
        cmocka_unit_test(late_leaver),
        cmocka_unit_test(in_order),
        cmocka_unit_test(sharded),
        cmocka_unit_test(refused_when_full),
        cmocka_unit_test(counted_at_one_instant),
        cmocka_unit_test(late_lender),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
