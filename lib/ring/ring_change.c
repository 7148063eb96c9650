/* SPDX-License-Identifier: MIT */
/* ring_change.c - from one membership to the next.
 *
 * set, add and remove all make a list of nodes and a snapshot of it
 * (ring_snapshot.c), publish it with one store, and retire the one before to
 * the epoch, because lookups may still read it. One mutex a ring puts changes
 * in a row; lookups never take it. A change that fails has published nothing.
 */
#include "ring/ring_internal.h"

#include <string.h>

#include <girt/epoch.h>

#include "core/atomic.h"

/* So many retired snapshots wait at most, one more for each thread that is
 * changing the ring. */
#define RETIRED_MAX ((size_t)8)

/* S1 -> S0 in girt_ring_destroy: the block is given back before the count
 * goes down. */
static void release_retired(girt__epoch_node *node)
{
    girt__ring_snapshot *const s =
        girt_container_of(node, girt__ring_snapshot, retired);
    girt_ring *const ring = s->ring;
    girt__ring_snapshot_free(s);
    (void)girt_sub_release(&ring->retired_count, (size_t)1);
}

/* *old is set to what has to be retired, on GIRT_OK only. */
static girt_status replace(girt_ring *ring, const girt_node nodes[],
                           size_t count, girt__ring_snapshot **old)
{
    girt__ring_snapshot *const previous = ring->snapshot;
    girt__ring_snapshot *next = NULL;
    girt_status status =
        girt__ring_snapshot_build(ring, nodes, count, previous, &next);
    if (status == GIRT_OK && ring->report != NULL) {
        status = girt__ring_report_next(ring, previous, next);
        if (status != GIRT_OK)
            girt__ring_snapshot_discard(ring, next, previous);
    }
    if (status != GIRT_OK)
        return status;
    /* P1 -> P0 in the lookups: the snapshot is whole when it is seen. */
    if (ring->load != NULL)
        girt__load_publish(ring, next);
    else
        girt_store_release(&ring->snapshot, next);
    *old = previous;
    return GIRT_OK;
}

/* After the mutex is free again: this may wait for sections, and a reader in
 * one may wait for the mutex. */
static void retire(girt_ring *ring, girt__ring_snapshot *old)
{
    if (old == NULL)
        return;
    size_t const pending = girt_add_relaxed(&ring->retired_count, (size_t)1);
    girt__epoch_retire_node(&old->retired, release_retired);
    /* Snapshots are large, so few of them may wait. */
    if (pending + 1 >= RETIRED_MAX)
        girt_epoch_barrier();
}

/* The current members as a list with room for one more. */
typedef struct node_list {
    girt_node *nodes;
    size_t count;
    size_t size; /* of the block */
} node_list;

/* Names in a snapshot stand side by side, those in girt_node end in zero: the
 * list brings its own copies. */
static bool list_members(const girt_ring *ring, node_list *list)
{
    const girt__ring_snapshot *const s = ring->snapshot;
    size_t const room = s->member_count + 1;
    size_t names_size = 0;
    for (size_t i = 0; i < s->member_count; i++)
        names_size += s->members[i].name_size + 1;
    size_t size = 0, names = 0, nodes = 0;
    if (!girt__ring_place(&size, room, sizeof(girt_node), &nodes) ||
        !girt__ring_place(&size, names_size, 1, &names))
        return false;
    char *const block = girt__allocate(&ring->allocator, size, 0);
    if (block == NULL)
        return false;
    *list = (node_list){(girt_node *)(void *)block, s->member_count, size};
    char *name = block + names;
    for (size_t i = 0; i < s->member_count; i++) {
        const girt__ring_member *const m = &s->members[i];
        memcpy(name, m->name, m->name_size);
        name[m->name_size] = '\0';
        list->nodes[i] = (girt_node){name, m->weight};
        name += m->name_size + 1;
    }
    return true;
}

girt_status girt_ring_set(girt_ring *ring, const girt_node nodes[],
                          size_t count)
{
    if (ring == NULL || (nodes == NULL && count != 0))
        return GIRT_E_INVALID;
    if (count > GIRT__RING_NODES_MAX)
        return GIRT_E_TOO_LARGE;
    girt__ring_snapshot *old = NULL;
    (void)pthread_mutex_lock(&ring->change);
    girt_status const status = replace(ring, nodes, count, &old);
    (void)pthread_mutex_unlock(&ring->change);
    retire(ring, old);
    return status;
}

static girt_status add_locked(girt_ring *ring, const char *name,
                              size_t name_size, uint32_t weight,
                              girt__ring_snapshot **old)
{
    const girt__ring_snapshot *const s = ring->snapshot;
    const girt__ring_member *const member =
        girt__ring_member_named(s, name, name_size);
    if (member != NULL && member->weight == weight)
        return GIRT_EXISTS;
    if (member == NULL && s->member_count == GIRT__RING_NODES_MAX)
        return GIRT_E_TOO_LARGE;
    size_t const place_in_list =
        member == NULL ? s->member_count : (size_t)(member - s->members);
    if (member != NULL && ring->kind == GIRT_RING_JUMP &&
        place_in_list + 1 != s->member_count)
        return GIRT_E_INVALID;
    node_list list;
    if (!list_members(ring, &list))
        return GIRT_E_NOMEM;
    list.nodes[place_in_list] = (girt_node){name, weight};
    girt_status const status =
        replace(ring, list.nodes, list.count + (member == NULL), old);
    girt__release(&ring->allocator, list.nodes, list.size);
    if (status != GIRT_OK)
        return status;
    return member == NULL ? GIRT_OK : GIRT_EXISTS;
}

girt_status girt_ring_add(girt_ring *ring, const char *name, uint32_t weight)
{
    size_t name_size;
    if (ring == NULL || !girt__ring_name_is_valid(name, &name_size))
        return GIRT_E_INVALID;
    girt__ring_snapshot *old = NULL;
    (void)pthread_mutex_lock(&ring->change);
    girt_status const status =
        add_locked(ring, name, name_size, weight == 0 ? 1 : weight, &old);
    (void)pthread_mutex_unlock(&ring->change);
    retire(ring, old);
    return status;
}

static girt_status remove_locked(girt_ring *ring, const char *name,
                                 size_t name_size, girt__ring_snapshot **old)
{
    const girt__ring_snapshot *const s = ring->snapshot;
    const girt__ring_member *const member =
        girt__ring_member_named(s, name, name_size);
    if (member == NULL)
        return GIRT_MISSING;
    size_t const place_in_list = (size_t)(member - s->members);
    if (ring->kind == GIRT_RING_JUMP && place_in_list + 1 != s->member_count)
        return GIRT_E_INVALID;
    node_list list;
    if (!list_members(ring, &list))
        return GIRT_E_NOMEM;
    list.count--;
    memmove(list.nodes + place_in_list, list.nodes + place_in_list + 1,
            (list.count - place_in_list) * sizeof *list.nodes);
    girt_status const status = replace(ring, list.nodes, list.count, old);
    girt__release(&ring->allocator, list.nodes, list.size);
    return status;
}

girt_status girt_ring_remove(girt_ring *ring, const char *name)
{
    if (ring == NULL || name == NULL)
        return GIRT_E_INVALID;
    size_t name_size;
    if (!girt__ring_name_is_valid(name, &name_size))
        return GIRT_E_INVALID;
    girt__ring_snapshot *old = NULL;
    (void)pthread_mutex_lock(&ring->change);
    girt_status const status = remove_locked(ring, name, name_size, &old);
    (void)pthread_mutex_unlock(&ring->change);
    retire(ring, old);
    return status;
}
