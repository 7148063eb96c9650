/* SPDX-License-Identifier: MIT */
/* cache_index.h - from hashes to the items of a shard, growing a bucket at a
 * time.
 *
 *   directory: [ chunk | chunk | ... ]    chunk: 32 buckets of 64 bytes
 *   bucket:    [ 6 tags | 6 items | next ]
 *
 * Linear hashing [Litwin 1980]: when there are more than four items a bucket,
 * one more bucket is made and one is split into itself and the new one.  There
 * is one item for each hash: of two keys with equal hashes (once in 2^64
 * pairs) the later puts out the earlier, as a cache may.
 *
 * I1: buckets and directories are not freed while the index lives.
 * I2: an item is linked in the chain of the bucket that its hash names.
 * I3: a split links the items that leave in the new bucket, then publishes the
 *     new count (C1), then unlinks them from the old one, all under the lock.
 *
 * Writers hold the shard's lock.  A reader takes the count (C2), looks through
 * the chain, and on a miss compares the count (C3): had a split unlinked the
 * item before the reader's eyes (U1), the new count would be visible.  The
 * emptied slot of a split still names a live item until U1, so that P3 of
 * cache_pin.h holds for it: an item is removed after the split has ended. A
 * chain's last bucket may be taken from it when it is empty and serve another:
 * a reader inside sees items that are not its own and passes over them. */
#ifndef GIRT_CACHE_INDEX_H
#define GIRT_CACHE_INDEX_H

#include <girt/status.h>

#include "cache/cache_item.h"
#include "core/atomic.h"
#include "core/cacheline.h"

#define GIRT__BUCKET_ITEMS  6u
#define GIRT__CHUNK_BUCKETS 32u
/* Items a bucket beyond which the index grows. */
#define GIRT__BUCKET_LOAD   4u

typedef struct GIRT_ALIGNED(GIRT_CACHELINE) girt__bucket {
    uint64_t tags; /* atomic: six bytes, of no meaning without an item */
    girt__item *items[GIRT__BUCKET_ITEMS]; /* atomic; NULL: free */
    struct girt__bucket *next;             /* atomic; of a spare: next spare */
} girt__bucket;

_Static_assert(sizeof(girt__bucket) == GIRT_CACHELINE, "one line a bucket");

typedef struct girt__chunk {
    girt__bucket buckets[GIRT__CHUNK_BUCKETS];
} girt__chunk;

typedef struct girt__chunk_list {
    struct girt__chunk_list *older;
    size_t capacity;
    girt__chunk *chunks[];
} girt__chunk_list;

typedef struct girt__buckets {
    uint32_t bucket_count;       /* readers; published last */
    girt__chunk_list *directory; /* readers; holds all chunks counted */
    /* The rest under the lock. */
    uint32_t chunk_count; /* in the directory, one may be unused yet */
    uint32_t spare_count;
    girt__bucket *spares;
    girt__chunk_list *pools; /* chunks that were cut into spares */
} girt__buckets;

static inline uint32_t girt__bucket_number(uint32_t count, uint64_t hash)
{
    /* The power of two at or above count, less one. */
    const uint32_t mask =
        count <= 1 ? 0 : UINT32_MAX >> __builtin_clz(count - 1);
    const uint32_t number = (uint32_t)hash & mask;
    return number < count ? number : number & (mask >> 1);
}

static inline uint8_t girt__bucket_tag(uint64_t hash)
{
    return (uint8_t)(hash >> 40);
}

/* Marks, at bit 8 * i + 7, each slot whose tag is this; now and then also the
 * slot after such a one. */
static inline uint64_t girt__bucket_match(uint64_t tags, uint8_t tag)
{
    const uint64_t each = 0x010101010101u;
    const uint64_t other = tags ^ each * tag;
    return (other - each) & ~other & each << 7;
}

/* The caller has the count from C2, whose release came after the directory
 * that holds the bucket. */
static inline girt__bucket *girt__buckets_at(girt__buckets *index,
                                             uint32_t number)
{
    girt__chunk_list *const directory = girt_load_acquire(&index->directory);
    return &directory->chunks[number / GIRT__CHUNK_BUCKETS]
                ->buckets[number % GIRT__CHUNK_BUCKETS];
}

/* What an index, or another part of a shard, wants before it takes more. */
typedef enum girt__want_kind {
    GIRT__WANT_NOTHING,
    GIRT__WANT_CHUNK,
    GIRT__WANT_DIRECTORY,
    GIRT__WANT_GHOST,
    GIRT__WANT_SKETCH
} girt__want_kind;

typedef struct girt__want {
    girt__want_kind kind;
    size_t bytes;
} girt__want;

/* `chunk`: zeroed; `directory`: zeroed but for its capacity. */
void girt__buckets_init(girt__buckets *index, girt__chunk *chunk,
                        girt__chunk_list *directory);
girt__want girt__buckets_wants(const girt__buckets *index, size_t items);
/* Takes a zeroed block of the kind and size that it wanted. */
void girt__buckets_feed(girt__buckets *index, girt__want want, void *block);

/* All below under the lock. */

/* The place of the item of this hash; NULL: there is none. */
girt__item **girt__buckets_place(girt__buckets *index, uint64_t hash);
/* false: no room, and no spare bucket. */
bool girt__buckets_insert(girt__buckets *index, girt__item *item);
/* The item with the least heat in the full bucket that this hash names. */
girt__item *girt__buckets_coldest(girt__buckets *index, uint64_t hash);
void girt__buckets_remove(girt__buckets *index, girt__item *item);
/* Splits one bucket if it should and can. */
void girt__buckets_split(girt__buckets *index, size_t items);

/* Frees all that feed took; the first chunk and directory, too. */
void girt__buckets_release(girt__buckets *index,
                           void (*release)(void *context, void *block,
                                           size_t size),
                           void *context);

bool girt__buckets_are_valid(girt__buckets *index, size_t items);

#endif /* GIRT_CACHE_INDEX_H */
