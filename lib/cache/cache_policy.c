/* SPDX-License-Identifier: MIT */
/* cache_policy.c - S3-FIFO, SIEVE and LRU; W-TinyLFU is in cache_tinylfu.c.
 *
 * S3-FIFO [Yang, Zhang, Qiu, Yue, Vigfusson, SOSP 2023]: new items queue in
 * `small`, a tenth of the weight; of those that leave it, the ones hit twice
 * go to `main`, the others are evicted and remembered as ghosts.  A key that
 * comes back while it is a ghost goes to main at once.  Main is a clock with
 * two bits.  Until the first eviction, what small has no room for goes to main.
 *
 * SIEVE [Zhang, Yang, Yue, Vigfusson, Rashmi, NSDI 2024]: one queue, a hand
 * that moves from old to new and evicts the first item without a hit. */
#include "cache/cache_policy.h"

#include "core/assert.h"

void girt__list_push(girt__item_list *list, girt__item *item, uint8_t number)
{
    item->list = number;
    item->newer = NULL;
    item->older = list->newest;
    if (list->newest != NULL)
        list->newest->newer = item;
    else
        list->oldest = item;
    list->newest = item;
    list->count++;
    list->bytes += girt__item_size(item);
}

void girt__list_remove(girt__item_list *list, girt__item *item)
{
    if (item->newer != NULL)
        item->newer->older = item->older;
    else
        list->newest = item->older;
    if (item->older != NULL)
        item->older->newer = item->newer;
    else
        list->oldest = item->newer;
    girt_assert(list->count > 0);
    list->count--;
    list->bytes -= girt__item_size(item);
}

size_t girt__policy_count(const girt__policy *policy)
{
    size_t count = 0;
    for (int i = 0; i < GIRT__LISTS; i++)
        count += policy->lists[i].count;
    return count;
}

size_t girt__policy_bytes(const girt__policy *policy)
{
    size_t bytes = 0;
    for (int i = 0; i < GIRT__LISTS; i++)
        bytes += policy->lists[i].bytes;
    return bytes;
}

static void take_out(girt__policy *policy, girt__item *item)
{
    if (policy->hand == item)
        policy->hand = item->newer;
    girt__list_remove(&policy->lists[item->list], item);
}

static void put_in(girt__policy *policy, girt__item *item, uint8_t list)
{
    girt__list_push(&policy->lists[list], item, list);
}

/* ---- S3-FIFO ------------------------------------------------------------ */

static bool small_is_full(const girt__policy *policy)
{
    const girt__item_list *const small = &policy->lists[GIRT__SMALL];
    if (policy->share_entries != 0)
        return small->count >= policy->share_entries / 10;
    return small->bytes >= policy->share_bytes / 10;
}

/* Ghosts count as long as nine tenths of the items that there are. */
static size_t ghost_span(const girt__policy *policy)
{
    const size_t count = girt__policy_count(policy);
    return count - count / 10;
}

static void s3fifo_insert(girt__policy *policy, girt__item *item)
{
    const bool is_ghost =
        girt__ghost_take(&policy->ghost, item->hash, ghost_span(policy));
    const bool to_main =
        is_ghost || (!policy->has_evicted && small_is_full(policy));
    put_in(policy, item, to_main ? GIRT__MAIN : GIRT__SMALL);
}

static girt__item *s3fifo_from_small(girt__policy *policy)
{
    girt__item_list *const small = &policy->lists[GIRT__SMALL];
    /* Each turn empties small by one. */
    while (small->oldest != NULL) {
        girt__item *const item = small->oldest;
        const uint8_t heat = girt_load_relaxed(&item->heat);
        take_out(policy, item);
        if (heat < 2) {
            girt__ghost_add(&policy->ghost, item->hash);
            return item;
        }
        girt_store_relaxed(&item->heat, (uint8_t)0);
        put_in(policy, item, GIRT__MAIN);
    }
    return NULL;
}

static girt__item *s3fifo_from_main(girt__policy *policy)
{
    girt__item_list *const main = &policy->lists[GIRT__MAIN];
    /* Readers may warm items as fast as this cools them: four rounds, which
     * cool every item to nothing, and then whichever is oldest. */
    for (size_t turns = 4 * main->count; main->oldest != NULL; turns--) {
        girt__item *const item = main->oldest;
        const uint8_t heat = girt_load_relaxed(&item->heat);
        take_out(policy, item);
        if (heat == 0 || turns == 0)
            return item;
        girt_store_relaxed(&item->heat, (uint8_t)(heat - 1));
        put_in(policy, item, GIRT__MAIN);
    }
    return NULL;
}

static girt__item *s3fifo_victim(girt__policy *policy)
{
    const size_t small = policy->lists[GIRT__SMALL].bytes;
    const size_t main = policy->lists[GIRT__MAIN].bytes;
    const bool main_is_large = main / 9 > small;
    girt__item *item = NULL;
    if (!main_is_large)
        item = s3fifo_from_small(policy);
    if (item == NULL)
        item = s3fifo_from_main(policy);
    return item != NULL ? item : s3fifo_from_small(policy);
}

/* ---- SIEVE -------------------------------------------------------------- */

static girt__item *sieve_victim(girt__policy *policy)
{
    girt__item_list *const all = &policy->lists[0];
    girt__item *item = policy->hand != NULL ? policy->hand : all->oldest;
    if (item == NULL)
        return NULL;
    /* Bounded for the same reason as main's clock. */
    for (size_t turns = 2 * all->count; turns != 0; turns--) {
        if (girt_load_relaxed(&item->heat) == 0)
            break;
        girt_store_relaxed(&item->heat, (uint8_t)0);
        item = item->newer != NULL ? item->newer : all->oldest;
    }
    policy->hand = item;
    take_out(policy, item); /* moves the hand on */
    return item;
}

/* ---- all ---------------------------------------------------------------- */

void girt__policy_insert(girt__policy *policy, girt__item *item)
{
    switch (policy->kind) {
    case GIRT_CACHE_S3FIFO:
        s3fifo_insert(policy, item);
        return;
    case GIRT_CACHE_TINYLFU:
        girt__tinylfu_insert(policy, item);
        return;
    default:
        put_in(policy, item, 0);
    }
}

void girt__policy_remove(girt__policy *policy, girt__item *item)
{
    take_out(policy, item);
}

void girt__policy_replace(girt__policy *policy, girt__item *old,
                          girt__item *item)
{
    girt__item_list *const list = &policy->lists[old->list];
    girt_store_relaxed(&item->heat, girt_load_relaxed(&old->heat));
    item->list = old->list;
    item->newer = old->newer;
    item->older = old->older;
    if (item->newer != NULL)
        item->newer->older = item;
    else
        list->newest = item;
    if (item->older != NULL)
        item->older->newer = item;
    else
        list->oldest = item;
    list->bytes += girt__item_size(item);
    list->bytes -= girt__item_size(old);
    if (policy->hand == old)
        policy->hand = item;
    girt__item_warm(item);
    girt__policy_touch(policy, item);
}

void girt__policy_touch(girt__policy *policy, girt__item *item)
{
    if (policy->kind == GIRT_CACHE_LRU) {
        take_out(policy, item);
        put_in(policy, item, 0);
    } else if (policy->kind == GIRT_CACHE_TINYLFU) {
        girt__tinylfu_touch(policy, item);
    }
}

girt__item *girt__policy_victim(girt__policy *policy)
{
    policy->has_evicted = true;
    switch (policy->kind) {
    case GIRT_CACHE_S3FIFO:
        return s3fifo_victim(policy);
    case GIRT_CACHE_SIEVE:
        return sieve_victim(policy);
    case GIRT_CACHE_TINYLFU:
        return girt__tinylfu_victim(policy);
    default: {
        girt__item *const item = policy->lists[0].oldest;
        if (item != NULL)
            take_out(policy, item);
        return item;
    }
    }
}

/* Beyond these parts of the shard's bytes, ghosts and counters do with what
 * they have: where entries are small, more of them are worth more. */
enum { GHOST_PART = 16, SKETCH_PART = 8 };

girt__want girt__policy_wants(const girt__policy *policy, size_t items)
{
    girt__want want = {GIRT__WANT_NOTHING, 0};
    size_t part = GHOST_PART;
    if (policy->kind == GIRT_CACHE_S3FIFO) {
        want = girt__ghost_wants(&policy->ghost, items);
    } else if (policy->kind == GIRT_CACHE_TINYLFU) {
        want = girt__sketch_wants(policy, items);
        part = SKETCH_PART;
    }
    if (want.bytes > policy->share_bytes / part)
        want.kind = GIRT__WANT_NOTHING;
    return want;
}

void *girt__policy_feed(girt__policy *policy, girt__want want, void *block,
                        size_t *old_bytes)
{
    void *old;
    if (want.kind == GIRT__WANT_GHOST) {
        old = policy->ghost.words;
        *old_bytes = girt__ghost_bytes(&policy->ghost);
        girt__ghost_feed(&policy->ghost, block, want.bytes);
        return old;
    }
    old = policy->sketch.counters;
    *old_bytes = policy->sketch.count * sizeof(uint16_t);
    girt__sketch_feed(&policy->sketch, block, want.bytes);
    return old;
}

void girt__policy_release(girt__policy *policy,
                          void (*release)(void *context, void *block,
                                          size_t size),
                          void *context)
{
    if (policy->ghost.words != NULL)
        release(context, policy->ghost.words,
                girt__ghost_bytes(&policy->ghost));
    if (policy->sketch.counters != NULL)
        release(context, policy->sketch.counters,
                policy->sketch.count * sizeof(uint16_t));
}
