/* SPDX-License-Identifier: MIT */
/* scheduler.c - one run: who goes on at each step, and when it has failed. */
#include "schedule/support/scheduler.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "schedule/support/scheduler_internal.h"

#define STEP_NS      10
#define STREAK_MAX   150 /* a thread that spins loses its priority after this */
#define FIRST_NOW_NS ((int64_t)1000 * 1000000000)

scheduler sched;

/* --- choosing ---------------------------------------------------------- */

static size_t index_of(const thread *t)
{
    return (size_t)(t - sched.threads);
}

static bool chance(uint32_t of_1024)
{
    return (rng_next(&sched.rng) & 1023) < of_1024;
}

static void expire(thread *t)
{
    t->timed_out = true;
    t->status = RUNNABLE;
    if (sched.now_ns < t->deadline_ns)
        sched.now_ns = t->deadline_ns;
}

/* The waiting thread whose deadline is next; NULL: none has one. */
static thread *next_deadline(void)
{
    thread *first = NULL;
    for (size_t i = 0; i < sched.count; i++) {
        thread *const t = &sched.threads[i];
        if (t->status == WAITING && t->deadline_ns != FOREVER &&
            (first == NULL || t->deadline_ns < first->deadline_ns))
            first = t;
    }
    return first;
}

static void pass_deadlines(void)
{
    thread *t;
    while ((t = next_deadline()) != NULL && t->deadline_ns <= sched.now_ns)
        expire(t);
    if (t != NULL && sched.timeouts && chance(16))
        expire(t);
}

static thread *random_runnable(const thread *but)
{
    thread *found[SCHEDULE_THREADS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < sched.count; i++)
        if (sched.threads[i].status == RUNNABLE && &sched.threads[i] != but)
            found[count++] = &sched.threads[i];
    return count == 0 ? NULL : found[rng_below(&sched.rng, count)];
}

static thread *highest_priority(void)
{
    thread *best = NULL;
    for (size_t i = 0; i < sched.count; i++) {
        thread *const t = &sched.threads[i];
        if (t->status == RUNNABLE &&
            (best == NULL || t->priority > best->priority))
            best = t;
    }
    return best;
}

/* Who runs next; NULL: nobody can without a deadline passing. */
static thread *choose(void)
{
    thread *const t = sched.pct ? highest_priority() : random_runnable(NULL);
    if (t != NULL)
        return t;
    buffer_drain_all();
    thread *const sleeper = next_deadline();
    if (sleeper != NULL)
        expire(sleeper);
    return sleeper;
}

/* --- switching --------------------------------------------------------- */

static void switch_to(thread *next)
{
    thread *const from = sched.current;
    if (from == next)
        return;
    if (next != NULL)
        next->streak = 0;
    sched.current = next;
    fiber_switch(from == NULL ? fiber_main() : from->fiber,
                 next == NULL ? fiber_main() : next->fiber);
}

/* The first failure of a run is the one told. A thread never comes back. */
static void end_run(void)
{
    sched.result.failed = true;
    if (sched.current != NULL) {
        sched.aborting = true;
        switch_to(NULL);
    }
}

void schedule_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    if (!sched.result.failed)
        (void)vsnprintf(sched.result.what, sizeof sched.result.what, format,
                        arguments);
    va_end(arguments);
    end_run();
}

void schedule_fail_at(int line, const char *condition, const char *format, ...)
{
    char reason[160];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    schedule_fail("%s (line %d: %.80s)", reason, line, condition);
}

void sched_point(uint32_t kind, size_t size)
{
    thread *const t = sched.current;
    if (t == NULL || sched.held != 0)
        return;
    sched.steps++;
    t->steps++;
    t->streak++;
    sched.now_ns += STEP_NS;
    sched.trace =
        (sched.trace ^ (kind << 8 | size << 4 | index_of(t))) * 0x100000001b3u;
    if (sched.steps > sched.scenario->steps_max)
        schedule_fail("no progress in %zu steps", sched.scenario->steps_max);
    pass_deadlines();
    if (sched.buffers)
        buffer_leak();
    if (sched.stop_step != 0 && index_of(t) == sched.stop_thread &&
        t->steps == sched.stop_step && t->may_stop) {
        buffer_drain(t);
        t->status = STOPPED;
        sched.steps = 0; /* the others' bound starts here */
        switch_to(choose());
        return;
    }
    if (sched.pct) {
        bool lower = t->streak > STREAK_MAX;
        for (size_t i = 0; i < sizeof sched.changes / sizeof *sched.changes;
             i++)
            lower |= sched.steps == sched.changes[i];
        if (lower)
            t->priority = --sched.lowest;
        if (lower || kind != 0)
            switch_to(highest_priority());
    } else if (chance(kind == 0 ? sched.plain_chance : sched.switch_chance)) {
        switch_to(random_runnable(NULL));
    }
}

bool sched_wait(const volatile void *address, int64_t deadline_ns)
{
    thread *const t = sched.current;
    sched.result.sleeps++;
    sched_full_fence();
    t->status = WAITING;
    t->address = address;
    t->deadline_ns = deadline_ns;
    t->timed_out = false;
    switch_to(choose());
    t->address = NULL;
    sched_full_fence();
    return !t->timed_out;
}

size_t sched_wake(const volatile void *address, size_t count)
{
    size_t woken = 0;
    size_t const threads = sched.count;
    size_t const start = rng_below(&sched.rng, threads);
    for (size_t i = 0; i < threads && woken < count; i++) {
        thread *const t = &sched.threads[(start + i) % threads];
        if (t->status != WAITING || t->address != address)
            continue;
        t->status = RUNNABLE;
        woken++;
    }
    return woken;
}

void sched_give_way(void)
{
    thread *const t = sched.current;
    sched_point(1, 0);
    t->priority = --sched.lowest;
    thread *const other = sched.pct ? highest_priority() : random_runnable(t);
    if (other != NULL)
        switch_to(other);
    else if (next_deadline() != NULL)
        sched.now_ns += 1000; /* nobody else: time passes */
}

void schedule_stop_from_here(void)
{
    if (sched.current == NULL)
        return;
    sched.current->steps = 0;
    sched.current->may_stop = true;
}

bool schedule_failed(void)
{
    return sched.result.failed;
}

void schedule_yield(void)
{
    if (sched_on())
        sched_give_way();
}

size_t schedule_self(void)
{
    return sched.current == NULL ? 0 : index_of(sched.current);
}

uint64_t schedule_random(uint64_t bound)
{
    return rng_below(&sched.rng, bound);
}

int64_t schedule_now(void)
{
    return sched.now_ns;
}

uint64_t schedule_steps(void)
{
    return sched.steps;
}

/* --- one run ----------------------------------------------------------- */

void sched_thread_entry(void)
{
    thread *const t = sched.current;
    if (sched.weak)
        weak_sync(); /* with who made it */
    if (t->start != NULL)
        (void)t->start(t->argument);
    else
        sched.scenario->body(sched.scenario->context, index_of(t));
    t->may_stop = false;
    keys_run_destructors();
    if (sched.weak)
        weak_sync();
    t->status = ENDED; /* its last stores may wait on */
    (void)sched_wake(t, SCHEDULE_THREADS_MAX);
    switch_to(choose());
    abort(); /* an ended thread is never chosen */
}

static void draw(uint64_t seed)
{
    unsigned const flags = sched.scenario->flags;
    sched.rng = (rng){seed};
    uint64_t const bits = rng_next(&sched.rng);
    bool const stops = sched.stop_step != 0;
    sched.pct = (bits & 1) != 0;
    sched.plain =
        (stops || (bits >> 1 & 3) == 0) && !(flags & SCHEDULE_NO_PLAIN);
    sched.buffers = (bits >> 3 & 3) == 0 && !(flags & SCHEDULE_IN_ORDER);
    sched.weak = (bits >> 3 & 3) == 1 && !(flags & SCHEDULE_IN_ORDER);
    sched.timeouts = (bits >> 5 & 3) == 0 && !(flags & SCHEDULE_NO_TIMEOUTS);
    sched.signals = (bits >> 7 & 3) == 0 || (flags & SCHEDULE_SIGNALS);
    sched.switch_chance = 512u >> (bits >> 9 & 0xff) % 6;
    sched.plain_chance = sched.switch_chance / (1u << (bits >> 17 & 3));
    size_t const span = (size_t)32 << (bits >> 19 & 0xff) % 7;
    for (size_t i = 0; i < sizeof sched.changes / sizeof *sched.changes; i++)
        sched.changes[i] = 1 + rng_below(&sched.rng, span);
    sched.lowest = 0;
}

static void start_threads(void)
{
    size_t const count = sched.scenario->threads;
    sched.count = count;
    for (size_t i = 0; i < count; i++) {
        sched.threads[i] = (thread){.status = RUNNABLE};
        sched.threads[i].may_stop =
            (sched.scenario->flags & SCHEDULE_STOPS_LATER) == 0;
        sched.threads[i].fiber = fiber_prepare(i, sched_thread_entry);
        sched.threads[i].priority = (int64_t)(1 + i);
    }
    for (size_t i = count; i-- > 1;) { /* Fisher-Yates */
        size_t const j = rng_below(&sched.rng, i + 1);
        int64_t const priority = sched.threads[i].priority;
        sched.threads[i].priority = sched.threads[j].priority;
        sched.threads[j].priority = priority;
    }
}

int sched_spawn(void *(*start)(void *argument), void *argument)
{
    if (sched.count == SCHEDULE_THREADS_MAX)
        return -1;
    size_t const i = sched.count++;
    sched.threads[i] = (thread){.status = RUNNABLE, .may_stop = true};
    sched.threads[i].start = start;
    sched.threads[i].argument = argument;
    sched.threads[i].fiber = fiber_prepare(i, sched_thread_entry);
    sched.threads[i].priority = --sched.lowest;
    return (int)i;
}

/* true: all ended. */
static bool run_until_nobody_can(void)
{
    size_t ended = 0, asleep = 0;
    switch_to(choose());
    if (sched.aborting)
        return false;
    size_t const count = sched.count;
    for (size_t i = 0; i < count; i++) {
        ended += sched.threads[i].status == ENDED;
        asleep += sched.threads[i].status == WAITING;
    }
    if (asleep != 0)
        schedule_fail("%zu of %zu threads sleep and nobody is left to wake "
                      "them%s",
                      asleep, count,
                      ended + asleep < count ? " but the stopped one" : "");
    return ended == count;
}

static void run_threads(void)
{
    start_threads();
    if (run_until_nobody_can() || sched.result.failed)
        return;
    /* One is stopped; the others did not need it. */
    thread *const stopped = &sched.threads[sched.stop_thread];
    if (sched.scenario->check_stopped != NULL)
        sched.scenario->check_stopped(sched.scenario->context,
                                      sched.stop_thread);
    stopped->status = RUNNABLE;
    sched.stop_step = 0;
    sched.steps = 0;
    (void)run_until_nobody_can();
}

bool sched_run(uint64_t seed, size_t stop_thread, size_t stop_step,
               bool *reached)
{
    schedule_result *const r = &sched.result;
    r->seed = seed;
    r->stop_thread = stop_thread;
    r->stop_step = stop_step;
    r->runs++;
    sched.stop_thread = stop_thread;
    sched.stop_step = stop_step;
    sched.steps = 0;
    sched.trace = 0xcbf29ce484222325u;
    sched.now_ns = FIRST_NOW_NS;
    sched.aborting = false;
    draw(seed);
    buffer_reset();
    weak_reset();
    keys_reset();
    sched.active = true;
    if (sched.scenario->setup != NULL)
        sched.scenario->setup(sched.scenario->context);
    run_threads();
    r->steps += sched.steps;
    *reached = stop_step != 0 && sched.stop_step == 0;
    if (!r->failed && sched.scenario->check != NULL)
        sched.scenario->check(sched.scenario->context);
    sched.active = false;
    heap_reset(r->failed);
    return !r->failed;
}
