/* SPDX-License-Identifier: MIT */
/* ring_snapshot.c - what lookups read: built whole, never changed.
 *
 * Every change of the membership becomes a list of nodes, and the list a new
 * snapshot: names copied, ids given, the kind's table built. All that can fail
 * happens here, before anybody sees it.
 *
 * One block holds a snapshot:
 *   snapshot | cells | members | member_of_id | by_name | names
 *
 * I1: members' ids are distinct and below slots; a member that stays keeps its
 *     id; a new one gets the lowest that neither a member nor one that left
 *     with loads (ring_load.c) has.
 * I2: by_name ascends strictly; member i has rank r exactly if by_name[r] = i.
 */
#include "ring/ring_internal.h"

#include <string.h>

#include "core/assert.h"

int girt__ring_name_compare(const girt__ring_member *a,
                            const girt__ring_member *b)
{
    uint32_t const size =
        a->name_size < b->name_size ? a->name_size : b->name_size;
    int const order = memcmp(a->name, b->name, size);
    if (order != 0)
        return order;
    return (a->name_size > b->name_size) - (a->name_size < b->name_size);
}

const girt__ring_member *girt__ring_member_named(
    const girt__ring_snapshot *snapshot, const char *name, size_t name_size)
{
    girt__ring_member const wanted = {.name = name,
                                      .name_size = (uint32_t)name_size};
    size_t low = 0, high = snapshot->member_count;
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        const girt__ring_member *const m =
            &snapshot->members[snapshot->by_name[middle]];
        int const order = girt__ring_name_compare(m, &wanted);
        if (order == 0)
            return m;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

bool girt__ring_place(size_t *size, size_t count, size_t element,
                      size_t *offset)
{
    size_t bytes = 0;
    *offset = (*size + 15) & ~(size_t)15;
    return girt__size_multiply(count, element, &bytes) &&
           girt__size_add(*offset, bytes, size) && *size <= PTRDIFF_MAX;
}

bool girt__ring_table_allocate(girt__ring_table *table,
                               const girt_allocator *allocator,
                               size_t line_count, size_t hash_count,
                               size_t owner_count, size_t index_count)
{
    size_t size = 0, lines, hashes, owners, index;
    if (!girt__ring_place(&size, line_count, sizeof(girt__ring_line), &lines) ||
        !girt__ring_place(&size, hash_count, sizeof(uint64_t), &hashes) ||
        !girt__ring_place(&size, owner_count, sizeof(uint32_t), &owners) ||
        !girt__ring_place(&size, index_count, sizeof(uint32_t), &index))
        return false;
    char *const block = girt__allocate(allocator, size, GIRT_CACHELINE);
    if (block == NULL)
        return false;
    table->block = block;
    table->block_size = size;
    table->lines = (girt__ring_line *)(void *)(block + lines);
    table->hashes = (uint64_t *)(void *)(block + hashes);
    table->owners = (uint32_t *)(void *)(block + owners);
    table->index = (uint32_t *)(void *)(block + index);
    return true;
}

void girt__ring_snapshot_free(girt__ring_snapshot *snapshot)
{
    girt_allocator const allocator = snapshot->ring->allocator;
    girt__release(&allocator, snapshot->table.block,
                  snapshot->table.block_size);
    girt__release(&allocator, snapshot, snapshot->size);
}

static size_t kept_names_size(const girt_ring *ring,
                              const girt__ring_snapshot *previous)
{
    size_t size = 0;
    if (ring->load == NULL || previous == NULL)
        return 0;
    for (size_t i = 0; i < previous->member_count + previous->left_count; i++)
        size += previous->members[i].name_size;
    return size;
}

/* A block with room for `count` members and, on a ring with a bound, all of the
 * previous ones as nodes that left. */
static girt__ring_snapshot *snapshot_allocate(
    girt_ring *ring, size_t count, size_t names_size,
    const girt__ring_snapshot *previous, char **names)
{
    size_t room = count, slots = count;
    if (previous != NULL) {
        if (ring->load != NULL)
            room += previous->member_count + previous->left_count;
        slots = room > previous->slots ? room : previous->slots;
    }
    size_t size = sizeof(girt__ring_snapshot);
    size_t cells, members, member_of_id, by_name, name_bytes;
    if (!girt__ring_place(&size, ring->load != NULL ? slots : 0, sizeof(void *),
                          &cells) ||
        !girt__ring_place(&size, room, sizeof(girt__ring_member), &members) ||
        !girt__ring_place(&size, slots, sizeof(uint32_t), &member_of_id) ||
        !girt__ring_place(&size, count, sizeof(uint32_t), &by_name) ||
        !girt__ring_place(&size, names_size + kept_names_size(ring, previous),
                          1, &name_bytes))
        return NULL;
    char *const block = girt__allocate(&ring->allocator, size, GIRT_CACHELINE);
    if (block == NULL)
        return NULL;
    girt__ring_snapshot *const s = (girt__ring_snapshot *)(void *)block;
    memset(s, 0, sizeof *s);
    s->size = size;
    s->ring = ring;
    s->slots = slots;
    s->members = (girt__ring_member *)(void *)(block + members);
    s->member_of_id = (uint32_t *)(void *)(block + member_of_id);
    s->by_name = (uint32_t *)(void *)(block + by_name);
    memset(s->member_of_id, 0xff, slots * sizeof(uint32_t));
    if (ring->load != NULL) {
        s->cells = (girt__ring_cell **)(void *)(block + cells);
        for (size_t id = 0; id < slots; id++)
            s->cells[id] = previous != NULL && id < previous->slots
                               ? previous->cells[id]
                               : NULL;
    }
    *names = block + name_bytes;
    return s;
}

/* ---- names ---- */

bool girt__ring_name_is_valid(const char *name, size_t *size)
{
    if (name == NULL)
        return false;
    *size = strnlen(name, GIRT_RING_NAME_MAX + 1);
    return *size != 0 && *size <= GIRT_RING_NAME_MAX;
}

static void sift_down(girt__ring_snapshot *s, size_t root, size_t count)
{
    uint32_t *const order = s->by_name;
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count &&
            girt__ring_name_compare(&s->members[order[child]],
                                    &s->members[order[child + 1]]) < 0)
            child++;
        if (girt__ring_name_compare(&s->members[order[root]],
                                    &s->members[order[child]]) >= 0)
            return;
        uint32_t const swapped = order[root];
        order[root] = order[child];
        order[child] = swapped;
        root = child;
    }
}

/* Heapsort: no memory, no recursion, no bad case. false: a name twice. */
static bool sort_by_name(girt__ring_snapshot *s)
{
    size_t const count = s->member_count;
    for (size_t i = 0; i < count; i++)
        s->by_name[i] = (uint32_t)i;
    for (size_t root = count / 2; root-- > 0;)
        sift_down(s, root, count);
    for (size_t end = count; end-- > 1;) {
        uint32_t const largest = s->by_name[0];
        s->by_name[0] = s->by_name[end];
        s->by_name[end] = largest;
        sift_down(s, 0, end);
    }
    for (size_t r = 0; r < count; r++) {
        s->members[s->by_name[r]].rank = (uint32_t)r;
        if (r > 0 && girt__ring_name_compare(&s->members[s->by_name[r - 1]],
                                             &s->members[s->by_name[r]]) == 0)
            return false;
    }
    return true;
}

/* ---- ids ---- */

static void give_id(girt__ring_snapshot *s, size_t member, uint32_t id)
{
    girt_assert(id < s->slots && s->member_of_id[id] == GIRT__RING_NO_MEMBER);
    s->members[member].id = id;
    s->member_of_id[id] = (uint32_t)member;
}

/* The copy of a node that is no member, but may carry loads. */
static void keep_left(girt__ring_snapshot *s, const girt__ring_member *from,
                      char **names)
{
    size_t const i = s->member_count + s->left_count++;
    s->members[i] = *from;
    memcpy(*names, from->name, from->name_size);
    s->members[i].name = *names;
    *names += from->name_size;
    give_id(s, i, from->id);
}

/* Both lists ascend by name: one walk finds who stays and who leaves. */
static void carry_over(girt__ring_snapshot *s,
                       const girt__ring_snapshot *previous, char **names)
{
    size_t next = 0;
    for (size_t r = 0; r < previous->member_count; r++) {
        const girt__ring_member *const old =
            &previous->members[previous->by_name[r]];
        int order = 1;
        while (next < s->member_count &&
               (order = girt__ring_name_compare(&s->members[s->by_name[next]],
                                                old)) < 0)
            next++;
        if (next < s->member_count && order == 0)
            give_id(s, s->by_name[next], old->id);
        else if (s->cells != NULL)
            keep_left(s, old, names);
    }
    /* Those that had left: back, still loaded, or forgotten. */
    for (size_t i = 0; i < previous->left_count; i++) {
        const girt__ring_member *const old =
            &previous->members[previous->member_count + i];
        const girt__ring_member *const back =
            girt__ring_member_named(s, old->name, old->name_size);
        if (back != NULL)
            give_id(s, (size_t)(back - s->members), old->id);
        else if (!girt__load_is_idle(previous->cells[old->id]))
            keep_left(s, old, names);
    }
}

static void give_new_ids(girt__ring_snapshot *s)
{
    uint32_t id = 0;
    for (size_t i = 0; i < s->member_count; i++) {
        if (s->members[i].id != GIRT__RING_NO_MEMBER)
            continue;
        while (s->member_of_id[id] != GIRT__RING_NO_MEMBER)
            id++;
        give_id(s, i, id);
    }
}

/* Ids and cells that are not in use any more need no room, but cells live as
 * long as the ring: a slow lookup may hold one. */
static void trim_slots(girt__ring_snapshot *s)
{
    while (s->slots > 0 &&
           s->member_of_id[s->slots - 1] == GIRT__RING_NO_MEMBER &&
           (s->cells == NULL || s->cells[s->slots - 1] == NULL))
        s->slots--;
}

static bool is_new_cell(const girt__ring_snapshot *previous, size_t id)
{
    return previous == NULL || id >= previous->slots ||
           previous->cells[id] == NULL;
}

static bool give_cells(const girt_ring *ring, girt__ring_snapshot *s)
{
    if (s->cells == NULL)
        return true;
    for (size_t i = 0; i < s->member_count; i++) {
        girt__ring_cell **const cell = &s->cells[s->members[i].id];
        if (*cell == NULL && (*cell = girt__load_cell(ring)) == NULL)
            return false;
    }
    return true;
}

void girt__ring_snapshot_discard(girt_ring *ring, girt__ring_snapshot *s,
                                 const girt__ring_snapshot *previous)
{
    for (size_t id = 0; s->cells != NULL && id < s->slots; id++)
        if (s->cells[id] != NULL && is_new_cell(previous, id))
            girt__release(&ring->allocator, s->cells[id],
                          sizeof(girt__ring_cell));
    girt__ring_snapshot_free(s);
}

/* ---- building ---- */

static girt_status build_table(const girt_ring *ring, girt__ring_snapshot *next,
                               const girt__ring_snapshot *previous)
{
    if (next->member_count == 0)
        return GIRT_OK;
    switch (ring->kind) {
    case GIRT_RING_KETAMA:
        return girt__ketama_build(ring, next);
    case GIRT_RING_MAGLEV:
        return girt__maglev_build(ring, next);
    case GIRT_RING_RENDEZVOUS:
        return girt__rendezvous_build(ring, next);
    case GIRT_RING_JUMP:
        return girt__jump_build(ring, next);
    case GIRT_RING_NATIVE:
    default:
        return girt__native_build(ring, next, previous);
    }
}

/* Copies names and weights of nodes that were checked. */
static void fill_members(girt__ring_snapshot *s, const girt_node nodes[],
                         size_t count, char **names)
{
    s->member_count = count;
    for (size_t i = 0; i < count; i++) {
        size_t const size = strnlen(nodes[i].name, GIRT_RING_NAME_MAX);
        memcpy(*names, nodes[i].name, size);
        s->members[i] = (girt__ring_member){
            .name = *names,
            .name_size = (uint32_t)size,
            .id = GIRT__RING_NO_MEMBER,
            .weight = nodes[i].weight == 0 ? 1 : nodes[i].weight,
        };
        *names += size;
        s->weight_total += s->members[i].weight;
    }
}

girt_status girt__ring_snapshot_build(girt_ring *ring, const girt_node nodes[],
                                      size_t count,
                                      const girt__ring_snapshot *previous,
                                      girt__ring_snapshot **out)
{
    size_t names_size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t size;
        if (!girt__ring_name_is_valid(nodes[i].name, &size))
            return GIRT_E_INVALID;
        names_size += size;
    }
    char *names = NULL;
    girt__ring_snapshot *const s =
        snapshot_allocate(ring, count, names_size, previous, &names);
    if (s == NULL)
        return GIRT_E_NOMEM;
    girt_status status = GIRT_E_INVALID;
    fill_members(s, nodes, count, &names);
    if (!sort_by_name(s))
        goto fail;
    if (previous != NULL)
        carry_over(s, previous, &names);
    give_new_ids(s);
    trim_slots(s);
    status = GIRT_E_NOMEM;
    if (!give_cells(ring, s))
        goto fail;
    status = build_table(ring, s, previous);
    if (status != GIRT_OK)
        goto fail;
    *out = s;
    return GIRT_OK;

fail:
    girt__ring_snapshot_discard(ring, s, previous);
    return status;
}
