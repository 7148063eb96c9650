/* SPDX-License-Identifier: MIT */
/* cache_room.c - one account of bytes for all shards, and who leaves for it.
 *
 * Budgets by shard would refuse an item of bytes_max / 64 in a cache of 64
 * shards, or borrow from each other; one atomic sum does neither.  It is
 * written by calls that change only.  A shard that holds more than its share
 * evicts its own; else one that does is looked for.
 *
 * Bytes leave the account after the allocator has them back, or once all who
 * hold the item hold it as a pin (cache_pin.h). */
#include "cache/cache_internal.h"

#include <sched.h>

#include "core/assert.h"
#include "core/probe.h"

/* Waiting for what other threads have between account and index: so often the
 * processor is given away, then it is slept, a second in all at least. */
enum { YIELDS_MAX = 100, NAPS_MAX = 10000, NAP_NS = 100000 };

/* ---- the account -------------------------------------------------------- */

static bool add_within(size_t *sum, size_t amount, size_t max)
{
    size_t used = girt_load_relaxed(sum);
    /* Each turn means that another thread's reservation went through. */
    while (used <= max && amount <= max - used)
        if (girt_cas_acq_rel(sum, &used, used + amount))
            return true;
    return false;
}

static size_t load_of(const girt__shard *shard, bool by_entries)
{
    return by_entries ? girt_load_relaxed(&shard->count)
                      : girt_load_relaxed(&shard->bytes);
}

/* Its own shard if that holds its share, else the next that does, else the
 * one that holds most; NULL: all are empty. */
static girt__shard *choose_shard(girt_cache *cache, girt__shard *own,
                                 bool by_entries)
{
    const size_t share = (by_entries ? cache->entries_max : cache->bytes_max) /
                         cache->shard_count / 4 * 3;
    if (own != NULL && load_of(own, by_entries) > share)
        return own;
    girt__shard *most = NULL;
    size_t most_load = 0;
    const uint32_t first = girt_add_relaxed(&cache->turn, 1);
    for (size_t i = 0; i < cache->shard_count; i++) {
        girt__shard *const shard =
            &cache->shards[(first + i) & (cache->shard_count - 1)];
        const size_t load = load_of(shard, by_entries);
        if (load > share)
            return shard;
        if (load > most_load) {
            most_load = load;
            most = shard;
        }
    }
    return most;
}

static bool evict_one(girt_cache *cache, girt__shard *own, bool by_entries)
{
    girt__shard *const shard = choose_shard(cache, own, by_entries);
    if (shard == NULL)
        return false;
    (void)pthread_mutex_lock(&shard->lock);
    girt__shard_catch_up(shard);
    girt__item *const item = girt__policy_victim(&shard->policy);
    if (item != NULL) {
        girt__shard_unlink(cache, shard, item);
        girt_store_relaxed(&shard->evictions, shard->evictions + 1);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    if (item != NULL)
        girt__item_leave(cache, item, true);
    return item != NULL;
}

/* false: that was often enough. */
static bool wait_for_others(unsigned *turns)
{
    if (++*turns > YIELDS_MAX + NAPS_MAX)
        return false;
    if (*turns <= YIELDS_MAX) {
        (void)sched_yield();
        return true;
    }
    /* nanosleep would be a cancellation point, which put is not. */
    girt__park park = {0, 0};
    const uint32_t key = girt__park_prepare(&park);
    (void)girt__park_wait(&park, key, girt__deadline(NAP_NS));
    return true;
}

static girt_status reserve(girt_cache *cache, girt__shard *own, bool entry,
                           size_t amount)
{
    size_t *const sum = entry ? &cache->entries : &cache->bytes;
    const size_t max = entry ? cache->entries_max : cache->bytes_max;
    if (amount > max)
        return GIRT_E_NOMEM;
    /* Each turn evicts one item, or waits for other threads. */
    for (unsigned idle = 0; !add_within(sum, amount, max);) {
        if (evict_one(cache, own, entry))
            idle = 0;
        else if (!wait_for_others(&idle))
            return GIRT_E_NOMEM;
    }
    return GIRT_OK;
}

girt_status girt__room_reserve(girt_cache *cache, girt__shard *shard,
                               size_t bytes)
{
    return reserve(cache, shard, false, bytes);
}

void girt__room_return(girt_cache *cache, size_t bytes)
{
    const size_t before = girt_sub_release(&cache->bytes, bytes);
    girt_assert(before >= bytes);
    (void)before;
}

girt_status girt__room_reserve_entry(girt_cache *cache, girt__shard *shard)
{
    return cache->entries_max == 0 ? GIRT_OK : reserve(cache, shard, true, 1);
}

void girt__room_return_entry(girt_cache *cache)
{
    if (cache->entries_max != 0)
        (void)girt_sub_release(&cache->entries, 1);
}

girt_status girt__room_reserve_flight(girt_cache *cache, girt__shard *shard,
                                      size_t bytes, bool *beside)
{
    *beside = add_within(&cache->beside, bytes, GIRT__FLIGHTS_BESIDE);
    if (*beside)
        return GIRT_OK;
    if (!add_within(&cache->flight_bytes, bytes, cache->bytes_max / 4))
        return GIRT_E_NOMEM;
    const girt_status status = girt__room_reserve(cache, shard, bytes);
    if (status != GIRT_OK)
        (void)girt_sub_release(&cache->flight_bytes, bytes);
    return status;
}

void girt__room_return_flight(girt_cache *cache, size_t bytes, bool beside)
{
    if (beside) {
        (void)girt_sub_release(&cache->beside, bytes);
        return;
    }
    girt__room_return(cache, bytes);
    (void)girt_sub_release(&cache->flight_bytes, bytes);
}

bool girt__room_reserve_stream(girt_cache *cache)
{
    return add_within(&cache->streams, 1, GIRT__STREAMS);
}

void girt__room_return_stream(girt_cache *cache)
{
    (void)girt_sub_release(&cache->streams, 1);
}

/* ---- items -------------------------------------------------------------- */

bool girt__item_fits(const girt_cache *cache, size_t key_size,
                     size_t value_size, size_t *size)
{
    size_t both, all;
    if (key_size > UINT32_MAX || !girt__size_add(key_size, value_size, &both) ||
        !girt__size_add(girt__value_offset(key_size), value_size, &all) ||
        all > PTRDIFF_MAX)
        return false;
    all = all < sizeof(girt__item) ? sizeof(girt__item) : all;
    *size = all;
    return all <= cache->bytes_max / 4 ||
           (both <= cache->bytes_max / 64 && all <= cache->bytes_max);
}

girt_status girt__item_create(girt_cache *cache, uint64_t hash, size_t key_size,
                              size_t value_size, bool counted, girt__item **out)
{
    size_t size = 0;
    if (!girt__item_fits(cache, key_size, value_size, &size) &&
        (counted || size == 0))
        return GIRT_E_TOO_LARGE;
    if (counted) {
        const girt_status status =
            girt__room_reserve(cache, girt__cache_shard(cache, hash), size);
        if (status != GIRT_OK)
            return status;
    }
    girt__item *const item =
        girt__allocate(&cache->allocator, size, GIRT__VALUE_ALIGNMENT);
    if (item == NULL) {
        if (counted)
            girt__room_return(cache, size);
        return GIRT_E_NOMEM;
    }
    *item = (girt__item){.hash = hash,
                         .key_size = (uint32_t)key_size,
                         .value_size = value_size,
                         .expires_ns = GIRT__NEVER,
                         .holders = counted ? GIRT__OWNER : 1};
    *out = item;
    return GIRT_OK;
}

void girt__item_drop(girt_cache *cache, girt__item *item)
{
    /* Acquire: all who held it before are done with it. */
    const uint32_t before = girt_sub_acq_rel(&item->holders, 1);
    girt_assert(before != 0);
    if (before == 1)
        girt__release(&cache->allocator, item, girt__item_size(item));
}

void girt__item_disown(girt_cache *cache, girt__item *item)
{
    const size_t size = girt__item_size(item);
    const uint32_t before = girt_sub_acq_rel(&item->holders, GIRT__OWNER);
    girt_assert(before >= GIRT__OWNER);
    if (before == GIRT__OWNER)
        girt__release(&cache->allocator, item, size);
    if (before >> GIRT__OWNER_SHIFT == 1)
        girt__room_return(cache, size);
}

void girt__item_leave(girt_cache *cache, girt__item *item, bool tell)
{
    if (tell)
        girt_probe3(cache_leave, cache, (const void *)item->key,
                    item->key_size);
    if (tell && !item->missing && cache->on_evict != NULL) {
        /* A cancellation inside would lose the item. */
        int state;
        (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        cache->on_evict(cache->context, item->key, item->key_size,
                        girt__item_value(item), item->value_size);
        (void)pthread_setcancelstate(state, NULL);
    }
    girt__pin_mark(item, &item->holders);
    girt__item_disown(cache, item);
}

/* ---- index and policy --------------------------------------------------- */

void *girt__room_obtain_extra(girt_cache *cache, girt__shard *shard,
                              size_t bytes)
{
    if (!add_within(&cache->extra_bytes, bytes, cache->bytes_max / 2))
        return NULL;
    void *block = NULL;
    if (girt__room_reserve(cache, shard, bytes) == GIRT_OK) {
        block = girt__allocate_zeroed(&cache->allocator, bytes, GIRT_CACHELINE);
        if (block == NULL)
            girt__room_return(cache, bytes);
    }
    if (block == NULL)
        (void)girt_sub_relaxed(&cache->extra_bytes, bytes);
    return block;
}

void girt__room_release_extra(girt_cache *cache, void *block, size_t bytes)
{
    if (block == NULL)
        return;
    girt__release(&cache->allocator, block, bytes);
    girt__room_return(cache, bytes);
    (void)girt_sub_relaxed(&cache->extra_bytes, bytes);
}
