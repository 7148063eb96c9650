/* SPDX-License-Identifier: MIT */
/* ring_internal.h - what the files of the ring share: snapshot and kinds. */
#ifndef GIRT_RING_RING_INTERNAL_H
#define GIRT_RING_RING_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <girt/ring.h>

#include "core/alloc_internal.h"
#include "core/cacheline.h"
#include "core/epoch_internal.h"
#include "core/report.h"

#define GIRT__RING_POINTS_MAX ((uint64_t)1 << 26)
#define GIRT__RING_NODES_MAX  ((size_t)1 << 26)
#define GIRT__RING_NO_MEMBER  UINT32_MAX

/* A lookup's one line: all points of one of 2^bits equal arcs. See
 * ring_points.c. */
#define GIRT__LINE_POINTS 14
typedef struct girt__ring_line {
    /* The arc's first point, in hashes and owners. */
    uint32_t start GIRT_ALIGNED(GIRT_CACHELINE);
    /* The points' 16 bits after the top ones, ascending; UINT16_MAX where there
     * is no point. Zeros: does not fit, look from `start` on. */
    uint16_t part[GIRT__LINE_POINTS];
    /* Of each point, then of the first point after them. */
    uint16_t owner[GIRT__LINE_POINTS + 1];
} girt__ring_line;
_Static_assert(sizeof(girt__ring_line) == GIRT_CACHELINE, "one line");

__extension__ typedef unsigned __int128 girt__u128;

/* A node as a snapshot knows it; nothing of it changes but `load`. */
typedef struct girt__ring_member {
    const char *name; /* in the snapshot's own block */
    uint32_t name_size;
    uint32_t id;
    uint32_t weight; /* 1 and up */
    uint32_t rank;   /* place in the order of names */
    /* For the ring's report: the snapshot in which the node got its id, and
     * the lookups that were counted for the id until then. */
    uint64_t joined, before;
} girt__ring_member;

/* One node's load on its own line; lives as long as the ring. See
 * ring_load.c. */
typedef struct girt__ring_cell {
    uint64_t word GIRT_ALIGNED(GIRT_CACHELINE);
} girt__ring_cell;

/* What the kinds look keys up in; which fields are used depends on the kind.
 * One allocation, `block`. */
typedef struct girt__ring_table {
    void *block;
    size_t block_size;
    uint64_t *hashes; /* points, ascending, with one UINT64_MAX after them;
                         rendezvous: the members', in the order of names */
    uint32_t *owners; /* ids, as hashes; maglev: of each slot; jump: of each
                         member in list order */
    uint32_t *index;  /* rendezvous: weights; jump: first bucket */
    girt__ring_line *lines; /* native, ketama */
    size_t count;           /* points, slots or members */
    unsigned bits;          /* a hash's line is its top bits */
    bool equal_weights;
} girt__ring_table;

/* Immutable once published. */
typedef struct girt__ring_snapshot {
    girt__ring_table table;     /* first: what lookups read */
    uint32_t *member_of_id;     /* index into members, or NO_MEMBER */
    girt__ring_cell **cells;    /* by id; NULL without a bound */
    size_t slots;               /* ids that the two have room for */
    girt__ring_member *members; /* in list order, then those that left */
    size_t member_count;
    size_t left_count; /* ids kept because loads may be on them */
    uint32_t *by_name; /* indices of the members, sorted */
    uint64_t weight_total;
    /* For the ring's report: changes so far, and which share of the keys the
     * last one moved. */
    uint64_t number;
    double moved;
    size_t size; /* of this block */
    struct girt_ring *ring;
    girt__epoch_node retired;
} girt__ring_snapshot;

struct girt__ring_load;   /* ring_load.c */
struct girt__ring_counts; /* ring_report.c */

struct girt_ring {
    /* Written once at create. */
    girt_ring_kind kind;
    uint32_t points_per_weight;
    uint32_t maglev_size;
    uint64_t seed;
    double bound;
    struct girt__ring_load *load; /* NULL without a bound */
    uint64_t *log_table;          /* rendezvous only */
    girt_allocator allocator;
    girt__report *report;             /* or NULL */
    struct girt__ring_counts *counts; /* NULL without a report */

    /* Written by changes, read by all. */
    girt__ring_snapshot *snapshot GIRT_ALIGNED(GIRT_CACHELINE);

    /* Under `change`, but for retired_count: atomic. */
    pthread_mutex_t change GIRT_ALIGNED(GIRT_CACHELINE);
    size_t retired_count; /* snapshots that the epoch still holds */
};

/* Walks the nodes for a key in order of preference. The same id may come
 * several times. */
#define GIRT__RING_WALK_BATCH 16
typedef struct girt__ring_walk {
    const girt_ring *ring;
    const girt__ring_snapshot *snapshot;
    uint64_t hash;
    size_t position;
    size_t left; /* steps until the end: the bound of every walk */
    /* Rendezvous: members found by the last pass, best first. */
    size_t batch_count, batch_next;
    uint32_t batch[GIRT__RING_WALK_BATCH]; /* ranks */
} girt__ring_walk;

/* ring.c: the hash that a kind takes of a key; the owner of a hash, for a
 * snapshot with a table that is not empty. */
uint64_t girt__ring_key_hash(const girt_ring *ring, const void *key,
                             size_t size);
void girt__ring_walk_start(girt__ring_walk *walk, const girt_ring *ring,
                           const girt__ring_snapshot *snapshot, uint64_t hash);
bool girt__ring_walk_next(girt__ring_walk *walk, uint32_t *id);
/* The owner of a hash; false: there is none. */
bool girt__ring_owner(const girt_ring *ring,
                      const girt__ring_snapshot *snapshot, uint64_t hash,
                      uint32_t *id);

/* ring_snapshot.c.  `previous` is NULL for a ring's first. */
girt_status girt__ring_snapshot_build(girt_ring *ring, const girt_node nodes[],
                                      size_t count,
                                      const girt__ring_snapshot *previous,
                                      girt__ring_snapshot **out);
void girt__ring_snapshot_free(girt__ring_snapshot *snapshot);
/* A built one that nobody saw. */
void girt__ring_snapshot_discard(girt_ring *ring, girt__ring_snapshot *s,
                                 const girt__ring_snapshot *previous);
/* The member of this name, or NULL. */
const girt__ring_member *girt__ring_member_named(
    const girt__ring_snapshot *snapshot, const char *name, size_t name_size);
/* 1 to GIRT_RING_NAME_MAX bytes; *size is set to how many. */
bool girt__ring_name_is_valid(const char *name, size_t *size);
/* Places `count` elements in a block of *size bytes so far. */
bool girt__ring_place(size_t *size, size_t count, size_t element,
                      size_t *offset);
/* Order of names: bytes, then size. */
int girt__ring_name_compare(const girt__ring_member *a,
                            const girt__ring_member *b);

/* One block for a table; false when out of memory or room. */
bool girt__ring_table_allocate(girt__ring_table *table,
                               const girt_allocator *allocator,
                               size_t line_count, size_t hash_count,
                               size_t owner_count, size_t index_count);

/* What each kind does: build(ring, next, previous) fills next->table. */
girt_status girt__native_build(const girt_ring *ring, girt__ring_snapshot *next,
                               const girt__ring_snapshot *previous);
girt_status girt__ketama_build(const girt_ring *ring,
                               girt__ring_snapshot *next);
girt_status girt__maglev_build(const girt_ring *ring,
                               girt__ring_snapshot *next);
girt_status girt__rendezvous_build(const girt_ring *ring,
                                   girt__ring_snapshot *next);
girt_status girt__jump_build(const girt_ring *ring, girt__ring_snapshot *next);

/* ring_points.c.  The first point at or after a hash; count: none, wrap. */
size_t girt__points_find(const girt__ring_table *table, uint64_t hash);
/* How many of a line's parts are below `part`; *unsure: one is equal. */
unsigned girt__line_below_plain(const girt__ring_line *line, uint16_t part,
                                bool *unsure);
#ifdef __SSE2__
/* Parts 0..7 and 6..13 at once; parts ascend, so the first that is not below
 * is their number. */
static inline unsigned girt__line_below(const girt__ring_line *line,
                                        uint16_t part, bool *unsure)
{
    __m128i const wanted = _mm_set1_epi16((short)part);
    __m128i const zero = _mm_setzero_si128();
    __m128i const low = _mm_loadu_si128((const void *)&line->part[0]);
    __m128i const high = _mm_loadu_si128((const void *)&line->part[6]);
    __m128i const equal = _mm_or_si128(_mm_cmpeq_epi16(low, wanted),
                                       _mm_cmpeq_epi16(high, wanted));
    *unsure = _mm_movemask_epi8(equal) != 0;
    /* Saturated to 0 where the part is not below; two bits each. */
    unsigned const not_low = (unsigned)_mm_movemask_epi8(
        _mm_cmpeq_epi16(_mm_subs_epu16(wanted, low), zero));
    unsigned const not_high = (unsigned)_mm_movemask_epi8(
        _mm_cmpeq_epi16(_mm_subs_epu16(wanted, high), zero));
    unsigned const not_below = not_low | not_high >> 4 << 16 | 1u << 28;
    return (unsigned)__builtin_ctz(not_below) / 2;
}
#else
#define girt__line_below girt__line_below_plain
#endif

/* Its owner, by one line in nearly all cases. */
static inline uint32_t girt__points_owner(const girt__ring_table *table,
                                          uint64_t hash)
{
    const girt__ring_line *const line =
        &table->lines[hash >> (64 - table->bits)];
    uint16_t const part = (uint16_t)(hash << table->bits >> 48);
    bool unsure;
    unsigned const below = girt__line_below(line, part, &unsure);
    if (girt_unlikely(unsure | (line->part[GIRT__LINE_POINTS - 1] == 0)))
        return table->owners[girt__points_find(table, hash)];
    return line->owner[below];
}

/* Sorts `count` points by hash, then by the owner's rank, given by id, into
 * `hashes` and `owners`; `starts` is room for 2^bits words. */
void girt__points_sort(const uint64_t *from_hashes, const uint32_t *from_owners,
                       size_t count, const uint32_t *rank_of_id, unsigned bits,
                       uint32_t *starts, uint64_t *hashes, uint32_t *owners);
/* The number of top bits that find a line among so many points. */
unsigned girt__points_bits(size_t count);
/* Sentinel and lines, when hashes and owners are sorted. */
void girt__points_finish(girt__ring_table *table, unsigned bits);
double girt__points_share(const girt__ring_table *table, uint32_t id);

/* ketama.c */
uint64_t girt__ketama_key_hash(const void *key, size_t size);
uint32_t girt__ketama_points(uint32_t weight, uint64_t weight_total,
                             size_t node_count);

/* maglev.c: XXH64 is girt__ring_xxh64's. */
uint64_t girt__ring_xxh64(const void *data, size_t size, uint64_t seed);
bool girt__is_prime(uint32_t value);
/* One node's way through the table. */
typedef struct girt__maglev_entry {
    uint64_t position, skip; /* below the table's size */
    double weight, target;
    uint32_t owner;
} girt__maglev_entry;
/* Fills `size` slots; all of them UINT32_MAX before. */
void girt__maglev_fill(girt__maglev_entry entries[], size_t count,
                       uint32_t table[], uint32_t size);

/* rendezvous.c */
#define GIRT__LOG_BITS 11
#define GIRT__LOG_SIZE (((size_t)1 << GIRT__LOG_BITS) + 1)
void girt__log_table_fill(uint64_t table[GIRT__LOG_SIZE]);
/* -log2((hash + 1) / 2^64) in units of 2^-57, by straight lines. */
uint64_t girt__log_of(const uint64_t table[GIRT__LOG_SIZE], uint64_t hash);
size_t girt__rendezvous_find(const girt_ring *ring,
                             const girt__ring_table *table, uint64_t hash);
bool girt__rendezvous_next(girt__ring_walk *walk, uint32_t *id);

/* jump.c */
uint32_t girt__jump(uint64_t key, uint32_t buckets);
uint32_t girt__jump_owner(const girt__ring_table *table, uint32_t bucket);
bool girt__jump_next(girt__ring_walk *walk, uint32_t *id);

/* ring_load.c */
girt_status girt__load_create(girt_ring *ring);
void girt__load_destroy(girt_ring *ring);
girt__ring_cell *girt__load_cell(const girt_ring *ring);
/* The node with this id is nobody's and carries nothing. */
bool girt__load_is_idle(const girt__ring_cell *cell);
/* Floor and pending together: the total, when no call is under way. */
int64_t girt__load_known(const girt_ring *ring);
/* Publishes `next`, moving the loads of who comes and goes. */
void girt__load_publish(girt_ring *ring, girt__ring_snapshot *next);

/* ring_report.c */
/* Sets ring->report and counts, where there are metrics. */
girt_status girt__ring_report(girt_ring *ring,
                              const girt_ring_options *options);
void girt__ring_report_end(girt_ring *ring);
/* Before `next` is published, under ring->change: what the report says of it,
 * and room for its nodes' counts. GIRT_OK or GIRT_E_NOMEM. */
girt_status girt__ring_report_next(girt_ring *ring,
                                   const girt__ring_snapshot *previous,
                                   girt__ring_snapshot *next);
/* Counts lookups that named these nodes; the ring has a report. */
void girt__ring_count(const girt_ring *ring, const uint32_t ids[],
                      size_t count);

#endif /* GIRT_RING_RING_INTERNAL_H */
