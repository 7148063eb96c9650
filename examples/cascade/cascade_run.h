/* SPDX-License-Identifier: MIT */
/* cascade_run.h - one run: front calls middle calls back, and back turns slow.
 *
 * What is measured belongs to the second in which a request came, and to the
 * last service that it needs; a request is good when it was answered before
 * its client gave up. */
#ifndef GIRT_EXAMPLES_CASCADE_RUN_H
#define GIRT_EXAMPLES_CASCADE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "world.h"

enum {
    CASCADE_SECONDS = 60,
    CASCADE_SLOW_FROM = 10,
    CASCADE_SLOW_UNTIL = 30,
    CASCADE_RATE = 1000 /* requests a second, all together */
};

/* Before, during and after the slow time. */
enum { BEFORE, DURING, AFTER, PHASES };

/* Which guards stand; an or of them. */
enum {
    GUARD_DEADLINE = 1,
    GUARD_BUDGET = 2,
    GUARD_BULKHEAD = 4,
    GUARD_CONCURRENCY = 8,
    GUARD_BREAKER = 16,
    GUARD_SHED = 32,
    GUARDS_ALL = 63
};

typedef struct cascade_config {
    uint64_t seed;
    unsigned slow; /* so many times as long, 1 and up */
    unsigned guards;
} cascade_config;

/* Some requests that came, and what became of them. */
typedef struct tally {
    uint64_t came, good;
} tally;

typedef struct cascade_result {
    tally second[CASCADE_SECONDS][SERVICES];
    tally phase[PHASES][SERVICES];
    int64_t p99_ns[PHASES][SERVICES]; /* of the good ones; 0: there are none */
    /* Calls that came to the services, those made again included. */
    uint64_t tries[CASCADE_SECONDS][SERVICES];
    uint64_t tries_in[PHASES][SERVICES];
    /* Work of cores for requests that nobody waited for any more, of 1. */
    double wasted[SERVICES];
    /* Seconds after the slow time until 99 of 100 requests of every second are
     * good for the rest of the run; -1: not in this run. */
    int recovery_s;
} cascade_result;

/* The phase of a second. */
unsigned cascade_phase(unsigned second);

/* False: girt could not make a guard. */
bool cascade_run(const cascade_config *config, cascade_result *result);

#endif /* GIRT_EXAMPLES_CASCADE_RUN_H */
