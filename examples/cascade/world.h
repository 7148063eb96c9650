/* SPDX-License-Identifier: MIT */
/* world.h - what all in the simulation share: time, chance, tickets, memory. */
#ifndef GIRT_EXAMPLES_WORLD_H
#define GIRT_EXAMPLES_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "event_queue.h"

/* The way of a question to a service, and of its answer back. */
#define HOP_NS (500 * US_NS)

/* The services in the order of the calls, and with them the requests: by the
 * last service that one needs. */
enum { FRONT, MIDDLE, BACK, SERVICES };

extern const char *const service_names[SERVICES];

/* How a try ended, for whom made it. */
typedef enum answer {
    ANSWER_DONE,
    ANSWER_LATE,    /* the caller waits no longer */
    ANSWER_REFUSED, /* by the service called, or by a guard before it */
    ANSWER_BEYOND   /* by something that the service called needs */
} answer;

/* What is asked for. */
typedef struct demand {
    unsigned needs;      /* the last service of its way */
    int64_t deadline_ns; /* after which nobody wants the answer */
} demand;

/* Told once; the ticket is the one given with the question. */
typedef void (*answer_to)(void *asker, uint64_t ticket, answer a);

typedef struct world {
    event_queue events;
    uint64_t random;
    uint64_t tickets; /* given so far; 0 is none */
} world;

static inline int64_t world_now(const world *w)
{
    return w->events.now_ns;
}

/* splitmix64: integers only, so that every machine throws the same. */
static inline uint64_t world_throw(world *w)
{
    uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* 0 .. bound - 1; bound is small beside 2^64. */
static inline uint64_t world_below(world *w, uint64_t bound)
{
    return world_throw(w) % bound;
}

/* malloc, zeroed, or the end of the program. */
void *world_allocate(size_t size);

#endif /* GIRT_EXAMPLES_WORLD_H */
