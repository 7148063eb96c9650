/* SPDX-License-Identifier: MIT */
/* scheduler.h - many interleavings of a few threads, each from a seed.
 *
 * The library and the test are compiled with -fsanitize=thread, which puts a
 * call before every access to shared memory, and are linked with this in place
 * of libtsan.  One thread runs at a time; at each atomic access the seed says
 * who goes on.  The same seed gives the same run, access by access.
 *
 * What a run may vary, all from its seed:
 *   policy      a random walk, or PCT priorities [Burckhardt et al. 2010]
 *   plain       switches at plain accesses too, not at atomic ones only
 *   buffers     stores wait in a buffer of the thread, as on x86 (TSO): finds a
 *               missing store-load fence
 *   weak        a load may see an older value, as C11 allows and arm64 does:
 *               finds a missing acquire or release
 *   timeouts    a deadline may pass although others could go on; a futex wait
 *               may end as if by a signal
 *
 * What ends a run as failed: schedule_check, an assertion of the library, all
 * threads asleep without a deadline (a lost wake-up), too many steps (nobody
 * makes progress), an access to released memory, a double release. */
#ifndef GIRT_TESTS_SCHEDULER_H
#define GIRT_TESTS_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCHEDULE_THREADS_MAX 8

enum {
    SCHEDULE_IN_ORDER = 1,     /* sequentially consistent runs only */
    SCHEDULE_NO_PLAIN = 2,     /* switches at atomic accesses only */
    SCHEDULE_NO_TIMEOUTS = 4,  /* deadlines pass only when all wait */
    SCHEDULE_SIGNALS = 8,      /* futex waits end early now and then */
    SCHEDULE_STOPS_LATER = 16, /* no stop before schedule_stop_from_here */
};

typedef struct schedule {
    const char *name; /* of the scenario, for replays; no spaces or colons */
    size_t threads;
    size_t runs;      /* through scaled(); 0: 2000 */
    size_t steps_max; /* of one run, when it counts as stuck; 0: 20000 */
    unsigned flags;
    void *context;
    void (*setup)(void *context);               /* before each run, alone */
    void (*body)(void *context, size_t thread); /* the threads */
    void (*check)(void *context);               /* after each run, alone */
    /* Also run with one of the threads below this count stopped at its first
     * step, its second, ... until it ends before: the others must all end
     * within steps_max. It then goes on, and check runs. 0: none. */
    size_t stopped_threads;
    /* Called when the others ended, before the stopped one goes on. */
    void (*check_stopped)(void *context, size_t thread);
} schedule;

typedef struct schedule_result {
    bool failed;
    char what[256];
    uint64_t seed;
    size_t stop_thread, stop_step; /* step 0: none was stopped */
    size_t runs;                   /* made, the failed one included */
    uint64_t steps;                /* of all runs */
    uint64_t sleeps;               /* of all threads in all runs */
} schedule_result;

/* Runs until the first failure. GIRT_SCHEDULE="name:seed:thread:step" in the
 * environment replays one run of one scenario; others are passed over. */
schedule_result schedule_explore(const schedule *s);

/* A cmocka failure, with what to type to see it again. */
void schedule_must_pass(const schedule *s);
/* A cmocka failure unless some run fails with `what` in its message. */
void schedule_must_fail(const schedule *s, const char *what);

/* One run; its trace is a hash of who did what in which order. */
uint64_t schedule_trace(const schedule *s, uint64_t seed);

/* membarrier(2) answers ENOSYS, from the next run on. */
extern bool schedule_without_membarrier;

/* In body and check: the run has failed; body does not go on. */
void schedule_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
void schedule_fail_at(int line, const char *condition, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define schedule_check(condition, ...)                                         \
    do {                                                                       \
        if (!(condition))                                                      \
            schedule_fail_at(__LINE__, #condition, __VA_ARGS__);               \
    } while (0)

bool schedule_failed(void);

/* In body: the steps at which this thread may be stopped count from here on,
 * for what a thread does once in its life under a lock. With
 * SCHEDULE_STOPS_LATER; no thread is stopped after its body returned. */
void schedule_stop_from_here(void);

/* In body: lets the others go on. Called by sched_yield() too. */
void schedule_yield(void);
/* In body: which thread this is; outside 0. */
size_t schedule_self(void);

/* A number from the run's seed, below `bound`; in setup, body or check. */
uint64_t schedule_random(uint64_t bound);

/* The virtual monotonic clock that clock_gettime reads during a run. */
int64_t schedule_now(void);

/* Steps of all threads so far in this run: a time stamp for histories. */
uint64_t schedule_steps(void);

#endif /* GIRT_TESTS_SCHEDULER_H */
