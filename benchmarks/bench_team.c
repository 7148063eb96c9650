/* SPDX-License-Identifier: MIT */
/* bench_team.c - running a team by the clock. */
#include "bench_team.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

typedef struct seat {
    bench_member member;
    const bench_team *team;
    pthread_barrier_t *start;
    pthread_t thread;
} seat;

struct bench_crew {
    const seat *seats;
    unsigned size;
};

static bool counts_cpu;

static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t bench_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t bench_own_now(void)
{
    return read_clock(counts_cpu ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC);
}

void bench_by_cpu(bool by_cpu)
{
    counts_cpu = by_cpu;
}

/* The time that a rate is taken over. */
static double elapsed_ns(const bench_team *team, int64_t since_ns)
{
    if (!counts_cpu)
        return (double)(bench_now() - since_ns);
    long const cpus = sysconf(_SC_NPROCESSORS_ONLN);
    long const busy = team->busy > 0 ? team->busy : team->size;
    return (double)(read_clock(CLOCK_PROCESS_CPUTIME_ID) - since_ns) /
           (double)(busy < cpus ? busy : cpus);
}

void bench_pin(unsigned cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu % (unsigned)sysconf(_SC_NPROCESSORS_ONLN), &set);
    (void)pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

static void *run_seat(void *argument)
{
    seat *const s = argument;
    if (s->team->pinned)
        bench_pin(s->member.index);
    (void)pthread_barrier_wait(s->start);
    s->team->body(&s->member);
    return NULL;
}

void bench_sleep_until(int64_t then_ns)
{
    struct timespec const at = {then_ns / 1000000000, then_ns % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
        continue;
}

uint64_t bench_operations(const bench_crew *crew)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < crew->size; i++)
        sum += __atomic_load_n(&crew->seats[i].member.operations,
                               __ATOMIC_RELAXED);
    return sum;
}

static double watch_rate(const bench_team *team, const bench_crew *crew)
{
    int64_t const whole = (int64_t)(team->seconds * 1e9);
    int64_t const begun = bench_now();
    bench_sleep_until(begun + whole / 5);
    int64_t const from =
        counts_cpu ? read_clock(CLOCK_PROCESS_CPUTIME_ID) : bench_now();
    uint64_t const before = bench_operations(crew);
    bench_sleep_until(begun + whole);
    double const time = elapsed_ns(team, from);
    uint64_t const after = bench_operations(crew);
    return after > before ? time / (double)(after - before) : BENCH_STOOD_STILL;
}

double bench_team_run(const bench_team *team)
{
    bool stopped = false;
    pthread_barrier_t start;
    seat *const seats = aligned_alloc(128, sizeof *seats * team->size);
    if (seats == NULL ||
        pthread_barrier_init(&start, NULL, team->size + 1) != 0) {
        perror("girt-bench");
        exit(1);
    }
    for (unsigned i = 0; i < team->size; i++) {
        seats[i] = (seat){.member = {team->context, i, &stopped, 0},
                          .team = team,
                          .start = &start};
        if (pthread_create(&seats[i].thread, NULL, run_seat, &seats[i]) != 0) {
            perror("girt-bench");
            exit(1);
        }
    }
    (void)pthread_barrier_wait(&start);
    bench_crew const crew = {seats, team->size};
    double const result = team->watch != NULL ? team->watch(team, &crew)
                                              : watch_rate(team, &crew);

    __atomic_store_n(&stopped, true, __ATOMIC_RELEASE);
    if (team->stop != NULL)
        team->stop(team->context);
    for (unsigned i = 0; i < team->size; i++)
        (void)pthread_join(seats[i].thread, NULL);
    (void)pthread_barrier_destroy(&start);
    free(seats);
    return result;
}
