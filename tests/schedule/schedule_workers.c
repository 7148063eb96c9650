/* SPDX-License-Identifier: MIT */
/* Goal: every task that was accepted runs once, drain waits for what was
 * accepted before it and what that submitted, destroy finishes the rest, and
 * nobody sleeps for ever. Method: a pool of one or two threads made inside the
 * schedule, with outside threads that submit and drain. */
#include <stdlib.h>

#include <girt/clock.h>
#include <girt/workers.h>

#include "core/atomic.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

#define TASKS_MAX 32

typedef struct pool pool;

typedef struct errand {
    pool *pool;
    bool submits; /* another, from inside */
    size_t child;
} errand;

struct pool {
    girt_workers *workers;
    size_t threads; /* of the pool */
    uint32_t ready, left;
    size_t each;
    bool times_out;
    errand errands[TASKS_MAX];
    uint32_t accepted[TASKS_MAX], ran[TASKS_MAX];
};

static void run(void *argument)
{
    errand *const e = argument;
    pool *const p = e->pool;
    size_t const i = (size_t)(e - p->errands);
    schedule_yield();
    if (e->submits) {
        girt_status const status = girt_workers_submit(
            p->workers, run, &p->errands[e->child], GIRT_FOREVER);
        schedule_check(status == GIRT_OK || status == GIRT_CLOSED, "%d",
                       status);
        girt_store_relaxed(&p->accepted[e->child],
                           (uint32_t)(status == GIRT_OK));
    }
    schedule_check(girt_workers_drain(p->workers, GIRT_NOW) == GIRT_E_BUSY,
                   "drain from inside");
    (void)girt_add_release(&p->ran[i], 1u);
}

static void setup(void *context)
{
    pool *const p = context;
    p->workers = NULL;
    p->ready = 0;
    p->left = 0;
    memset(p->accepted, 0, sizeof p->accepted);
    memset(p->ran, 0, sizeof p->ran);
    for (size_t i = 0; i < TASKS_MAX; i++)
        p->errands[i] = (errand){.pool = p};
}

static void submit(pool *p, size_t i, size_t child)
{
    errand *const e = &p->errands[i];
    e->submits = schedule_random(2) == 0;
    e->child = child;
    int64_t const timeout = p->times_out && schedule_random(2) == 0
                                ? (int64_t)schedule_random(2000)
                                : GIRT_FOREVER;
    girt_status const status = girt_workers_submit(p->workers, run, e, timeout);
    schedule_check(status == GIRT_OK || timeout != GIRT_FOREVER, "%d", status);
    p->accepted[i] = status == GIRT_OK;
}

/* What this thread had accepted, and what that submitted, has run. */
static void drain(pool *p, size_t first)
{
    schedule_check(girt_workers_drain(p->workers, GIRT_FOREVER) == GIRT_OK,
                   "drain");
    for (size_t i = first; i < first + 2 * p->each; i++)
        schedule_check(girt_load_acquire(&p->ran[i]) ==
                           girt_load_relaxed(&p->accepted[i]),
                       "drain left a task");
}

static void work(pool *p, size_t thread)
{
    size_t const first = thread * 2 * p->each;
    for (size_t i = 0; i < p->each; i++)
        submit(p, first + i, first + p->each + i);
    if (schedule_random(2) == 0)
        drain(p, first);
}

/* Thread 0 makes the pool and takes it down. */
static void body(void *context, size_t thread)
{
    pool *const p = context;
    if (thread == 0) {
        girt_workers_options const options = {
            .threads = p->threads,
            .queue_capacity = 1 + (size_t)schedule_random(3)};
        if (girt_workers_create(&p->workers, &options) != GIRT_OK)
            schedule_fail("create");
        girt_store_release(&p->ready, 1u);
        work(p, thread);
        while (girt_load_acquire(&p->left) != 1)
            schedule_yield();
        girt_workers_destroy(p->workers);
    } else {
        while (girt_load_acquire(&p->ready) == 0)
            schedule_yield();
        work(p, thread);
        (void)girt_add_release(&p->left, 1u);
    }
}

static void check(void *context)
{
    const pool *const p = context;
    for (size_t i = 0; i < TASKS_MAX; i++)
        schedule_check(p->ran[i] == p->accepted[i],
                       "task %zu: accepted %u, ran %u", i, p->accepted[i],
                       p->ran[i]);
}

static void play(const char *name, pool p)
{
    schedule const s = {.name = name,
                        .threads = 2,
                        .runs = 4000,
                        .context = &p,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 100000};
    schedule_must_pass(&s);
}

static void every_task_runs_once(void **state)
{
    (void)state;
    play("one_worker", (pool){.threads = 1, .each = 2});
    play("two_workers", (pool){.threads = 2, .each = 3});
    play("timeouts", (pool){.threads = 2, .each = 3, .times_out = true});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_runs_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
