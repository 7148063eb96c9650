/* SPDX-License-Identifier: MIT */
/* cascade_clients.c - requests in, answers noted down. */
#include "cascade_clients.h"

#include <assert.h>
#include <stdlib.h>

#define PATIENCE_NS (2 * S_NS)

/* What of a hundred requests needs which service last. */
enum { FRONT_OF_100 = 40, MIDDLE_OF_100 = 30 };

typedef struct asked {
    clients *of;
    size_t index;
} asked;

static void note_answer(void *asker, uint64_t ticket, answer a)
{
    asked *const q = asker;
    request *const r = &q->of->requests[q->index];
    (void)ticket;
    r->took_ns = world_now(q->of->w) - r->came_ns;
    r->good = a == ANSWER_DONE;
    free(q);
}

static unsigned throw_needs(world *w)
{
    uint64_t const of_100 = world_below(w, 100);
    if (of_100 < FRONT_OF_100)
        return FRONT;
    return of_100 < FRONT_OF_100 + MIDDLE_OF_100 ? MIDDLE : BACK;
}

static void one_comes(void *object, uint64_t ticket)
{
    clients *const c = object;
    world *const w = c->w;
    (void)ticket;
    if (world_now(w) >= c->until_ns)
        return;
    asked *const q = world_allocate(sizeof *q);
    *q = (asked){c, c->count++};
    assert(q->index < c->capacity);
    request *const r = &c->requests[q->index];
    *r = (request){.came_ns = world_now(w), .needs = throw_needs(w)};
    demand const wants = {.needs = r->needs, .deadline_ns = INT64_MAX};
    event_queue_add(&w->events,
                    1 + (int64_t)world_below(w, 2 * (uint64_t)c->gap_ns),
                    one_comes, c, 0);
    edge_call(&c->to_front, &wants, note_answer, q);
}

void clients_start(clients *c, world *w, service *front, int64_t until_ns,
                   int64_t gap_ns)
{
    *c = (clients){.w = w,
                   .to_front = {.w = w,
                                .to = front,
                                .guards = {.deadline = true},
                                .timeout_ns = PATIENCE_NS,
                                .tries_max = 1},
                   .until_ns = until_ns,
                   .gap_ns = gap_ns};
    /* Twice what is expected: many thousand times beyond what chance does. */
    c->capacity = (size_t)((until_ns - world_now(w)) / gap_ns) * 2 + 100;
    c->requests = world_allocate(c->capacity * sizeof *c->requests);
    event_queue_add(&w->events, 0, one_comes, c, 0);
}

void clients_free(clients *c)
{
    edge_free(&c->to_front);
    free(c->requests);
}
