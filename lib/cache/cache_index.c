/* SPDX-License-Identifier: MIT */
/* cache_index.c - what the holder of a shard's lock does to its index. */
#include "cache/cache_index.h"

#include "core/assert.h"

/* So many are left for the chains of a split when an insertion needs one. */
#define SPARES_KEPT 2u

void girt__buckets_init(girt__buckets *index, girt__chunk *chunk,
                        girt__chunk_list *directory)
{
    directory->chunks[0] = chunk;
    index->directory = directory;
    index->chunk_count = 1;
    index->bucket_count = 1;
}

static bool wants_growth(const girt__buckets *index, size_t items)
{
    return items > (size_t)index->bucket_count * GIRT__BUCKET_LOAD &&
           index->bucket_count < UINT32_MAX / 2;
}

girt__want girt__buckets_wants(const girt__buckets *index, size_t items)
{
    if (index->spare_count < SPARES_KEPT)
        return (girt__want){GIRT__WANT_CHUNK, sizeof(girt__chunk)};
    if (!wants_growth(index, items) ||
        index->bucket_count < index->chunk_count * GIRT__CHUNK_BUCKETS)
        return (girt__want){GIRT__WANT_NOTHING, 0};
    const size_t capacity = index->directory->capacity;
    if (index->chunk_count == capacity)
        return (girt__want){GIRT__WANT_DIRECTORY,
                            sizeof(girt__chunk_list) +
                                2 * capacity * sizeof(girt__chunk *)};
    return (girt__want){GIRT__WANT_CHUNK, sizeof(girt__chunk)};
}

/* The first bucket of a pool's chunk keeps the chunk itself in the list of
 * those to free; the others are spares. */
static void cut_into_spares(girt__buckets *index, girt__chunk *chunk)
{
    girt__chunk_list *const head = (girt__chunk_list *)(void *)chunk;
    head->older = index->pools;
    index->pools = head;
    for (uint32_t i = 1; i < GIRT__CHUNK_BUCKETS; i++) {
        chunk->buckets[i].next = index->spares;
        index->spares = &chunk->buckets[i];
    }
    index->spare_count += GIRT__CHUNK_BUCKETS - 1;
}

void girt__buckets_feed(girt__buckets *index, girt__want want, void *block)
{
    if (want.kind == GIRT__WANT_DIRECTORY) {
        girt__chunk_list *const old = index->directory, *const wider = block;
        wider->older = old;
        wider->capacity = 2 * old->capacity;
        memcpy(wider->chunks, old->chunks,
               old->capacity * sizeof(girt__chunk *));
        /* C1's count, which needs the wider one, is stored later. */
        girt_store_release(&index->directory, wider);
        return;
    }
    if (index->spare_count < SPARES_KEPT) {
        cut_into_spares(index, block);
        return;
    }
    /* No reader looks there before the count says so. */
    index->directory->chunks[index->chunk_count] = block;
    index->chunk_count++;
}

static uint8_t tag_of(const girt__bucket *bucket, uint32_t slot)
{
    return (uint8_t)(girt_load_relaxed(&bucket->tags) >> 8 * slot);
}

static void set_tag(girt__bucket *bucket, uint32_t slot, uint8_t tag)
{
    /* Under the lock: only readers see the word meanwhile. */
    const uint64_t tags = girt_load_relaxed(&bucket->tags);
    const uint64_t others = tags & ~((uint64_t)0xff << 8 * slot);
    girt_store_relaxed(&bucket->tags, others | (uint64_t)tag << 8 * slot);
}

girt__item **girt__buckets_place(girt__buckets *index, uint64_t hash)
{
    const uint8_t tag = girt__bucket_tag(hash);
    girt__bucket *bucket =
        girt__buckets_at(index, girt__bucket_number(index->bucket_count, hash));
    for (; bucket != NULL; bucket = girt_load_relaxed(&bucket->next)) {
        for (uint32_t i = 0; i < GIRT__BUCKET_ITEMS; i++) {
            girt__item *const item = girt_load_relaxed(&bucket->items[i]);
            if (item != NULL && tag_of(bucket, i) == tag && item->hash == hash)
                return &bucket->items[i];
        }
    }
    return NULL;
}

static girt__bucket *take_spare(girt__buckets *index)
{
    girt__bucket *const bucket = index->spares;
    if (bucket == NULL)
        return NULL;
    index->spares = girt_load_relaxed(&bucket->next);
    index->spare_count--;
    girt_store_relaxed(&bucket->next, (girt__bucket *)NULL);
    return bucket;
}

static bool insert_in(girt__buckets *index, girt__bucket *bucket,
                      girt__item *item)
{
    for (;;) {
        for (uint32_t i = 0; i < GIRT__BUCKET_ITEMS; i++) {
            if (girt_load_relaxed(&bucket->items[i]) != NULL)
                continue;
            set_tag(bucket, i, girt__bucket_tag(item->hash));
            /* The item and its tag before its address: L1 -> L2
             * (cache_find.h). */
            girt_store_release(&bucket->items[i], item);
            return true;
        }
        girt__bucket *next = girt_load_relaxed(&bucket->next);
        if (next == NULL) {
            next = take_spare(index);
            if (next == NULL)
                return false;
            girt_store_release(&bucket->next, next);
        }
        bucket = next;
    }
}

bool girt__buckets_insert(girt__buckets *index, girt__item *item)
{
    girt__bucket *const bucket = girt__buckets_at(
        index, girt__bucket_number(index->bucket_count, item->hash));
    return insert_in(index, bucket, item);
}

girt__item *girt__buckets_coldest(girt__buckets *index, uint64_t hash)
{
    girt__bucket *const bucket =
        girt__buckets_at(index, girt__bucket_number(index->bucket_count, hash));
    girt__item *coldest = girt_load_relaxed(&bucket->items[0]);
    for (uint32_t i = 1; i < GIRT__BUCKET_ITEMS; i++) {
        girt__item *const item = girt_load_relaxed(&bucket->items[i]);
        if (girt_load_relaxed(&item->heat) < girt_load_relaxed(&coldest->heat))
            coldest = item;
    }
    return coldest;
}

void girt__buckets_remove(girt__buckets *index, girt__item *item)
{
    girt__item **const place = girt__buckets_place(index, item->hash);
    girt_assert(place != NULL);
    girt_assert(*place == item);
    girt_store_release(place, (girt__item *)NULL); /* U1 */
}

static bool is_empty(const girt__bucket *bucket)
{
    for (uint32_t i = 0; i < GIRT__BUCKET_ITEMS; i++)
        if (girt_load_relaxed(&bucket->items[i]) != NULL)
            return false;
    return true;
}

/* Gives back the empty buckets at a chain's end. */
static void trim(girt__buckets *index, girt__bucket *first)
{
    for (;;) {
        girt__bucket *before = first;
        girt__bucket *last = girt_load_relaxed(&first->next);
        if (last == NULL)
            return;
        for (girt__bucket *next;
             (next = girt_load_relaxed(&last->next)) != NULL; last = next)
            before = last;
        if (!is_empty(last))
            return;
        girt_store_release(&before->next, (girt__bucket *)NULL);
        girt_store_relaxed(&last->next, index->spares);
        index->spares = last;
        index->spare_count++;
    }
}

typedef void (*visit_moving)(girt__buckets *index, girt__bucket *bucket,
                             uint32_t slot, girt__bucket *to);

static size_t each_moving(girt__buckets *index, girt__bucket *bucket,
                          uint32_t bit, visit_moving visit, girt__bucket *to)
{
    size_t count = 0;
    for (; bucket != NULL; bucket = girt_load_relaxed(&bucket->next)) {
        for (uint32_t i = 0; i < GIRT__BUCKET_ITEMS; i++) {
            girt__item *const item = girt_load_relaxed(&bucket->items[i]);
            if (item == NULL || (item->hash & bit) == 0)
                continue;
            count++;
            if (visit != NULL)
                visit(index, bucket, i, to);
        }
    }
    return count;
}

static void link_too(girt__buckets *index, girt__bucket *bucket, uint32_t slot,
                     girt__bucket *to)
{
    const bool done =
        insert_in(index, to, girt_load_relaxed(&bucket->items[slot]));
    girt_assert(done);
    (void)done;
}

static void unlink_here(girt__buckets *index, girt__bucket *bucket,
                        uint32_t slot, girt__bucket *to)
{
    (void)index;
    (void)to;
    girt_store_release(&bucket->items[slot], (girt__item *)NULL); /* U1 */
}

void girt__buckets_split(girt__buckets *index, size_t items)
{
    const uint32_t count = index->bucket_count;
    if (!wants_growth(index, items) ||
        count == index->chunk_count * GIRT__CHUNK_BUCKETS)
        return;
    const uint32_t bit = 1u << (31 - __builtin_clz(count));
    girt__bucket *const from = girt__buckets_at(index, count - bit);
    girt__bucket *const to = girt__buckets_at(index, count);
    const size_t moving = each_moving(index, from, bit, NULL, NULL);
    if (moving > GIRT__BUCKET_ITEMS * (1 + (size_t)index->spare_count))
        return;
    (void)each_moving(index, from, bit, link_too, to);
    girt_store_release(&index->bucket_count, count + 1); /* C1 -> C2, C3 */
    (void)each_moving(index, from, bit, unlink_here, NULL);
    trim(index, from);
}

void girt__buckets_release(girt__buckets *index,
                           void (*release)(void *context, void *block,
                                           size_t size),
                           void *context)
{
    for (uint32_t i = 0; i < index->chunk_count; i++)
        release(context, index->directory->chunks[i], sizeof(girt__chunk));
    for (girt__chunk_list *pool = index->pools, *older; pool != NULL;
         pool = older) {
        older = pool->older;
        release(context, pool, sizeof(girt__chunk));
    }
    for (girt__chunk_list *list = index->directory, *older; list != NULL;
         list = older) {
        older = list->older;
        release(context, list,
                sizeof *list + list->capacity * sizeof(girt__chunk *));
    }
}

bool girt__buckets_are_valid(girt__buckets *index, size_t items)
{
    size_t found = 0;
    for (uint32_t b = 0; b < index->bucket_count; b++) {
        girt__bucket *bucket = girt__buckets_at(index, b);
        for (; bucket != NULL; bucket = girt_load_relaxed(&bucket->next)) {
            for (uint32_t i = 0; i < GIRT__BUCKET_ITEMS; i++) {
                girt__item *const item = girt_load_relaxed(&bucket->items[i]);
                if (item == NULL)
                    continue;
                found++;
                if (girt__bucket_number(index->bucket_count, item->hash) != b ||
                    girt__bucket_tag(item->hash) != tag_of(bucket, i) ||
                    girt_load_relaxed(&item->holders) == 0)
                    return false;
            }
        }
    }
    return found == items;
}
