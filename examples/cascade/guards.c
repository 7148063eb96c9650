/* SPDX-License-Identifier: MIT */
/* guards.c - the settings, and virtual time. */
#include "guards.h"

#include "cascade_run.h"

/* A repeated opening of a breaker is shortened by up to a tenth, at random, so
 * that many callers do not come back together.  One second in ticks of a
 * quarter is one second whatever is taken off, so that runs repeat. */
#define TICK_NS (250 * MS_NS)
#define OPEN_NS S_NS

static int64_t in_ticks(void *context)
{
    const world *const w = context;
    return world_now(w) / TICK_NS * TICK_NS;
}

girt_clock guards_clock(world *w)
{
    girt_clock clock = {NULL, NULL};
    girt_clock_manual(&clock, &w->events.now_ns);
    return clock;
}

girt_clock guards_clock_in_ticks(world *w)
{
    return (girt_clock){in_ticks, w};
}

girt_status guards_on_edge(edge *e, unsigned which)
{
    edge_guards *const g = &e->guards;
    girt_status status = GIRT_OK;
    g->deadline = (which & GUARD_DEADLINE) != 0;
    if ((which & GUARD_BUDGET) != 0)
        status = girt_retry_budget_create(
            &g->budget,
            &(girt_retry_budget_options){
                .ratio = 0.1, .floor_per_s = 1, .clock = guards_clock(e->w)});
    /* No service may hold more than half of a caller's threads. */
    if (status == GIRT_OK && (which & GUARD_BULKHEAD) != 0)
        status = girt_bulkhead_create(
            &g->bulkhead, &(girt_bulkhead_options){.inside_max = 250});
    if (status == GIRT_OK && (which & GUARD_CONCURRENCY) != 0)
        status = girt_concurrency_create(
            &g->concurrency,
            &(girt_concurrency_options){.kind = GIRT_CONCURRENCY_AIMD,
                                        .min = 4,
                                        .max = 200,
                                        .clock = guards_clock(e->w)});
    if (status == GIRT_OK && (which & GUARD_BREAKER) != 0)
        status = girt_breaker_create(
            &g->breaker,
            &(girt_breaker_options){.calls_min = 50,
                                    .window_ns = 10 * TICK_NS,
                                    .open_ns = OPEN_NS,
                                    .open_max_ns = OPEN_NS,
                                    .probes = 5,
                                    .clock = guards_clock_in_ticks(e->w)});
    return status;
}

girt_status guards_at_door(service *s, unsigned which)
{
    s->drops_late = (which & GUARD_DEADLINE) != 0;
    if ((which & GUARD_SHED) == 0)
        return GIRT_OK;
    return girt_shed_create(&s->shed,
                            &(girt_shed_options){.target_ns = 50 * MS_NS,
                                                 .clock = guards_clock(s->w)});
}

void guards_free_edge(edge *e)
{
    girt_breaker_destroy(e->guards.breaker);
    girt_bulkhead_destroy(e->guards.bulkhead);
    girt_concurrency_destroy(e->guards.concurrency);
    girt_retry_budget_destroy(e->guards.budget);
    e->guards = (edge_guards){.deadline = false};
}

void guards_free_door(service *s)
{
    girt_shed_destroy(s->shed);
    s->shed = NULL;
}
