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
                         .holders = 1};
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

void girt__item_leave(girt_cache *cache, girt__item *item, bool tell)
{
    const size_t size = girt__item_size(item);
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
    girt__item_drop(cache, item);
    girt__room_return(cache, size);
}

/* ---- shards ------------------------------------------------------------- */

static void change_load(girt__shard *shard, size_t count, size_t bytes)
{
    girt_store_relaxed(&shard->count, shard->count + count);
    girt_store_relaxed(&shard->bytes, shard->bytes + bytes);
}

void girt__shard_unlink(girt_cache *cache, girt__shard *shard, girt__item *item)
{
    girt__buckets_remove(&shard->index, item);
    change_load(shard, (size_t)-1, (size_t)0 - girt__item_size(item));
    girt__room_return_entry(cache);
}

girt__item *girt__shard_take(girt_cache *cache, girt__shard *shard,
                             uint64_t hash)
{
    girt__item **const place = girt__buckets_place(&shard->index, hash);
    if (place == NULL)
        return NULL;
    girt__item *const item = *place;
    girt__policy_remove(&shard->policy, item);
    girt__shard_unlink(cache, shard, item);
    return item;
}

void girt__shard_catch_up(girt__shard *shard)
{
    if (shard->recent == NULL)
        return;
    for (int s = 0; s < GIRT__RECENT_STRIPES; s++) {
        girt__recent *const recent = &shard->recent[s];
        if (girt_load_relaxed(&recent->count) == 0)
            continue;
        for (int i = 0; i < GIRT__RECENT_HITS; i++) {
            /* Relaxed: a hash leads to an item under the lock, or to none. */
            const uint64_t hash =
                girt_swap_relaxed(&recent->hashes[i], (uint64_t)0);
            girt__item **const place =
                hash == 0 ? NULL : girt__buckets_place(&shard->index, hash);
            if (place != NULL)
                girt__policy_touch(&shard->policy, *place);
        }
        girt_store_relaxed(&recent->count, 0u);
    }
}

/* ---- storing ------------------------------------------------------------ */

/* Half of all bytes at most go to index and policy. */
static void *obtain(girt_cache *cache, girt__shard *shard, girt__want want)
{
    if (!add_within(&cache->extra_bytes, want.bytes, cache->bytes_max / 2))
        return NULL;
    void *block = NULL;
    if (girt__room_reserve(cache, shard, want.bytes) == GIRT_OK) {
        block = girt__allocate_zeroed(&cache->allocator, want.bytes,
                                      GIRT_CACHELINE);
        if (block == NULL)
            girt__room_return(cache, want.bytes);
    }
    if (block == NULL)
        (void)girt_sub_relaxed(&cache->extra_bytes, want.bytes);
    return block;
}

static void give_back(girt_cache *cache, void *block, size_t bytes)
{
    if (block == NULL)
        return;
    girt__release(&cache->allocator, block, bytes);
    girt__room_return(cache, bytes);
    (void)girt_sub_relaxed(&cache->extra_bytes, bytes);
}

static girt__want shard_wants(const girt__shard *shard)
{
    const girt__want want =
        girt__buckets_wants(&shard->index, shard->count + 1);
    return want.kind != GIRT__WANT_NOTHING
               ? want
               : girt__policy_wants(&shard->policy, shard->count + 1);
}

/* What one store has got hold of so far. */
typedef struct store {
    girt_cache *cache;
    girt__shard *shard;
    girt__item *item;
    girt__flight *flight;
    bool keep;
    int64_t now_ns; /* for `keep` */
    bool entry;     /* room for one more */
    bool exhausted; /* a wish could not be met: go on without */
    girt__want want;
    void *block; /* for the shard; afterwards to be freed */
    size_t block_bytes;
    girt__item *old; /* replaced, or put out */
} store;

/* Gives the shard what was obtained, if it still wants it. */
static void feed(store *s)
{
    const girt__want now = shard_wants(s->shard);
    if (s->block == NULL || now.kind != s->want.kind ||
        now.bytes != s->want.bytes)
        return;
    if (now.kind == GIRT__WANT_GHOST || now.kind == GIRT__WANT_SKETCH) {
        s->block = girt__policy_feed(&s->shard->policy, now, s->block,
                                     &s->block_bytes);
        return;
    }
    girt__buckets_feed(&s->shard->index, now, s->block);
    s->block = NULL;
}

static void replace(store *s, girt__item **place)
{
    s->old = *place;
    girt__policy_replace(&s->shard->policy, s->old, s->item);
    change_load(s->shard, 0,
                girt__item_size(s->item) - girt__item_size(s->old));
    girt_store_release(place, s->item); /* U1 of old, L1 of the new */
}

/* Puts the item in.  Where its bucket is full and the index has no bucket to
 * add, another of the same chain leaves for it. */
static void insert(store *s)
{
    girt__shard *const shard = s->shard;
    if (!girt__buckets_insert(&shard->index, s->item)) {
        girt__item *const other =
            girt__buckets_coldest(&shard->index, s->item->hash);
        s->old = girt__shard_take(s->cache, shard, other->hash);
        girt_store_relaxed(&shard->evictions, shard->evictions + 1);
        const bool done = girt__buckets_insert(&shard->index, s->item);
        girt_assert(done);
        (void)done;
    }
    s->entry = false; /* the item's now */
    change_load(shard, 1, girt__item_size(s->item));
    girt__policy_insert(&shard->policy, s->item);
    girt__buckets_split(&shard->index, shard->count);
}

/* Of what is to be kept: it may have expired, and nobody asked for it since.
 */
static bool expired(store *s, const girt__item *item)
{
    if (girt__item_age_at(s->cache, item, s->now_ns) != GIRT__EXPIRED)
        return false;
    girt_store_relaxed(&s->shard->expirations, s->shard->expirations + 1);
    return true;
}

/* Under the lock; GIRT_E_BUSY: something is to be obtained first. */
static girt_status store_locked(store *s)
{
    girt__shard *const shard = s->shard;
    girt__shard_catch_up(shard);
    if (s->block != NULL)
        feed(s);
    girt__item **const place =
        girt__buckets_place(&shard->index, s->item->hash);
    if (place != NULL && s->keep && !expired(s, *place))
        return GIRT_EXISTS;
    if (place == NULL && !s->entry)
        return GIRT_E_BUSY;
    if (place == NULL && !s->exhausted) {
        s->want = shard_wants(shard);
        if (s->want.kind != GIRT__WANT_NOTHING && s->block == NULL)
            return GIRT_E_BUSY;
    }
    if (s->flight != NULL && !girt__flight_land(shard, s->flight))
        return GIRT_REJECTED;
    if (place != NULL)
        replace(s, place);
    else
        insert(s);
    if (s->flight == NULL && !s->keep)
        girt__flights_beat(shard, s->item->hash, s->item->key,
                           s->item->key_size);
    return GIRT_OK;
}

girt_status girt__cache_store(girt_cache *cache, girt__item *item,
                              girt__flight *flight, bool keep)
{
    store s = {.cache = cache,
               .shard = girt__cache_shard(cache, item->hash),
               .item = item,
               .flight = flight,
               .keep = keep,
               .now_ns = keep ? girt__clock_now(&cache->clock) : 0,
               .entry = cache->entries_max == 0};
    girt_status status;
    bool failed = false;
    /* Each turn obtains one thing that the shard wants, or ends. */
    do {
        (void)pthread_mutex_lock(&s.shard->lock);
        status = store_locked(&s);
        (void)pthread_mutex_unlock(&s.shard->lock);
        give_back(cache, s.block, s.block_bytes);
        s.block = NULL;
        if (status != GIRT_E_BUSY)
            break;
        if (!s.entry) {
            s.entry = girt__room_reserve_entry(cache, s.shard) == GIRT_OK;
            failed = !s.entry;
        } else {
            s.block = obtain(cache, s.shard, s.want);
            s.block_bytes = s.want.bytes;
            s.exhausted = s.block == NULL;
        }
    } while (!failed);
    if (s.entry)
        girt__room_return_entry(cache);
    if (s.old != NULL)
        girt__item_leave(cache, s.old, true);
    return status == GIRT_E_BUSY ? GIRT_E_NOMEM : status;
}
