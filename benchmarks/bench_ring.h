/* SPDX-License-Identifier: MIT */
/* bench_ring.h - what a ring is asked to do in one run. */
#ifndef GIRT_BENCH_RING_H
#define GIRT_BENCH_RING_H

#include <stdint.h>

#include "bench.h"

typedef struct ring_case {
    size_t nodes;
    unsigned threads;
} ring_case;

/* The name of a node, alike for all. */
void ring_node_name(char name[static 32], size_t index);

/* libmemcached, where it is found: a handle for each thread, as it asks. */
void *ring_memcached_make(const ring_case *c);
void ring_memcached_free(void *ring);
uint64_t ring_memcached_find(void *ring, const void *key, size_t size);

#endif /* GIRT_BENCH_RING_H */
