/* SPDX-License-Identifier: MIT */
/* Goal: a node keeps its id while it is a member, and an id is given away only
 * when nobody can hold a load on it.  Method: the rules one by one, with and
 * without a bound, and both invariants of ring_snapshot.c walked after each
 * change. */
#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "support/check.h"

static girt_ring *ring_of(double bound)
{
    girt_ring *ring = NULL;
    check_status(girt_ring_create(
                     &ring, &(girt_ring_options){.kind = GIRT_RING_RENDEZVOUS,
                                                 .bound = bound}),
                 GIRT_OK);
    return ring;
}

static void check_snapshot(const girt_ring *ring)
{
    const girt__ring_snapshot *const s = ring->snapshot;
    for (size_t i = 0; i < s->member_count + s->left_count; i++) {
        assert_true(s->members[i].id < s->slots);
        assert_int_equal(s->member_of_id[s->members[i].id], i);
        if (s->cells != NULL)
            assert_non_null(s->cells[s->members[i].id]);
    }
    size_t known = 0;
    for (size_t id = 0; id < s->slots; id++)
        known += s->member_of_id[id] != GIRT__RING_NO_MEMBER;
    assert_int_equal(known, s->member_count + s->left_count);
    for (size_t r = 0; r < s->member_count; r++) {
        assert_int_equal(s->members[s->by_name[r]].rank, r);
        if (r > 0)
            assert_true(girt__ring_name_compare(&s->members[s->by_name[r - 1]],
                                                &s->members[s->by_name[r]]) <
                        0);
    }
}

static uint32_t id_of(girt_ring *ring, const char *name)
{
    check_snapshot(ring);
    const girt__ring_member *const m =
        girt__ring_member_named(ring->snapshot, name, strlen(name));
    assert_non_null(m);
    return m->id;
}

static void ids_are_stable(void **state)
{
    (void)state;
    static const double bounds[] = {0, 1.25};
    for (size_t b = 0; b < 2; b++) {
        girt_ring *const ring = ring_of(bounds[b]);
        static const girt_node first[] = {
            {"d", 1}, {"a", 1}, {"c", 1}, {"b", 1}};
        check_status(girt_ring_set(ring, first, 4), GIRT_OK);
        assert_int_equal(id_of(ring, "d"), 0); /* list order */
        assert_int_equal(id_of(ring, "a"), 1);
        assert_int_equal(id_of(ring, "c"), 2);
        assert_int_equal(id_of(ring, "b"), 3);
        check_status(girt_ring_remove(ring, "a"), GIRT_OK);
        check_status(girt_ring_add(ring, "c", 7), GIRT_EXISTS);
        assert_int_equal(id_of(ring, "d"), 0);
        assert_int_equal(id_of(ring, "c"), 2);
        assert_int_equal(id_of(ring, "b"), 3);
        static const girt_node second[] = {
            {"b", 1}, {"x", 1}, {"y", 1}, {"d", 1}};
        check_status(girt_ring_set(ring, second, 4), GIRT_OK);
        assert_int_equal(id_of(ring, "b"), 3);
        assert_int_equal(id_of(ring, "d"), 0);
        assert_int_equal(id_of(ring, "x"), 1); /* a is long gone */
        /* c left in this change: with a bound, a load may be on its way. */
        assert_int_equal(id_of(ring, "y"), b == 0 ? 2 : 4);
        girt_ring_destroy(ring);
    }
}

static void an_id_with_loads_is_not_given_away(void **state)
{
    (void)state;
    girt_ring *const ring = ring_of(2.0);
    check_status(girt_ring_add(ring, "a", 1), GIRT_OK);
    uint32_t id;
    check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_OK);
    check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_OK);
    assert_int_equal(id, 0);
    check_status(girt_ring_remove(ring, "a"), GIRT_OK);
    char name[8];
    check_status(girt_ring_name(ring, 0, name, sizeof name), GIRT_MISSING);
    check_status(girt_ring_add(ring, "b", 1), GIRT_OK);
    check_status(girt_ring_add(ring, "c", 1), GIRT_OK);
    assert_int_equal(id_of(ring, "b"), 1);
    assert_int_equal(id_of(ring, "c"), 2);
    /* It comes back to its id and its loads. */
    check_status(girt_ring_add(ring, "a", 1), GIRT_OK);
    assert_int_equal(id_of(ring, "a"), 0);
    assert_int_equal(ring->snapshot->cells[0]->word & UINT32_MAX, 2);
    check_status(girt_ring_remove(ring, "a"), GIRT_OK);
    girt_ring_release(ring, 0);
    check_status(girt_ring_add(ring, "d", 1), GIRT_OK);
    assert_int_equal(id_of(ring, "d"), 3); /* one load still */
    girt_ring_release(ring, 0);
    girt_ring_release(ring, 0); /* one too many does nothing */
    check_status(girt_ring_add(ring, "e", 1), GIRT_OK);
    assert_int_equal(id_of(ring, "e"), 0);
    assert_int_equal(ring->snapshot->cells[0]->word & UINT32_MAX, 0);
    girt_ring_destroy(ring);
}

/* Nodes that come and go for ever need no more room. */
static void slots_do_not_grow(void **state)
{
    (void)state;
    for (size_t b = 0; b < 2; b++) {
        girt_ring *const ring = ring_of(b == 0 ? 0 : 1.5);
        for (size_t i = 0; i < 2000; i++) {
            char name[16];
            snprintf(name, sizeof name, "n%zu", i);
            girt_node const node = {name, 1};
            check_status(girt_ring_set(ring, &node, 1), GIRT_OK);
            check_snapshot(ring);
            assert_true(ring->snapshot->slots <= 2);
        }
        girt_ring_destroy(ring);
    }
}

static void names_sort_by_bytes_then_size(void **state)
{
    (void)state;
    girt_ring *const ring = ring_of(0);
    static const girt_node nodes[] = {{"b", 1},    {"ab", 1}, {"a", 1},
                                      {"\xff", 1}, {"aa", 1}, {"B", 1}};
    static const char *const sorted[] = {"B", "a", "aa", "ab", "b", "\xff"};
    check_status(girt_ring_set(ring, nodes, 6), GIRT_OK);
    check_snapshot(ring);
    for (size_t r = 0; r < 6; r++) {
        const girt__ring_member *const m =
            &ring->snapshot->members[ring->snapshot->by_name[r]];
        assert_int_equal(m->name_size, strlen(sorted[r]));
        assert_memory_equal(m->name, sorted[r], m->name_size);
    }
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_stable),
        cmocka_unit_test(an_id_with_loads_is_not_given_away),
        cmocka_unit_test(slots_do_not_grow),
        cmocka_unit_test(names_sort_by_bytes_then_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
