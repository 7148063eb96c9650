/* SPDX-License-Identifier: MIT */
/* Goal: spsc is a linearizable FIFO of exact capacity, and wait-free on both
 * sides. Method: one producer and one consumer make random calls, single and
 * batch, under many schedules; each history is checked, and each side is
 * stopped at each of its steps while the other finishes. */
#include <stdlib.h>

#include <girt/spsc.h>

#include "schedule/support/queue_play.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

static bool push(void *object, void *item)
{
    return girt_spsc_push(object, item);
}

static bool pop(void *object, void **item)
{
    return girt_spsc_pop(object, item);
}

static size_t push_n(void *object, void *const items[], size_t count)
{
    return girt_spsc_push_n(object, items, count);
}

static size_t pop_n(void *object, void *items[], size_t count)
{
    return girt_spsc_pop_n(object, items, count);
}

static void setup(void *context)
{
    queue_play *const p = context;
    queue_play_start(p);
    p->capacity = 1 + (size_t)schedule_random(9);
    girt_spsc *queue;
    if (girt_spsc_create(&queue, p->capacity, NULL) != GIRT_OK)
        abort();
    p->object = queue;
    /* Start anywhere in the ring. */
    void *item;
    for (uint64_t i = schedule_random(20); i != 0; i--)
        schedule_check(push(queue, NULL) && pop(queue, &item), "one by one");
}

static void body(void *context, size_t thread)
{
    queue_play_body(context, thread);
}

static void check(void *context)
{
    queue_play *const p = context;
    queue_play_judge(p);
    schedule_check(girt_spsc_count(p->object) == 0, "something is left");
    girt_spsc_destroy(p->object);
}

static void play(const char *name, queue_play p)
{
    p.push = push;
    p.pop = pop;
    p.pushers = 1;
    p.poppers = 2;
    p.looks_first = true;
    queue_play_init(&p);
    schedule const s = {.name = name,
                        .threads = 2,
                        .runs = 30000,
                        .stopped_threads = 2,
                        .context = &p,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 2000};
    schedule_must_pass(&s);
    queue_play_free(&p);
}

static void single_calls(void **state)
{
    (void)state;
    play("single", (queue_play){.calls = 6});
}

static void batches(void **state)
{
    (void)state;
    play("batches", (queue_play){.calls = 6, .push_n = push_n, .pop_n = pop_n});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(single_calls),
        cmocka_unit_test(batches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
