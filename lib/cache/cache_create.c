/* SPDX-License-Identifier: MIT */
/* cache_create.c - create and destroy: options, shards, their first memory. */
#include "cache/cache_internal.h"
#include "core/assert.h"
#include "core/options.h"
#include "core/power.h"

enum {
    BYTES_DEFAULT = 64 << 20,
    SHARDS_MAX = 65536,
    SHARDS_DEFAULT_MAX = 64,
    SHARD_BYTES = 256 << 10,
    SHARD_ENTRIES = 1024,
    SMALL_ENTRIES = 100,
    DIRECTORY_FIRST = 4
};

static girt_status check_options(const girt_cache_options *o)
{
    if (!girt__options_are_valid(o->name, o->metrics, o->reserved) ||
        o->ttl_ns < 0 || o->stale_ns < 0 || o->missing_ttl_ns < 0 ||
        (unsigned)o->policy > GIRT_CACHE_TINYLFU)
        return GIRT_E_INVALID;
    return o->shards > SHARDS_MAX ? GIRT_E_TOO_LARGE : GIRT_OK;
}

static size_t shards_of(const girt_cache_options *o, size_t bytes_max)
{
    if (o->shards != 0)
        return girt__power_from(o->shards);
    size_t wanted = bytes_max / SHARD_BYTES;
    if (o->entries_max != 0 && o->entries_max / SHARD_ENTRIES < wanted)
        wanted = o->entries_max / SHARD_ENTRIES;
    if (wanted > SHARDS_DEFAULT_MAX)
        wanted = SHARDS_DEFAULT_MAX;
    /* Down, so that a shard has its fill. */
    return girt__power_within(wanted);
}

static girt_cache_policy policy_of(const girt_cache_options *o)
{
    if (o->policy != GIRT_CACHE_DEFAULT)
        return o->policy;
    return o->entries_max != 0 && o->entries_max < SMALL_ENTRIES
               ? GIRT_CACHE_LRU
               : GIRT_CACHE_S3FIFO;
}

static void release_block(void *context, void *block, size_t size)
{
    girt_cache *const cache = context;
    girt__release(&cache->allocator, block, size);
}

/* A chunk for the first buckets and one to cut spares from. */
static girt_status init_shard(girt_cache *cache, girt__shard *shard)
{
    const size_t size =
        sizeof(girt__chunk_list) + DIRECTORY_FIRST * sizeof(girt__chunk *);
    girt__chunk *const chunk =
        girt__allocate_zeroed(&cache->allocator, sizeof *chunk, GIRT_CACHELINE);
    girt__chunk *const spares = girt__allocate_zeroed(
        &cache->allocator, sizeof *spares, GIRT_CACHELINE);
    girt__chunk_list *const directory =
        girt__allocate_zeroed(&cache->allocator, size, GIRT_CACHELINE);
    if (chunk == NULL || spares == NULL || directory == NULL) {
        girt__release(&cache->allocator, directory, size);
        girt__release(&cache->allocator, spares, sizeof *spares);
        girt__release(&cache->allocator, chunk, sizeof *chunk);
        return GIRT_E_NOMEM;
    }
    directory->capacity = DIRECTORY_FIRST;
    girt__buckets_init(&shard->index, chunk, directory);
    girt__buckets_feed(&shard->index,
                       (girt__want){GIRT__WANT_CHUNK, sizeof *spares}, spares);
    (void)pthread_mutex_init(&shard->lock, NULL);
    return GIRT_OK;
}

static void destroy_shard(girt_cache *cache, girt__shard *shard)
{
    girt_require(shard->flights == NULL);
    for (int i = 0; i < GIRT__LISTS; i++) {
        girt__item *item = shard->policy.lists[i].oldest;
        for (girt__item *newer; item != NULL; item = newer) {
            newer = item->newer;
            girt__item_disown(cache, item);
        }
    }
    girt__policy_release(&shard->policy, release_block, cache);
    girt__buckets_release(&shard->index, release_block, cache);
    (void)pthread_mutex_destroy(&shard->lock);
}

static bool allocate_arrays(girt_cache *cache, bool with_recent)
{
    const size_t count = cache->shard_count;
    cache->shards = girt__allocate_zeroed(
        &cache->allocator, count * sizeof(girt__shard), _Alignof(girt__shard));
    cache->stripes = girt__allocate_zeroed(
        &cache->allocator, GIRT__CACHE_STRIPES * sizeof(girt__cache_stripe),
        _Alignof(girt__cache_stripe));
    if (with_recent)
        cache->recents = girt__allocate_zeroed(&cache->allocator,
                                               count * GIRT__RECENT_STRIPES *
                                                   sizeof(girt__recent),
                                               _Alignof(girt__recent));
    return cache->shards != NULL && cache->stripes != NULL &&
           (!with_recent || cache->recents != NULL);
}

static void free_cache(girt_cache *cache, size_t shards)
{
    const girt_allocator allocator = cache->allocator;
    const size_t count = cache->shard_count;
    for (size_t i = 0; i < shards; i++)
        destroy_shard(cache, &cache->shards[i]);
    girt__release(&allocator, cache->recents,
                  count * GIRT__RECENT_STRIPES * sizeof(girt__recent));
    girt__release(&allocator, cache->stripes,
                  GIRT__CACHE_STRIPES * sizeof(girt__cache_stripe));
    girt__release(&allocator, cache->shards, count * sizeof(girt__shard));
    girt__release(&allocator, cache, sizeof *cache);
}

static girt_status init_cache(girt_cache *cache, const girt_cache_options *o)
{
    const girt_cache_policy policy = policy_of(o);
    const bool with_recent =
        policy == GIRT_CACHE_LRU || policy == GIRT_CACHE_TINYLFU;
    cache->clock = girt__clock_resolve(&o->clock);
    cache->on_evict = o->on_evict;
    cache->context = o->context;
    cache->bytes_max = o->bytes_max == 0 ? BYTES_DEFAULT : o->bytes_max;
    cache->entries_max = o->entries_max;
    cache->ttl_ns = o->ttl_ns;
    cache->stale_ns = o->stale_ns;
    cache->missing_ttl_ns = o->missing_ttl_ns;
    cache->shard_count = shards_of(o, cache->bytes_max);
    cache->shard_shift = 64 - (uint32_t)__builtin_ctzll(cache->shard_count);
    girt__hash_key_init(&cache->key, o->seed);
    if (!allocate_arrays(cache, with_recent)) {
        free_cache(cache, 0);
        return GIRT_E_NOMEM;
    }
    for (size_t i = 0; i < cache->shard_count; i++) {
        girt__shard *const shard = &cache->shards[i];
        shard->policy.kind = policy;
        shard->policy.share_bytes = cache->bytes_max / cache->shard_count;
        shard->policy.share_entries = cache->entries_max / cache->shard_count;
        if (with_recent)
            shard->recent = &cache->recents[i * GIRT__RECENT_STRIPES];
        if (init_shard(cache, shard) != GIRT_OK) {
            free_cache(cache, i);
            return GIRT_E_NOMEM;
        }
    }
    return GIRT_OK;
}

girt_status girt_cache_create(girt_cache **out,
                              const girt_cache_options *options)
{
    static const girt_cache_options defaults;
    const girt_cache_options *const o = options == NULL ? &defaults : options;
    if (out == NULL)
        return GIRT_E_INVALID;
    girt_status status = check_options(o);
    if (status != GIRT_OK)
        return status;
    girt_allocator allocator;
    status = girt__allocator_resolve(&allocator, o->allocator);
    if (status != GIRT_OK)
        return status;
    girt_cache *const cache =
        girt__allocate_zeroed(&allocator, sizeof *cache, _Alignof(girt_cache));
    if (cache == NULL)
        return GIRT_E_NOMEM;
    cache->allocator = allocator;
    status = init_cache(cache, o);
    if (status != GIRT_OK)
        return status;
    status = girt__cache_report(cache, o);
    if (status != GIRT_OK) {
        free_cache(cache, cache->shard_count);
        return status;
    }
    *out = cache;
    return GIRT_OK;
}

void girt_cache_destroy(girt_cache *cache)
{
    if (cache == NULL)
        return;
    girt__report_destroy(cache->report);
    girt_audit(girt__cache_is_valid(cache));
    free_cache(cache, cache->shard_count);
}
