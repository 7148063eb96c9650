/* SPDX-License-Identifier: MIT */
/* keyed_table.h - buckets of tokens for many keys, in fixed memory. */
#ifndef GIRT_LIMITER_KEYED_TABLE_H
#define GIRT_LIMITER_KEYED_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/fast/atomic.h>
#include <girt/keyed_limiter.h>
#include <girt/status.h>

#include "core/cacheline.h"
#include "core/report.h"

enum { GIRT__KEYED_SLOTS = 4 };

/* A line of slots: {hash, state}.  {0, 0}: empty.  State even: the key's mark
 * (gcra_internal.h).  State odd: a claim that is not settled. */
typedef struct girt__keyed_group {
    GIRT_ALIGNED(GIRT_CACHELINE) girt_fast_pair slots[GIRT__KEYED_SLOTS];
} girt__keyed_group;
_Static_assert(sizeof(girt__keyed_group) == GIRT_CACHELINE, "one line");

typedef struct girt__keyed_table {
    /* Written once. */
    girt__keyed_group *groups;
    uint32_t *reaches; /* of a home: how many groups on its keys may be */
    size_t groups_count;
    uint64_t keys_max;
    girt__report *report; /* of the limiter, which sets it; or NULL */
    /* Written by claims; processes may share it from here on. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t used; /* slots in use, or more */
    uint64_t tickets;
    uint64_t hand;      /* the group where the next sweep begins */
    int64_t forgotten;  /* no mark that was thrown away is beyond it */
    int64_t full_until; /* keys_max keys were found live until then */
} girt__keyed_table;

/* A request, all in marks. */
typedef struct girt__keyed_ask {
    uint64_t hash; /* not 0 */
    int64_t need;
    int64_t room;
    int64_t time;    /* rounded down */
    int64_t time_up; /* rounded up */
} girt__keyed_ask;

typedef struct girt__keyed_answer {
    int64_t mark; /* the key's bucket, after the take when OK */
    int64_t due;  /* the time that a refused request waits for */
} girt__keyed_answer;

/* What a table for so many keys takes; false: does not fit a size_t. */
bool girt__keyed_table_shape(uint64_t keys, size_t *groups, size_t *bytes,
                             size_t *reach_bytes);
/* The fields written by claims, as they are while all slots are zero. */
void girt__keyed_table_reset(girt__keyed_table *table);

/* GIRT_E_TOO_LARGE: does not fit a size_t. */
girt_status girt__keyed_table_create(girt__keyed_table *table, uint64_t keys,
                                     const girt_allocator *allocator);
void girt__keyed_table_destroy(girt__keyed_table *table,
                               const girt_allocator *allocator);

/* OK, LIMITED, or FULL: the key is not live and `keys` others are. */
girt_status girt__keyed_table_take(girt__keyed_table *table,
                                   const girt__keyed_ask *ask,
                                   girt__keyed_answer *answer);

/* keyed_census.c: whether the claim `ticket` may settle.  false: `keys` other
 * keys are live or older claims, until *due. */
bool girt__keyed_table_has_room(girt__keyed_table *table,
                                const girt__keyed_ask *ask, uint64_t ticket,
                                int64_t *due);

/* What a limiter counts for its report. */
enum {
    GIRT__KEYED_ALLOWED,
    GIRT__KEYED_LIMITED,
    GIRT__KEYED_FULL,
    GIRT__KEYED_TALLIES
};

/* keyed_report.c: sets table->report. */
girt_status girt__keyed_report(girt__keyed_table *table,
                               const girt_keyed_limiter_options *options,
                               const girt_allocator *allocator);

/* Whether counters and slots agree; nobody else may be inside. */
bool girt__keyed_table_is_valid(const girt__keyed_table *table);

#endif /* GIRT_LIMITER_KEYED_TABLE_H */
