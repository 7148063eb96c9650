/* SPDX-License-Identifier: MIT */
/* cache.c - the calls of cache.h on a cache that is there, but load, save and
 * restore.
 *
 * get looks for the item, announces it in a slot of its thread, looks again
 * and compares the key: three lines of others are read, none is written but
 * the item's heat while that still rises.  The announcement stays as the
 * caller's pin.  put makes an item, then stores it under its shard's lock;
 * what it replaced or put out is told and freed afterwards.
 *
 * Files: cache_pin (who holds an item), cache_index (where it is),
 * cache_policy, cache_ghost and cache_tinylfu (who leaves), cache_room (the
 * account of bytes), cache_store, cache_load (single flight), cache_create,
 * cache_snapshot, cache_report. */

#include "cache/cache_find.h"

/* ---- time --------------------------------------------------------------- */

int64_t girt__cache_expiry(girt_cache *cache, int64_t ttl_ns, uint64_t hash)
{
    int64_t ttl = ttl_ns != 0 ? ttl_ns : cache->ttl_ns;
    if (ttl == 0)
        return GIRT__NEVER;
    const int64_t now = girt__clock_now(&cache->clock);
    const uint32_t jitter = girt_load_relaxed(&cache->jitter);
    if (jitter != 0) {
        uint64_t chance = (hash ^ (uint64_t)now) * 0x9e3779b97f4a7c15u;
        chance = (chance ^ chance >> 29) * 0xbf58476d1ce4e5b9u;
        const double part = (double)(chance >> 32) * 0x1p-32 *
                            ((double)jitter * (1.0 / UINT32_MAX));
        const int64_t less = (int64_t)((double)ttl * part);
        ttl -= less < ttl ? less : ttl - 1;
    }
    return girt__add_time(now, ttl);
}

girt_status girt_cache_set_jitter(girt_cache *cache, double fraction)
{
    if (cache == NULL || !(fraction >= 0 && fraction <= 1))
        return GIRT_E_INVALID;
    girt_store_relaxed(&cache->jitter, (uint32_t)(fraction * UINT32_MAX));
    return GIRT_OK;
}

void girt__cache_expire(girt_cache *cache, girt__item *item)
{
    girt__shard *const shard = girt__cache_shard(cache, item->hash);
    (void)pthread_mutex_lock(&shard->lock);
    girt__item **const place = girt__buckets_place(&shard->index, item->hash);
    const bool there = place != NULL && *place == item;
    if (there) {
        (void)girt__shard_take(cache, shard, item->hash);
        girt_store_relaxed(&shard->expirations, shard->expirations + 1);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    if (there)
        girt__item_leave(cache, item, true);
}

/* ---- get and release ---------------------------------------------------- */

__attribute__((noinline)) static void note_hit(girt__shard *shard,
                                               uint64_t hash)
{
    girt__recent *const recent =
        &shard->recent[girt__thread_index() % GIRT__RECENT_STRIPES];
    const uint32_t at = girt_add_relaxed(&recent->count, 1);
    if (at < GIRT__RECENT_HITS)
        girt_store_relaxed(&recent->hashes[at], hash);
    if (at + 1 >= GIRT__RECENT_HITS &&
        pthread_mutex_trylock(&shard->lock) == 0) {
        girt__shard_catch_up(shard);
        (void)pthread_mutex_unlock(&shard->lock);
    }
}

/* The announcement as the caller's pin; one in a passing slot is counted. */
static inline void pin(girt_cache *cache, const girt__found_item *found,
                       bool stale, girt_cached *cached)
{
    girt__item *const item = found->item;
    if (girt_unlikely(found->passing)) {
        (void)girt_add_relaxed(&item->holders, 1);
        girt__found_withdraw(cache, found);
        girt__cached_counted(cached, item, stale);
        return;
    }
    *cached = (girt_cached){girt__item_value(item), item->value_size, stale,
                            found->slot};
}

/* Not in a slot meanwhile: on_evict may use the cache, and whoever finds a
 * passing slot in use waits for it. */
static __attribute__((noinline)) void expire_found(
    girt_cache *cache, const girt__found_item *found)
{
    girt__item *const item = found->item;
    (void)girt_add_relaxed(&item->holders, 1);
    girt__found_withdraw(cache, found);
    girt__cache_expire(cache, item);
    girt__item_drop(cache, item);
}

girt_status girt__cache_find(girt_cache *cache, uint64_t hash, const void *key,
                             size_t key_size, girt_cached *cached, bool *known)
{
    const girt__found_item found = girt__find(cache, hash, key, key_size);
    girt__item *const item = found.item;
    *known = false;
    if (item == NULL) {
        girt__cache_count(cache, GIRT__MISSES);
        return GIRT_MISSING;
    }
    const girt__age age = girt__item_age(cache, item);
    if (girt_unlikely(age == GIRT__EXPIRED || item->missing)) {
        *known = age != GIRT__EXPIRED;
        if (*known)
            girt__found_withdraw(cache, &found);
        else
            expire_found(cache, &found);
        girt__cache_count(cache, GIRT__MISSES);
        return GIRT_MISSING;
    }
    girt__shard *const shard = girt__cache_shard(cache, hash);
    if (shard->recent != NULL)
        note_hit(shard, hash);
    else
        girt__item_warm(item);
    girt__cache_count(cache, GIRT__HITS);
    if (age == GIRT__STALE)
        girt__cache_count(cache, GIRT__STALE_HITS);
    pin(cache, &found, age == GIRT__STALE, cached);
    return GIRT_OK;
}

girt_status girt_cache_get(girt_cache *cache, const void *key, size_t key_size,
                           girt_cached *cached)
{
    bool known;
    if (cache == NULL || cached == NULL || (key == NULL && key_size != 0))
        return GIRT_E_INVALID;
    return girt__cache_find(cache, girt__cache_hash(cache, key, key_size), key,
                            key_size, cached, &known);
}

void girt_cache_release(girt_cache *cache, girt_cached *cached)
{
    if (cache == NULL || cached == NULL || cached->pin == NULL)
        return;
    const uintptr_t held = (uintptr_t)cached->pin;
    girt__item *const left = (held & 1) != 0
                                 ? (girt__item *)(held & ~(uintptr_t)1)
                                 : girt__pin_withdraw(cached->pin);
    if (girt_unlikely(left != NULL))
        girt__item_drop(cache, left);
    *cached = (girt_cached){NULL, 0, false, NULL};
}

/* ---- put, remove, clear ------------------------------------------------- */

static void copy(unsigned char *to, const void *from, size_t size)
{
    if (size != 0)
        memcpy(to, from, size);
}

girt_status girt_cache_put(girt_cache *cache, const void *key, size_t key_size,
                           const void *value, size_t value_size, int64_t ttl_ns)
{
    if (cache == NULL || (key == NULL && key_size != 0) ||
        (value == NULL && value_size != 0) || ttl_ns < 0)
        return GIRT_E_INVALID;
    size_t size;
    if (!girt__item_fits(cache, key_size, value_size, &size))
        return GIRT_E_TOO_LARGE;
    const uint64_t hash = girt__cache_hash(cache, key, key_size);
    girt__item *item = NULL;
    girt_status status =
        girt__item_create(cache, hash, key_size, value_size, true, &item);
    if (status != GIRT_OK)
        return status;
    copy(girt__item_value(item), value, value_size);
    copy(item->key, key, key_size);
    item->expires_ns = girt__cache_expiry(cache, ttl_ns, hash);
    status = girt__cache_store(cache, item, NULL, false);
    if (status != GIRT_OK)
        girt__item_disown(cache, item);
    return status;
}

girt_status girt_cache_remove(girt_cache *cache, const void *key,
                              size_t key_size)
{
    if (cache == NULL || (key == NULL && key_size != 0))
        return GIRT_E_INVALID;
    const uint64_t hash = girt__cache_hash(cache, key, key_size);
    girt__shard *const shard = girt__cache_shard(cache, hash);
    (void)pthread_mutex_lock(&shard->lock);
    girt__flights_beat(shard, hash, key, key_size);
    girt__item **const place = girt__buckets_place(&shard->index, hash);
    girt__item *item = NULL;
    if (place != NULL && girt__item_is(*place, hash, key, key_size))
        item = girt__shard_take(cache, shard, hash);
    (void)pthread_mutex_unlock(&shard->lock);
    if (item == NULL)
        return GIRT_MISSING;
    const bool useful =
        !item->missing && girt__item_age(cache, item) != GIRT__EXPIRED;
    girt__item_leave(cache, item, true);
    return useful ? GIRT_OK : GIRT_MISSING;
}

/* Takes all items of a shard at once; newest first, by their links. */
static girt__item *take_all(girt_cache *cache, girt__shard *shard)
{
    girt__item *taken = NULL;
    (void)pthread_mutex_lock(&shard->lock);
    girt__flights_beat_all(shard);
    for (int i = 0; i < GIRT__LISTS; i++) {
        girt__item *item;
        while ((item = shard->policy.lists[i].oldest) != NULL) {
            girt__policy_remove(&shard->policy, item);
            girt__shard_unlink(cache, shard, item);
            item->older = taken;
            taken = item;
        }
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return taken;
}

void girt_cache_clear(girt_cache *cache)
{
    if (cache == NULL)
        return;
    for (size_t i = 0; i < cache->shard_count; i++) {
        girt__item *item = take_all(cache, &cache->shards[i]);
        for (girt__item *next; item != NULL; item = next) {
            next = item->older;
            girt__item_leave(cache, item, true);
        }
    }
}

/* ---- statistics --------------------------------------------------------- */

static uint64_t sum_of(const girt_cache *cache, int sum)
{
    uint64_t total = 0;
    for (int i = 0; i < GIRT__CACHE_STRIPES; i++)
        total += girt_load_relaxed(&cache->stripes[i].sums[sum]);
    return total;
}

void girt_cache_read_stats(const girt_cache *cache, girt_cache_stats *stats)
{
    if (stats == NULL)
        return;
    *stats = (girt_cache_stats){.hits = 0};
    if (cache == NULL)
        return;
    stats->hits = sum_of(cache, GIRT__HITS);
    stats->misses = sum_of(cache, GIRT__MISSES);
    stats->stale_hits = sum_of(cache, GIRT__STALE_HITS);
    stats->loads = sum_of(cache, GIRT__LOADS);
    stats->load_failures = sum_of(cache, GIRT__LOAD_FAILURES);
    stats->joined = sum_of(cache, GIRT__JOINED);
    for (size_t i = 0; i < cache->shard_count; i++) {
        const girt__shard *const shard = &cache->shards[i];
        stats->evictions += girt_load_relaxed(&shard->evictions);
        stats->expirations += girt_load_relaxed(&shard->expirations);
        stats->entries += girt_load_relaxed(&shard->count);
    }
    stats->bytes = girt_load_relaxed(&cache->bytes);
}

static bool shard_is_valid(girt_cache *cache, girt__shard *shard)
{
    size_t count = 0, bytes = 0;
    for (int i = 0; i < GIRT__LISTS; i++) {
        const girt__item_list *const list = &shard->policy.lists[i];
        size_t members = 0, weight = 0;
        for (girt__item *item = list->newest; item != NULL;
             item = item->older) {
            if (item->list != i ||
                girt__cache_shard(cache, item->hash) != shard)
                return false;
            members++;
            weight += girt__item_size(item);
        }
        if (members != list->count || weight != list->bytes)
            return false;
        count += members;
        bytes += weight;
    }
    return count == shard->count && bytes == shard->bytes &&
           girt__buckets_are_valid(&shard->index, count);
}

bool girt__cache_is_valid(girt_cache *cache)
{
    bool valid = true;
    for (size_t i = 0; i < cache->shard_count; i++) {
        girt__shard *const shard = &cache->shards[i];
        (void)pthread_mutex_lock(&shard->lock);
        valid = valid && shard_is_valid(cache, shard);
        (void)pthread_mutex_unlock(&shard->lock);
    }
    return valid && girt_load_relaxed(&cache->bytes) <= cache->bytes_max;
}
