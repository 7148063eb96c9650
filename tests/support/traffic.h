/* SPDX-License-Identifier: MIT */
/* traffic.h - threads that push and pop, and all that must hold of it. */
#ifndef GIRT_TESTS_TRAFFIC_H
#define GIRT_TESTS_TRAFFIC_H

#include <stddef.h>
#include <stdint.h>

#include "support/fifo.h"

typedef struct traffic {
    const fifo_kind *kind;
    size_t producers, consumers;
    size_t capacity;
    size_t each;      /* items per producer */
    size_t batch_max; /* 1: single operations only */
    uint64_t first;   /* ticket */
    uint64_t seed;
} traffic;

/* Runs it to the end and checks: every item comes out exactly once; the items
 * of one producer reach each consumer in their order; count stays within the
 * capacity; no "full" is answered where all pushes under way could not have
 * filled it, no "empty" where all pops under way could not have emptied it;
 * the queue ends empty and valid. */
void traffic_run(const traffic *plan);

#endif /* GIRT_TESTS_TRAFFIC_H */
