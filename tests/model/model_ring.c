/* SPDX-License-Identifier: MIT */
/* Goal: after any history of changes, each kind answers like a naive ring of
 * the same members.  Method: random set, add, remove and lookups, seed printed,
 * against a list of members and the plainest form of each rule: all points
 * unsorted and a scan for the next one, the table filled by the paper, scores
 * in long double, buckets counted. */
#include <girt/hash.h>
#include <girt/ring.h>

#include <math.h>

#include "ring/md5.h"
#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { NODES_MAX = 12, POOL = 20, POINTS = 7, SLOTS = 251 };

typedef struct naive {
    girt_ring_kind kind;
    uint64_t seed;
    struct {
        char name[32];
        uint32_t weight;
    } nodes[NODES_MAX]; /* in list order */
    size_t count;
} naive;

static size_t naive_index(const naive *n, const char *name)
{
    size_t i = 0;
    while (i < n->count && strcmp(n->nodes[i].name, name) != 0)
        i++;
    return i;
}

static double weight_sum(const naive *n)
{
    double sum = 0;
    for (size_t i = 0; i < n->count; i++)
        sum += n->nodes[i].weight;
    return sum;
}

static uint64_t splitmix(uint64_t start, uint64_t k)
{
    rng r = {start + k * 0x9e3779b97f4a7c15u};
    return rng_next(&r);
}

/* Distance from the key to the node's nearest point, going up. */
static uint64_t naive_distance(const naive *n, size_t i, uint64_t hash)
{
    uint64_t nearest = UINT64_MAX;
    const char *const name = n->nodes[i].name;
    if (n->kind == GIRT_RING_NATIVE) {
        uint64_t const start = girt_hash(name, strlen(name), n->seed);
        for (uint64_t k = 0; k < (uint64_t)POINTS * n->nodes[i].weight; k++)
            if (splitmix(start, k) - hash < nearest)
                nearest = splitmix(start, k) - hash;
        return nearest;
    }
    float const part = (float)n->nodes[i].weight / (float)weight_sum(n);
    float volatile digests = part * 160.0f / 4.0f * (float)n->count;
    digests = digests + 1e-10f;
    for (unsigned k = 0; k < (unsigned)floorf(digests); k++) {
        char text[64];
        uint32_t digest[4];
        snprintf(text, sizeof text, "%s-%u", name, k);
        girt__md5(text, strlen(text), digest);
        for (int part_of = 0; part_of < 4; part_of++) {
            uint64_t const d = ((uint64_t)digest[part_of] << 32) - hash;
            if (d < nearest)
                nearest = d;
        }
    }
    return nearest;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t naive_maglev(const naive *n, uint64_t hash)
{
    const char *sorted[NODES_MAX];
    double heaviest = 0, target[NODES_MAX] = {0}, weight[NODES_MAX];
    uint64_t tries[NODES_MAX] = {0};
    size_t table[SLOTS], filled = 0;
    memset(table, 0xff, sizeof table);
    for (size_t i = 0; i < n->count; i++)
        sorted[i] = n->nodes[i].name;
    qsort(sorted, n->count, sizeof *sorted, by_name);
    for (size_t i = 0; i < n->count; i++) {
        weight[i] = n->nodes[naive_index(n, sorted[i])].weight / weight_sum(n);
        heaviest = fmax(heaviest, weight[i]);
    }
    for (unsigned turn = 1; filled < SLOTS; turn++) {
        for (size_t i = 0; i < n->count && filled < SLOTS; i++) {
            if (turn * weight[i] < target[i])
                continue;
            target[i] += heaviest;
            size_t const size = strlen(sorted[i]);
            uint64_t const offset = girt__ring_xxh64(sorted[i], size, 0);
            uint64_t const skip =
                girt__ring_xxh64(sorted[i], size, 1) % (SLOTS - 1) + 1;
            size_t slot;
            do
                slot = (offset % SLOTS + skip * tries[i]++) % SLOTS;
            while (table[slot] != SIZE_MAX);
            table[slot] = naive_index(n, sorted[i]);
            filled++;
        }
    }
    return table[hash % SLOTS];
}

/* -ln(u) / w. The library's logarithm is off by 2^-12 of its value at most:
 * nearer scores than that are not compared (SIZE_MAX). */
static size_t naive_rendezvous(const naive *n, uint64_t hash)
{
    size_t best = 0;
    long double best_score = INFINITY, second = INFINITY;
    for (size_t i = 0; i < n->count; i++) {
        uint64_t z =
            hash ^ girt_hash(n->nodes[i].name, strlen(n->nodes[i].name),
                             n->seed ^ 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 33)) * 0xff51afd7ed558ccdu;
        z = (z ^ (z >> 33)) * 0xc4ceb9fe1a85ec53u;
        z ^= z >> 33;
        long double const score =
            -log1pl(-((long double)~z * 0x1p-64L)) / n->nodes[i].weight;
        if (score < best_score) {
            second = best_score;
            best_score = score;
            best = i;
        } else if (score < second) {
            second = score;
        }
    }
    return second < best_score * (1 + 0x1p-11L) ? SIZE_MAX : best;
}

static size_t naive_jump(const naive *n, uint64_t hash)
{
    uint32_t bucket =
        girt__jump(hash, (uint32_t)weight_sum(n)); /* has its own table */
    size_t i = 0;
    while (bucket >= n->nodes[i].weight)
        bucket -= n->nodes[i++].weight;
    return i;
}

static size_t naive_owner(const naive *n, const void *key, size_t size)
{
    if (n->kind == GIRT_RING_MAGLEV)
        return naive_maglev(n, girt__ring_xxh64(key, size, n->seed));
    uint64_t hash = girt_hash(key, size, n->seed);
    if (n->kind == GIRT_RING_RENDEZVOUS)
        return naive_rendezvous(n, hash);
    if (n->kind == GIRT_RING_JUMP)
        return naive_jump(n, hash);
    if (n->kind == GIRT_RING_KETAMA) {
        uint32_t digest[4];
        girt__md5(key, size, digest);
        hash = (uint64_t)digest[0] << 32;
    }
    size_t best = 0;
    uint64_t nearest = UINT64_MAX;
    for (size_t i = 0; i < n->count; i++) {
        uint64_t const distance = naive_distance(n, i, hash);
        if (distance < nearest) {
            nearest = distance;
            best = i;
        }
    }
    return best;
}

static void pool_name(uint64_t i, char name[32])
{
    snprintf(name, 32, "node-%llu", (unsigned long long)i);
}

static void change(girt_ring *ring, naive *n, rng *r)
{
    char name[32];
    pool_name(rng_below(r, POOL), name);
    uint32_t const weight = 1 + (uint32_t)rng_below(r, 4);
    size_t const at = naive_index(n, name);
    bool const is_last = at + 1 == n->count;
    bool const jump = n->kind == GIRT_RING_JUMP;
    switch (rng_below(r, 8)) {
    case 0: { /* a whole new list */
        girt_node nodes[NODES_MAX];
        char names[NODES_MAX][32];
        n->count = 0;
        size_t const want = rng_below(r, NODES_MAX + 1);
        for (uint64_t i = rng_below(r, POOL); n->count < want; i++) {
            pool_name(i % POOL, names[n->count]);
            memcpy(n->nodes[n->count].name, names[n->count], 32);
            n->nodes[n->count].weight = 1 + (uint32_t)rng_below(r, 4);
            nodes[n->count] =
                (girt_node){names[n->count], n->nodes[n->count].weight};
            n->count++;
        }
        check_status(girt_ring_set(ring, nodes, n->count), GIRT_OK);
        return;
    }
    case 1:
    case 2:
    case 3: /* remove; for jump often the last, else few would work */
        if (jump && n->count > 0 && rng_below(r, 2) == 0) {
            memcpy(name, n->nodes[n->count - 1].name, 32);
            check_status(girt_ring_remove(ring, name), GIRT_OK);
            n->count--;
        } else if (at == n->count) {
            check_status(girt_ring_remove(ring, name), GIRT_MISSING);
        } else if (jump && !is_last) {
            check_status(girt_ring_remove(ring, name), GIRT_E_INVALID);
        } else {
            check_status(girt_ring_remove(ring, name), GIRT_OK);
            memmove(&n->nodes[at], &n->nodes[at + 1],
                    (n->count - at - 1) * sizeof *n->nodes);
            n->count--;
        }
        return;
    default: /* add, or another weight */
        if (at == n->count && n->count == NODES_MAX)
            return;
        if (at < n->count && jump && !is_last &&
            n->nodes[at].weight != weight) {
            check_status(girt_ring_add(ring, name, weight), GIRT_E_INVALID);
            return;
        }
        check_status(girt_ring_add(ring, name, weight),
                     at == n->count ? GIRT_OK : GIRT_EXISTS);
        memcpy(n->nodes[at].name, name, sizeof name);
        n->nodes[at].weight = weight;
        n->count += at == n->count;
    }
}

static void compare(girt_ring *ring, const naive *n, rng *r)
{
    assert_int_equal(girt_ring_count(ring), n->count);
    for (int k = 0; k < 12; k++) {
        unsigned char key[64];
        size_t const size = rng_below(r, sizeof key + 1);
        for (size_t i = 0; i < size; i++)
            key[i] = (unsigned char)rng_next(r);
        uint32_t id;
        if (n->count == 0) {
            check_status(girt_ring_find(ring, key, size, &id), GIRT_MISSING);
            continue;
        }
        check_status(girt_ring_find(ring, key, size, &id), GIRT_OK);
        char name[GIRT_RING_NAME_MAX + 1];
        check_status(girt_ring_name(ring, id, name, sizeof name), GIRT_OK);
        size_t const expected = naive_owner(n, key, size);
        if (expected != SIZE_MAX)
            assert_string_equal(name, n->nodes[expected].name);
    }
}

static void any_history(void **state)
{
    uint64_t const seed = *(const uint64_t *)*state;
    for (int kind = GIRT_RING_NATIVE; kind <= GIRT_RING_JUMP; kind++) {
        rng r = {seed + (uint64_t)kind};
        size_t const rounds = scaled(kind == GIRT_RING_KETAMA ? 10 : 60);
        for (size_t round = 0; round < rounds; round++) {
            naive n = {.kind = (girt_ring_kind)kind, .seed = rng_next(&r)};
            girt_ring *ring = NULL;
            check_status(
                girt_ring_create(
                    &ring, &(girt_ring_options){.kind = n.kind,
                                                .seed = n.seed,
                                                .points_per_weight = POINTS,
                                                .maglev_size = SLOTS}),
                GIRT_OK);
            for (int step = 0; step < 40; step++) {
                change(ring, &n, &r);
                compare(ring, &n, &r);
            }
            girt_ring_destroy(ring);
        }
    }
}

int main(void)
{
    uint64_t seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_prestate(any_history, &seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
