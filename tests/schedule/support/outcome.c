/* SPDX-License-Identifier: MIT */
/* outcome.c - what a test says about the runs of a scenario. */
#include "schedule/support/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/support/scheduler_internal.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t base_seed(void)
{
    static uint64_t seed;
    if (seed == 0)
        seed = test_seed();
    return seed == 0 ? ++seed : seed;
}

enum { RUNS = 2000 };

static size_t runs_of(const schedule *s)
{
    return s->runs != 0 ? s->runs : RUNS;
}

static schedule_result run_times(schedule s, size_t runs)
{
    if (!fibers_supported())
        skip_because("no thread switch for this machine");
    s.runs = runs;
    return schedule_run_all(&s, base_seed());
}

schedule_result schedule_explore(const schedule *s)
{
    return run_times(*s, scaled(runs_of(s)));
}

static bool passed_over(void)
{
    return getenv("GIRT_SCHEDULE") != NULL;
}

void schedule_must_pass(const schedule *s)
{
    /* Its threads were abandoned, with the library's locks in their hands. */
    static bool failed;
    if (failed)
        skip_because("not run after a failure: %s", s->name);
    schedule_result const r = schedule_explore(s);
    failed = r.failed;
    if (r.failed)
        fail_msg("schedule %s, run %zu: %s\nreplay with "
                 "GIRT_SCHEDULE=%s:0x%llx:%zu:%zu",
                 s->name, r.runs, r.what, s->name, (unsigned long long)r.seed,
                 r.stop_thread, r.stop_step);
    if (r.runs != 0)
        printf("schedule %s: %zu runs, of each %.1f steps, %.2f sleeps\n",
               s->name, r.runs, (double)r.steps / (double)r.runs,
               (double)r.sleeps / (double)r.runs);
}

void schedule_must_fail(const schedule *s, const char *what)
{
    /* It ends where it finds something; a shorter one might find nothing. */
    size_t const runs = runs_of(s), longer = scaled(runs);
    schedule_result const r = run_times(*s, longer > runs ? longer : runs);
    if (r.runs == 0 && passed_over())
        return;
    if (!r.failed)
        fail_msg("schedule %s: nothing found in %zu runs", s->name, r.runs);
    if (strstr(r.what, what) == NULL)
        fail_msg("schedule %s: found \"%s\", expected \"%s\"", s->name, r.what,
                 what);
    printf("schedule %s: found in run %zu: %s "
           "(GIRT_SCHEDULE=%s:0x%llx:%zu:%zu)\n",
           s->name, r.runs, r.what, s->name, (unsigned long long)r.seed,
           r.stop_thread, r.stop_step);
}
