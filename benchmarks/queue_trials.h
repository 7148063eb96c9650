/* SPDX-License-Identifier: MIT */
/* queue_trials.h - what is not a rate: threads that stop, windows of time, idle
 * CPU, round trips.  A part of queue_driver.h. */
#ifndef GIRT_QUEUE_TRIALS_H
#define GIRT_QUEUE_TRIALS_H

#include <signal.h>
#include <time.h>

enum { QUEUE_TRIPS_MAX = 1 << 20, QUEUE_STOPS = 60, QUEUE_WINDOWS = 20 };

/* A stopped thread: inside its signal handler, wherever it was. */
static bool queue_is_held, queue_may_go;

static void queue_hold(int signal)
{
    (void)signal;
    struct timespec const moment = {0, 200000};
    __atomic_store_n(&queue_is_held, true, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&queue_may_go, __ATOMIC_SEQ_CST))
        (void)nanosleep(&moment, NULL);
    __atomic_store_n(&queue_is_held, false, __ATOMIC_SEQ_CST);
}

static void queue_note_victim(const bench_member *member, queue_run *run)
{
    unsigned const victim = run->c->trial == QUEUE_STOP_PRODUCER ? 0
                            : run->c->trial == QUEUE_STOP_CONSUMER
                                ? run->c->producers
                                : UINT32_MAX;
    if (member->index != victim)
        return;
    run->victim = pthread_self();
    __atomic_store_n(&run->has_victim, true, __ATOMIC_RELEASE);
}

static void queue_sleep(double seconds)
{
    bench_sleep_until(bench_now() + (int64_t)(seconds * 1e9));
}

/* Items a second while `seconds` pass. */
static double queue_rate_over(const bench_crew *crew, double seconds)
{
    uint64_t const before = bench_operations(crew);
    int64_t const from = bench_now();
    queue_sleep(seconds);
    return (double)(bench_operations(crew) - before) * 1e9 /
           (double)(bench_now() - from);
}

static void queue_await(const bool *flag, bool value)
{
    while (__atomic_load_n(flag, __ATOMIC_SEQ_CST) != value)
        queue_sleep(0.0001);
}

/* Stops the victim at many moments, 5 ms each; where the others then fall
 * under a tenth of their speed, and the last time in any case, it stays for
 * 300 ms.  The worst of those counts: how many times slower the others were. */
static double queue_watch_stops(const bench_team *team, const bench_crew *crew)
{
    queue_run *const run = (queue_run *)team->context;
    double const stop_s = team->seconds < 0.1 ? team->seconds : 0.3;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = queue_hold;
    action.sa_flags = SA_RESTART;
    (void)sigaction(SIGUSR1, &action, NULL);
    queue_await(&run->has_victim, true);
    queue_sleep(team->seconds / 5);
    double const before = queue_rate_over(crew, stop_s);
    double worst = before > 0 ? 0 : BENCH_STOOD_STILL;
    unsigned long_stops = 0;
    for (unsigned i = 0; i < QUEUE_STOPS && long_stops < 4 && worst >= 0; i++) {
        __atomic_store_n(&queue_may_go, false, __ATOMIC_SEQ_CST);
        (void)pthread_kill(run->victim, SIGUSR1);
        queue_await(&queue_is_held, true);
        bool const slow = queue_rate_over(crew, stop_s / 60) < before / 10;
        if (slow || i + 1 == QUEUE_STOPS) {
            double const during = queue_rate_over(crew, stop_s);
            long_stops++;
            if (during == 0)
                worst = BENCH_STOOD_STILL;
            else if (before / during > worst)
                worst = before / during;
        }
        __atomic_store_n(&queue_may_go, true, __ATOMIC_SEQ_CST);
        queue_await(&queue_is_held, false);
        queue_sleep(0.0007 + 0.00001 * i);
    }
    return worst;
}

static int queue_compare_trips(const void *a, const void *b)
{
    uint32_t const x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Windows of 100 ms for two seconds, after a fifth of warm-up. */
static double queue_watch_windows(const bench_team *team,
                                  const bench_crew *crew)
{
    double const window_s = team->seconds < 0.1 ? team->seconds / 10 : 0.1;
    uint32_t windows[QUEUE_WINDOWS];
    queue_sleep(window_s * 4);
    for (unsigned i = 0; i < QUEUE_WINDOWS; i++)
        windows[i] = (uint32_t)(queue_rate_over(crew, window_s) / 100);
    qsort(windows, QUEUE_WINDOWS, sizeof *windows, queue_compare_trips);
    return windows[0] == 0
               ? BENCH_STOOD_STILL
               : (double)windows[QUEUE_WINDOWS / 2] / (double)windows[0];
}

/* Milliseconds of CPU that the process took in two seconds. */
static double queue_watch_idle(const bench_team *team, const bench_crew *crew)
{
    (void)crew;
    struct timespec before, after;
    queue_sleep(0.02);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    queue_sleep(team->seconds < 0.1 ? team->seconds : 2);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return (double)(after.tv_sec - before.tv_sec) * 1e3 +
           (double)(after.tv_nsec - before.tv_nsec) / 1e6;
}

typedef double (*queue_watch)(const bench_team *team, const bench_crew *crew);

static queue_watch queue_watch_of(queue_trial trial)
{
    switch (trial) {
    case QUEUE_STOP_PRODUCER:
    case QUEUE_STOP_CONSUMER:
        return queue_watch_stops;
    case QUEUE_WORST_WINDOW:
        return queue_watch_windows;
    case QUEUE_IDLE:
        return queue_watch_idle;
    default:
        return NULL;
    }
}

/* Round trips: one item under way, each side spins or waits for it. */
static bool queue_send(const queue_run *run, void *queue, void *item)
{
#ifdef QUEUE_WAITS
    if (run->c->waits)
        return queue_push(queue, 0, item);
#endif
    (void)run;
    return queue_try_push(queue, 0, item);
}

static bool queue_receive(bench_member *member, const queue_run *run,
                          void *queue, void **item)
{
#ifdef QUEUE_WAITS
    if (run->c->waits)
        return queue_pop(queue, 0, item);
#endif
    (void)run;
    for (unsigned misses = 1; !queue_try_pop(queue, 0, item); misses++) {
        bench_pause();
        if (misses % 1024 == 0) {
            if (bench_stopped(member))
                return false;
            sched_yield();
        }
    }
    return true;
}

static void queue_trip_client(bench_member *member, queue_run *run)
{
    void *item = queue_item(1);
    int64_t last = bench_now();
    while (!bench_stopped(member)) {
        if (!queue_send(run, run->queue, item) ||
            !queue_receive(member, run, run->back, &item))
            return;
        int64_t const now = bench_now();
        run->trips[run->trip_count % QUEUE_TRIPS_MAX] = (uint32_t)(now - last);
        run->trip_count++;
        last = now;
    }
}

static void queue_trip_server(bench_member *member, queue_run *run)
{
    void *item = NULL;
    while (queue_receive(member, run, run->queue, &item) &&
           queue_send(run, run->back, item))
        continue;
}

/* The first fifth warms up. */
static double queue_trip_quantile(const queue_run *run)
{
    size_t const count = run->trip_count < QUEUE_TRIPS_MAX
                             ? run->trip_count - run->trip_count / 5
                             : (size_t)QUEUE_TRIPS_MAX;
    uint32_t *const trips = run->trip_count < QUEUE_TRIPS_MAX
                                ? run->trips + run->trip_count / 5
                                : run->trips;
    if (count == 0)
        return BENCH_STOOD_STILL;
    qsort(trips, count, sizeof *trips, queue_compare_trips);
    return trips[(size_t)((double)(count - 1) * run->c->quantile)];
}

#endif /* GIRT_QUEUE_TRIALS_H */
