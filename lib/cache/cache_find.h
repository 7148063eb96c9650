/* SPDX-License-Identifier: MIT */
/* cache_find.h - a reader's way to an item: index, announcement, second look.
 *
 * The proof is that of cache_index.h (which bucket) and of P3 in cache_pin.h
 * (the item stays). */
#ifndef GIRT_CACHE_FIND_H
#define GIRT_CACHE_FIND_H

#include "cache/cache_internal.h"

/* An item, announced. */
typedef struct girt__found_item {
    girt__item *item; /* NULL: the key is not there */
    uintptr_t *slot;
    bool passing; /* the slot must be emptied soon */
} girt__found_item;

static inline void girt__found_withdraw(girt_cache *cache,
                                        const girt__found_item *found)
{
    girt__item *const left = girt__pin_withdraw(found->slot);
    if (girt_unlikely(left != NULL))
        girt__item_drop(cache, left);
}

/* Announces what a place named; false: it names something else by now. */
static inline bool girt__found_hold(girt_cache *cache, girt__item **place,
                                    girt__found_item *found)
{
    found->slot = girt__pin_announce(found->item, &found->passing); /* N1 */
    if (girt_likely(girt_load_acquire(place) == found->item))       /* N2 */
        return true;
    girt__found_withdraw(cache, found);
    return false;
}

/* One bucket and its chain. false: look again, something changed. */
static inline bool girt__find_in_chain(girt_cache *cache, girt__bucket *bucket,
                                       uint64_t hash, const void *key,
                                       size_t key_size, girt__found_item *found)
{
    const uint8_t tag = girt__bucket_tag(hash);
    for (; bucket != NULL; bucket = girt_load_acquire(&bucket->next)) {
        uint64_t match =
            girt__bucket_match(girt_load_relaxed(&bucket->tags), tag);
        for (; match != 0; match &= match - 1) {
            const uint32_t i = (uint32_t)__builtin_ctzll(match) / 8;
            found->item = girt_load_acquire(&bucket->items[i]); /* L2 -> L1 */
            if (found->item == NULL)
                continue;
            /* On its way while the announcement, a fence, is. */
            __builtin_prefetch(found->item);
            __builtin_prefetch((const char *)found->item + GIRT_CACHELINE);
            if (!girt__found_hold(cache, &bucket->items[i], found))
                return false;
            if (girt_likely(girt__item_is(found->item, hash, key, key_size)))
                return true;
            girt__found_withdraw(cache, found);
        }
    }
    found->item = NULL;
    return true;
}

static inline girt__found_item girt__find(girt_cache *cache, uint64_t hash,
                                          const void *key, size_t key_size)
{
    girt__buckets *const index = &girt__cache_shard(cache, hash)->index;
    girt__found_item found;
    /* Each turn means that another thread replaced or removed an item of the
     * chain, or split a bucket. */
    for (;;) {
        const uint32_t count = girt_load_acquire(&index->bucket_count); /* C2 */
        girt__bucket *const bucket =
            girt__buckets_at(index, girt__bucket_number(count, hash));
        if (!girt__find_in_chain(cache, bucket, hash, key, key_size, &found))
            continue;
        if (found.item != NULL)
            return found;
        girt_fence_acquire();
        if (girt_load_relaxed(&index->bucket_count) == count) /* C3 -> C1 */
            return found;
    }
}

#endif /* GIRT_CACHE_FIND_H */
