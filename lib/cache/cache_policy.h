/* SPDX-License-Identifier: MIT */
/* cache_policy.h - which item leaves when there is no room.
 *
 * A policy sees the items of one shard, under the shard's lock; of a hit it
 * hears by the item's heat (S3-FIFO, SIEVE) or from the shard's list of recent
 * hits (LRU, W-TinyLFU). Weights are bytes. */
#ifndef GIRT_CACHE_POLICY_H
#define GIRT_CACHE_POLICY_H

#include <girt/cache.h>

#include "cache/cache_index.h"

/* Newest first. */
typedef struct girt__item_list {
    girt__item *newest, *oldest;
    size_t count;
    size_t bytes;
} girt__item_list;

/* S3-FIFO: small, main.  W-TinyLFU: window, probation, protected.  Others
 * have the first only. */
enum { GIRT__LISTS = 3 };
enum { GIRT__SMALL, GIRT__MAIN };
enum { GIRT__WINDOW, GIRT__PROBATION, GIRT__PROTECTED };

/* Hashes of items that were evicted lately: buckets of eight, each word a
 * 32-bit fingerprint and the number of the eviction. */
typedef struct girt__ghost {
    uint64_t *words; /* NULL: none yet */
    uint32_t mask;   /* buckets, less one */
    uint32_t clock;  /* evictions so far */
} girt__ghost;

/* Counters of how often hashes were seen: a counting Bloom filter. */
typedef struct girt__sketch {
    uint16_t *counters; /* NULL: none yet */
    uint32_t count;
    uint32_t entries; /* that it was made for */
    uint64_t hits;    /* since the counters were halved */
} girt__sketch;

typedef struct girt__policy {
    girt_cache_policy kind; /* not DEFAULT; written once */
    bool has_evicted;
    size_t share_entries; /* of entries_max; 0: bytes rule; written once */
    size_t share_bytes;   /* of bytes_max; written once */
    girt__item_list lists[GIRT__LISTS];
    girt__item *hand;       /* SIEVE */
    bool probation_is_over; /* W-TinyLFU: its share, by a promotion */
    bool contest_goes_on;   /* W-TinyLFU: one of the window won it */
    size_t contestants;     /* then: those of the window yet to come */
    girt__ghost ghost;
    girt__sketch sketch;
} girt__policy;

void girt__list_push(girt__item_list *list, girt__item *item, uint8_t number);
void girt__list_remove(girt__item_list *list, girt__item *item);

void girt__policy_insert(girt__policy *policy, girt__item *item);
/* Takes an item out of its list: removed, or expired. */
void girt__policy_remove(girt__policy *policy, girt__item *item);
/* `item` takes the place of `old`, with a hit. */
void girt__policy_replace(girt__policy *policy, girt__item *old,
                          girt__item *item);
/* A hit that was noted. */
void girt__policy_touch(girt__policy *policy, girt__item *item);
/* The item to leave, out of its list; NULL: there is none. */
girt__item *girt__policy_victim(girt__policy *policy);

girt__want girt__policy_wants(const girt__policy *policy, size_t items);
/* Takes a zeroed block; answers the block that it replaced, of *old_bytes. */
void *girt__policy_feed(girt__policy *policy, girt__want want, void *block,
                        size_t *old_bytes);
/* Blocks that feed took. */
void girt__policy_release(girt__policy *policy,
                          void (*release)(void *context, void *block,
                                          size_t size),
                          void *context);

size_t girt__policy_count(const girt__policy *policy);
size_t girt__policy_bytes(const girt__policy *policy);

/* The parts of W-TinyLFU, of cache_tinylfu.c. */
void girt__tinylfu_insert(girt__policy *policy, girt__item *item);
void girt__tinylfu_touch(girt__policy *policy, girt__item *item);
girt__item *girt__tinylfu_victim(girt__policy *policy);
girt__want girt__sketch_wants(const girt__policy *policy, size_t items);
void girt__sketch_feed(girt__sketch *sketch, void *block, size_t bytes);

/* cache_ghost.c */
bool girt__ghost_take(girt__ghost *ghost, uint64_t hash, size_t span);
void girt__ghost_add(girt__ghost *ghost, uint64_t hash);
girt__want girt__ghost_wants(const girt__ghost *ghost, size_t items);
void girt__ghost_feed(girt__ghost *ghost, void *block, size_t bytes);
static inline size_t girt__ghost_bytes(const girt__ghost *ghost)
{
    return ghost->words == NULL
               ? 0
               : ((size_t)ghost->mask + 1) * 8 * sizeof(uint64_t);
}

/* A hit, by the reader: what the policy will want to know. */
#define GIRT__HEAT_MAX 3u

static inline void girt__item_warm(girt__item *item)
{
    /* Relaxed, and not one step: two readers may count once. Written only
     * while it changes, so that a hot item's line stays shared. */
    const uint8_t heat = girt_load_relaxed(&item->heat);
    if (heat < GIRT__HEAT_MAX)
        girt_store_relaxed(&item->heat, (uint8_t)(heat + 1));
}

#endif /* GIRT_CACHE_POLICY_H */
