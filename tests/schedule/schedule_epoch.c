/* SPDX-License-Identifier: MIT */
/* Goal: no block is released while a section that could see it is open, each
 * once, all of them by the end of a barrier; also where threads end, release
 * functions retire, and barriers meet. Method: a box whose content is replaced
 * again and again under many schedules; the heap of the scheduler reports an
 * access to released memory. The epoch unit is instrumented here; libck's
 * functions and inline assembly are one step each. */
#include <stdlib.h>

#include <girt/epoch.h>

#include "core/atomic.h"
#include "core/epoch_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

typedef struct content {
    girt__epoch_node node;
    uint64_t value;
    uint64_t *released; /* counts them */
    uint64_t *of_one;   /* those that its retirer retired */
    bool again;         /* its release function retires another */
} content;

typedef struct box {
    content *current;
    uint64_t made, released;
    uint64_t retired_by[3], released_of[3];
} box;

static content *make(box *b, uint64_t value)
{
    content *const c = malloc(sizeof *c);
    if (c == NULL)
        abort();
    *c = (content){.value = value, .released = &b->released};
    (void)girt_add_relaxed(&b->made, 1);
    return c;
}

static void release_block(void *block)
{
    content *const c = block;
    (void)girt_add_relaxed(c->released, 1);
    (void)girt_add_relaxed(c->of_one, 1);
    free(c);
}

static void release_node(girt__epoch_node *node)
{
    content *const c = (content *)(void *)node;
    if (c->again) {
        c->again = false;
        girt__epoch_retire_node(&c->node, release_node);
        return;
    }
    release_block(c);
}

static void setup(void *context)
{
    box *const b = context;
    *b = (box){0};
    b->current = make(b, 0);
}

static void look(box *b)
{
    girt_epoch_enter();
    content *const c = girt_load_acquire(&b->current);
    uint64_t const first = girt_load_relaxed(&c->value);
    girt_epoch_enter(); /* sections nest */
    schedule_yield();
    girt_epoch_exit();
    schedule_check(girt_load_relaxed(&c->value) == first, "content changed");
    girt_epoch_exit();
}

static void replace(box *b, uint64_t value, bool again)
{
    content *const fresh = make(b, value);
    content *const old = girt_swap_acq_rel(&b->current, fresh);
    old->of_one = &b->released_of[schedule_self()];
    b->retired_by[schedule_self()]++;
    if (value % 2 == 0) {
        girt_epoch_retire(old, release_block);
        return;
    }
    old->again = again;
    girt__epoch_retire_node(&old->node, release_node);
}

static void all_is_released(void *context)
{
    box *const b = context;
    girt_epoch_barrier();
    girt_epoch_barrier(); /* for what release functions retired */
    schedule_check(b->released + 1 == b->made, "%llu made, %llu released",
                   (unsigned long long)b->made,
                   (unsigned long long)b->released);
    free(b->current);
}

/* Readers against a writer that waits for its own. */
static void readers_and_barrier(void *context, size_t thread)
{
    box *const b = context;
    for (uint64_t i = 0; i < 3; i++) {
        if (thread < 2) {
            look(b);
            continue;
        }
        replace(b, i, false);
        uint64_t const before = girt_load_relaxed(&b->made) - 1;
        girt_epoch_barrier();
        schedule_check(girt_load_relaxed(&b->released) == before,
                       "a barrier left something");
    }
}

/* Two who retire and wait, release functions that retire, one reader. */
static void barriers_meet(void *context, size_t thread)
{
    box *const b = context;
    for (uint64_t i = 0; i < 3; i++) {
        if (thread == 0) {
            look(b);
            continue;
        }
        replace(b, i, true);
        if (i == 1) /* its release function retires it again */
            continue;
        girt_epoch_barrier();
        uint64_t const pending =
            b->retired_by[thread] - girt_load_relaxed(&b->released_of[thread]);
        schedule_check(pending <= (i == 2), "a barrier left something");
    }
}

/* Enough of them that threads look by themselves, and threads that end with
 * some pending. */
static void many(void *context, size_t thread)
{
    box *const b = context;
    for (uint64_t i = 0; i < 70; i++) {
        if (thread == 0 && i % 8 == 0)
            look(b);
        else if (thread != 0)
            replace(b, i, i == 3);
    }
}

/* The writer is in a section itself while it retires. */
static void retire_inside(void *context, size_t thread)
{
    box *const b = context;
    for (uint64_t i = 0; i < 3; i++) {
        if (thread == 0) {
            look(b);
            continue;
        }
        girt_epoch_enter();
        replace(b, i, false);
        girt_epoch_exit();
    }
    if (thread == 1)
        girt_epoch_barrier();
}

static void run(const char *name, size_t runs,
                void (*body)(void *context, size_t thread))
{
    box b;
    /* ck's stores are not in the buffers, so the rest's must not be. */
    schedule const s = {.name = name,
                        .threads = 3,
                        .runs = runs,
                        .flags = SCHEDULE_IN_ORDER,
                        .context = &b,
                        .setup = setup,
                        .body = body,
                        .check = all_is_released,
                        .steps_max = 100000};
    schedule_must_pass(&s);
}

static void readers_keep_what_they_hold(void **state)
{
    (void)state;
    run("readers", 20000, readers_and_barrier);
}

static void barriers_release_all(void **state)
{
    (void)state;
    run("barriers", 20000, barriers_meet);
}

static void ended_threads_leave_nothing(void **state)
{
    (void)state;
    run("many", 1000, many);
}

static void sections_may_retire(void **state)
{
    (void)state;
    run("inside", 20000, retire_inside);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_keep_what_they_hold),
        cmocka_unit_test(barriers_release_all),
        cmocka_unit_test(ended_threads_leave_nothing),
        cmocka_unit_test(sections_may_retire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
