/* SPDX-License-Identifier: MIT */
/* Goal: alone in the ring, acquire takes the first node in order of preference
 * for which the promised formula holds, and the books balance.  Method: the
 * formula written out beside random acquires, releases and changes, on every
 * kind and several bounds, with the invariant of ring_load.c summed up after
 * each step. */
#include <girt/ring.h>

#include <math.h>

#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

enum { KINDS = GIRT_RING_JUMP + 1, NODES = 7 };

static girt_ring *ring_of(girt_ring_kind kind, double bound)
{
    girt_ring *ring = NULL;
    check_status(girt_ring_create(
                     &ring, &(girt_ring_options){.kind = kind, .bound = bound}),
                 GIRT_OK);
    return ring;
}

static uint32_t load_of(const girt_ring *ring, uint32_t id)
{
    return (uint32_t)ring->snapshot->cells[id]->word;
}

static uint64_t total_of(const girt_ring *ring)
{
    uint64_t total = 0;
    for (size_t i = 0; i < ring->snapshot->member_count; i++)
        total += load_of(ring, ring->snapshot->members[i].id);
    return total;
}

/* The node that the contract names: first in order with room. */
static uint32_t expected_owner(girt_ring *ring, const void *key, size_t size,
                               double bound)
{
    uint32_t ids[NODES];
    size_t count = NODES;
    check_status(girt_ring_find_n(ring, key, size, ids, &count), GIRT_OK);
    uint64_t const total = total_of(ring);
    const girt__ring_snapshot *const s = ring->snapshot;
    for (size_t i = 0; i < count; i++) {
        double const w = s->members[s->member_of_id[ids[i]]].weight;
        double const cap =
            ceil(bound * (double)(total + 1) * w / (double)s->weight_total);
        if (load_of(ring, ids[i]) + 1 <= cap)
            return ids[i];
    }
    fail_msg("no node has room");
    return 0;
}

static void the_formula_alone(void **state)
{
    (void)state;
    static const double bounds[] = {1.0, 1.1, 1.25, 2.0, 1e9};
    static const girt_node nodes[NODES] = {
        {"a", 1}, {"b", 2}, {"c", 3}, {"d", 1}, {"e", 5}, {"f", 1}, {"g", 1}};
    rng r = {5};
    for (int kind = 0; kind < KINDS; kind++) {
        for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++) {
            girt_ring *const ring = ring_of((girt_ring_kind)kind, bounds[b]);
            check_status(girt_ring_set(ring, nodes, NODES), GIRT_OK);
            static uint32_t held[500];
            size_t held_count = 0;
            for (int step = 0; step < 1500; step++) {
                uint64_t const key = rng_below(&r, 40);
                if (held_count < 500 && rng_below(&r, 100) < 60) {
                    uint32_t const expected =
                        expected_owner(ring, &key, sizeof key, bounds[b]);
                    uint32_t id;
                    check_status(girt_ring_acquire(ring, &key, sizeof key, &id),
                                 GIRT_OK);
                    assert_int_equal(id, expected);
                    held[held_count++] = id;
                } else if (held_count > 0) {
                    size_t const i = rng_below(&r, held_count);
                    girt_ring_release(ring, held[i]);
                    held[i] = held[--held_count];
                }
                assert_int_equal(total_of(ring), held_count);
                assert_int_equal(girt__load_known(ring), held_count);
            }
            while (held_count > 0)
                girt_ring_release(ring, held[--held_count]);
            assert_int_equal(total_of(ring), 0);
            girt_ring_destroy(ring);
        }
    }
}

/* Loads stay with nodes that stay, leave with those that leave, and count no
 * more; the formula holds on what is left. */
static void the_formula_across_changes(void **state)
{
    (void)state;
    enum { POOL = 6 };
    static const char *const names[POOL] = {"a", "b", "c", "d", "e", "f"};
    rng r = {6};
    girt_ring *const ring = ring_of(GIRT_RING_NATIVE, 1.25);
    check_status(girt_ring_add(ring, "anchor", 1), GIRT_OK);
    uint32_t held[300];
    size_t held_count = 0;
    for (int step = 0; step < 2000; step++) {
        const char *const name = names[rng_below(&r, POOL)];
        uint64_t const key = rng_below(&r, 30);
        uint64_t const before = total_of(ring);
        switch (rng_below(&r, 8)) {
        case 0:
            (void)girt_ring_add(ring, name, (uint32_t)rng_below(&r, 4));
            assert_true(total_of(ring) >= before);
            break;
        case 1:
            (void)girt_ring_remove(ring, name);
            assert_true(total_of(ring) <= before);
            break;
        case 2:
        case 3:
        case 4:
            if (held_count > 0) {
                size_t const i = rng_below(&r, held_count);
                girt_ring_release(ring, held[i]);
                held[i] = held[--held_count];
            }
            break;
        default:
            if (held_count < 300) {
                uint32_t const expected =
                    expected_owner(ring, &key, sizeof key, 1.25);
                check_status(girt_ring_acquire(ring, &key, sizeof key,
                                               &held[held_count]),
                             GIRT_OK);
                assert_int_equal(held[held_count], expected);
                held_count++;
            }
        }
        assert_int_equal(girt__load_known(ring), total_of(ring));
    }
    while (held_count > 0)
        girt_ring_release(ring, held[--held_count]);
    const girt__ring_snapshot *const s = ring->snapshot;
    for (size_t id = 0; id < s->slots; id++)
        assert_int_equal(load_of(ring, (uint32_t)id), 0);
    girt_ring_destroy(ring);
}

static void without_a_bound_it_is_find(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind, 0);
        static const girt_node nodes[] = {{"a", 1}, {"b", 2}};
        check_status(girt_ring_set(ring, nodes, 2), GIRT_OK);
        for (int i = 0; i < 100; i++) {
            uint32_t found, acquired;
            check_status(girt_ring_find(ring, "hot", 3, &found), GIRT_OK);
            check_status(girt_ring_acquire(ring, "hot", 3, &acquired), GIRT_OK);
            assert_int_equal(found, acquired);
        }
        girt_ring_release(ring, 0);
        girt_ring_destroy(ring);
    }
}

/* A ketama node without points still has room when all others are full. */
static void room_without_points(void **state)
{
    (void)state;
    girt_ring *const ring = ring_of(GIRT_RING_KETAMA, 1.0);
    static const girt_node nodes[] = {{"big", 1000000}, {"tiny", 1}};
    check_status(girt_ring_set(ring, nodes, 2), GIRT_OK);
    uint32_t id;
    for (int i = 0; i < 2; i++)
        check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_OK);
    assert_int_equal(total_of(ring), 2);
    girt_ring_destroy(ring);
}

static void every_node_full(void **state)
{
    (void)state;
    girt_ring *const ring = ring_of(GIRT_RING_NATIVE, 1.0);
    static const girt_node nodes[] = {{"a", 1}, {"b", 1}};
    check_status(girt_ring_set(ring, nodes, 2), GIRT_OK);
    for (uint32_t id = 0; id < 2; id++)
        ring->snapshot->cells[id]->word |= UINT32_MAX;
    uint32_t id = 9;
    check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_FULL);
    assert_int_equal(id, 9);
    girt_ring_release(ring, 1);
    check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_OK);
    assert_int_equal(id, 1);
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_formula_alone),
        cmocka_unit_test(the_formula_across_changes),
        cmocka_unit_test(without_a_bound_it_is_find),
        cmocka_unit_test(room_without_points),
        cmocka_unit_test(every_node_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
