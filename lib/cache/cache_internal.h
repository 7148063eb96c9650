/* SPDX-License-Identifier: MIT */
/* cache_internal.h - a cache and its shards.
 *
 *   cache: [ written once | bytes | entries | shards | stripes ]
 *   shard: [ index, read by every get | lock, policy, flights ]
 *
 * R1: bytes >= what items, index and policy hold of the allocator beyond
 *     create, less items that left while pinned; and bytes <= bytes_max.  Who
 *     allocates adds first (evicting until there is room), who frees takes
 *     away afterwards: an item's owners are its cache and the saves that write
 *     it, and the last of them does.
 * R1b: flights take GIRT__FLIGHTS_BESIDE beside bytes, and then a quarter of
 *     bytes at most; saves and restores that run are GIRT__STREAMS at most:
 *     what is beside bytes is 64 KiB.
 * R2: entries, kept where entries_max is given, works alike.
 * R3: at most one shard's lock is held at a time, and none while memory is
 *     allocated or a function of the caller's runs. */
#ifndef GIRT_CACHE_INTERNAL_H
#define GIRT_CACHE_INTERNAL_H

#include <pthread.h>

#include <girt/cache.h>

#include "cache/cache_index.h"
#include "cache/cache_pin.h"
#include "cache/cache_policy.h"
#include "core/alloc_internal.h"
#include "core/clock_internal.h"
#include "core/keyed_hash.h"
#include "core/park.h"
#include "core/report.h"

/* Hits since the lock was last had, for policies that order by them. */
enum { GIRT__RECENT_HITS = 15, GIRT__RECENT_STRIPES = 4 };
typedef struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__recent {
    uint32_t count; /* atomic; beyond GIRT__RECENT_HITS: lost */
    uint64_t hashes[GIRT__RECENT_HITS]; /* atomic; 0: none */
} girt__recent;

typedef struct girt__flight girt__flight;

typedef struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__shard {
    girt__buckets index;
    girt__recent *recent; /* GIRT__RECENT_STRIPES, or NULL; written once */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) pthread_mutex_t lock;
    girt__policy policy;
    girt__flight *flights; /* those that put, remove and clear did not beat */
    size_t count, bytes;   /* of items; read without the lock */
    uint64_t evictions, expirations; /* read without the lock */
} girt__shard;

/* Sums that each thread adds to in a line of its own, while there are fewer
 * than 64 of them; the last line is shared by the others. */
enum {
    GIRT__HITS,
    GIRT__MISSES,
    GIRT__STALE_HITS,
    GIRT__LOADS,
    GIRT__LOAD_FAILURES,
    GIRT__JOINED,
    GIRT__CACHE_SUMS
};
enum { GIRT__CACHE_STRIPES = 64 };
typedef struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__cache_stripe {
    uint64_t sums[GIRT__CACHE_SUMS];
} girt__cache_stripe;

struct girt_cache {
    /* Written once. */
    girt__hash_key key;
    girt_allocator allocator;
    girt_clock clock;
    void (*on_evict)(void *context, const void *key, size_t key_size,
                     const void *value, size_t value_size);
    void *context;
    size_t bytes_max, entries_max;
    int64_t ttl_ns, stale_ns, missing_ttl_ns;
    girt__shard *shards;
    size_t shard_count;
    uint32_t shard_shift; /* 64 when there is one */
    girt__recent *recents;
    girt__cache_stripe *stripes;
    girt__report *report; /* or NULL */
    uint32_t jitter;      /* atomic: of 2^32 - 1 */
    /* Changed by calls that change. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) size_t bytes; /* R1 */
    size_t extra_bytes;  /* of these, what index and policies grew by */
    size_t flight_bytes; /* and what flights take; R1b */
    size_t entries;      /* R2 */
    size_t beside;       /* R1b: of flights */
    size_t streams;      /* R1b: saves and restores that run */
    uint32_t turn;       /* where the search for a victim begins */
};

/* Saves and restores at once, and what each takes; the rest of 64 KiB is for
 * flights. */
enum {
    GIRT__STREAMS = 3,
    GIRT__STREAM_BYTES = (16 << 10) + 128,
    GIRT__FLIGHTS_BESIDE = (64 << 10) - GIRT__STREAMS * GIRT__STREAM_BYTES
};

static inline girt__shard *girt__cache_shard(girt_cache *cache, uint64_t hash)
{
    return cache->shard_shift == 64
               ? cache->shards
               : &cache->shards[hash >> cache->shard_shift];
}

static inline void girt__cache_count(girt_cache *cache, int sum)
{
    const uint32_t thread = girt__thread_index();
    if (girt_likely(thread < GIRT__CACHE_STRIPES - 1)) {
        /* Ours alone: relaxed, one after the other, loses nothing. */
        uint64_t *const own = &cache->stripes[thread].sums[sum];
        girt_store_relaxed(own, girt_load_relaxed(own) + 1);
        return;
    }
    (void)girt_add_relaxed(&cache->stripes[GIRT__CACHE_STRIPES - 1].sums[sum],
                           1);
}

/* ---- cache_room.c: memory, and who leaves for it ------------------------ */

/* Adds to bytes, evicting until there is room.  GIRT_E_NOMEM: all there is
 * is on its way in or out in other threads. */
girt_status girt__room_reserve(girt_cache *cache, girt__shard *shard,
                               size_t bytes);
void girt__room_return(girt_cache *cache, size_t bytes);
/* The same for one entry, where entries_max is given. */
girt_status girt__room_reserve_entry(girt_cache *cache, girt__shard *shard);
void girt__room_return_entry(girt_cache *cache);

/* For a flight, beside bytes_max if it may be: *beside. GIRT_E_NOMEM, at once:
 * there are too many. */
girt_status girt__room_reserve_flight(girt_cache *cache, girt__shard *shard,
                                      size_t bytes, bool *beside);
void girt__room_return_flight(girt_cache *cache, size_t bytes, bool beside);
/* For a save or restore; false: GIRT__STREAMS of them run. */
bool girt__room_reserve_stream(girt_cache *cache);
void girt__room_return_stream(girt_cache *cache);

/* What an item of these sizes takes; false: more than the cache accepts. */
bool girt__item_fits(const girt_cache *cache, size_t key_size,
                     size_t value_size, size_t *size);
/* An item with room for its value and key, held once.  `counted`: its bytes
 * are reserved first and the caller is its owner; otherwise it is beside the
 * cache. */
girt_status girt__item_create(girt_cache *cache, uint64_t hash, size_t key_size,
                              size_t value_size, bool counted,
                              girt__item **out);
/* Takes one holder off; the last one frees. */
void girt__item_drop(girt_cache *cache, girt__item *item);
/* The same for an owner; the last one returns the bytes. */
void girt__item_disown(girt_cache *cache, girt__item *item);
/* One that no index names, owned by the caller: tells on_evict if it
 * should, and disowns it; whoever has it pinned goes on. */
void girt__item_leave(girt_cache *cache, girt__item *item, bool tell);

/* For index and policy, zeroed; half of all bytes at most go to these.  NULL:
 * go on without. */
void *girt__room_obtain_extra(girt_cache *cache, girt__shard *shard,
                              size_t bytes);
void girt__room_release_extra(girt_cache *cache, void *block, size_t bytes);

/* ---- cache_store.c ------------------------------------------------------ */

/* The next three under the shard's lock. */
void girt__shard_unlink(girt_cache *cache, girt__shard *shard,
                        girt__item *item);
/* Unlinks the item of a hash; NULL: there is none. */
girt__item *girt__shard_take(girt_cache *cache, girt__shard *shard,
                             uint64_t hash);
/* Applies the hits that were noted. */
void girt__shard_catch_up(girt__shard *shard);

/* Puts an item in, owned by the caller for the cache.  On anything but GIRT_OK
 * it is still the caller's.  GIRT_REJECTED: `flight` was beaten. GIRT_EXISTS:
 * `keep` and the key is there, or known to be missing.  GIRT_E_NOMEM:
 * entries_max entries are on their way in or out in other threads. */
girt_status girt__cache_store(girt_cache *cache, girt__item *item,
                              girt__flight *flight, bool keep);

/* ---- cache.c ------------------------------------------------------------ */

typedef enum girt__age { GIRT__FRESH, GIRT__STALE, GIRT__EXPIRED } girt__age;

static inline int64_t girt__add_time(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? GIRT__NEVER : sum;
}

/* Not for items that never expire: their age needs no clock. */
static inline girt__age girt__item_age_at(const girt_cache *cache,
                                          const girt__item *item, int64_t now)
{
    if (now < item->expires_ns)
        return GIRT__FRESH;
    if (item->missing || cache->stale_ns == 0 ||
        now >= girt__add_time(item->expires_ns, cache->stale_ns))
        return GIRT__EXPIRED;
    return GIRT__STALE;
}

static inline girt__age girt__item_age(const girt_cache *cache,
                                       const girt__item *item)
{
    return girt_likely(item->expires_ns == GIRT__NEVER)
               ? GIRT__FRESH
               : girt__item_age_at(cache, item, girt__clock_now(&cache->clock));
}

/* When an entry of this ttl (0: the cache's) expires that is put now. */
int64_t girt__cache_expiry(girt_cache *cache, int64_t ttl_ns, uint64_t hash);
/* Removes an item that is no longer of use, if it is still there. */
void girt__cache_expire(girt_cache *cache, girt__item *item);
/* GIRT_OK: pinned; GIRT_MISSING: *known says whether that is remembered. */
girt_status girt__cache_find(girt_cache *cache, uint64_t hash, const void *key,
                             size_t key_size, girt_cached *cached, bool *known);

static inline uint64_t girt__cache_hash(const girt_cache *cache,
                                        const void *key, size_t key_size)
{
    return girt__keyed_hash(&cache->key, key, key_size);
}

/* A pin that is counted in the item: one holder is the pin's. */
static inline void girt__cached_counted(girt_cached *cached, girt__item *item,
                                        bool stale)
{
    *cached = (girt_cached){girt__item_value(item), item->value_size, stale,
                            (void *)((uintptr_t)item | 1)};
}

/* What a pin holds: itself with a bit, or the slot that names it. */
static inline girt__item *girt__cached_item(const girt_cached *cached)
{
    const uintptr_t held = (uintptr_t)cached->pin;
    const uintptr_t item =
        (held & 1) != 0 ? held : girt_load_relaxed((uintptr_t *)cached->pin);
    return (girt__item *)(item & ~(uintptr_t)1);
}

/* ---- cache_report.c ----------------------------------------------------- */

/* Sets cache->report. */
girt_status girt__cache_report(girt_cache *cache,
                               const girt_cache_options *options);

/* ---- cache_load.c ------------------------------------------------------- */

/* Under the shard's lock: loads of this key have lost. */
void girt__flights_beat(girt__shard *shard, uint64_t hash, const void *key,
                        size_t key_size);
void girt__flights_beat_all(girt__shard *shard);
/* The same for one that stored what it brought; false: it had lost. */
bool girt__flight_land(girt__shard *shard, girt__flight *flight);

/* Walks all shards: counts, sums, places. For tests and audits. */
bool girt__cache_is_valid(girt_cache *cache);

#endif /* GIRT_CACHE_INTERNAL_H */
