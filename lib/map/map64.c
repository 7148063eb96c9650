/* SPDX-License-Identifier: MIT */
/* map64.c - 64-bit keys and values: an index whose hashes are the keys, mixed
 * by a bijection, and whose words are the values.  Proof and layout are in
 * map_table.h and map_index.h.
 *
 * A value changes by one store under the lock of its key's home, so a reader
 * sees it whole; increase and exchange read and write it under that lock. */
#include <girt/map64.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/options.h"
#include "core/random.h"
#include "map/map_index.h"
#include "map/map_mix.h"
#include "map/map_report.h"

struct girt_map64 {
    girt__index index;
    girt__mix mix; /* written once */
};
_Static_assert(offsetof(struct girt_map64, index) == 0,
               "a report of the index is of the map");

/* Lookups whose loads overlap. */
#define BATCH 32u

static void *allocation_of(girt_map64 *map, girt_allocator *allocator)
{
    *allocator = map->index.allocator;
    return map;
}

girt_status girt_map64_create(girt_map64 **out, size_t expected,
                              const girt_allocator *allocator)
{
    girt_allocator resolved;
    if (out == NULL || girt__allocator_resolve(&resolved, allocator) != GIRT_OK)
        return GIRT_E_INVALID;
    girt_map64 *const map =
        girt__allocate(&resolved, sizeof *map, GIRT_DESTRUCTIVE);
    if (map == NULL)
        return GIRT_E_NOMEM;
    const girt_status status =
        girt__index_init(&map->index, GIRT__WIDE, expected, 0, &resolved);
    if (status != GIRT_OK) {
        girt__release(&resolved, map, sizeof *map);
        return status;
    }
    girt__mix_init(&map->mix, girt__random_seed());
    *out = map;
    return GIRT_OK;
}

void girt_map64_destroy(girt_map64 *map)
{
    if (map == NULL)
        return;
    girt__report_destroy(map->index.report);
    girt_allocator allocator;
    void *const block = allocation_of(map, &allocator);
    girt_audit(girt__index_is_valid(&map->index));
    girt__index_destroy(&map->index);
    girt__release(&allocator, block, sizeof *map);
}

girt_status girt_map64_report(girt_map64 *map, girt_metrics *metrics,
                              const char *name)
{
    static const uint64_t none[GIRT__RESERVED];
    if (map == NULL || metrics == NULL ||
        !girt__options_are_valid(name, metrics, none))
        return GIRT_E_INVALID;
    if (map->index.report != NULL)
        return GIRT_E_BUSY;
    return girt__map64_report(&map->index, metrics, name);
}

/* Apart, so that the usual case needs few registers. */
__attribute__((noinline)) static girt_status find(girt_map64 *map,
                                                  uint64_t hash,
                                                  uint64_t *value)
{
    return girt__index_find(&map->index, GIRT__WIDE, hash, girt__same_always,
                            NULL, value)
               ? GIRT_OK
               : GIRT_MISSING;
}

GIRT__INLINE girt_status find_fast(girt_map64 *map, uint64_t hash,
                                   uint64_t *value)
{
    const girt__guess guess = girt__index_guess(&map->index, hash);
    if (girt__guess_read(&guess, hash, value))
        return GIRT_OK;
    if (girt__guess_absent(&guess, &map->index, hash))
        return GIRT_MISSING;
    return find(map, hash, value);
}

girt_status girt_map64_get(girt_map64 *map, uint64_t key, uint64_t *value)
{
    if (girt_unlikely(map == NULL || value == NULL))
        return GIRT_E_INVALID;
    return find_fast(map, girt__mix_hash(&map->mix, key), value);
}

/* A lookup of a batch between two of its stages. */
typedef struct lookup {
    uint64_t hash;
    girt__group *group;
    uint64_t *slots;
} lookup;

/* Names the home group and asks for it. */
GIRT__INLINE lookup lookup_begin(girt_map64 *map, uint64_t key)
{
    const uint64_t hash = girt__mix_hash(&map->mix, key);
    const girt__entry entry = girt__index_entry(&map->index, hash);
    const uint32_t home = girt__table_home(entry, hash);
    girt__group *const group = girt__table_group(entry, GIRT__WIDE, home);
    __builtin_prefetch(group);
    return (lookup){hash, group, girt__table_slots(entry, GIRT__WIDE, home)};
}

/* The first slot that may be the key's; the last slot when none may. */
GIRT__INLINE uint64_t *lookup_first(const lookup *l, girt__header header)
{
    const uint32_t match = girt__header_match(header, girt__tag(l->hash));
    return girt__slot_at(
        l->slots, GIRT__WIDE,
        (uint32_t)__builtin_ctz(match | 1u << (GIRT__GROUP_SLOTS - 1)));
}

GIRT__INLINE void lookup_prefetch(const lookup *l)
{
    __builtin_prefetch(lookup_first(l, girt__group_read(l->group)));
}

/* The reader of map_table.h, for the usual case that the first element whose
 * tag matches is the key's, without a branch before that is known; reading the
 * header again is cheaper than keeping it. */
GIRT__INLINE bool lookup_end(girt_map64 *map, const lookup *l, uint64_t *value)
{
    const girt__header header = girt__group_read(l->group);
    uint64_t *const slot = lookup_first(l, header);
    const uint64_t hash = girt_load_relaxed(slot);
    const uint64_t word = girt_load_acquire(girt__slot_word(slot, GIRT__WIDE));
    girt_fence_acquire();
    const uint32_t now = girt_load_relaxed(&l->group->part.lock); /* V2 */
    const bool match = girt__header_match(header, girt__tag(l->hash)) != 0;
    if (girt_likely((hash == l->hash) & match &
                    ((now & ~1u) == girt__header_version(header)))) {
        *value = word;
        return true;
    }
    return find_fast(map, l->hash, value) == GIRT_OK;
}

size_t girt_map64_get_n(girt_map64 *map, const uint64_t keys[],
                        uint64_t values[], bool found[], size_t count)
{
    if (map == NULL || keys == NULL || values == NULL || found == NULL)
        return 0;
    size_t hits = 0;
    lookup lookups[BATCH];
    for (size_t at = 0; at < count; at += BATCH) {
        const size_t left = count - at;
        const size_t n = left < BATCH ? left : BATCH;
        for (size_t i = 0; i < n; i++)
            lookups[i] = lookup_begin(map, keys[at + i]);
        for (size_t i = 0; i < n; i++)
            lookup_prefetch(&lookups[i]);
        for (size_t i = 0; i < n; i++) {
            const bool hit = lookup_end(map, &lookups[i], &values[at + i]);
            found[at + i] = hit;
            hits += hit;
        }
    }
    return hits;
}

/* What a changing call does with a key that is there, and that is not. */
typedef enum change { CHANGE_PUT, CHANGE_ADD, CHANGE_INCREASE } change;

/* Under the lock of the key's home, which it leaves. */
GIRT__INLINE girt_status change_present(girt__group *home, uint64_t *word,
                                        change how, uint64_t value,
                                        uint64_t *sum)
{
    if (how == CHANGE_INCREASE)
        value += girt_load_relaxed(word);
    if (how != CHANGE_ADD)
        girt_store_release(word, value);
    girt__group_unlock(home);
    if (sum != NULL)
        *sum = value;
    return how == CHANGE_ADD ? GIRT_EXISTS : GIRT_OK;
}

/* Whatever is there, and wherever. */
__attribute__((noinline)) static girt_status change_any(
    girt_map64 *map, uint64_t hash, change how, uint64_t value, uint64_t *sum)
{
    girt__index_prefetch(&map->index, GIRT__WIDE, hash);
    for (;;) {
        girt__place place = girt__index_lock(&map->index, GIRT__WIDE, hash);
        if (girt__place_find(&place, girt__same_always, NULL))
            return change_present(place.home, place.word, how, value, sum);
        /* Counted before it is there: a locked instruction waits for all stores
         * before it, and the slot's is often a miss. */
        girt__index_count_add(&map->index, 1);
        girt_status status = girt__place_insert(&place, value);
        if (girt_likely(status == GIRT_OK)) {
            girt__place_unlock(&place);
            if (sum != NULL)
                *sum = value;
            return GIRT_OK;
        }
        girt__index_count_add(&map->index, -1);
        /* Each turn makes room, or another writer got in. */
        status = girt__index_make_room(&map->index, &place, status);
        if (status != GIRT_OK)
            return status;
    }
}

GIRT__INLINE girt_status change_key(girt_map64 *map, uint64_t key, change how,
                                    uint64_t value, uint64_t *sum)
{
    if (girt_unlikely(map == NULL))
        return GIRT_E_INVALID;
    const uint64_t hash = girt__mix_hash(&map->mix, key);
    const girt__guess guess = girt__index_guess(&map->index, hash);
    uint32_t i;
    if (girt__guess_lock(&guess, &map->index, hash, &i))
        return change_present(guess.home, girt__guess_word(&guess, i), how,
                              value, sum);
    if (girt__guess_lock_free(&guess, &map->index, hash, &i)) {
        girt__index_count_add(&map->index, 1); /* first: as above */
        girt__group_fill(guess.home, guess.slots, GIRT__WIDE, i, hash, value);
        girt__group_unlock(guess.home);
        if (sum != NULL)
            *sum = value;
        return GIRT_OK;
    }
    return change_any(map, hash, how, value, sum);
}

girt_status girt_map64_put(girt_map64 *map, uint64_t key, uint64_t value)
{
    return change_key(map, key, CHANGE_PUT, value, NULL);
}

girt_status girt_map64_add(girt_map64 *map, uint64_t key, uint64_t value)
{
    return change_key(map, key, CHANGE_ADD, value, NULL);
}

girt_status girt_map64_increase(girt_map64 *map, uint64_t key, uint64_t by,
                                uint64_t *sum)
{
    return change_key(map, key, CHANGE_INCREASE, by, sum);
}

/* Wherever the key is; false: nowhere. */
__attribute__((noinline)) static bool remove_any(girt_map64 *map, uint64_t hash,
                                                 uint64_t *old)
{
    girt__index_prefetch(&map->index, GIRT__WIDE, hash);
    girt__place place = girt__index_lock(&map->index, GIRT__WIDE, hash);
    const bool present = girt__place_find(&place, girt__same_always, NULL);
    if (present) {
        *old = girt__place_word(&place);
        girt__place_remove(&place);
    }
    girt__place_unlock(&place);
    return present;
}

girt_status girt_map64_remove(girt_map64 *map, uint64_t key,
                              uint64_t *old_value)
{
    if (map == NULL)
        return GIRT_E_INVALID;
    const uint64_t hash = girt__mix_hash(&map->mix, key);
    const girt__guess guess = girt__index_guess(&map->index, hash);
    uint64_t old = 0;
    uint32_t i;
    if (girt__guess_lock(&guess, &map->index, hash, &i)) {
        old = girt_load_relaxed(girt__guess_word(&guess, i));
        girt_store_release(&guess.home->part.tags[i], (uint8_t)0); /* T2 */
        girt__group_unlock(guess.home);
    } else if (!remove_any(map, hash, &old))
        return GIRT_MISSING;
    girt__index_count_add(&map->index, -1);
    if (old_value != NULL)
        *old_value = old;
    return GIRT_OK;
}

girt_status girt_map64_exchange(girt_map64 *map, uint64_t key,
                                uint64_t expected, uint64_t desired)
{
    if (map == NULL)
        return GIRT_E_INVALID;
    const uint64_t hash = girt__mix_hash(&map->mix, key);
    girt_status status = GIRT_MISSING;
    girt__index_prefetch(&map->index, GIRT__WIDE, hash);
    girt__place place = girt__index_lock(&map->index, GIRT__WIDE, hash);
    if (girt__place_find(&place, girt__same_always, NULL)) {
        status = GIRT_EXISTS;
        if (girt__place_word(&place) == expected) {
            girt__place_set(&place, desired);
            status = GIRT_OK;
        }
    }
    girt__place_unlock(&place);
    return status;
}

size_t girt_map64_count(const girt_map64 *map)
{
    return map == NULL ? 0 : girt__index_count(&map->index);
}

size_t girt_map64_bytes(const girt_map64 *map)
{
    return map == NULL ? 0 : sizeof *map + girt__index_bytes(&map->index);
}

girt_status girt_map64_each(girt_map64 *map,
                            bool (*see)(void *context, uint64_t key,
                                        uint64_t value),
                            void *context)
{
    if (map == NULL || see == NULL)
        return GIRT_E_INVALID;
    girt__snapshot snapshot = {.last = false};
    girt_status status = GIRT_OK;
    bool more = true;
    while (more && !snapshot.last && status == GIRT_OK) {
        status = girt__snapshot_next(&map->index, &snapshot);
        const size_t count = status == GIRT_OK ? snapshot.count : 0;
        for (size_t i = 0; more && i < count; i++)
            more = see(context,
                       girt__mix_key(&map->mix, snapshot.elements[i].hash),
                       snapshot.elements[i].word);
    }
    girt__snapshot_free(&map->index, &snapshot);
    return status;
}
