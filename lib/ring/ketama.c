/* SPDX-License-Identifier: MIT */
/* ketama.c - points and key hashes as libmemcached's weighted ketama has them.
 *
 * A server has points by a rule in float32, and its rounding is part of the
 * rule: floor(w / W * 160 / 4 * n + 1e-10) digests of four points each. At 100
 * equal servers that gives 39 digests, 156 points, and a server of tiny weight
 * gets none. Digest k is the MD5 of "name-k"; its four little-endian words are
 * points. A key's hash is the first word of its MD5, and its server that of
 * the first point at or after the hash. Of two equal points the one that
 * comes first in the list wins, because the list is sorted stably there.
 *
 * The circle has 2^32 places; in the common table of points they stand in the
 * upper half of 64 bits, which keeps the order. */
#include "ring/ring_internal.h"

#include <stdio.h>
#include <string.h>

#include "ring/md5.h"

#define DEFAULT_PORT ":11211"

uint64_t girt__ketama_key_hash(const void *key, size_t size)
{
    uint32_t digest[4];
    girt__md5(key, size, digest);
    return (uint64_t)digest[0] << 32;
}

/* A function by itself: each step is rounded to float. A compiler that fused
 * the product and the sum would give other points on other machines. */
__attribute__((noinline)) static float product(float a, float b)
{
    return a * b;
}

uint32_t girt__ketama_points(uint32_t weight, uint64_t weight_total,
                             size_t node_count)
{
    float const part = (float)weight / (float)weight_total;
    float const digests =
        product(product(part, 160.0f) / 4.0f, (float)node_count) + 1e-10f;
    return (uint32_t)digests * 4;
}

/* What stands before "-k": the name without the default port. */
static size_t point_name_size(const girt__ring_member *member)
{
    size_t const port_size = sizeof DEFAULT_PORT - 1;
    if (member->name_size > port_size &&
        memcmp(member->name + member->name_size - port_size, DEFAULT_PORT,
               port_size) == 0)
        return member->name_size - port_size;
    return member->name_size;
}

static void make_points(const girt__ring_member *member, uint32_t count,
                        uint64_t *hashes, uint32_t *owners)
{
    char text[GIRT_RING_NAME_MAX + 16];
    size_t const name_size = point_name_size(member);
    memcpy(text, member->name, name_size);
    for (uint32_t k = 0; k < count / 4; k++) {
        int const digits = snprintf(text + name_size, 16, "-%u", k);
        uint32_t digest[4];
        girt__md5(text, name_size + (size_t)digits, digest);
        for (int i = 0; i < 4; i++) {
            *hashes++ = (uint64_t)digest[i] << 32;
            *owners++ = member->id;
        }
    }
}

static bool count_points(const girt__ring_snapshot *next, size_t *count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < next->member_count; i++)
        sum += girt__ketama_points(next->members[i].weight, next->weight_total,
                                   next->member_count);
    *count = (size_t)sum;
    return sum <= GIRT__RING_POINTS_MAX;
}

girt_status girt__ketama_build(const girt_ring *ring, girt__ring_snapshot *next)
{
    size_t count = 0;
    if (!count_points(next, &count))
        return GIRT_E_TOO_LARGE;
    girt_status status = GIRT_E_NOMEM;
    girt__ring_table *const table = &next->table;
    table->count = count;
    unsigned const bits = girt__points_bits(count);
    size_t const scratch_size =
        count * (sizeof(uint64_t) + sizeof(uint32_t)) +
        (next->slots + ((size_t)1 << bits)) * sizeof(uint32_t);
    uint64_t *const hashes = girt__allocate(&ring->allocator, scratch_size, 0);
    if (hashes == NULL)
        goto fail_scratch;
    if (!girt__ring_table_allocate(table, &ring->allocator, (size_t)1 << bits,
                                   count + 1, count + 1, 0))
        goto fail_table;

    uint32_t *const owners = (uint32_t *)(void *)(hashes + count);
    uint32_t *const place_of_id = owners + count;
    uint32_t *const starts = place_of_id + next->slots;
    size_t made = 0;
    for (size_t i = 0; i < next->member_count; i++) {
        const girt__ring_member *const m = &next->members[i];
        uint32_t const points = girt__ketama_points(
            m->weight, next->weight_total, next->member_count);
        make_points(m, points, hashes + made, owners + made);
        made += points;
        place_of_id[m->id] = (uint32_t)i;
    }
    girt__points_sort(hashes, owners, count, place_of_id, bits, starts,
                      table->hashes, table->owners);
    girt__points_finish(table, bits);
    status = GIRT_OK;

fail_table:
    girt__release(&ring->allocator, hashes, scratch_size);
fail_scratch:
    return status;
}
