/* SPDX-License-Identifier: MIT */
/* explore.c - many runs of a scenario, each from a seed of its own, and one
 * run again. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "schedule/support/scheduler_internal.h"

#define STEPS_MAX 20000
#define ALARM_S   30

static void die(int signal)
{
    char line[400];
    const schedule_result *const r = &sched.result;
    int const size = snprintf(
        line, sizeof line,
        "\nschedule %s: signal %d%s; replay with "
        "GIRT_SCHEDULE=%s:0x%llx:%zu:%zu\n",
        sched.scenario->name, signal,
        signal == SIGALRM ? " (stuck where no access is instrumented)" : "",
        sched.scenario->name, (unsigned long long)r->seed, r->stop_thread,
        r->stop_step);
    if (size > 0 && write(2, line, (size_t)size) < 0)
        _exit(3);
    _exit(1);
}

static void catch_signals(bool on)
{
    static const int signals[] = {SIGSEGV, SIGBUS,  SIGFPE,
                                  SIGILL,  SIGABRT, SIGALRM};
    static char stack[65536];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
    (void)sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_flags = SA_ONSTACK | SA_RESETHAND};
    action.sa_handler = on ? die : SIG_DFL;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        (void)sigaction(signals[i], &action, NULL);
    (void)alarm(on ? ALARM_S : 0);
}

static bool stop_everywhere(uint64_t *seed)
{
    const schedule *const s = sched.scenario;
    size_t const last = sched.result.runs + s->runs;
    while (s->stopped_threads != 0 && sched.result.runs < last)
        for (size_t t = 0; t < s->stopped_threads; t++) {
            bool reached = true;
            for (size_t k = 1; reached; k++) {
                if (!sched_run(rng_next(&(rng){(*seed)++}), t, k, &reached))
                    return false;
                (void)alarm(ALARM_S);
            }
        }
    return true;
}

/* 1: one run to replay; 0: nothing asked; -1: of another scenario. */
static int parse_replay(const char *name, uint64_t *seed, size_t *stop_thread,
                        size_t *stop_step)
{
    const char *const wish = getenv("GIRT_SCHEDULE");
    if (wish == NULL)
        return 0;
    size_t const size = strlen(name);
    if (strncmp(wish, name, size) != 0 || wish[size] != ':')
        return -1;
    char *end;
    *seed = strtoull(wish + size + 1, &end, 0);
    *stop_thread = *end == ':' ? strtoul(end + 1, &end, 0) : 0;
    *stop_step = *end == ':' ? strtoul(end + 1, &end, 0) : 0;
    return 1;
}

static void explore(uint64_t seed)
{
    bool reached;
    for (size_t i = 0; i < sched.scenario->runs; i++) {
        if (!sched_run(rng_next(&(rng){seed++}), 0, 0, &reached))
            return;
        if (i % 64 == 0)
            (void)alarm(ALARM_S);
    }
    (void)stop_everywhere(&seed);
}

schedule_result schedule_run_all(const schedule *s, uint64_t base)
{
    schedule scenario = *s;
    scenario.runs = s->runs != 0 ? s->runs : 2000;
    scenario.steps_max = s->steps_max != 0 ? s->steps_max : STEPS_MAX;
    sched = (scheduler){.scenario = &scenario};
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        (void)fiber_prepare(i,
                            sched_thread_entry); /* made here, not in a run */
    catch_signals(true);
    uint64_t seed = 0;
    size_t stop_thread = 0, stop_step = 0;
    bool reached;
    int const replay = parse_replay(s->name, &seed, &stop_thread, &stop_step);
    if (replay == 1)
        (void)sched_run(seed, stop_thread, stop_step, &reached);
    else if (replay == 0)
        explore(base);
    catch_signals(false);
    sched.scenario = NULL;
    return sched.result;
}

uint64_t schedule_trace(const schedule *s, uint64_t seed)
{
    schedule scenario = *s;
    scenario.steps_max = s->steps_max != 0 ? s->steps_max : STEPS_MAX;
    sched = (scheduler){.scenario = &scenario};
    bool reached;
    (void)sched_run(seed, 0, 0, &reached);
    sched.scenario = NULL;
    return sched.trace;
}
