/* SPDX-License-Identifier: MIT */
/* Goal: the index finds what a plain search finds, native points depend on
 * names, weights and seed alone, and they balance.  Method: sorted points
 * against a naive search at every border, rings built in different orders and
 * histories compared point by point, shares and moved keys counted with fixed
 * seeds, points pinned as numbers. */
#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/rng.h"

enum { NODES_MAX = 100 };

typedef struct many {
    girt_node nodes[NODES_MAX];
    char names[NODES_MAX][32];
} many;

static void many_init(many *m, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        snprintf(m->names[i], sizeof m->names[i], "10.0.0.%zu:8080", i);
        m->nodes[i] = (girt_node){m->names[i], 1};
    }
}

static girt_ring *native(uint32_t points_per_weight, uint64_t seed)
{
    girt_ring *ring = NULL;
    check_status(
        girt_ring_create(
            &ring, &(girt_ring_options){.points_per_weight = points_per_weight,
                                        .seed = seed}),
        GIRT_OK);
    return ring;
}

static uint32_t owner(girt_ring *ring, uint64_t key)
{
    uint32_t id = UINT32_MAX;
    check_status(girt_ring_find(ring, &key, sizeof key, &id), GIRT_OK);
    return id;
}

/* Points with many equal hashes and dense buckets: the index must not count on
 * uniform ones to be right. */
static void index_against_a_plain_search(void **state)
{
    (void)state;
    enum { COUNT = 500 };
    static uint64_t from[COUNT], hashes[COUNT + 1];
    static uint32_t owners[COUNT], sorted[COUNT + 1], starts[2048];
    static girt__ring_line lines[2048];
    static const uint32_t ranks[5] = {3, 0, 4, 1, 2};
    rng r = {3};
    for (int round = 0; round < 40; round++) {
        size_t const count = 1 + rng_below(&r, COUNT);
        for (size_t i = 0; i < count; i++) {
            from[i] = round % 2 == 0 ? rng_next(&r)
                                     : rng_below(&r, 100) << (round + 17);
            if (i % 50 == 0)
                from[i] = i % 100 == 0 ? UINT64_MAX : 0;
            owners[i] = (uint32_t)rng_below(&r, 5);
        }
        girt__ring_table t = {
            .hashes = hashes, .owners = sorted, .lines = lines, .count = count};
        unsigned const bits = girt__points_bits(count);
        girt__points_sort(from, owners, count, ranks, bits, starts, hashes,
                          sorted);
        girt__points_finish(&t, bits);
        for (size_t i = 1; i < count; i++) {
            assert_true(hashes[i - 1] <= hashes[i]);
            if (hashes[i - 1] == hashes[i])
                assert_true(ranks[sorted[i - 1]] <= ranks[sorted[i]]);
        }
        for (int k = 0; k < 2000; k++) {
            uint64_t h = rng_next(&r);
            if (k % 2 == 0) /* at a point and beside it */
                h = hashes[rng_below(&r, count)] + rng_below(&r, 3) - 1;
            size_t plain = 0;
            while (plain < count && hashes[plain] < h)
                plain++;
            size_t const found = girt__points_find(&t, h);
            assert_int_equal(found, plain);
            assert_int_equal(girt__points_owner(&t, h), sorted[plain % count]);
        }
    }
}

/* Both forms of the count, on lines as a build makes them. */
static void plain_and_wide_count_alike(void **state)
{
    (void)state;
    rng r = {8};
    for (int round = 0; round < 20000; round++) {
        girt__ring_line line;
        size_t const count = rng_below(&r, GIRT__LINE_POINTS + 1);
        uint64_t const range = round % 2 == 0 ? 65536 : 20;
        memset(&line, 0xff, sizeof line);
        for (size_t i = 0; i < count; i++) {
            uint16_t const part = (uint16_t)rng_below(&r, range);
            size_t k = i;
            for (; k > 0 && line.part[k - 1] > part; k--)
                line.part[k] = line.part[k - 1];
            line.part[k] = part;
        }
        uint16_t const part = round % 7 == 0 ? (uint16_t)(0 - rng_below(&r, 2))
                                             : (uint16_t)rng_below(&r, range);
        unsigned below = 0;
        bool equal = false, plain_unsure, unsure;
        for (size_t i = 0; i < GIRT__LINE_POINTS; i++) {
            below += line.part[i] < part;
            equal |= line.part[i] == part;
        }
        assert_int_equal(girt__line_below_plain(&line, part, &plain_unsure),
                         below);
        assert_int_equal(girt__line_below(&line, part, &unsure), below);
        assert_int_equal(plain_unsure, equal);
        assert_int_equal(unsure, equal);
    }
}

/* Ids that do not fit a line: 65536 nodes and more. */
static void more_nodes_than_a_line_can_name(void **state)
{
    (void)state;
    enum { COUNT = 70000 };
    girt_ring *const ring = native(1, 0);
    girt_node *const nodes = calloc(COUNT, sizeof *nodes);
    char(*const names)[16] = calloc(COUNT, sizeof *names);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        nodes[i].name = names[i];
    }
    check_status(girt_ring_set(ring, nodes, COUNT), GIRT_OK);
    const girt__ring_table *const t = &ring->snapshot->table;
    rng r = {9};
    size_t large = 0;
    for (int k = 0; k < 20000; k++) {
        uint64_t const hash = rng_next(&r);
        size_t low = 0, high = t->count;
        while (low < high) {
            size_t const middle = (low + high) / 2;
            if (t->hashes[middle] < hash)
                low = middle + 1;
            else
                high = middle;
        }
        assert_int_equal(girt__points_owner(t, hash), t->owners[low]);
        large += t->owners[low] > UINT16_MAX;
    }
    assert_true(large > 500);
    free(nodes);
    free(names);
    girt_ring_destroy(ring);
}

static bool same_points(girt_ring *a, girt_ring *b)
{
    const girt__ring_table *const ta = &a->snapshot->table;
    const girt__ring_table *const tb = &b->snapshot->table;
    if (ta->count != tb->count)
        return false;
    for (size_t i = 0; i < ta->count; i++) {
        char name_a[256], name_b[256];
        check_status(girt_ring_name(a, ta->owners[i], name_a, sizeof name_a),
                     GIRT_OK);
        check_status(girt_ring_name(b, tb->owners[i], name_b, sizeof name_b),
                     GIRT_OK);
        if (ta->hashes[i] != tb->hashes[i] || strcmp(name_a, name_b) != 0)
            return false;
    }
    return true;
}

static void order_and_history_do_not_matter(void **state)
{
    (void)state;
    many m;
    many_init(&m, 20);
    for (size_t i = 0; i < 20; i++)
        m.nodes[i].weight = (uint32_t)(i % 4);
    girt_ring *const once = native(50, 9), *const grown = native(50, 9);
    check_status(girt_ring_set(once, m.nodes, 20), GIRT_OK);
    /* Another order, other weights first, strangers that come and go. */
    for (size_t i = 20; i-- > 0;) {
        check_status(girt_ring_add(grown, m.names[i], 9), GIRT_OK);
        check_status(girt_ring_add(grown, "stranger", 5),
                     i == 19 ? GIRT_OK : GIRT_EXISTS);
    }
    check_status(girt_ring_remove(grown, m.names[3]), GIRT_OK);
    check_status(girt_ring_remove(grown, "stranger"), GIRT_OK);
    for (size_t i = 0; i < 20; i++)
        check_status(girt_ring_add(grown, m.names[i], m.nodes[i].weight),
                     i == 3 ? GIRT_OK : GIRT_EXISTS);
    assert_true(same_points(once, grown));
    /* Another seed or weight is another ring. */
    girt_ring *const other = native(50, 10);
    check_status(girt_ring_set(other, m.nodes, 20), GIRT_OK);
    assert_false(same_points(once, other));
    check_status(girt_ring_add(grown, m.names[0], 2), GIRT_EXISTS);
    assert_false(same_points(once, grown));
    girt_ring_destroy(once);
    girt_ring_destroy(grown);
    girt_ring_destroy(other);
}

static void only_the_keys_of_who_leaves_move(void **state)
{
    (void)state;
    enum { KEYS = 20000 };
    many m;
    many_init(&m, 30);
    girt_ring *const ring = native(0, 1);
    check_status(girt_ring_set(ring, m.nodes, 30), GIRT_OK);
    static uint32_t before[KEYS], second[KEYS];
    for (uint64_t k = 0; k < KEYS; k++) {
        uint32_t ids[2];
        size_t count = 2;
        check_status(girt_ring_find_n(ring, &k, sizeof k, ids, &count),
                     GIRT_OK);
        before[k] = ids[0];
        second[k] = ids[1];
        assert_int_equal(owner(ring, k), ids[0]);
    }
    check_status(girt_ring_remove(ring, m.names[7]), GIRT_OK);
    size_t moved = 0;
    for (uint64_t k = 0; k < KEYS; k++) {
        assert_int_equal(owner(ring, k),
                         before[k] == 7 ? second[k] : before[k]);
        moved += before[k] == 7;
    }
    assert_true(moved > KEYS / 40 && moved < KEYS / 20);
    /* And back: exactly as before. */
    check_status(girt_ring_add(ring, m.names[7], 1), GIRT_OK);
    for (uint64_t k = 0; k < KEYS; k++)
        assert_int_equal(owner(ring, k), before[k]);
    girt_ring_destroy(ring);
}

static double busiest_over_mean(uint32_t points_per_weight)
{
    many m;
    many_init(&m, 100);
    double busiest = 0, sum = 0;
    girt_ring *const ring = native(points_per_weight, 0);
    check_status(girt_ring_set(ring, m.nodes, 100), GIRT_OK);
    for (size_t i = 0; i < 100; i++) {
        double const share = girt_ring_share(ring, m.names[i]);
        sum += share;
        busiest = share > busiest ? share : busiest;
    }
    girt_ring_destroy(ring);
    assert_true(sum > 1 - 1e-9 && sum < 1 + 1e-9);
    return busiest * 100 - 1;
}

static void balance(void **state)
{
    (void)state;
    double const by_default = busiest_over_mean(0);
    double const few = busiest_over_mean(160);
    assert_true(by_default > 0.04 && by_default < 0.12);
    assert_true(few > 0.12 && few < 0.30);
}

/* share is what many keys measure. */
static void share_is_the_fraction_of_keys(void **state)
{
    (void)state;
    enum { KEYS = 100000 };
    girt_ring *const ring = native(10, 4);
    static const girt_node nodes[] = {{"a", 1}, {"b", 2}, {"c", 5}};
    check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
    size_t hits[3] = {0};
    for (uint64_t k = 0; k < KEYS; k++)
        hits[owner(ring, k)]++;
    for (size_t i = 0; i < 3; i++) {
        double const measured = (double)hits[i] / KEYS;
        double const share = girt_ring_share(ring, nodes[i].name);
        assert_true(measured - share < 0.006 && share - measured < 0.006);
    }
    check_status(girt_ring_set(ring, nodes, 1), GIRT_OK);
    assert_true(girt_ring_share(ring, "a") == 1.0);
    assert_true(girt_ring_share(ring, "b") == 0.0);
    girt_ring_destroy(ring);
}

/* Pinned: other programs and later versions must agree. */
static void points_are_pinned(void **state)
{
    (void)state;
    girt_ring *const ring = native(2, 0);
    static const girt_node nodes[] = {{"a", 1}, {"b", 2}};
    check_status(girt_ring_set(ring, nodes, 2), GIRT_OK);
    char text[256] = "";
    for (size_t i = 0; i < ring->snapshot->table.count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text),
                 "%s%u:%016llx", i == 0 ? "" : " ",
                 ring->snapshot->table.owners[i],
                 (unsigned long long)ring->snapshot->table.hashes[i]);
    assert_string_equal(
        text, "1:2594ba5ae690b03b 1:49736944b554ab9b 0:9e8d7fa925e84efa "
              "0:dbac1e875f4d0340 1:f14e433a85ec0899 1:f7e22bb39223abe3");
    girt_ring_destroy(ring);
}

static void too_many_points(void **state)
{
    (void)state;
    girt_ring *const ring = native(0, 0);
    check_status(girt_ring_add(ring, "a", UINT32_MAX), GIRT_E_TOO_LARGE);
    check_status(girt_ring_add(ring, "a", (1u << 16) + 1), GIRT_E_TOO_LARGE);
    static const girt_node nodes[] = {{"a", 1u << 15}, {"b", (1u << 15) + 1}};
    check_status(girt_ring_set(ring, nodes, 2), GIRT_E_TOO_LARGE);
    assert_int_equal(girt_ring_count(ring), 0);
    girt_ring_destroy(ring);
    girt_ring *const dense = native(1u << 26, 0);
    check_status(girt_ring_add(dense, "a", 2), GIRT_E_TOO_LARGE);
    girt_ring_destroy(dense);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(index_against_a_plain_search),
        cmocka_unit_test(plain_and_wide_count_alike),
        cmocka_unit_test(more_nodes_than_a_line_can_name),
        cmocka_unit_test(order_and_history_do_not_matter),
        cmocka_unit_test(only_the_keys_of_who_leaves_move),
        cmocka_unit_test(balance),
        cmocka_unit_test(share_is_the_fraction_of_keys),
        cmocka_unit_test(points_are_pinned),
        cmocka_unit_test(too_many_points),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
