/* SPDX-License-Identifier: MIT */
/* queue_play.c - random calls and their history. */
#include "schedule/support/queue_play.h"

#include "schedule/support/scheduler.h"

void queue_play_init(queue_play *p)
{
    history_init(&p->h, SCHEDULE_THREADS_MAX, 4 * PLAY_OPERATIONS_MAX);
}

void queue_play_free(queue_play *p)
{
    history_free(&p->h);
}

void queue_play_start(queue_play *p)
{
    history_clear(&p->h);
}

static void push_some(queue_play *p, size_t thread, size_t count, bool batch)
{
    operation *operations[PLAY_BATCH_MAX];
    void *items[PLAY_BATCH_MAX];
    for (size_t i = 0; i < count; i++) {
        uint64_t const item = 1000 * (thread + 1) + p->h.counts[thread];
        items[i] = (void *)(uintptr_t)item;
        operations[i] = history_begin(&p->h, thread, QUEUE_PUSH, item);
    }
    size_t const done = batch ? p->push_n(p->object, items, count)
                              : p->push(p->object, items[0]);
    schedule_check(done <= count, "more than asked");
    for (size_t i = 0; i < count; i++)
        history_end(&p->h, operations[i], i < done, 0);
    if (p->looks_first && done != 0 && done < count) {
        /* "Full" comes before the pushes that it counted on. */
        operation const full = *operations[done];
        for (size_t i = done; i-- > 0;) {
            operations[i + 1]->argument = operations[i]->argument;
            operations[i + 1]->result = 1;
        }
        operations[0]->result = 0;
        operations[0]->argument = full.argument;
        operations[0]->second = done;
    }
    /* The first that did not fit was told "full", the rest not asked. */
    if (done + 1 < count)
        p->h.counts[thread] -= count - done - 1;
}

static void pop_some(queue_play *p, size_t thread, size_t count, bool batch)
{
    operation *operations[PLAY_BATCH_MAX];
    void *items[PLAY_BATCH_MAX] = {0};
    for (size_t i = 0; i < count; i++)
        operations[i] = history_begin(&p->h, thread, QUEUE_POP, 0);
    size_t const done = batch ? p->pop_n(p->object, items, count)
                              : p->pop(p->object, &items[0]);
    schedule_check(done <= count, "more than asked");
    for (size_t i = 0; i < count; i++) {
        schedule_check(i < done || items[i] == NULL, "touched");
        history_end(&p->h, operations[i], i < done, (uintptr_t)items[i]);
    }
    size_t const told =
        done + (done == 0 || !p->short_pop_says_nothing || !batch);
    if (told < count)
        p->h.counts[thread] -= count - told;
}

void queue_play_body(queue_play *p, size_t thread)
{
    for (size_t i = 0; i < p->calls; i++) {
        bool const batch = p->push_n != NULL && schedule_random(4) == 0;
        size_t const count =
            batch ? 1 + (size_t)schedule_random(PLAY_BATCH_MAX) : 1;
        bool const push = thread < p->pushers ||
                          (thread >= p->poppers && schedule_random(2) == 0);
        if (push)
            push_some(p, thread, count, batch);
        else
            pop_some(p, thread, count, batch);
    }
}

void queue_play_judge(queue_play *p)
{
    for (size_t i = 0; i <= p->capacity; i++)
        pop_some(p, SCHEDULE_THREADS_MAX - 1, 1, false);
    specification const s = p->strict_full
                                ? specification_strict_queue(p->capacity)
                                : specification_queue(p->capacity);
    linearize_answer const answer = linearize(&s, &p->h);
    if (answer == NOT_LINEARIZABLE && !schedule_failed())
        history_print(&p->h);
    schedule_check(answer == LINEARIZABLE, "not linearizable");
}
