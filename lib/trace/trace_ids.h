/* SPDX-License-Identifier: MIT */
/* trace_ids.h - numbers that no other thread, process or host makes,
 * a fork's child included. */
#ifndef GIRT_TRACE_TRACE_IDS_H
#define GIRT_TRACE_TRACE_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/atomic.h"
#include "core/cacheline.h"

/* trace_ids.c's. In sight here, for a call is a third of a span that is not
 * recorded. */
typedef struct girt__trace_generator {
    uint64_t state[2];
    uint32_t generation; /* of the process that seeded it; 0: not seeded */
} girt__trace_generator;
extern __thread girt__trace_generator girt__trace_own;
extern uint32_t girt__trace_generation;
void girt__trace_ids_seed(void);

/* Two words that differ from all others as a pair, and are not both 0, for the
 * price of one number; their sum is the best of the three. */
typedef struct girt__trace_pair {
    uint64_t word[2];
} girt__trace_pair;

static inline uint64_t girt__trace_rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

/* To be asked before the two below; false: girt__trace_ids_seed first. Apart
 * from them, so that they call nothing. */
static inline bool girt__trace_ids_are_seeded(void)
{
    /* Relaxed: it changes in a fork's child, before its one thread goes on. */
    return girt_likely(girt__trace_own.generation ==
                       girt_load_relaxed(&girt__trace_generation));
}

/* The state, as it is: no two steps of a generator have the same. */
static inline girt__trace_pair girt__trace_pair_next(void)
{
    girt__trace_generator *const own = &girt__trace_own;
    girt__trace_pair const before = {{own->state[0], own->state[1]}};
    uint64_t const mixed = before.word[1] ^ before.word[0];
    own->state[0] =
        girt__trace_rotate(before.word[0], 24) ^ mixed ^ (mixed << 16);
    own->state[1] = girt__trace_rotate(mixed, 37);
    return before;
}

/* Never 0. Not secret: who sees some can tell the next. */
static inline uint64_t girt__trace_id(void)
{
    girt__trace_pair const at = girt__trace_pair_next();
    uint64_t const sum = at.word[0] + at.word[1];
    /* One of 2^64 sums is 0, and 1 is as good. */
    return sum != 0 ? sum : 1;
}

#endif /* GIRT_TRACE_TRACE_IDS_H */
