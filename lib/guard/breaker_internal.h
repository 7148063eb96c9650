/* SPDX-License-Identifier: MIT */
/* breaker_internal.h - the layout of a breaker, and its two halves: breaker.c
 * (options, CLOSED, refusals: no lock) and breaker_turn.c (changes of state,
 * probes, telling: under the mutex). */
#ifndef GIRT_GUARD_BREAKER_INTERNAL_H
#define GIRT_GUARD_BREAKER_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>

#include <girt/breaker.h>

#include "guard/guard_internal.h"
#include "guard/window.h"

enum {
    GIRT__BREAKER_CHANGES = 16,
    GIRT__BREAKER_STATE_BITS = 3,
    GIRT__BREAKER_STATES = 5
};

/* What is counted for its report. */
enum {
    GIRT__BREAKER_REJECTED,
    GIRT__BREAKER_LEFT, /* the first of one for each outcome */
    GIRT__BREAKER_TALLIES = GIRT__BREAKER_LEFT + GIRT__GUARD_OUTCOMES
};

typedef struct girt__change {
    girt_breaker_state from, to;
} girt__change;

/* A probe that is on its way. */
typedef struct girt__probe {
    uint64_t generation; /* of its permit; 0: the place is free */
    int64_t start_ns;
} girt__probe;

struct girt_breaker {
    /* Written once. */
    girt_allocator allocator;
    girt_clock clock;
    double failure_ratio, slow_ratio;
    int64_t slow_ns, open_ns, open_max_ns, permit_timeout_ns;
    uint64_t calls_min, probes;
    void (*on_change)(void *context, girt_breaker_state from,
                      girt_breaker_state to);
    void *context;
    girt__report *report; /* or NULL */

    /* Read by every call, written at changes, under the mutex. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t word; /* generation, state */
    int64_t open_until_ns;                        /* OPEN: none passes before */
    /* HALF_OPEN: no place is free before; INT64_MIN: one is. */
    int64_t full_until_ns;

    /* Under the mutex. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t mutex;
    uint64_t generation; /* the last one given, to a state or a probe */
    uint64_t transitions[GIRT__BREAKER_STATES]; /* to each; read by scrapes */
    uint32_t openings;                          /* in a row */
    uint64_t random;
    uint64_t on_their_way, succeeded, slow; /* of the probes */
    bool telling;                           /* a thread is calling on_change */
    uint32_t change_first, change_count;
    girt__change changes[GIRT__BREAKER_CHANGES];
    girt__probe *places; /* as many as probes */

    girt__window window;
};

static inline girt_breaker_state girt__breaker_state(uint64_t word)
{
    return (girt_breaker_state)(word & ((1u << GIRT__BREAKER_STATE_BITS) - 1));
}

static inline uint64_t girt__breaker_generation(uint64_t word)
{
    return word >> GIRT__BREAKER_STATE_BITS;
}

static inline int64_t girt__breaker_now(const girt_breaker *breaker)
{
    return girt__clock_now(&breaker->clock);
}

/* For enters and leaves that the lock-free half cannot answer. */
girt_status girt__breaker_enter_locked(girt_breaker *breaker,
                                       girt_permit *permit);
void girt__breaker_leave_probe(girt_breaker *breaker, uint64_t generation,
                               girt_outcome outcome);
/* Opens, if the word is still this one. */
void girt__breaker_trip(girt_breaker *breaker, uint64_t word);

/* Sets breaker->report: breaker_report.c. */
girt_status girt__breaker_report(girt_breaker *breaker,
                                 const girt_breaker_options *options);

#endif /* GIRT_GUARD_BREAKER_INTERNAL_H */
