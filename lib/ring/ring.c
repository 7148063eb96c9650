/* SPDX-License-Identifier: MIT */
/* ring.c - create, destroy and lookups.
 *
 * A lookup hashes the key, enters an epoch section, loads the snapshot (P0,
 * paired with P1 in ring_change.c) and reads only what hangs on it: immutable,
 * and not freed before the section ends. So there is nothing to prove but that:
 * a lookup linearizes at its load of the snapshot. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "ring/ring_internal.h"

#include <math.h>
#include <string.h>

#include <girt/epoch.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/epoch_section.h"
#include "core/key_list.h"
#include "core/options.h"

/* Keys of a batch that are looked up in one section. */
enum { BLOCK = 64 };

/* ---- create, destroy ---- */

static const girt_ring_options default_options;

static girt_status options_check(const girt_ring_options *o)
{
    if (!girt__options_are_valid(o->name, o->metrics, o->reserved) ||
        (unsigned)o->kind > GIRT_RING_JUMP)
        return GIRT_E_INVALID;
    if (o->bound != 0 && !(o->bound >= 1.0 && isfinite(o->bound)))
        return GIRT_E_INVALID;
    if (o->points_per_weight > GIRT__RING_POINTS_MAX ||
        o->maglev_size > GIRT__RING_POINTS_MAX)
        return GIRT_E_TOO_LARGE;
    if (o->maglev_size != 0 && !girt__is_prime(o->maglev_size))
        return GIRT_E_INVALID;
    return GIRT_OK;
}

girt_status girt_ring_create(girt_ring **out, const girt_ring_options *options)
{
    if (out == NULL)
        return GIRT_E_INVALID;
    const girt_ring_options *const o =
        options == NULL ? &default_options : options;
    girt_status status = options_check(o);
    if (status != GIRT_OK)
        return status;
    girt_allocator allocator;
    status = girt__allocator_resolve(&allocator, o->allocator);
    if (status != GIRT_OK)
        return status;

    status = GIRT_E_NOMEM;
    girt_ring *const ring =
        girt__allocate_zeroed(&allocator, sizeof *ring, GIRT_DESTRUCTIVE);
    if (ring == NULL)
        goto fail_ring;
    ring->kind = o->kind;
    ring->points_per_weight =
        o->points_per_weight == 0 ? 1024 : o->points_per_weight;
    ring->maglev_size = o->maglev_size == 0 ? 65537 : o->maglev_size;
    ring->seed = o->seed;
    ring->bound = o->bound;
    ring->allocator = allocator;
    if (ring->kind == GIRT_RING_RENDEZVOUS) {
        ring->log_table = girt__allocate(
            &allocator, GIRT__LOG_SIZE * sizeof(uint64_t), GIRT_CACHELINE);
        if (ring->log_table == NULL)
            goto fail_log_table;
        girt__log_table_fill(ring->log_table);
    }
    if (ring->bound != 0 && girt__load_create(ring) != GIRT_OK)
        goto fail_load;
    status = girt__ring_snapshot_build(ring, NULL, 0, NULL, &ring->snapshot);
    if (status != GIRT_OK)
        goto fail_snapshot;
    if (pthread_mutex_init(&ring->change, NULL) != 0) {
        status = GIRT_E_SYSTEM;
        goto fail_mutex;
    }
    status = girt__ring_report(ring, o);
    if (status != GIRT_OK)
        goto fail_report;
    *out = ring;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&ring->change);
fail_mutex:
    girt__ring_snapshot_free(ring->snapshot);
fail_snapshot:
    girt__load_destroy(ring);
fail_load:
    girt__release(&allocator, ring->log_table,
                  GIRT__LOG_SIZE * sizeof(uint64_t));
fail_log_table:
    girt__release(&allocator, ring, sizeof *ring);
fail_ring:
    return status;
}

void girt_ring_destroy(girt_ring *ring)
{
    if (ring == NULL)
        return;
    girt__ring_report_end(ring);
    /* S0: whoever frees retired snapshots still needs the ring and its
     * allocator. */
    if (girt_load_acquire(&ring->retired_count) != 0)
        girt_epoch_barrier();
    girt_require(girt_load_acquire(&ring->retired_count) == 0);
    girt__ring_snapshot *const s = ring->snapshot;
    for (size_t id = 0; s->cells != NULL && id < s->slots; id++)
        girt__release(&ring->allocator, s->cells[id], sizeof(girt__ring_cell));
    girt__ring_snapshot_free(s);
    girt__load_destroy(ring);
    girt__release(&ring->allocator, ring->log_table,
                  GIRT__LOG_SIZE * sizeof(uint64_t));
    (void)pthread_mutex_destroy(&ring->change);
    girt_allocator const allocator = ring->allocator;
    girt__release(&allocator, ring, sizeof *ring);
}

/* ---- lookups ---- */

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
    size_t done = 0;
    while (found && done < keys->count) {
        /* A block at a time: hashed outside of the section, which must not
         * hold up the epoch. */
        uint64_t hashes[BLOCK];
        size_t const left = keys->count - done;
        size_t const count = left < BLOCK ? left : BLOCK;
        for (size_t i = 0; i < count; i++) {
            size_t size;
            const void *const key = girt__key_list_next(&list, &size);
            hashes[i] = girt__ring_key_hash(ring, key, size);
        }
        girt__epoch_enter();
        /* P0 <- P1 (ring_change.c). */
        const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
        for (size_t i = 0; i < count && found; i++)
            found = owner_of(ring, s, hashes[i], &node_ids[done + i]);
        girt__epoch_exit();
        if (girt_unlikely(ring->report != NULL) && found)
            girt__ring_count(ring, &node_ids[done], count);
        done += count;
    }
    return found ? GIRT_OK : GIRT_MISSING;
}

/* ---- what is in it ---- */

girt_status girt_ring_name(girt_ring *ring, uint32_t node_id, char *buffer,
                           size_t size)
{
    if (ring == NULL || buffer == NULL || size == 0)
        return GIRT_E_INVALID;
    girt_status status = GIRT_MISSING;
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    if (node_id < s->slots && s->member_of_id[node_id] < s->member_count) {
        const girt__ring_member *const m =
            &s->members[s->member_of_id[node_id]];
        status = GIRT_E_TOO_LARGE;
        if (m->name_size < size) {
            memcpy(buffer, m->name, m->name_size);
            buffer[m->name_size] = '\0';
            status = GIRT_OK;
        }
    }
    girt__epoch_exit();
    return status;
}

size_t girt_ring_count(const girt_ring *ring)
{
    if (ring == NULL)
        return 0;
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    size_t const count = girt_load_acquire(&ring->snapshot)->member_count;
    girt__epoch_exit();
    return count;
}

static double share_of(const girt_ring *ring,
                       const girt__ring_snapshot *snapshot,
                       const girt__ring_member *member)
{
    const girt__ring_table *const t = &snapshot->table;
    size_t slots = 0;
    switch (ring->kind) {
    case GIRT_RING_MAGLEV:
        for (size_t i = 0; i < t->count; i++)
            slots += t->owners[i] == member->id;
        return (double)slots / (double)t->count;
    case GIRT_RING_RENDEZVOUS:
    case GIRT_RING_JUMP:
        return (double)member->weight / (double)snapshot->weight_total;
    case GIRT_RING_NATIVE:
    case GIRT_RING_KETAMA:
    default:
        return girt__points_share(t, member->id);
    }
}

double girt_ring_share(girt_ring *ring, const char *name)
{
    if (ring == NULL || name == NULL)
        return 0.0;
    size_t const size = strnlen(name, GIRT_RING_NAME_MAX + 1);
    girt__epoch_enter();
    /* P0 <- P1 (ring_change.c). */
    const girt__ring_snapshot *const s = girt_load_acquire(&ring->snapshot);
    const girt__ring_member *const m = girt__ring_member_named(s, name, size);
    double const share = m == NULL ? 0.0 : share_of(ring, s, m);
    girt__epoch_exit();
    return share;
}
