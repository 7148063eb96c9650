/* SPDX-License-Identifier: MIT */
/* cascade_run.c - the three services, their settings, and the sums. */
#include "cascade_run.h"

#include <stdlib.h>

#include "cascade_clients.h"
#include "guards.h"

/* Back can do 500 requests a second and is asked for 300: busy, and well. */
static const service_options settings[SERVICES] = {
    {.place = FRONT, .threads = 1000, .cores = 4, .work_ns = 1 * MS_NS},
    {.place = MIDDLE, .threads = 500, .cores = 4, .work_ns = 2 * MS_NS},
    {.place = BACK, .threads = 500, .cores = 10, .work_ns = 20 * MS_NS},
};

/* Of calls to the service. */
static const int64_t timeouts_ns[SERVICES] = {0, 1000 * MS_NS, 500 * MS_NS};

enum { TRIES_MAX = 3 };

typedef struct scene {
    const cascade_config *config;
    world w;
    service services[SERVICES];
    edge edges[SERVICES]; /* to each service, but from outside */
    clients people;
    cascade_result *result;
    uint64_t tries_seen[SERVICES];
} scene;

unsigned cascade_phase(unsigned second)
{
    return second < CASCADE_SLOW_FROM    ? BEFORE
           : second < CASCADE_SLOW_UNTIL ? DURING
                                         : AFTER;
}

static uint64_t tries_to(const scene *s, unsigned place)
{
    return place == FRONT ? s->people.to_front.tries : s->edges[place].tries;
}

/* Each second: what came to the services, and back's pace. */
static void second_over(void *object, uint64_t second)
{
    scene *const s = object;
    for (unsigned place = 0; place < SERVICES; place++) {
        uint64_t const tries = tries_to(s, place);
        s->result->tries[second][place] = tries - s->tries_seen[place];
        s->result->tries_in[cascade_phase((unsigned)second)][place] +=
            tries - s->tries_seen[place];
        s->tries_seen[place] = tries;
    }
    second++;
    s->services[BACK].slow =
        second < CASCADE_SECONDS && cascade_phase((unsigned)second) == DURING
            ? s->config->slow
            : 1;
    if (second < CASCADE_SECONDS)
        event_queue_add(&s->w.events, S_NS, second_over, s, second);
}

static girt_status build(scene *s)
{
    girt_status status = GIRT_OK;
    for (unsigned place = 0; place < SERVICES; place++)
        service_start(&s->services[place], &s->w, &settings[place]);
    for (unsigned place = 0; place < SERVICES && status == GIRT_OK; place++)
        status = guards_at_door(&s->services[place], s->config->guards);
    for (unsigned place = MIDDLE; place < SERVICES; place++) {
        s->edges[place] = (edge){.w = &s->w,
                                 .to = &s->services[place],
                                 .timeout_ns = timeouts_ns[place],
                                 .tries_max = TRIES_MAX};
        s->services[place - 1].next = &s->edges[place];
        if (status == GIRT_OK)
            status = guards_on_edge(&s->edges[place], s->config->guards);
    }
    return status;
}

static void take_down(scene *s)
{
    for (unsigned place = 0; place < SERVICES; place++) {
        guards_free_door(&s->services[place]);
        guards_free_edge(&s->edges[place]);
        edge_free(&s->edges[place]);
    }
    event_queue_free(&s->w.events);
}

static int by_size(const void *a, const void *b)
{
    int64_t const left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

/* Of the good requests of a phase and a kind; `times` has room for all. */
static int64_t p99_of(const clients *c, unsigned phase, unsigned needs,
                      int64_t *times)
{
    size_t count = 0;
    for (size_t i = 0; i < c->count; i++) {
        const request *const r = &c->requests[i];
        if (r->good && r->needs == needs &&
            cascade_phase((unsigned)(r->came_ns / S_NS)) == phase)
            times[count++] = r->took_ns;
    }
    if (count == 0)
        return 0;
    qsort(times, count, sizeof *times, by_size);
    return times[(count * 99 + 99) / 100 - 1];
}

static void add_up_requests(const clients *c, cascade_result *result)
{
    for (size_t i = 0; i < c->count; i++) {
        const request *const r = &c->requests[i];
        unsigned const second = (unsigned)(r->came_ns / S_NS);
        tally *const t[] = {&result->second[second][r->needs],
                            &result->phase[cascade_phase(second)][r->needs]};
        for (size_t k = 0; k < 2; k++) {
            t[k]->came++;
            t[k]->good += r->good;
        }
    }
    int64_t *const times = world_allocate((c->count + 1) * sizeof *times);
    for (unsigned phase = 0; phase < PHASES; phase++)
        for (unsigned needs = 0; needs < SERVICES; needs++)
            result->p99_ns[phase][needs] = p99_of(c, phase, needs, times);
    free(times);
}

static int recovery_of(const cascade_result *result)
{
    int second = CASCADE_SECONDS;
    while (second > CASCADE_SLOW_UNTIL) {
        const tally *const t = result->second[second - 1];
        uint64_t came = 0, good = 0;
        for (unsigned needs = 0; needs < SERVICES; needs++) {
            came += t[needs].came;
            good += t[needs].good;
        }
        if (good * 100 < came * 99)
            break;
        second--;
    }
    return second == CASCADE_SECONDS ? -1 : second - CASCADE_SLOW_UNTIL;
}

bool cascade_run(const cascade_config *config, cascade_result *result)
{
    scene s = {
        .config = config, .w = {.random = config->seed}, .result = result};
    *result = (cascade_result){.recovery_s = -1};
    bool const built = build(&s) == GIRT_OK;
    if (built) {
        clients_start(&s.people, &s.w, &s.services[FRONT],
                      CASCADE_SECONDS * S_NS, S_NS / CASCADE_RATE);
        event_queue_add(&s.w.events, S_NS, second_over, &s, 0);
        while (event_queue_step(&s.w.events))
            continue;
        add_up_requests(&s.people, result);
        result->recovery_s = recovery_of(result);
        for (unsigned place = 0; place < SERVICES; place++)
            result->wasted[place] = (double)s.services[place].wasted_ns /
                                    (double)s.services[place].worked_ns;
        clients_free(&s.people);
    }
    take_down(&s);
    return built;
}
