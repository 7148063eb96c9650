/* SPDX-License-Identifier: MIT */
/* bench_team.c - running a team by the clock. */
#include "bench_team.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

typedef struct seat {
    bench_member member;
    const bench_team *team;
    pthread_barrier_t *start;
    pthread_t thread;
} seat;

int64_t bench_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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

static void sleep_until(int64_t then)
{
    struct timespec const at = {then / 1000000000, then % 1000000000};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
        continue;
}

static uint64_t operations_so_far(const seat *seats, unsigned size)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < size; i++)
        sum += __atomic_load_n(&seats[i].member.operations, __ATOMIC_RELAXED);
    return sum;
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
    int64_t const whole = (int64_t)(team->seconds * 1e9);
    int64_t const begun = bench_now();
    sleep_until(begun + whole / 5);
    int64_t const from = bench_now();
    uint64_t const before = operations_so_far(seats, team->size);
    sleep_until(begun + whole);
    int64_t const to = bench_now();
    uint64_t const after = operations_so_far(seats, team->size);

    __atomic_store_n(&stopped, true, __ATOMIC_RELEASE);
    if (team->stop != NULL)
        team->stop(team->context);
    for (unsigned i = 0; i < team->size; i++)
        (void)pthread_join(seats[i].thread, NULL);
    (void)pthread_barrier_destroy(&start);
    free(seats);
    /* A contestant that stood still had one operation, for ever. */
    return (double)(to - from) / (double)(after > before ? after - before : 1);
}
