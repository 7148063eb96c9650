/* SPDX-License-Identifier: MIT */
/* ring_find.c - lookups.
 *
 * A lookup hashes the key, enters an epoch section, loads the snapshot (P0,
 * paired with P1 in ring_change.c) and reads only what hangs on it: immutable,
 * and not freed before the section ends. So there is nothing to prove but that:
 * a lookup linearizes at its load of the snapshot. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ring/ring_internal.h"

#include <string.h>

#include <girt/epoch.h>

#include "core/atomic.h"
#include "core/epoch_section.h"
#include "core/key_list.h"

/* Keys of a batch that are looked up in one section. */
enum { BLOCK = 64 };

/* girt_hash, inlined: a call less is 1 of 10 ns. */
static uint64_t native_hash(const girt_ring *ring, const void *key, size_t size)
{
    return XXH3_64bits_withSeed(key, size, ring->seed);
}

uint64_t girt__ring_key_hash(const girt_ring *ring, const void *key,
                             size_t size)
{
    switch (ring->kind) {
    case GIRT_RING_KETAMA:
        return girt__ketama_key_hash(key, size);
    case GIRT_RING_MAGLEV:
        return girt__ring_xxh64(key, size, ring->seed);
    case GIRT_RING_NATIVE:
    case GIRT_RING_RENDEZVOUS:
    case GIRT_RING_JUMP:
    default:
        return native_hash(ring, key, size);
    }
}

/* The owner of a hash; false: there is none. */
static inline bool owner_of(const girt_ring *ring,
                            const girt__ring_snapshot *snapshot, uint64_t hash,
                            uint32_t *id)
{
    const girt__ring_table *const t = &snapshot->table;
    if (girt_unlikely(t->count == 0))
        return false;
    switch (ring->kind) {
    case GIRT_RING_MAGLEV:
        *id = t->owners[hash % ring->maglev_size];
        return true;
    case GIRT_RING_RENDEZVOUS:
        *id = t->owners[girt__rendezvous_find(ring, t, hash)];
        return true;
    case GIRT_RING_JUMP:
        *id = girt__jump_owner(t, girt__jump(hash, t->index[t->count]));
        return true;
    case GIRT_RING_NATIVE:
    case GIRT_RING_KETAMA:
    default:
        *id = girt__points_owner(t, hash);
        return true;
    }
}

bool girt__ring_owner(const girt_ring *ring,
                      const girt__ring_snapshot *snapshot, uint64_t hash,
                      uint32_t *id)
{
    return owner_of(ring, snapshot, hash, id);
}

static bool lookup_is_valid(const girt_ring *ring, const void *key,
                            size_t key_size)
{
    return ring != NULL && (key != NULL || key_size == 0);
}

/* Of any kind. */
static __attribute__((noinline)) girt_status find(girt_ring *ring,
                                                  const void *key,
                                                  size_t key_size,
                                                  uint32_t *node_id)
{
    uint64_t const hash = girt__ring_key_hash(ring, key, key_size);
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    uint32_t id = 0;
    bool const found = owner_of(ring, s, hash, &id);
    girt__epoch_exit();
    if (girt_unlikely(!found))
        return GIRT_MISSING;
    *node_id = id;
    if (girt_unlikely(ring->report != NULL))
        girt__ring_count(ring, &id, 1);
    return GIRT_OK;
}

/* The native kind apart: the others' needs of registers would be saved and
 * restored by every lookup. */
girt_status girt_ring_find(girt_ring *ring, const void *key, size_t key_size,
                           uint32_t *node_id)
{
    if (girt_unlikely(!lookup_is_valid(ring, key, key_size) || node_id == NULL))
        return GIRT_E_INVALID;
    if (ring->kind != GIRT_RING_NATIVE)
        return find(ring, key, key_size, node_id);
    /* Outside the section: a long key must not hold up the epoch. */
    uint64_t const hash = native_hash(ring, key, key_size);
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_table *const t =
        &girt_load_acquire(&ring->snapshot)->table;
    bool const found = girt_likely(t->count != 0);
    if (found)
        *node_id = girt__points_owner(t, hash);
    girt__epoch_exit();
    if (girt_unlikely(!found))
        return GIRT_MISSING;
    if (girt_unlikely(ring->report != NULL))
        girt__ring_count(ring, node_id, 1);
    return GIRT_OK;
}

void girt__ring_walk_start(girt__ring_walk *walk, const girt_ring *ring,
                           const girt__ring_snapshot *snapshot, uint64_t hash)
{
    const girt__ring_table *const t = &snapshot->table;
    walk->ring = ring;
    walk->snapshot = snapshot;
    walk->hash = hash;
    walk->position = 0;
    walk->left = t->count;
    walk->batch_count = walk->batch_next = 0;
    if (t->count == 0)
        return;
    if (ring->kind == GIRT_RING_MAGLEV) {
        walk->position = (size_t)(hash % ring->maglev_size);
    } else if (ring->kind == GIRT_RING_JUMP) {
        /* Further hashes find most nodes; then the list finds the rest. */
        walk->left += t->count < 64 ? 4 * t->count : 256;
    } else if (ring->kind != GIRT_RING_RENDEZVOUS) {
        walk->position = girt__points_find(t, hash);
        if (walk->position == t->count)
            walk->position = 0;
    }
}

bool girt__ring_walk_next(girt__ring_walk *walk, uint32_t *id)
{
    if (walk->ring->kind == GIRT_RING_RENDEZVOUS)
        return girt__rendezvous_next(walk, id);
    if (walk->ring->kind == GIRT_RING_JUMP)
        return girt__jump_next(walk, id);
    const girt__ring_table *const t = &walk->snapshot->table;
    if (walk->left == 0)
        return false;
    walk->left--;
    *id = t->owners[walk->position];
    if (++walk->position == t->count)
        walk->position = 0;
    return true;
}

/* Which ids a list has: by bits while ids are small, else by looking. */
#define SEEN_BITS ((size_t)16384)
typedef struct seen {
    uint64_t words[SEEN_BITS / 64];
} seen;

static bool see(seen *s, const uint32_t ids[], size_t count, uint32_t id)
{
    if (id < SEEN_BITS) {
        uint64_t const bit = (uint64_t)1 << (id % 64);
        bool const known = (s->words[id / 64] & bit) != 0;
        s->words[id / 64] |= bit;
        return known;
    }
    for (size_t i = 0; i < count; i++)
        if (ids[i] == id)
            return true;
    return false;
}

static size_t distinct_owners(const girt_ring *ring,
                              const girt__ring_snapshot *snapshot,
                              uint64_t hash, uint32_t ids[], size_t wanted)
{
    girt__ring_walk walk;
    girt__ring_walk_start(&walk, ring, snapshot, hash);
    seen s;
    size_t const words = (snapshot->slots + 63) / 64;
    memset(s.words, 0,
           (words < SEEN_BITS / 64 ? words : SEEN_BITS / 64) *
               sizeof(uint64_t));
    size_t count = 0;
    uint32_t id;
    if (wanted > snapshot->member_count)
        wanted = snapshot->member_count;
    while (count < wanted && girt__ring_walk_next(&walk, &id))
        if (!see(&s, ids, count, id))
            ids[count++] = id;
    return count;
}

girt_status girt_ring_find_n(girt_ring *ring, const void *key, size_t key_size,
                             uint32_t node_ids[], size_t *count)
{
    if (!lookup_is_valid(ring, key, key_size) || count == NULL ||
        (node_ids == NULL && *count != 0))
        return GIRT_E_INVALID;
    uint64_t const hash = girt__ring_key_hash(ring, key, key_size);
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    bool const empty = s->member_count == 0;
    *count = distinct_owners(ring, s, hash, node_ids, *count);
    girt__epoch_exit();
    if (girt_unlikely(ring->report != NULL))
        girt__ring_count(ring, node_ids, *count);
    return empty ? GIRT_MISSING : GIRT_OK;
}

/* The owners of the next `count` keys, at most BLOCK, of a list. */
static inline __attribute__((always_inline)) bool find_block(
    girt_ring *ring, girt__key_list *list, uint32_t node_ids[], size_t count,
    bool native)
{
    /* Hashed outside of the section, which must not hold up the epoch. */
    uint64_t hashes[BLOCK];
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const void *const key = girt__key_list_next(list, &size);
        hashes[i] = native ? native_hash(ring, key, size)
                           : girt__ring_key_hash(ring, key, size);
    }
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    bool const found = s->table.count != 0;
    for (size_t i = 0; i < count && found; i++) {
        if (native)
            node_ids[i] = girt__points_owner(&s->table, hashes[i]);
        else
            (void)owner_of(ring, s, hashes[i], &node_ids[i]);
    }
    girt__epoch_exit();
    return found;
}

girt_status girt_ring_find_keys(girt_ring *ring, const girt_keys *keys,
                                uint32_t node_ids[])
{
    girt__key_list list;
    if (ring == NULL || keys == NULL || (node_ids == NULL && keys->count != 0))
        return GIRT_E_INVALID;
    girt_status const status = girt__key_list_begin(&list, keys, SIZE_MAX);
    if (status != GIRT_OK)
        return status;
    bool found = girt_ring_count(ring) != 0;
    for (size_t done = 0; found && done < keys->count;) {
        size_t const left = keys->count - done;
        size_t const count = left < BLOCK ? left : BLOCK;
        found = ring->kind == GIRT_RING_NATIVE
                    ? find_block(ring, &list, &node_ids[done], count, true)
                    : find_block(ring, &list, &node_ids[done], count, false);
        if (girt_unlikely(ring->report != NULL) && found)
            girt__ring_count(ring, &node_ids[done], count);
        done += count;
    }
    return found ? GIRT_OK : GIRT_MISSING;
}
