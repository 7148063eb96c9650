/* SPDX-License-Identifier: MIT */
/* queue_driver.h - the loops that race a queue, inlined into its adapter.
 *
 * An adapter is a file that defines, before it includes this one,
 *   QUEUE_NAME                             girt_mpmc
 *   static void *queue_make(const queue_case *, void (**free)(void *))
 *   static bool queue_can(const queue_case *)
 *   static bool queue_try_push(void *queue, unsigned producer, void *item)
 *   static bool queue_try_pop(void *queue, unsigned consumer, void **item)
 * and where it can, with the macro in brackets,
 *   [QUEUE_BATCHES]  size_t queue_try_push_n(queue, producer, items, count)
 *                    size_t queue_try_pop_n(queue, consumer, items, count)
 *   [QUEUE_WAITS]    bool queue_push(queue, producer, item)  false: closed
 *                    bool queue_pop(queue, consumer, item)   false: closed
 *                    void queue_close(queue)
 * Header-only rivals, C++ ones too, are thus inlined as in a real program. */
#ifndef GIRT_QUEUE_DRIVER_H
#define GIRT_QUEUE_DRIVER_H

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench_queue.h"
#include "bench_team.h"

enum { QUEUE_STRIDE = 64, QUEUE_BATCH_MAX = 256 };

typedef struct queue_run {
    const queue_case *c;
    void *queue;
    void *back;      /* QUEUE_TRIP: the way back */
    uint32_t *trips; /* QUEUE_TRIP: nanoseconds of each */
    size_t trip_count;
    pthread_t victim; /* QUEUE_STOP_...: who is stopped */
    bool has_victim;
} queue_run;

/* What a program does that cannot push or pop right now: alike for all. */
static inline void queue_idle(unsigned *misses)
{
    bench_pause();
    if (++*misses % 32 == 0)
        sched_yield();
}

static inline void *queue_item(uint64_t number)
{
    return (void *)(uintptr_t)(number << 4 | 8);
}

static void queue_produce(bench_member *member, queue_run *run)
{
    unsigned misses = 0;
    uint64_t number = member->index;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < QUEUE_STRIDE; i++) {
            if (queue_try_push(run->queue, member->index, queue_item(number))) {
                number++;
                misses = 0;
            } else {
                queue_idle(&misses);
            }
        }
    }
}

static void queue_consume(bench_member *member, queue_run *run)
{
    unsigned misses = 0, consumer = member->index - run->c->producers;
    while (!bench_stopped(member)) {
        unsigned popped = 0;
        void *item = NULL;
        for (unsigned i = 0; i < QUEUE_STRIDE; i++) {
            if (queue_try_pop(run->queue, consumer, &item)) {
                popped++;
                misses = 0;
            } else {
                queue_idle(&misses);
            }
        }
        bench_count(member, popped);
    }
}

/* Push and pop in turn, one thread. */
static void queue_alternate(bench_member *member, queue_run *run)
{
    uint64_t number = 0;
    while (!bench_stopped(member)) {
        void *item = NULL;
        for (unsigned i = 0; i < QUEUE_STRIDE; i++) {
            (void)queue_try_push(run->queue, 0, queue_item(number++));
            (void)queue_try_pop(run->queue, 0, &item);
        }
        bench_count(member, QUEUE_STRIDE);
    }
}

#ifdef QUEUE_BATCHES
static void queue_produce_n(bench_member *member, queue_run *run)
{
    unsigned misses = 0;
    void *items[QUEUE_BATCH_MAX];
    for (size_t i = 0; i < run->c->batch; i++)
        items[i] = queue_item(i);
    while (!bench_stopped(member)) {
        if (queue_try_push_n(run->queue, member->index, items, run->c->batch) >
            0)
            misses = 0;
        else
            queue_idle(&misses);
    }
}

static void queue_consume_n(bench_member *member, queue_run *run)
{
    unsigned misses = 0, consumer = member->index - run->c->producers;
    void *items[QUEUE_BATCH_MAX];
    while (!bench_stopped(member)) {
        size_t const popped =
            queue_try_pop_n(run->queue, consumer, items, run->c->batch);
        bench_count(member, popped);
        if (popped > 0)
            misses = 0;
        else
            queue_idle(&misses);
    }
}
#endif

#ifdef QUEUE_WAITS
static void queue_produce_waiting(bench_member *member, queue_run *run)
{
    uint64_t number = member->index;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < QUEUE_STRIDE; i++) {
            if (!queue_push(run->queue, member->index, queue_item(number++)))
                return;
        }
    }
}

static void queue_consume_waiting(bench_member *member, queue_run *run)
{
    unsigned const consumer = member->index - run->c->producers;
    void *item = NULL;
    for (;;) {
        unsigned popped = 0;
        while (popped < QUEUE_STRIDE) {
            if (!queue_pop(run->queue, consumer, &item))
                return;
            popped++;
        }
        bench_count(member, popped);
    }
}

static void queue_stop(void *context)
{
    queue_run *const run = (queue_run *)context;
    if (!run->c->waits)
        return;
    queue_close(run->queue);
    if (run->back != NULL)
        queue_close(run->back);
}
#endif

#include "queue_trials.h"

static void queue_body(bench_member *member)
{
    queue_run *const run = (queue_run *)member->context;
    bool const produces = member->index < run->c->producers;
    queue_note_victim(member, run);
    if (run->c->trial == QUEUE_TRIP) {
        produces ? queue_trip_client(member, run)
                 : queue_trip_server(member, run);
    } else if (run->c->consumers == 0) {
        queue_alternate(member, run);
#ifdef QUEUE_WAITS
    } else if (run->c->waits) {
        produces ? queue_produce_waiting(member, run)
                 : queue_consume_waiting(member, run);
#endif
#ifdef QUEUE_BATCHES
    } else if (run->c->batch > 1) {
        produces ? queue_produce_n(member, run) : queue_consume_n(member, run);
#endif
    } else {
        produces ? queue_produce(member, run) : queue_consume(member, run);
    }
}

static bool queue_is_able(const queue_case *c)
{
    bool able = queue_can(c);
#ifndef QUEUE_BATCHES
    able = able && c->batch == 1;
#endif
#ifndef QUEUE_WAITS
    able = able && !c->waits;
#endif
    return able;
}

#define QUEUE_CONCAT_(a, b) a##b
#define QUEUE_CONCAT(a, b)  QUEUE_CONCAT_(a, b)

#ifdef __cplusplus
extern "C"
#endif
    double QUEUE_CONCAT(queue_, QUEUE_NAME)(const void *adapter,
                                            const void *bench_case,
                                            double seconds);

double QUEUE_CONCAT(queue_, QUEUE_NAME)(const void *adapter,
                                        const void *bench_case, double seconds)
{
    (void)adapter;
    const queue_case *const c = (const queue_case *)bench_case;
    if (!queue_is_able(c))
        return BENCH_UNABLE;
    void (*release)(void *) = NULL;
    queue_run run;
    memset(&run, 0, sizeof run);
    run.c = c;
    run.queue = queue_make(c, &release);
    if (run.queue == NULL)
        return BENCH_UNABLE;
    if (c->trial == QUEUE_TRIP) {
        run.back = queue_make(c, &release);
        run.trips = (uint32_t *)calloc(QUEUE_TRIPS_MAX, sizeof *run.trips);
    }
    bench_team team;
    memset(&team, 0, sizeof team);
    team.size = c->producers + c->consumers;
    team.pinned = team.size <= 2;
    team.seconds = seconds;
    team.body = queue_body;
    team.watch = queue_watch_of(c->trial);
#ifdef QUEUE_WAITS
    team.stop = queue_stop;
#endif
    team.context = &run;
    double cost = bench_team_run(&team);
    if (c->trial == QUEUE_TRIP)
        cost = queue_trip_quantile(&run);
    release(run.queue);
    if (run.back != NULL)
        release(run.back);
    free(run.trips);
    return cost;
}

#endif /* GIRT_QUEUE_DRIVER_H */
