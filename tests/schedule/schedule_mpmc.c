/* SPDX-License-Identifier: MIT */
/* Goal: mpmc is a linearizable FIFO of exact capacity, and a thread stopped at
 * any instruction stops nobody. Method: random calls of a few threads at small
 * capacities and at the edges of its ticket numbers, under many schedules; each
 * history is checked, and each thread is stopped at each of its steps. */
#include <stdlib.h>

#include <girt/mpmc.h>

#include "queue/mpmc_internal.h"
#include "schedule/support/queue_play.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

static bool push(void *object, void *item)
{
    return girt_mpmc_push(object, item);
}

static bool pop(void *object, void **item)
{
    return girt_mpmc_pop(object, item);
}

static size_t push_n(void *object, void *const items[], size_t count)
{
    return girt_mpmc_push_n(object, items, count);
}

static size_t pop_n(void *object, void *items[], size_t count)
{
    return girt_mpmc_pop_n(object, items, count);
}

/* Tickets are 64-bit numbers; states are twice as large. */
static const uint64_t firsts[] = {0, (UINT64_C(1) << 32) - 2,
                                  (UINT64_C(1) << 62) - 2,
                                  (UINT64_C(1) << 63) - 2, UINT64_MAX - 1};

static void setup(void *context)
{
    queue_play *const p = context;
    queue_play_start(p);
    p->capacity = 1 + (size_t)schedule_random(5);
    uint64_t const first =
        firsts[schedule_random(sizeof firsts / sizeof *firsts)];
    girt_mpmc *queue;
    if (girt__mpmc_create_at(&queue, p->capacity, NULL, first) != GIRT_OK)
        abort();
    p->object = queue;
}

static void body(void *context, size_t thread)
{
    queue_play_body(context, thread);
}

static void check(void *context)
{
    queue_play *const p = context;
    schedule_check(girt__mpmc_is_valid(p->object), "an invariant");
    queue_play_judge(p);
    schedule_check(girt_mpmc_count(p->object) == 0, "something is left");
    girt_mpmc_destroy(p->object);
}

static void play(const char *name, size_t threads, size_t runs, size_t stopped,
                 queue_play p)
{
    p.push = push;
    p.pop = pop;
    p.strict_full = true;
    queue_play_init(&p);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = runs,
                        .stopped_threads = stopped,
                        .context = &p,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 5000};
    schedule_must_pass(&s);
    queue_play_free(&p);
}

static void two_threads_do_both(void **state)
{
    (void)state;
    play("two", 2, 20000, 2, (queue_play){.calls = 4});
}

static void three_threads_do_both(void **state)
{
    (void)state;
    play("three", 3, 20000, 3, (queue_play){.calls = 4});
}

static void producers_against_consumers(void **state)
{
    (void)state;
    play("sides", 4, 20000, 2,
         (queue_play){.calls = 3, .pushers = 2, .poppers = 4});
}

static void batches(void **state)
{
    (void)state;
    play("batches", 3, 20000, 2,
         (queue_play){.calls = 3, .push_n = push_n, .pop_n = pop_n});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_do_both),
        cmocka_unit_test(three_threads_do_both),
        cmocka_unit_test(producers_against_consumers),
        cmocka_unit_test(batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
