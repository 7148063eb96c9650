/* SPDX-License-Identifier: MIT */
/* cache_item.h - one entry of a cache: immutable but for its place and heat.
 *
 *   [ links | hash | expiry | sizes | holders, heat | key ... | value ... ]
 *
 * What a reader reads is written before the item is published; a put makes a
 * new item and stores its address over the old one's. */
#ifndef GIRT_CACHE_ITEM_H
#define GIRT_CACHE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define GIRT__NEVER INT64_MAX

typedef struct girt__item {
    /* Under the shard's lock: neighbours in the list that holds it. */
    struct girt__item *newer, *older;
    uint64_t hash;       /* written once */
    int64_t expires_ns;  /* written once; GIRT__NEVER */
    size_t value_size;   /* written once */
    uint32_t key_size;   /* written once */
    uint32_t holders;    /* atomic: the cache, saves, marked slots, counted
                          * pins; the last one frees.  And owners */
    uint8_t list;        /* under the shard's lock: which list */
    uint8_t heat;        /* atomic: hits since the policy looked, saturating */
    bool missing;        /* written once: the loader said "no such key" */
    unsigned char key[]; /* and the value after it, aligned for any type */
} girt__item;

/* In `holders`: the count below, and above it how many of them are owners.  An
 * item's bytes stay in the cache's account until its last owner is gone (R1);
 * owners are the cache and, at most GIRT__STREAMS, saves. */
#define GIRT__OWNER_SHIFT 29
#define GIRT__OWNER       ((1u << GIRT__OWNER_SHIFT) + 1)

enum { GIRT__VALUE_ALIGNMENT = _Alignof(max_align_t) };

/* Where the value begins. */
static inline size_t girt__value_offset(size_t key_size)
{
    return (offsetof(girt__item, key) + key_size + GIRT__VALUE_ALIGNMENT - 1) /
           GIRT__VALUE_ALIGNMENT * GIRT__VALUE_ALIGNMENT;
}

static inline unsigned char *girt__item_value(girt__item *item)
{
    return (unsigned char *)item + girt__value_offset(item->key_size);
}

/* What it takes from the allocator. */
static inline size_t girt__item_size(const girt__item *item)
{
    const size_t size = girt__value_offset(item->key_size) + item->value_size;
    return size < sizeof *item ? sizeof *item : size;
}

static inline bool girt__item_is(girt__item *item, uint64_t hash,
                                 const void *key, size_t key_size)
{
    return item->hash == hash && item->key_size == key_size &&
           (key_size == 0 || memcmp(item->key, key, key_size) == 0);
}

#endif /* GIRT_CACHE_ITEM_H */
