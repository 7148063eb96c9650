/* SPDX-License-Identifier: MIT */
/* object_table.h - what one scrape says about each named girt object.
 *
 * A series that girt's objects report (docs/guide/metrics_objects.md) has a
 * slot in its object; samples that differ in other labels are added up there.
 * Bounded: OBJECTS_MAX objects, the rest is counted in left_out. */
#ifndef GIRT_EXAMPLES_OBJECT_TABLE_H
#define GIRT_EXAMPLES_OBJECT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    OBJECTS_MAX = 1024,
    OBJECT_NAME_MAX = 255,
    OBJECT_STATE_MAX = 15,
    OBJECT_VALUES = 16,
    OBJECT_HISTOGRAMS = 2,
    OBJECT_BUCKETS_MAX = 80,
};

typedef enum object_part {
    PART_QUEUE,
    PART_WORKERS,
    PART_CACHE,
    PART_MAP,
    PART_MAP64,
    PART_LIMITER,
    PART_KEYED_LIMITER,
    PART_BREAKER,
    PART_BULKHEAD,
    PART_CONCURRENCY,
    PART_SHED,
    PART_RETRY_BUDGET,
    PART_RING,
    PART_COUNT
} object_part;

/* Slots, part by part. */
enum {
    QUEUE_DEPTH,
    QUEUE_CAPACITY,
    QUEUE_PUSHES,
    QUEUE_POPS,
    QUEUE_FULL,
    QUEUE_DROPPED
};
enum { QUEUE_PUSH_WAIT, QUEUE_POP_WAIT }; /* histograms */
enum {
    WORKERS_THREADS,
    WORKERS_BUSY,
    WORKERS_QUEUED,
    WORKERS_CAPACITY,
    WORKERS_FULL
};
enum { WORKERS_TASK }; /* histogram */
enum {
    CACHE_HITS,
    CACHE_MISSES,
    CACHE_STALE,
    CACHE_LOADS,
    CACHE_FAILURES,
    CACHE_JOINED,
    CACHE_EVICTIONS,
    CACHE_EXPIRATIONS,
    CACHE_ENTRIES,
    CACHE_BYTES,
    CACHE_BYTES_MAX
};
enum { MAP_ENTRIES, MAP_BYTES, MAP_TABLES, MAP_GROWTHS };
enum { LIMITER_ALLOWED, LIMITER_LIMITED, LIMITER_TAKEN, LIMITER_TOKENS };
enum { KEYED_ALLOWED, KEYED_LIMITED, KEYED_FULL, KEYED_KEYS, KEYED_KEYS_MAX };
enum {
    BREAKER_STATE,
    BREAKER_TRANSITIONS,
    BREAKER_REJECTED,
    BREAKER_CALLS,
    BREAKER_FAILURES
};
enum {
    BULKHEAD_INSIDE,
    BULKHEAD_INSIDE_MAX,
    BULKHEAD_WAITING,
    BULKHEAD_WAITING_MAX,
    BULKHEAD_ENTERED,
    BULKHEAD_REJECTED,
    BULKHEAD_TIMEOUTS
};
enum { BULKHEAD_WAIT }; /* histogram */
enum {
    CONCURRENCY_LIMIT,
    CONCURRENCY_INSIDE,
    CONCURRENCY_REJECTED,
    CONCURRENCY_CALLS,
    CONCURRENCY_FAILURES
};
enum { SHED_LEVEL, SHED_REQUESTS, SHED_ADMITTED, SHED_REJECTED };
enum { RETRY_CALLS, RETRY_RETRIES, RETRY_LIMITED, RETRY_LEFT };
enum { RING_NODES, RING_LOOKUPS, RING_LOAD, RING_CHANGES, RING_MOVED };

typedef struct object_histogram {
    size_t buckets; /* 0: none, or not such that a quantile could be made */
    bool damaged;
    double bound[OBJECT_BUCKETS_MAX];
    double count[OBJECT_BUCKETS_MAX]; /* of values up to the bound */
} object_histogram;

typedef struct object {
    object_part part;
    char name[OBJECT_NAME_MAX + 1];
    char state[OBJECT_STATE_MAX + 1]; /* a breaker's; else "" */
    uint32_t known;                   /* bit i: value[i] was in the scrape */
    double value[OBJECT_VALUES];
    object_histogram histogram[OBJECT_HISTOGRAMS];
} object;

typedef struct object_table {
    object *objects; /* in the order in which the scrape names them */
    size_t count;
    size_t left_out;                 /* samples of objects beyond OBJECTS_MAX */
    size_t others;                   /* samples that are no girt object's */
    double epoch_backlog;            /* NaN: not in the scrape */
    uint16_t slots[2 * OBJECTS_MAX]; /* index + 1 by hash; 0: free */
    uint64_t seed;
} object_table;

/* False: no memory. seed: of the table's hash, nobody else's to know. */
bool object_table_create(object_table *table, uint64_t seed);
void object_table_destroy(object_table *table);

/* Replaces what the table holds. False: the text is wrong, in *line, for the
 * reason *why; then the table holds what stood before that line. */
bool object_table_read(object_table *table, const char *text, size_t size,
                       size_t *line, const char **why);

/* NULL: not in the table. */
const object *object_table_find(const object_table *table, object_part part,
                                const char *name);

/* "queue", as in the names of its series. */
const char *object_part_name(object_part part);

/* Whether the table makes anything of a series of that name. */
bool object_series_known(const char *series);

#endif /* GIRT_EXAMPLES_OBJECT_TABLE_H */
