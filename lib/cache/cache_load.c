/* SPDX-License-Identifier: MIT */
/* cache_load.c - single flight: of those who miss a key one runs its loader.
 *
 * A flight is made by the first who misses, and found by the others, in its
 * shard's list under the shard's lock.  It leaves the list when it lands (its
 * value is stored in the same critical section) or when put, remove or clear
 * beat it; who waits holds it by reference and gets its result in any case.
 *
 * F1: at most one flight for a key is in a list.
 * F2: a flight ends: its loader returned, or a cleanup handler saw its thread
 *     cancelled.  Then status and item are written, `done` is stored (D1), and
 *     all sleepers are woken; they read after D2.
 * F3: an item that landed is in the index before its flight is out of the
 *     list, so that nobody who misses under the lock loads it again. */
#include <errno.h>

#include "cache/cache_find.h"
#include "core/assert.h"

struct girt__flight {
    girt__flight *next;  /* in the shard's list; under its lock */
    bool listed;         /* under the shard's lock */
    bool beside;         /* R1b; written once */
    girt__flight *outer; /* the loading thread's: the load around this one */
    girt_cache *cache;   /* written once */
    uint64_t hash;
    const void *key; /* the loading thread's; read while listed or loading */
    size_t key_size;
    uint32_t references; /* atomic */
    uint32_t done;       /* atomic: D1, D2 */
    girt__park park;
    girt_status status; /* written before D1 */
    int error;          /* for GIRT_E_SYSTEM */
    girt__item *item;   /* of GIRT_OK; the flight is one of its holders */
};

/* Those whose loaders this thread runs, innermost first. */
static _Thread_local girt__flight *loading;

/* ---- flights ------------------------------------------------------------ */

static bool is_of(const girt__flight *flight, uint64_t hash, const void *key,
                  size_t key_size)
{
    return flight->hash == hash && flight->key_size == key_size &&
           (key_size == 0 || memcmp(flight->key, key, key_size) == 0);
}

static girt__flight *find_flight(const girt__shard *shard, uint64_t hash,
                                 const void *key, size_t key_size)
{
    girt__flight *flight = shard->flights;
    while (flight != NULL && !is_of(flight, hash, key, key_size))
        flight = flight->next;
    return flight;
}

bool girt__flight_land(girt__shard *shard, girt__flight *flight)
{
    if (!flight->listed)
        return false;
    girt__flight **link = &shard->flights;
    while (*link != flight)
        link = &(*link)->next;
    *link = flight->next;
    flight->listed = false;
    return true;
}

void girt__flights_beat(girt__shard *shard, uint64_t hash, const void *key,
                        size_t key_size)
{
    girt__flight *const flight = find_flight(shard, hash, key, key_size);
    if (girt_unlikely(flight != NULL))
        (void)girt__flight_land(shard, flight);
}

void girt__flights_beat_all(girt__shard *shard)
{
    while (shard->flights != NULL)
        (void)girt__flight_land(shard, shard->flights);
}

static girt__flight *create_flight(girt_cache *cache, uint64_t hash,
                                   const void *key, size_t key_size)
{
    girt__flight *flight;
    bool beside;
    if (girt__room_reserve_flight(cache, girt__cache_shard(cache, hash),
                                  sizeof *flight, &beside) != GIRT_OK)
        return NULL;
    flight = girt__allocate(&cache->allocator, sizeof *flight,
                            _Alignof(girt__flight));
    if (flight == NULL) {
        girt__room_return_flight(cache, sizeof *flight, beside);
        return NULL;
    }
    *flight = (girt__flight){.cache = cache,
                             .beside = beside,
                             .hash = hash,
                             .key = key,
                             .key_size = key_size,
                             .references = 1};
    return flight;
}

static void drop_flight(girt__flight *flight)
{
    if (flight == NULL || girt_sub_acq_rel(&flight->references, 1) != 1)
        return;
    girt_cache *const cache = flight->cache;
    if (flight->item != NULL)
        girt__item_drop(cache, flight->item);
    const bool beside = flight->beside;
    girt__release(&cache->allocator, flight, sizeof *flight);
    girt__room_return_flight(cache, sizeof *flight, beside);
}

/* Ends a flight, and the loading thread's part in it. */
static void end_flight(girt__flight *flight, girt_status status, int error,
                       girt__item *item)
{
    girt__shard *const shard = girt__cache_shard(flight->cache, flight->hash);
    (void)pthread_mutex_lock(&shard->lock);
    (void)girt__flight_land(shard, flight);
    (void)pthread_mutex_unlock(&shard->lock);
    girt_assert(loading == flight);
    loading = flight->outer;
    flight->status = status;
    flight->error = error;
    flight->item = item;
    girt_store_release(&flight->done, 1u); /* D1 -> D2 */
    girt__park_wake(&flight->park, UINT32_MAX);
    drop_flight(flight);
}

/* ---- waiting ------------------------------------------------------------ */

static bool wait_for(girt__flight *flight, int64_t timeout_ns)
{
    if (girt_load_acquire(&flight->done) != 0) /* D2 */
        return true;
    if (timeout_ns <= 0)
        return false;
    const int64_t deadline = girt__deadline(timeout_ns);
    for (;;) {
        const uint32_t key = girt__park_prepare(&flight->park);
        if (girt_load_acquire(&flight->done) != 0) { /* D2 */
            girt__park_cancel(&flight->park);
            return true;
        }
        if (!girt__park_wait(&flight->park, key, deadline))
            return girt_load_acquire(&flight->done) != 0; /* D2 */
    }
}

static girt_status join(girt__flight *flight, int64_t timeout_ns,
                        girt_cached *cached)
{
    girt_status status = GIRT_TIMEOUT;
    girt__cache_count(flight->cache, GIRT__JOINED);
    if (wait_for(flight, timeout_ns)) {
        status = flight->status;
        if (status == GIRT_OK) {
            (void)girt_add_relaxed(&flight->item->holders, 1);
            girt__cached_counted(cached, flight->item, false);
        } else if (status == GIRT_E_SYSTEM) {
            errno = flight->error;
        }
    }
    drop_flight(flight);
    return status;
}

/* ---- loading ------------------------------------------------------------ */

typedef struct load {
    girt_cache *cache;
    uint64_t hash;
    const void *key;
    size_t key_size;
    girt_cache_loader loader;
    void *context;
    girt__flight *flight; /* ours */
    girt_cached old;      /* stale; no pin: there is none */
    girt_loaded loaded;
    girt_status status;
} load;

static void cancelled(void *argument)
{
    load *const l = argument;
    girt__cache_count(l->cache, GIRT__LOAD_FAILURES);
    end_flight(l->flight, GIRT_E_SYSTEM, ECANCELED, NULL);
    girt_cache_release(l->cache, &l->old);
}

static void run_loader(load *l)
{
    pthread_cleanup_push(cancelled, l);
    l->status = l->loader(l->context, l->key, l->key_size, &l->loaded);
    pthread_cleanup_pop(0);
}

/* An item of what was loaded, counted in the cache or, where it would not be
 * accepted, beside it and without a key. */
static girt_status make_item(load *l, bool *counted, girt__item **out)
{
    const girt_loaded *const loaded = &l->loaded;
    size_t size;
    *counted = girt__item_fits(l->cache, l->key_size, loaded->size, &size);
    const size_t key_size = *counted ? l->key_size : 0;
    const girt_status status = girt__item_create(l->cache, l->hash, key_size,
                                                 loaded->size, *counted, out);
    if (status != GIRT_OK)
        return status;
    girt__item *const item = *out;
    if (loaded->size != 0)
        memcpy(girt__item_value(item), loaded->data, loaded->size);
    if (key_size != 0)
        memcpy(item->key, l->key, key_size);
    item->expires_ns = girt__cache_expiry(l->cache, loaded->ttl_ns, l->hash);
    return GIRT_OK;
}

/* Stores what was loaded if it may be; *out is held for the flight and for
 * the caller. */
static girt_status bring(load *l, girt__item **out)
{
    const girt_loaded *const loaded = &l->loaded;
    girt__item *item = NULL;
    bool counted = false;
    girt_status status = GIRT_E_INVALID;
    if (loaded->ttl_ns >= 0 && (loaded->data != NULL || loaded->size == 0))
        status = make_item(l, &counted, &item);
    if (loaded->release != NULL)
        loaded->release(loaded->data);
    if (status != GIRT_OK)
        return status;
    /* Besides the cache the flight holds it, and the caller. */
    (void)girt_add_relaxed(&item->holders, 2);
    if (!counted)
        girt__item_drop(l->cache, item);
    else if (girt__cache_store(l->cache, item, l->flight, false) != GIRT_OK)
        girt__item_disown(l->cache, item);
    *out = item;
    return GIRT_OK;
}

/* The loader said that there is no such key: neither is a stale value, and
 * that may be remembered.  What cannot be stored is forgotten. */
static void note_missing(load *l)
{
    girt_cache *const cache = l->cache;
    girt__item *item = NULL;
    if (cache->missing_ttl_ns != 0 &&
        girt__item_create(cache, l->hash, l->key_size, 0, true, &item) ==
            GIRT_OK) {
        item->missing = true;
        if (l->key_size != 0)
            memcpy(item->key, l->key, l->key_size);
        item->expires_ns = girt__add_time(girt__clock_now(&cache->clock),
                                          cache->missing_ttl_ns);
        if (girt__cache_store(cache, item, l->flight, false) == GIRT_OK)
            return;
        girt__item_disown(cache, item);
    }
    girt__shard *const shard = girt__cache_shard(cache, l->hash);
    (void)pthread_mutex_lock(&shard->lock);
    girt__item *old = NULL;
    if (girt__flight_land(shard, l->flight))
        old = girt__shard_take(cache, shard, l->hash);
    (void)pthread_mutex_unlock(&shard->lock);
    if (old != NULL)
        girt__item_leave(cache, old, true);
}

/* The refresh failed: does the old value still serve? */
static bool old_serves(const load *l)
{
    return l->old.pin != NULL &&
           girt__item_age(l->cache, girt__cached_item(&l->old)) !=
               GIRT__EXPIRED;
}

static girt_status load_it(load *l, girt_cached *cached)
{
    girt__item *item = NULL;
    int state;
    l->flight->outer = loading;
    loading = l->flight;
    girt__cache_count(l->cache, GIRT__LOADS);
    run_loader(l);
    /* From here to the flight's end nothing may stop us. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    const int error = errno;
    girt_status status = l->status;
    if (status == GIRT_OK)
        status = bring(l, &item);
    else if (status == GIRT_MISSING)
        note_missing(l);
    end_flight(l->flight, status, error, item);
    if (status != GIRT_OK && status != GIRT_MISSING)
        girt__cache_count(l->cache, GIRT__LOAD_FAILURES);
    if (status == GIRT_OK) {
        girt__cached_counted(cached, item, false);
    } else if (status != GIRT_MISSING && old_serves(l)) {
        *cached = l->old; /* it serves until its time ends */
        l->old.pin = NULL;
        status = GIRT_OK;
    }
    girt_cache_release(l->cache, &l->old);
    (void)pthread_setcancelstate(state, NULL);
    if (status == GIRT_E_SYSTEM)
        errno = error;
    return status;
}

/* ---- the call ----------------------------------------------------------- */

static bool loads_it_already(const girt_cache *cache, uint64_t hash,
                             const void *key, size_t key_size)
{
    for (const girt__flight *f = loading; f != NULL; f = f->outer)
        if (f->cache == cache && is_of(f, hash, key, key_size))
            return true;
    return false;
}

/* What a second look under the lock found. */
typedef enum second_look {
    LOAD, /* our flight is in the list */
    JOIN, /* another's is, and we hold it */
    HAVE, /* a value came meanwhile */
    KNOWN /* to be missing */
} second_look;

static second_look look_again(load *l, int64_t now, girt__flight **other,
                              girt_cached *cached)
{
    girt__shard *const shard = girt__cache_shard(l->cache, l->hash);
    second_look found = LOAD;
    (void)pthread_mutex_lock(&shard->lock);
    girt__flight *const flight =
        find_flight(shard, l->hash, l->key, l->key_size);
    girt__item **const place = girt__buckets_place(&shard->index, l->hash);
    girt__item *const item =
        place != NULL && girt__item_is(*place, l->hash, l->key, l->key_size)
            ? *place
            : NULL;
    if (item != NULL && girt__item_age_at(l->cache, item, now) == GIRT__FRESH) {
        found = item->missing ? KNOWN : HAVE;
        if (found == HAVE) {
            (void)girt_add_relaxed(&item->holders, 1);
            girt__cached_counted(cached, item, false);
        }
    } else if (flight != NULL) {
        found = JOIN;
        (void)girt_add_relaxed(&flight->references, 1);
        *other = flight;
    } else if (l->flight != NULL) {
        l->flight->next = shard->flights;
        l->flight->listed = true;
        shard->flights = l->flight;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return found;
}

/* Someone else refreshes, or has: the old value at once. */
static girt_status serve_stale(load *l, second_look found, girt__flight *other,
                               girt_cached *fresh, girt_cached *cached)
{
    if (found == JOIN)
        drop_flight(other);
    if (found == HAVE) {
        girt_cache_release(l->cache, &l->old);
        *cached = *fresh;
        return GIRT_OK;
    }
    if (found == KNOWN) {
        girt_cache_release(l->cache, &l->old);
        return GIRT_MISSING;
    }
    *cached = l->old;
    return GIRT_OK;
}

static girt_status load_or_join(load *l, int64_t timeout_ns,
                                girt_cached *cached)
{
    girt_cached fresh = {NULL, 0, false, NULL};
    girt__flight *other = NULL;
    const int64_t now = girt__clock_now(&l->cache->clock);
    second_look found = look_again(l, now, &other, &fresh);
    if (found == LOAD) {
        l->flight = create_flight(l->cache, l->hash, l->key, l->key_size);
        if (l->flight == NULL) {
            girt_cache_release(l->cache, &l->old);
            return GIRT_E_NOMEM;
        }
        found = look_again(l, now, &other, &fresh);
        if (found == LOAD)
            return load_it(l, cached);
        drop_flight(l->flight); /* nobody else knew it */
    }
    if (l->old.pin != NULL)
        return serve_stale(l, found, other, &fresh, cached);
    if (found == JOIN)
        return join(other, timeout_ns, cached);
    if (found == KNOWN)
        return GIRT_MISSING;
    *cached = fresh;
    return GIRT_OK;
}

girt_status girt_cache_load(girt_cache *cache, const void *key, size_t key_size,
                            girt_cache_loader loader, void *context,
                            int64_t timeout_ns, girt_cached *cached)
{
    if (cache == NULL || cached == NULL || loader == NULL ||
        (key == NULL && key_size != 0))
        return GIRT_E_INVALID;
    if (key_size > UINT32_MAX)
        return GIRT_E_TOO_LARGE;
    const uint64_t hash = girt__cache_hash(cache, key, key_size);
    load l = {.cache = cache,
              .hash = hash,
              .key = key,
              .key_size = key_size,
              .loader = loader,
              .context = context};
    girt_cached found;
    bool known;
    const girt_status status =
        girt__cache_find(cache, hash, key, key_size, &found, &known);
    if (status == GIRT_OK && !found.stale) {
        *cached = found;
        return GIRT_OK;
    }
    if (known)
        return GIRT_MISSING;
    if (status == GIRT_OK)
        l.old = found;
    if (loads_it_already(cache, hash, key, key_size)) {
        girt_cache_release(cache, &l.old);
        return GIRT_E_BUSY;
    }
    return load_or_join(&l, timeout_ns, cached);
}
