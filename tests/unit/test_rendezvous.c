/* SPDX-License-Identifier: MIT */
/* Goal: weighted rendezvous gives each node its share, the same on every
 * machine, and moves only the keys of who comes or leaves.  Method: the integer
 * logarithm against libm and for monotony, shares of many keys with fixed
 * seeds, answers pinned as numbers, and orders of preference compared before
 * and after a node leaves. */
#include <girt/ring.h>

#include <math.h>

#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/rng.h"

static girt_ring *ring_of(const girt_node nodes[], size_t count)
{
    girt_ring *ring = NULL;
    check_status(girt_ring_create(
                     &ring, &(girt_ring_options){.kind = GIRT_RING_RENDEZVOUS}),
                 GIRT_OK);
    check_status(girt_ring_set(ring, nodes, count), GIRT_OK);
    return ring;
}

static uint32_t owner(girt_ring *ring, uint64_t key)
{
    uint32_t id = UINT32_MAX;
    check_status(girt_ring_find(ring, &key, sizeof key, &id), GIRT_OK);
    return id;
}

static uint64_t log_table[GIRT__LOG_SIZE];

static void logarithm(void **state)
{
    (void)state;
    girt__log_table_fill(log_table);
    for (size_t i = 0; i < GIRT__LOG_SIZE; i++) {
        double const exact = log2(1.0 + (double)i / 2048);
        assert_true(fabs((double)log_table[i] * 0x1p-57 - exact) < 1e-15);
    }
    assert_int_equal(girt__log_of(log_table, UINT64_MAX), 0);
    assert_int_equal(girt__log_of(log_table, 0), (uint64_t)1 << 63);
    rng r = {1};
    for (int i = 0; i < 200000; i++) {
        /* Sizes of all magnitudes, at both ends of the range. */
        uint64_t h = rng_next(&r) >> rng_below(&r, 64);
        if (i % 2 != 0)
            h = UINT64_MAX - h;
        double const exact =
            h >> 63 == 0 ? 64 - log2((double)h + 1)
                         : -log1p((double)(UINT64_MAX - h) * -0x1p-64) / log(2);
        double const ours = (double)girt__log_of(log_table, h) * 0x1p-57;
        if (h < UINT64_MAX - 100000000) /* beyond, the unit shows */
            assert_true(fabs(ours - exact) <= exact * 0x1p-12);
        /* I1: never rises, also across the ends of segments. */
        if (h != UINT64_MAX)
            assert_true(girt__log_of(log_table, h + 1) <=
                        girt__log_of(log_table, h));
    }
    for (uint64_t segment = 1; segment < 2048; segment++) {
        uint64_t const x = ((uint64_t)1 << 63) + (segment << 52);
        assert_true(girt__log_of(log_table, x - 1) <=
                    girt__log_of(log_table, x - 2));
    }
}

static void shares_follow_weights(void **state)
{
    (void)state;
    static const girt_node nodes[] = {
        {"a", 1}, {"b", 2}, {"c", 3}, {"d", 10}, {"e", 84}};
    girt_ring *const ring = ring_of(nodes, 5);
    size_t hits[5] = {0};
    size_t const keys = 200000;
    for (uint64_t k = 0; k < keys; k++)
        hits[owner(ring, k)]++;
    for (size_t i = 0; i < 5; i++) {
        double const p = nodes[i].weight / 100.0;
        double const sigma = sqrt((double)keys * p * (1 - p));
        assert_true(fabs((double)hits[i] - (double)keys * p) < 4 * sigma);
        assert_true(fabs(girt_ring_share(ring, nodes[i].name) - p) < 1e-12);
    }
    girt_ring_destroy(ring);
}

/* Equal weights are compared without logarithms: the answers are those with. */
static void the_short_cut_changes_nothing(void **state)
{
    (void)state;
    girt_node nodes[40];
    char names[40][8];
    for (size_t i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        nodes[i] = (girt_node){names[i], 7};
    }
    girt_ring *const ring = ring_of(nodes, 40);
    girt__ring_table *const table = &ring->snapshot->table;
    assert_true(table->equal_weights);
    for (uint64_t k = 0; k < 5000; k++) {
        uint64_t const hash = girt__ring_key_hash(ring, &k, sizeof k);
        size_t const quick = girt__rendezvous_find(ring, table, hash);
        table->equal_weights = false;
        assert_int_equal(girt__rendezvous_find(ring, table, hash), quick);
        table->equal_weights = true;
    }
    girt_ring_destroy(ring);
}

/* The hash that the finalizer turns into `z`: each of its steps undone. */
static uint64_t unfinalize(uint64_t z)
{
    z ^= z >> 33;
    z *= 0x9cb4b2f8129337dbu;
    z ^= z >> 33;
    z *= 0x4f74430c22a54005u;
    return z ^ (z >> 33);
}

/* Hashes so near that their logarithms are equal are settled by the hash, not
 * by the name, with the short cut and without; equal hashes by the name. */
static void ties(void **state)
{
    (void)state;
    static const girt_node nodes[] = {{"a", 3}, {"b", 3}, {"c", 3}};
    girt_ring *const ring = ring_of(nodes, 3);
    girt__ring_table *const table = &ring->snapshot->table;
    uint64_t const near = 0x8000000000000123u;
    assert_int_equal(girt__log_of(ring->log_table, near),
                     girt__log_of(ring->log_table, near + 2));
    static const struct {
        uint64_t hashes[3];
        size_t best;
    } cases[] = {
        {{near, near + 1, near + 2}, 2},     {{near, near + 2, near + 1}, 1},
        {{near + 2, near, near + 1}, 0},     {{near, near + 2, near + 2}, 1},
        {{near + 2, near + 1, near + 2}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (size_t n = 0; n < 3; n++)
            table->hashes[n] = 7 ^ unfinalize(cases[i].hashes[n]);
        for (int shortened = 0; shortened < 2; shortened++) {
            table->equal_weights = shortened;
            assert_int_equal(girt__rendezvous_find(ring, table, 7),
                             cases[i].best);
        }
    }
    girt_ring_destroy(ring);
}

static void the_order_holds_when_a_node_leaves(void **state)
{
    (void)state;
    enum { NODES = 50, KEYS = 300 };
    girt_node nodes[NODES];
    char names[NODES][8];
    for (size_t i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        nodes[i] = (girt_node){names[i], (uint32_t)(i % 7)};
    }
    girt_ring *const ring = ring_of(nodes, NODES);
    static uint32_t before[KEYS][NODES];
    for (uint64_t k = 0; k < KEYS; k++) {
        size_t count = NODES;
        check_status(girt_ring_find_n(ring, &k, sizeof k, before[k], &count),
                     GIRT_OK);
        assert_int_equal(count, NODES);
        assert_int_equal(before[k][0], owner(ring, k));
    }
    check_status(girt_ring_remove(ring, "n13"), GIRT_OK);
    for (uint64_t k = 0; k < KEYS; k++) {
        uint32_t after[NODES];
        size_t count = NODES;
        check_status(girt_ring_find_n(ring, &k, sizeof k, after, &count),
                     GIRT_OK);
        assert_int_equal(count, NODES - 1);
        size_t at = 0;
        for (size_t i = 0; i < NODES; i++)
            if (before[k][i] != 13)
                assert_int_equal(after[at++], before[k][i]);
    }
    girt_ring_destroy(ring);
}

/* Pinned: other machines and later versions must answer the same. */
static void answers_are_pinned(void **state)
{
    (void)state;
    static const girt_node nodes[] = {
        {"a", 1}, {"b", 2}, {"c", 3}, {"d", 4}, {"e", 5}};
    girt_ring *const ring = ring_of(nodes, 5);
    char answers[41] = "";
    for (int k = 0; k < 40; k++) {
        char key[8];
        uint32_t id;
        snprintf(key, sizeof key, "%d", k);
        check_status(girt_ring_find(ring, key, strlen(key), &id), GIRT_OK);
        answers[k] = (char)('a' + id);
    }
    assert_string_equal(answers, "eababcdeececcddebcededecebaeccaddcedcede");
    girt_ring_destroy(ring);
}

/* A key with a node's name must not cancel the node's hash. */
static void a_key_like_a_name_is_a_key_like_others(void **state)
{
    (void)state;
    enum { NODES = 100 };
    girt_node nodes[NODES];
    char names[NODES][8];
    for (size_t i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        nodes[i] = (girt_node){names[i], 1};
    }
    girt_ring *const ring = ring_of(nodes, NODES);
    size_t own = 0;
    for (size_t i = 0; i < NODES; i++) {
        uint32_t id;
        check_status(girt_ring_find(ring, names[i], strlen(names[i]), &id),
                     GIRT_OK);
        own += id == i;
    }
    assert_true(own < 8);
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(logarithm),
        cmocka_unit_test(shares_follow_weights),
        cmocka_unit_test(the_short_cut_changes_nothing),
        cmocka_unit_test(ties),
        cmocka_unit_test(the_order_holds_when_a_node_leaves),
        cmocka_unit_test(answers_are_pinned),
        cmocka_unit_test(a_key_like_a_name_is_a_key_like_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
