/* SPDX-License-Identifier: MIT */
/* ring_points.c - points on a circle of 2^64 and finding the next one.
 *
 * Hashes are uniform, so the top bits of a key's hash tell where its point
 * must be. The circle is cut into 2^bits equal arcs, seven points an arc or
 * less on average, and each has one cache line with all that a lookup needs:
 * the next 16 bits of its points, their owners, and the owner of the first
 * point after them. A lookup reads one line; a binary search over 100,000
 * points reads 17 words, most of them in lines of their own.
 *
 *   line    | start | part 0 .. part 13 | owner 0 .. owner 13, next | 64 bytes
 *   hashes  | p0 p1 p2 | ........ | pn-1 | UINT64_MAX |   ascending
 *   owners  | o0 o1 o2 | ........ | on-1 | o0         |   wraps around
 *
 * Where a line cannot tell, the lookup goes on in hashes from `start`: if its
 * arc has more than 14 points (0.6 % of the arcs at seven points an arc), if a
 * point and the key agree in all bits that the line has (1 lookup of 10,000),
 * or if an owner's id is over 65535.
 *
 * The same uniformity sorts: scatter by arc, then order the few of each arc, in
 * linear time.
 *
 * I1: hashes ascend; equal ones ascend by their owner's rank.
 * I2: hashes[start - 1] < the arc's begin <= hashes[start].
 *
 * Native points: point k of a node is the k-th number of the splitmix64 stream
 * that starts at girt_hash(name, seed). Nothing else goes in, so that a node
 * which stays keeps its points: a change merges the points of those who come
 * into the points of those who stay, which are sorted already. */
#include "ring/ring_internal.h"

#include <string.h>

#include <girt/hash.h>

#include "core/assert.h"

/* splitmix64 [Steele, Lea, Flood 2014]. */
static uint64_t stream_at(uint64_t start, uint64_t k)
{
    uint64_t z = start + (k + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

unsigned girt__points_bits(size_t count)
{
    unsigned bits = 1;
    while (((uint64_t)7 << bits) < (uint64_t)count)
        bits++;
    return bits;
}

size_t girt__points_find(const girt__ring_table *table, uint64_t hash)
{
    /* UINT64_MAX after the last point ends it. */
    size_t i = table->lines[hash >> (64 - table->bits)].start;
    while (table->hashes[i] < hash)
        i++;
    return i;
}

/* By insertion: an arc holds seven points at most on average. */
static void sort_arc(uint64_t *hashes, uint32_t *owners, size_t count,
                     const uint32_t *rank_of_id)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t const hash = hashes[i];
        uint32_t const owner = owners[i];
        size_t k = i;
        for (; k > 0 && (hashes[k - 1] > hash ||
                         (hashes[k - 1] == hash &&
                          rank_of_id[owners[k - 1]] > rank_of_id[owner]));
             k--) {
            hashes[k] = hashes[k - 1];
            owners[k] = owners[k - 1];
        }
        hashes[k] = hash;
        owners[k] = owner;
    }
}

void girt__points_sort(const uint64_t *from_hashes, const uint32_t *from_owners,
                       size_t count, const uint32_t *rank_of_id, unsigned bits,
                       uint32_t *starts, uint64_t *hashes, uint32_t *owners)
{
    size_t const arcs = (size_t)1 << bits;
    unsigned const shift = 64 - bits;
    memset(starts, 0, arcs * sizeof *starts);
    for (size_t i = 0; i < count; i++)
        starts[from_hashes[i] >> shift]++;
    uint32_t start = 0;
    for (size_t b = 0; b < arcs; b++) {
        uint32_t const size = starts[b];
        starts[b] = start;
        start += size;
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t const to = starts[from_hashes[i] >> shift]++;
        hashes[to] = from_hashes[i];
        owners[to] = from_owners[i];
    }
    /* Each start has moved to its arc's end. */
    start = 0;
    for (size_t b = 0; b < arcs; b++) {
        sort_arc(hashes + start, owners + start, starts[b] - start, rank_of_id);
        start = starts[b];
    }
}

unsigned girt__line_below_plain(const girt__ring_line *line, uint16_t part,
                                bool *unsure)
{
    unsigned below = 0, equal = 0;
    for (unsigned i = 0; i < GIRT__LINE_POINTS; i++) {
        below += line->part[i] < part;
        equal |= line->part[i] == part;
    }
    *unsure = equal != 0;
    return below;
}

/* The points from `start` to before `end` are all of the line's arc. */
static void fill_line(girt__ring_line *line, const girt__ring_table *table,
                      size_t start, size_t end)
{
    size_t const count = end - start;
    bool fits = count <= GIRT__LINE_POINTS;
    for (size_t i = start; i <= end && fits; i++)
        fits = table->owners[i] <= UINT16_MAX;
    memset(line, 0, sizeof *line);
    line->start = (uint32_t)start;
    for (size_t i = 0; i < GIRT__LINE_POINTS && fits; i++) {
        bool const there = i < count;
        line->part[i] =
            there ? (uint16_t)(table->hashes[start + i] << table->bits >> 48)
                  : UINT16_MAX;
        line->owner[i] = (uint16_t)table->owners[there ? start + i : end];
    }
    line->owner[GIRT__LINE_POINTS] = fits ? (uint16_t)table->owners[end] : 0;
}

void girt__points_finish(girt__ring_table *table, unsigned bits)
{
    table->bits = bits;
    table->hashes[table->count] = UINT64_MAX;
    table->owners[table->count] = table->count == 0 ? 0 : table->owners[0];
    size_t const arcs = (size_t)1 << bits;
    size_t start = 0;
    for (size_t arc = 0; arc < arcs; arc++) {
        size_t end = start;
        while (end < table->count && table->hashes[end] >> (64 - bits) == arc)
            end++;
        fill_line(&table->lines[arc], table, start, end);
        start = end;
    }
    for (size_t i = 1; i < table->count; i++)
        girt_assert(table->hashes[i - 1] <= table->hashes[i]); /* I1 */
}

double girt__points_share(const girt__ring_table *table, uint32_t id)
{
    if (table->count == 0)
        return 0.0;
    /* A point owns the arc from the one before it; the first also owns what
     * is beyond the last. 128 bits: one node may own all 2^64. */
    girt__u128 sum = 0;
    for (size_t i = 1; i < table->count; i++)
        if (table->owners[i] == id)
            sum += table->hashes[i] - table->hashes[i - 1];
    if (table->owners[0] == id) {
        sum += (girt__u128)1 << 64;
        sum -= table->hashes[table->count - 1] - table->hashes[0];
    }
    return (double)sum * 0x1p-64;
}

/* What a build needs until the table stands. */
typedef struct scratch {
    uint64_t *hashes, *sorted_hashes;
    uint32_t *owners, *sorted_owners;
    uint32_t *starts;
    uint32_t *rank_of_id; /* NO_MEMBER: not a member */
    uint8_t *kept;        /* by id: its points are in the previous table */
    size_t fresh_count;   /* points of who comes or has a new weight */
    size_t kept_count;
    size_t ids_size; /* of the block of rank_of_id and kept */
    unsigned bits;   /* for fresh_count */
    void *block;
    size_t size;
} scratch;

static bool scratch_allocate(scratch *s, const girt_allocator *allocator)
{
    s->bits = girt__points_bits(s->fresh_count);
    size_t const points = s->fresh_count + 1;
    size_t size = 0, part = 0;
    bool const fits =
        girt__size_multiply(points, 2 * (sizeof(uint64_t) + sizeof(uint32_t)),
                            &size) &&
        girt__size_multiply((size_t)1 << s->bits, sizeof(uint32_t), &part) &&
        girt__size_add(size, part, &size);
    if (!fits)
        return false;
    char *const block = girt__allocate(allocator, size, 0);
    if (block == NULL)
        return false;
    s->block = block;
    s->size = size;
    s->hashes = (uint64_t *)(void *)block;
    s->sorted_hashes = s->hashes + points;
    s->owners = (uint32_t *)(void *)(s->sorted_hashes + points);
    s->sorted_owners = s->owners + points;
    s->starts = s->sorted_owners + points;
    return true;
}

/* Ranks by id, and which points can be taken over: those of members that were
 * there before with the same weight. Counts both sorts. */
static bool survey(scratch *s, const girt_ring *ring,
                   const girt__ring_snapshot *next,
                   const girt__ring_snapshot *previous)
{
    /* By the ids of both snapshots. */
    size_t const ids =
        next->slots > previous->slots ? next->slots : previous->slots;
    s->ids_size = ids * (sizeof(uint32_t) + 1);
    s->rank_of_id = girt__allocate(&ring->allocator, s->ids_size, 0);
    if (s->rank_of_id == NULL)
        return false;
    s->kept = (uint8_t *)(s->rank_of_id + ids);
    memset(s->kept, 0, ids);
    memset(s->rank_of_id, 0xff, ids * sizeof(uint32_t));
    for (size_t i = 0; i < next->member_count; i++) {
        const girt__ring_member *const m = &next->members[i];
        s->rank_of_id[m->id] = m->rank;
        size_t const points = (size_t)m->weight * ring->points_per_weight;
        const girt__ring_member *const before =
            girt__ring_member_named(previous, m->name, m->name_size);
        if (before != NULL && before->weight == m->weight) {
            girt_assert(before->id == m->id);
            s->kept[m->id] = 1;
            s->kept_count += points;
        } else {
            s->fresh_count += points;
        }
    }
    return true;
}

static void make_fresh_points(scratch *s, const girt_ring *ring,
                              const girt__ring_snapshot *next)
{
    size_t count = 0;
    for (size_t i = 0; i < next->member_count; i++) {
        const girt__ring_member *const m = &next->members[i];
        if (s->kept[m->id])
            continue;
        uint64_t const start = girt_hash(m->name, m->name_size, ring->seed);
        size_t const points = (size_t)m->weight * ring->points_per_weight;
        for (size_t k = 0; k < points; k++, count++) {
            s->hashes[count] = stream_at(start, k);
            s->owners[count] = m->id;
        }
    }
    girt_assert(count == s->fresh_count);
}

/* The points of who stays, in the previous table, and the sorted fresh ones
 * become one ascending sequence. */
static void merge(const scratch *s, girt__ring_table *table,
                  const girt__ring_table *previous)
{
    size_t fresh = 0, out = 0;
    size_t const previous_count = s->kept_count == 0 ? 0 : previous->count;
    for (size_t i = 0; i < previous_count; i++) {
        uint32_t const owner = previous->owners[i];
        if (!s->kept[owner])
            continue;
        uint64_t const hash = previous->hashes[i];
        for (;
             fresh < s->fresh_count &&
             (s->sorted_hashes[fresh] < hash ||
              (s->sorted_hashes[fresh] == hash &&
               s->rank_of_id[s->sorted_owners[fresh]] < s->rank_of_id[owner]));
             fresh++, out++) {
            table->hashes[out] = s->sorted_hashes[fresh];
            table->owners[out] = s->sorted_owners[fresh];
        }
        table->hashes[out] = hash;
        table->owners[out++] = owner;
    }
    for (; fresh < s->fresh_count; fresh++, out++) {
        table->hashes[out] = s->sorted_hashes[fresh];
        table->owners[out] = s->sorted_owners[fresh];
    }
    girt_assert(out == table->count);
}

girt_status girt__native_build(const girt_ring *ring, girt__ring_snapshot *next,
                               const girt__ring_snapshot *previous)
{
    if (next->weight_total > GIRT__RING_POINTS_MAX / ring->points_per_weight)
        return GIRT_E_TOO_LARGE;
    girt_status status = GIRT_E_NOMEM;
    scratch s = {0};
    if (!survey(&s, ring, next, previous))
        goto fail_survey;
    if (!scratch_allocate(&s, &ring->allocator))
        goto fail_scratch;
    girt__ring_table *const table = &next->table;
    table->count = s.fresh_count + s.kept_count;
    unsigned const bits = girt__points_bits(table->count);
    if (!girt__ring_table_allocate(table, &ring->allocator, (size_t)1 << bits,
                                   table->count + 1, table->count + 1, 0))
        goto fail_table;
    make_fresh_points(&s, ring, next);
    girt__points_sort(s.hashes, s.owners, s.fresh_count, s.rank_of_id, s.bits,
                      s.starts, s.sorted_hashes, s.sorted_owners);
    merge(&s, table, &previous->table);
    girt__points_finish(table, bits);
    status = GIRT_OK;

fail_table:
    girt__release(&ring->allocator, s.block, s.size);
fail_scratch:
    girt__release(&ring->allocator, s.rank_of_id, s.ids_size);
fail_survey:
    return status;
}
