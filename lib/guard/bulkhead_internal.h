/* SPDX-License-Identifier: MIT */
/* bulkhead_internal.h - the layout of a bulkhead: see bulkhead.c for the word
 * and the line, bulkhead_shards.c for the shards. */
#ifndef GIRT_GUARD_BULKHEAD_INTERNAL_H
#define GIRT_GUARD_BULKHEAD_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <girt/bulkhead.h>

#include "core/cacheline.h"
#include "guard/guard_internal.h"

/* What is counted for its report. */
enum {
    GIRT__BULKHEAD_ENTERED,
    GIRT__BULKHEAD_REJECTED,
    GIRT__BULKHEAD_TIMEOUTS,
    GIRT__BULKHEAD_TALLIES
};

enum {
    /* Of a bulkhead with fewer places the shards would hold none to speak of.
     */
    GIRT__BULKHEAD_SHARDED_MIN = 4,
    GIRT__BULKHEAD_SHARDS_MAX = 32, /* a power of two */
/* Leaves from a bulkhead that is half empty, until it lends again: what
 * gathering has cost is then spread over as many. */
#ifndef GIRT__BULKHEAD_CALM
    GIRT__BULKHEAD_CALM = 256
#endif
};
_Static_assert((GIRT__BULKHEAD_SHARDS_MAX & (GIRT__BULKHEAD_SHARDS_MAX - 1)) ==
                   0,
               "an index is cut by a mask");

/* The bulkhead's word: [ waiting: 32 | lends: 1 | taken: 31 ] */
#define GIRT__BULKHEAD_TAKEN   UINT64_C(1)
#define GIRT__BULKHEAD_LENDS   (UINT64_C(1) << 31)
#define GIRT__BULKHEAD_WAITING (UINT64_C(1) << 32)
_Static_assert(GIRT_BULKHEAD_MAX == GIRT__BULKHEAD_LENDS - 1,
               "taken has room for every place");

/* A shard's word: [ changes: 32 | closed: 1 | free: 31 ] */
#define GIRT__SHARD_FREE   UINT64_C(1)
#define GIRT__SHARD_CLOSED (UINT64_C(1) << 31)
#define GIRT__SHARD_CHANGE (UINT64_C(1) << 32)

typedef struct girt__bulkhead_shard {
    uint64_t word;
} GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__bulkhead_shard;

struct girt_bulkhead {
    /* Written once. */
    girt_allocator allocator;
    uint32_t inside_max;
    uint32_t waiting_max;
    uint32_t shard_mask;
    uint32_t shard_max;   /* free places of a shard; 0: it never opens */
    girt__report *report; /* or NULL */
    /* Everyone who finds nothing in a shard. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t word;
    uint32_t calm; /* leaves since it was gathered, about */
    /* Those in line, and who lets them in; who gathers and lends. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t mutex;
    struct girt__waiter *first, *last; /* under the mutex */
    girt__bulkhead_shard shards[];     /* shard_mask + 1 */
};
_Static_assert(offsetof(struct girt_bulkhead, word) == GIRT_DESTRUCTIVE,
               "tests read the word there");

/* Of a bulkhead's word. */
static inline uint32_t girt__bulkhead_taken(uint64_t word)
{
    return (uint32_t)(word & (GIRT__BULKHEAD_LENDS - 1));
}

static inline uint32_t girt__bulkhead_waiting(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* ---- bulkhead_shards.c -------------------------------------------------- */

/* Callers inside and in line, at one instant. */
typedef struct girt__bulkhead_count {
    uint32_t inside, waiting;
} girt__bulkhead_count;

/* Shards for so many places: a power of two. */
uint32_t girt__bulkhead_shard_count(uint32_t inside_max);
/* In zeroed memory, with all else set. */
void girt__bulkhead_init_shards(girt_bulkhead *bulkhead, uint32_t count);
/* Under the mutex: no place is lent, all shards are closed. */
void girt__bulkhead_gather(girt_bulkhead *bulkhead);
/* Not under the mutex: opens the shards, unless the bulkhead is more than half
 * full, or lends already, or another thread has the mutex. */
void girt__bulkhead_lend(girt_bulkhead *bulkhead);
/* Of one instant, unless callers come and go during each of its looks; then
 * each shard of its own. */
girt__bulkhead_count girt__bulkhead_count_now(const girt_bulkhead *bulkhead);

/* ---- bulkhead_report.c -------------------------------------------------- */

/* Sets bulkhead->report. */
girt_status girt__bulkhead_report(girt_bulkhead *bulkhead,
                                  const girt_bulkhead_options *options);

#endif /* GIRT_GUARD_BULKHEAD_INTERNAL_H */
