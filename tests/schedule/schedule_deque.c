/* SPDX-License-Identifier: MIT */
/* Goal: the deque takes each item once, its owner's answers are exact, and a
 * thread stopped at any instruction stops nobody. Method: an owner and thieves
 * at small capacities and at the edges of its indexes, under many schedules,
 * store buffers included; each history is checked. */
#include <stdlib.h>

#include <girt/deque.h>

#include "queue/deque_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

typedef struct game {
    girt_deque *deque;
    size_t capacity, calls;
    history h;
} game;

static void setup(void *context)
{
    static const uint64_t starts[] = {0, UINT64_MAX - 1, UINT32_MAX - 1,
                                      (uint64_t)INT64_MAX - 1};
    game *const g = context;
    history_clear(&g->h);
    g->capacity = 1 + (size_t)schedule_random(4);
    if (girt_deque_create(&g->deque, g->capacity, NULL) != GIRT_OK)
        abort();
    girt__deque_start(g->deque,
                      starts[schedule_random(sizeof starts / sizeof *starts)]);
}

static bool call(game *g, size_t thread, uint32_t kind)
{
    operation *const o =
        history_begin(&g->h, thread, kind, 1 + g->h.counts[thread]);
    void *item = NULL;
    bool done;
    if (kind == DEQUE_PUSH)
        done = girt_deque_push(g->deque, (void *)(uintptr_t)o->argument);
    else if (kind == DEQUE_POP)
        done = girt_deque_pop(g->deque, &item);
    else
        done = girt_deque_steal(g->deque, &item);
    schedule_check(done || item == NULL, "touched");
    history_end(&g->h, o, done, (uintptr_t)item);
    return done;
}

static void body(void *context, size_t thread)
{
    game *const g = context;
    for (size_t i = 0; i < g->calls; i++)
        (void)call(g, thread,
                   thread != 0              ? DEQUE_STEAL
                   : schedule_random(5) < 3 ? DEQUE_PUSH
                                            : DEQUE_POP);
}

static void check(void *context)
{
    game *const g = context;
    schedule_check(girt__deque_is_valid(g->deque), "an invariant");
    while (call(g, 0, DEQUE_POP))
        ;
    girt_deque_destroy(g->deque);
    specification s = specification_deque(g->capacity);
    s.under_way_kinds = 0; /* full is exact */
    linearize_answer const answer = linearize(&s, &g->h);
    if (answer == NOT_LINEARIZABLE && !schedule_failed())
        history_print(&g->h);
    schedule_check(answer == LINEARIZABLE, "not linearizable");
}

static void play(const char *name, size_t threads, size_t calls)
{
    game g = {.calls = calls};
    history_init(&g.h, SCHEDULE_THREADS_MAX, 32);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 30000,
                        .stopped_threads = threads,
                        .context = &g,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 2000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

static void one_thief(void **state)
{
    (void)state;
    play("one_thief", 2, 6);
}

static void two_thieves(void **state)
{
    (void)state;
    play("two_thieves", 3, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thief),
        cmocka_unit_test(two_thieves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
