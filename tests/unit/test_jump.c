/* SPDX-License-Identifier: MIT */
/* Goal: the jump kind is Lamping and Veach's function over list order, and only
 * the last node can leave.  Method: the reference vectors, key moves as the
 * list grows, and the refusals one by one. */
#include <girt/hash.h>
#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "unit/ring_tables.h"

static girt_ring *jump_ring(void)
{
    girt_ring *ring = NULL;
    check_status(
        girt_ring_create(&ring, &(girt_ring_options){.kind = GIRT_RING_JUMP}),
        GIRT_OK);
    return ring;
}

static uint32_t owner(girt_ring *ring, uint64_t key)
{
    uint32_t id = UINT32_MAX;
    check_status(girt_ring_find(ring, &key, sizeof key, &id), GIRT_OK);
    return id;
}

static void reference_vectors(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/jump_hash.tsv");
    if (file == NULL)
        skip_because("no vectors/jump_hash.tsv");
    table_row row;
    size_t rows = 0;
    while (table_read(file, &row)) {
        if (row.field[0][0] == '#')
            continue;
        assert_int_equal(
            girt__jump(table_number(&row, 0), (uint32_t)table_number(&row, 1)),
            table_number(&row, 2));
        rows++;
    }
    fclose(file);
    assert_int_equal(rows, 103);
}

static void the_ring_is_the_function(void **state)
{
    (void)state;
    girt_ring *const ring = jump_ring();
    for (size_t n = 1; n <= 20; n++) {
        char name[16];
        snprintf(name, sizeof name, "node %zu", n);
        check_status(girt_ring_add(ring, name, 0), GIRT_OK);
        for (uint64_t k = 0; k < 200; k++)
            assert_int_equal(
                owner(ring, k),
                girt__jump(girt_hash(&k, sizeof k, 0), (uint32_t)n));
    }
    girt_ring_destroy(ring);
}

/* A node of weight w is w buckets in a row: growing the last one moves keys to
 * it only. */
static void weights_are_runs_of_buckets(void **state)
{
    (void)state;
    girt_ring *const ring = jump_ring();
    static const girt_node nodes[] = {{"a", 1}, {"b", 3}, {"c", 2}};
    check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
    static const uint32_t of_bucket[] = {0, 1, 1, 1, 2, 2};
    uint32_t before[2000];
    for (uint64_t k = 0; k < 2000; k++) {
        before[k] = owner(ring, k);
        assert_int_equal(before[k],
                         of_bucket[girt__jump(girt_hash(&k, sizeof k, 0), 6)]);
    }
    assert_true(girt_ring_share(ring, "b") == 0.5);
    check_status(girt_ring_add(ring, "c", 6), GIRT_EXISTS);
    for (uint64_t k = 0; k < 2000; k++)
        if (owner(ring, k) != before[k])
            assert_int_equal(owner(ring, k), 2);
    girt_ring_destroy(ring);
}

static void only_the_last_can_leave(void **state)
{
    (void)state;
    girt_ring *const ring = jump_ring();
    static const girt_node nodes[] = {{"z", 1}, {"m", 1}, {"a", 1}};
    check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
    check_status(girt_ring_remove(ring, "z"), GIRT_E_INVALID);
    check_status(girt_ring_remove(ring, "m"), GIRT_E_INVALID);
    check_status(girt_ring_remove(ring, "q"), GIRT_MISSING);
    check_status(girt_ring_add(ring, "z", 2), GIRT_E_INVALID);
    check_status(girt_ring_add(ring, "z", 1), GIRT_EXISTS);
    assert_int_equal(girt_ring_count(ring), 3);
    check_status(girt_ring_remove(ring, "a"), GIRT_OK);
    check_status(girt_ring_remove(ring, "m"), GIRT_OK);
    check_status(girt_ring_remove(ring, "z"), GIRT_OK);
    assert_int_equal(girt_ring_count(ring), 0);
    girt_ring_destroy(ring);
}

static void find_n_reaches_every_node(void **state)
{
    (void)state;
    girt_ring *const ring = jump_ring();
    static const girt_node nodes[] = {
        {"a", 1}, {"b", 100000}, {"c", 1}, {"d", 1}};
    check_status(girt_ring_set(ring, nodes, 4), GIRT_OK);
    for (uint64_t k = 0; k < 200; k++) {
        uint32_t ids[4];
        size_t count = 4;
        check_status(girt_ring_find_n(ring, &k, sizeof k, ids, &count),
                     GIRT_OK);
        assert_int_equal(count, 4);
        assert_int_equal(ids[0], owner(ring, k));
        assert_int_equal(
            1u << ids[0] | 1u << ids[1] | 1u << ids[2] | 1u << ids[3], 15);
    }
    girt_ring_destroy(ring);
}

static void too_many_buckets(void **state)
{
    (void)state;
    girt_ring *const ring = jump_ring();
    check_status(girt_ring_add(ring, "a", (1u << 26) - 1), GIRT_OK);
    check_status(girt_ring_add(ring, "b", 2), GIRT_E_TOO_LARGE);
    check_status(girt_ring_add(ring, "b", UINT32_MAX), GIRT_E_TOO_LARGE);
    check_status(girt_ring_add(ring, "b", 1), GIRT_OK);
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_vectors),
        cmocka_unit_test(the_ring_is_the_function),
        cmocka_unit_test(weights_are_runs_of_buckets),
        cmocka_unit_test(only_the_last_can_leave),
        cmocka_unit_test(find_n_reaches_every_node),
        cmocka_unit_test(too_many_buckets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
