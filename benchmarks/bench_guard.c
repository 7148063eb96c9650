/* SPDX-License-Identifier: MIT */
/* bench_guard.c - the suite: what a guard costs a call that it lets through,
 * beside the same thing under a mutex. */
#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/clock.h>
#include <girt/version.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_team.h"

enum { STRIDE = 64 };

/* One contestant: how it is made, and what a thread does once. */
typedef struct contest {
    void *(*make)(void);
    void (*once)(void *subject);
    void (*release)(void *subject);
} contest;

typedef struct guard_run {
    const contest *how;
    void *subject;
} guard_run;

static void repeat(bench_member *member)
{
    guard_run *const run = member->context;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < STRIDE; i++)
            run->how->once(run->subject);
        bench_count(member, STRIDE);
    }
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const unsigned *const threads = bench_case;
    guard_run run = {.how = adapter};
    run.subject = run.how->make();
    if (run.subject == NULL)
        return -1;
    double const cost = bench_team_run(&(bench_team){.size = *threads,
                                                     .pinned = true,
                                                     .seconds = seconds,
                                                     .body = repeat,
                                                     .context = &run});
    run.how->release(run.subject);
    return cost;
}

/* ---- bulkhead ----------------------------------------------------------- */

enum { INSIDE_MAX = 16 };

static void *make_bulkhead(void)
{
    girt_bulkhead *bulkhead = NULL;
    (void)girt_bulkhead_create(
        &bulkhead, &(girt_bulkhead_options){.inside_max = INSIDE_MAX,
                                            .waiting_max = INSIDE_MAX});
    return bulkhead;
}

static void pass_bulkhead(void *bulkhead)
{
    if (girt_bulkhead_enter(bulkhead, GIRT_FOREVER) == GIRT_OK)
        girt_bulkhead_leave(bulkhead);
}

static void free_bulkhead(void *bulkhead)
{
    girt_bulkhead_destroy(bulkhead);
}

/* What people write: a semaphore of a mutex and a condition variable. */
typedef struct semaphore {
    pthread_mutex_t mutex;
    pthread_cond_t room;
    unsigned inside, waiting;
} semaphore;

static void *make_semaphore(void)
{
    semaphore *const s = calloc(1, sizeof *s);
    (void)pthread_mutex_init(&s->mutex, NULL);
    (void)pthread_cond_init(&s->room, NULL);
    return s;
}

static void pass_semaphore(void *subject)
{
    semaphore *const s = subject;
    (void)pthread_mutex_lock(&s->mutex);
    s->waiting++;
    while (s->inside == INSIDE_MAX)
        (void)pthread_cond_wait(&s->room, &s->mutex);
    s->waiting--;
    s->inside++;
    (void)pthread_mutex_unlock(&s->mutex);

    (void)pthread_mutex_lock(&s->mutex);
    s->inside--;
    if (s->waiting != 0)
        (void)pthread_cond_signal(&s->room);
    (void)pthread_mutex_unlock(&s->mutex);
}

/* ---- breaker ------------------------------------------------------------ */

/* A call that succeeds: asked, done, told. */
static void *make_breaker(void)
{
    girt_breaker *breaker = NULL;
    (void)girt_breaker_create(&breaker, NULL);
    return breaker;
}

static void pass_breaker(void *breaker)
{
    girt_permit permit;
    if (girt_breaker_enter(breaker, &permit) == GIRT_OK)
        girt_breaker_leave(breaker, &permit, GIRT_SUCCESS);
}

/* The record alone: a call that was let through before. */
static void tell_breaker(void *breaker)
{
    static _Thread_local girt_permit held;
    girt_permit permit = held;
    if (permit.generation == 0) {
        (void)girt_breaker_enter(breaker, &held);
        permit.generation = held.generation;
    }
    girt_breaker_leave(breaker, &permit, GIRT_SUCCESS);
}

static void free_breaker(void *breaker)
{
    girt_breaker_destroy(breaker);
}

/* The same with ten slices under one mutex, and the same cheap clock. */
enum { SLICES = 10 };

typedef struct window {
    pthread_mutex_t mutex;
    int64_t slice;
    bool open;
    uint64_t calls, failures;
    uint64_t each[SLICES][2];
} window;

static void *make_window(void)
{
    window *const w = calloc(1, sizeof *w);
    (void)pthread_mutex_init(&w->mutex, NULL);
    return w;
}

static void record_in_window(window *w, int64_t now_ns, bool failed)
{
    int64_t const slice = now_ns / 1000000000;
    for (int i = 0; w->slice < slice && i < SLICES; i++) {
        w->slice =
            w->slice + SLICES < slice ? slice - SLICES + 1 : w->slice + 1;
        uint64_t *const old = w->each[w->slice % SLICES];
        w->calls -= old[0];
        w->failures -= old[1];
        old[0] = old[1] = 0;
    }
    w->calls++;
    w->each[slice % SLICES][0]++;
    w->failures += failed;
    w->each[slice % SLICES][1] += failed;
    if (w->calls >= 100 && (double)w->failures >= 0.5 * (double)w->calls)
        w->open = true;
}

static void pass_window(void *subject)
{
    window *const w = subject;
    (void)pthread_mutex_lock(&w->mutex);
    bool const open = w->open;
    (void)pthread_mutex_unlock(&w->mutex);
    if (open)
        return;
    int64_t const now_ns = girt_clock_coarse.now_ns(NULL);
    (void)pthread_mutex_lock(&w->mutex);
    record_in_window(w, now_ns, false);
    (void)pthread_mutex_unlock(&w->mutex);
}

/* As kind to the mutex as can be: nothing is asked, the call is only told. */
static void tell_window(void *subject)
{
    window *const w = subject;
    int64_t const now_ns = girt_clock_coarse.now_ns(NULL);
    (void)pthread_mutex_lock(&w->mutex);
    record_in_window(w, now_ns, false);
    (void)pthread_mutex_unlock(&w->mutex);
}

static void run(const bench_suite *suite, const bench_options *options)
{
    const bench_contestant bulkheads[] = {
        {"girt_bulkhead", GIRT_VERSION, false, measure,
         &(const contest){make_bulkhead, pass_bulkhead, free_bulkhead}},
        {"mutex and condition variable", "", true, measure,
         &(const contest){make_semaphore, pass_semaphore, free}},
    };
    const bench_contestant breakers[] = {
        {"girt_breaker", GIRT_VERSION, false, measure,
         &(const contest){make_breaker, pass_breaker, free_breaker}},
        {"window under a mutex", "", true, measure,
         &(const contest){make_window, pass_window, free}},
    };
    const bench_contestant records[] = {
        {"girt_breaker", GIRT_VERSION, false, measure,
         &(const contest){make_breaker, tell_breaker, free_breaker}},
        {"window under a mutex", "", true, measure,
         &(const contest){make_window, tell_window, free}},
    };
    for (unsigned threads = 1; threads <= 2; threads++) {
        bench_row(suite, options, "breaker: enter and record", threads, "ns",
                  breakers, sizeof breakers / sizeof *breakers, &threads);
        bench_row(suite, options, "breaker: record alone", threads, "ns",
                  records, sizeof records / sizeof *records, &threads);
        bench_row(suite, options, "bulkhead: enter and leave", threads, "ns",
                  bulkheads, sizeof bulkheads / sizeof *bulkheads, &threads);
    }
}

const bench_suite bench_guard_suite = {"guard", "what a guard costs a call", 5,
                                       run};
