/* SPDX-License-Identifier: MIT */
/* map_stripes.h - sums that many threads add to without sharing a line. */
#ifndef GIRT_MAP_STRIPES_H
#define GIRT_MAP_STRIPES_H

#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/thread.h"

enum {
    GIRT__STRIPE_COUNT, /* entries */
    GIRT__STRIPE_BYTES, /* of nodes */
    GIRT__STRIPE_SUMS
};

typedef struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__stripe {
    uint64_t sums[GIRT__STRIPE_SUMS]; /* modulo 2^64: one thread adds what
                                       * another takes away */
} girt__stripe;

typedef struct girt__stripes {
    girt__stripe *stripes; /* mask + 1 */
    uint32_t mask;
} girt__stripes;

/* One stripe a CPU, rounded up to a power of two. */
girt_status girt__stripes_init(girt__stripes *stripes,
                               const girt_allocator *allocator);
void girt__stripes_destroy(girt__stripes *stripes,
                           const girt_allocator *allocator);

static inline void girt__stripes_add(girt__stripes *stripes, int sum,
                                     int64_t change)
{
    girt__stripe *const stripe =
        &stripes->stripes[girt__thread_index() & stripes->mask];
    /* Relaxed: a sum orders nothing. */
    (void)girt_add_relaxed(&stripe->sums[sum], (uint64_t)change);
}

/* Exact when nobody adds meanwhile; never below zero. */
size_t girt__stripes_sum(const girt__stripes *stripes, int sum);

static inline size_t girt__stripes_bytes(const girt__stripes *stripes)
{
    return ((size_t)stripes->mask + 1) * sizeof(girt__stripe);
}

#endif /* GIRT_MAP_STRIPES_H */
