/* SPDX-License-Identifier: MIT */
/* cache_store.c - items into their shard and out of it.
 *
 * Before an item goes in, what the shard wants for it is obtained, without the
 * lock: the index grows, the policy remembers more. */
#include "cache/cache_internal.h"

#include "core/assert.h"

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
        girt__room_release_extra(cache, s.block, s.block_bytes);
        s.block = NULL;
        if (status != GIRT_E_BUSY)
            break;
        if (!s.entry) {
            s.entry = girt__room_reserve_entry(cache, s.shard) == GIRT_OK;
            failed = !s.entry;
        } else {
            s.block = girt__room_obtain_extra(cache, s.shard, s.want.bytes);
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
