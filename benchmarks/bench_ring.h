/* SPDX-License-Identifier: MIT */
/* bench_ring.h - what a ring is asked to do in one run. */
#ifndef GIRT_BENCH_RING_H
#define GIRT_BENCH_RING_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

typedef struct ring_case {
    size_t nodes;
    unsigned threads;
    bool changes; /* a node comes or goes 100 times a second */
} ring_case;

/* The name of a node, alike for all. */
void ring_node_name(char name[static 32], size_t index);

/* What people write: sorted points and a binary search.  One more node comes
 * and goes by a swap of prepared points under a reader-writer lock; loads are
 * counted under a mutex. */
void *ring_points_make(const ring_case *c);
void ring_points_free(void *points);
uint64_t ring_points_find(void *points, const void *key, size_t size);
uint64_t ring_points_find_locked(void *points, const void *key, size_t size);
uint64_t ring_points_acquire(void *points, const void *key, size_t size);
void ring_points_change(void *points, bool comes);

/* The loop itself, for adapters of other libraries: find over and over in
 * c->threads threads; change comes and goes beside them. */
double ring_race(const ring_case *c, double seconds, void *subject,
                 uint64_t (*find)(void *subject, const void *key, size_t size),
                 void (*change)(void *subject, bool comes));

#endif /* GIRT_BENCH_RING_H */
