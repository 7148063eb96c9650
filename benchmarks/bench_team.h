/* SPDX-License-Identifier: MIT */
/* bench_team.h - the threads of one run: started together, pinned, stopped by
 * time, their operations counted after a warm-up. */
#ifndef GIRT_BENCH_TEAM_H
#define GIRT_BENCH_TEAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct __attribute__((aligned(128))) bench_member {
    void *context;       /* the run's */
    unsigned index;      /* 0 and up */
    const bool *stopped; /* the team's */
    uint64_t operations; /* so far; through bench_count */
} bench_member;

/* Has the time come to return?  Ask every few dozen operations. */
static inline bool bench_stopped(const bench_member *member)
{
    return __atomic_load_n(member->stopped, __ATOMIC_RELAXED);
}

/* Adds to what this member has done. */
static inline void bench_count(bench_member *member, uint64_t operations)
{
    __atomic_store_n(&member->operations, member->operations + operations,
                     __ATOMIC_RELAXED);
}

typedef struct bench_crew bench_crew; /* a team at work */

typedef struct bench_team {
    unsigned size;
    unsigned busy; /* of them, those that count and do not sleep; 0: all */
    bool pinned;   /* member i to CPU i modulo the CPUs; else left alone */
    double seconds;
    void (*body)(bench_member *member); /* until bench_stopped */
    void (*stop)(void *context);        /* wakes sleepers at the end; or NULL */
    void *context;
    /* Called while the members work, in place of waiting out the time; what it
     * returns is the result.  NULL: operations are counted. */
    double (*watch)(const struct bench_team *team, const bench_crew *crew);
} bench_team;

/* Nanoseconds of wall time for each operation that all members counted after
 * the first fifth of the time; or what watch returned.  With bench_by_cpu the
 * CPU time of all members, divided by the CPUs that they could use: the same on
 * an idle machine for members that never sleep, and steadier on a busy one. */
double bench_team_run(const bench_team *team);

/* For all runs from now on. */
void bench_by_cpu(bool by_cpu);

/* Operations that the members have counted so far. */
uint64_t bench_operations(const bench_crew *crew);

/* Sleeps until the monotonic clock says `then`. */
void bench_sleep_until(int64_t then_ns);

/* Nanoseconds on the monotonic clock. */
int64_t bench_now(void);

/* The same, or with bench_by_cpu the calling thread's CPU time: what pauses of
 * its own are measured by. */
int64_t bench_own_now(void);

/* Pins the calling thread to a CPU, modulo their number. */
void bench_pin(unsigned cpu);

static inline void bench_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ __volatile__("isb" ::: "memory");
#endif
}

#ifdef __cplusplus
}
#endif

#endif /* GIRT_BENCH_TEAM_H */
