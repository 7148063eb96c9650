/* SPDX-License-Identifier: MIT */
/* scheduler_internal.h - what the parts of the scheduler share. */
#ifndef GIRT_TESTS_SCHEDULER_INTERNAL_H
#define GIRT_TESTS_SCHEDULER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "schedule/support/fiber.h"
#include "schedule/support/scheduler.h"
#include "support/rng.h"

#define FOREVER INT64_MAX

typedef enum thread_status {
    RUNNABLE,
    WAITING, /* on `address`, or asleep when it is NULL */
    STOPPED,
    ENDED
} thread_status;

typedef struct thread {
    fiber *fiber;
    thread_status status;
    const volatile void *address; /* of the futex, mutex or condition */
    int64_t deadline_ns;
    bool timed_out;
    int64_t priority;
    size_t steps;  /* of this thread in this run */
    size_t streak; /* since another last ran, or it last slept */
    bool may_stop; /* and is counted for that */
    void *(*start)(void *argument); /* of a thread that another made */
    void *argument;
} thread;

typedef struct scheduler {
    const schedule *scenario;
    thread threads[SCHEDULE_THREADS_MAX];
    size_t count;    /* of them: the scenario's, and those that they made */
    thread *current; /* NULL outside of a run */
    rng rng;
    bool active;   /* from setup to check */
    bool aborting; /* a run failed, its threads are abandoned */
    unsigned held; /* no switches while not 0 */
    size_t steps;
    int64_t now_ns;
    uint64_t trace;
    /* drawn from the seed */
    bool pct, plain, buffers, weak, timeouts, signals;
    uint32_t switch_chance; /* of 1024, at an atomic access */
    uint32_t plain_chance;  /* of 1024, at a plain access */
    size_t changes[4];      /* PCT: the steps that lower a priority */
    int64_t lowest;
    size_t stop_thread, stop_step;
    schedule_result result;
} scheduler;

extern scheduler sched;

static inline bool sched_on(void)
{
    return sched.current != NULL && sched.held == 0;
}

/* What a fiber runs. */
void sched_thread_entry(void);
/* One run. false: it failed. *reached: the thread to stop came to its step. */
bool sched_run(uint64_t seed, size_t stop_thread, size_t stop_step,
               bool *reached);
/* All runs that the scenario asks for, or the one of GIRT_SCHEDULE. */
schedule_result schedule_run_all(const schedule *s, uint64_t base);
/* A place where the current thread may have to wait for its turn. `kind` and
 * `size` go into the trace. */
void sched_point(uint32_t kind, size_t size);
/* The current thread sleeps until woken or the deadline; false: deadline. */
bool sched_wait(const volatile void *address, int64_t deadline_ns);
/* Wakes up to `count` that wait on the address; how many. */
size_t sched_wake(const volatile void *address, size_t count);
/* A thread more, as pthread_create; its index, or -1. It waits for its turn;
 * sched_wait on its address in `threads` waits for its end. */
int sched_spawn(void *(*start)(void *argument), void *argument);
/* Gives way to any other. */
void sched_give_way(void);

/* store_buffer.c */
typedef struct buffered {
    uintptr_t address;
    uint64_t value;
    size_t size;
} buffered;
void buffer_reset(void);
void buffer_put(volatile void *address, uint64_t value, size_t size);
/* The current thread's last store to exactly this word. */
bool buffer_find(const volatile void *address, size_t size, uint64_t *value);
void buffer_drain(const thread *t);
void buffer_drain_current(void);
void buffer_drain_all(void);
/* Commits some of the oldest stores, as the seed says. */
void buffer_leak(void);
/* Drains when the range holds a word that waits in the current's buffer. */
void buffer_touch(const volatile void *address, size_t size);

/* weak_memory.c: with sched.weak, in a run. */
void weak_reset(void);
void weak_store(volatile void *address, const void *value, size_t size,
                int order);
/* false: what memory holds is all there is. */
bool weak_load(const volatile void *address, void *value, size_t size,
               int order);
void weak_change_begin(const volatile void *address, size_t size, int order);
void weak_change_end(volatile void *address, const void *value, size_t size,
                     int order);
void weak_fence(int order);
/* Both ways with all others that call it: locks and system calls. */
void weak_sync(void);
/* The same for another thread, wherever it is. */
void weak_sync_other(size_t thread);
void weak_forget(const volatile void *address, size_t size);

/* A full fence of what is not instrumented: buffers out, clocks joined. */
static inline void sched_full_fence(void)
{
    if (sched.current == NULL)
        return;
    buffer_drain_current();
    if (sched.weak)
        weak_sync();
}

/* virtual_heap.c */
void heap_reset(bool abandon);
void heap_check(const volatile void *address, size_t size);

/* virtual_pthread.c */
void keys_reset(void);
void keys_run_destructors(void);

#endif /* GIRT_TESTS_SCHEDULER_INTERNAL_H */
