/* SPDX-License-Identifier: MIT */
/* Goal: every call of ring.h answers as documented, for good input and bad, on
 * every kind.  Method: each argument and option outside its range one by one,
 * keys from empty to 64 MB, and what the kinds have in common. */
#include <girt/epoch.h>
#include <girt/ring.h>

#include <math.h>

#include "ring/ring_internal.h"
#include "support/check.h"
#include "support/failing.h"

enum { KINDS = GIRT_RING_JUMP + 1 };

static const girt_node three[] = {{"alpha", 1}, {"beta", 2}, {"gamma", 0}};

static girt_ring *ring_of(girt_ring_kind kind)
{
    girt_ring *ring = NULL;
    check_status(girt_ring_create(&ring, &(girt_ring_options){.kind = kind}),
                 GIRT_OK);
    return ring;
}

static void check_refused(girt_ring_options options, girt_status expected)
{
    girt_ring *const untouched = (girt_ring *)(void *)&options;
    girt_ring *ring = untouched;
    check_status(girt_ring_create(&ring, &options), expected);
    assert_ptr_equal(ring, untouched);
}

static void options_out_of_range(void **state)
{
    (void)state;
    check_status(girt_ring_create(NULL, NULL), GIRT_E_INVALID);
    check_refused((girt_ring_options){.kind = (girt_ring_kind)5},
                  GIRT_E_INVALID);
    check_refused((girt_ring_options){.kind = (girt_ring_kind)-1},
                  GIRT_E_INVALID);
    for (size_t i = 0; i < 4; i++) {
        girt_ring_options options = {.kind = GIRT_RING_NATIVE};
        options.reserved[i] = 1;
        check_refused(options, GIRT_E_INVALID);
    }
    static const double bounds[] = {0.5,      0.9999999, -1.0, -1.25,
                                    INFINITY, -INFINITY, NAN,  1e-300};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++)
        check_refused((girt_ring_options){.bound = bounds[i]}, GIRT_E_INVALID);
    static const uint32_t sizes[] = {1, 4, 65536, 65535, 1u << 26};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        check_refused((girt_ring_options){.kind = GIRT_RING_MAGLEV,
                                          .maglev_size = sizes[i]},
                      GIRT_E_INVALID);
    check_refused((girt_ring_options){.maglev_size = 4294967291u},
                  GIRT_E_TOO_LARGE);
    check_refused((girt_ring_options){.points_per_weight = (1u << 26) + 1},
                  GIRT_E_TOO_LARGE);
    check_refused((girt_ring_options){.points_per_weight = UINT32_MAX},
                  GIRT_E_TOO_LARGE);
    check_refused((girt_ring_options){.name = ""}, GIRT_E_INVALID);
    char name[257];
    memset(name, 'n', 256);
    name[256] = '\0';
    check_refused((girt_ring_options){.name = name}, GIRT_E_INVALID);
    girt_metrics *const metrics = (girt_metrics *)(void *)name;
    check_refused((girt_ring_options){.metrics = metrics}, GIRT_E_INVALID);
    failing f;
    failing_init(&f);
    f.allocator.release = NULL;
    check_refused((girt_ring_options){.allocator = &f.allocator},
                  GIRT_E_INVALID);
}

static void options_in_range(void **state)
{
    (void)state;
    girt_ring *ring = NULL;
    check_status(girt_ring_create(&ring, NULL), GIRT_OK);
    girt_ring_destroy(ring);
    char name[256];
    memset(name, 'n', 255);
    name[255] = '\0';
    static const uint32_t sizes[] = {0, 2, 3, 65537, 67108859};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        check_status(girt_ring_create(
                         &ring, &(girt_ring_options){.kind = GIRT_RING_MAGLEV,
                                                     .maglev_size = sizes[i],
                                                     .bound = 1.0,
                                                     .name = name}),
                     GIRT_OK);
        girt_ring_destroy(ring);
    }
    static const double bounds[] = {-0.0, 1.0, 1.25, 1e308};
    for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
        check_status(
            girt_ring_create(&ring, &(girt_ring_options){.bound = bounds[i]}),
            GIRT_OK);
        girt_ring_destroy(ring);
    }
    girt_ring_destroy(NULL);
}

static void arguments_out_of_range(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        check_status(girt_ring_set(ring, three, 3), GIRT_OK);
        uint32_t id = 77;
        size_t count = 1;
        check_status(girt_ring_find(NULL, "k", 1, &id), GIRT_E_INVALID);
        check_status(girt_ring_find(ring, NULL, 1, &id), GIRT_E_INVALID);
        check_status(girt_ring_find(ring, "k", 1, NULL), GIRT_E_INVALID);
        check_status(girt_ring_acquire(NULL, "k", 1, &id), GIRT_E_INVALID);
        check_status(girt_ring_acquire(ring, NULL, SIZE_MAX, &id),
                     GIRT_E_INVALID);
        check_status(girt_ring_acquire(ring, "k", 1, NULL), GIRT_E_INVALID);
        check_status(girt_ring_find_n(NULL, "k", 1, &id, &count),
                     GIRT_E_INVALID);
        check_status(girt_ring_find_n(ring, NULL, 1, &id, &count),
                     GIRT_E_INVALID);
        check_status(girt_ring_find_n(ring, "k", 1, NULL, &count),
                     GIRT_E_INVALID);
        check_status(girt_ring_find_n(ring, "k", 1, &id, NULL), GIRT_E_INVALID);
        assert_int_equal(id, 77);
        assert_int_equal(count, 1);
        char buffer[8] = "same";
        check_status(girt_ring_name(NULL, 0, buffer, 8), GIRT_E_INVALID);
        check_status(girt_ring_name(ring, 0, NULL, 8), GIRT_E_INVALID);
        check_status(girt_ring_name(ring, 0, buffer, 0), GIRT_E_INVALID);
        check_status(girt_ring_name(ring, 0, buffer, 5), GIRT_E_TOO_LARGE);
        check_status(girt_ring_name(ring, 3, buffer, 8), GIRT_MISSING);
        check_status(girt_ring_name(ring, UINT32_MAX, buffer, 8), GIRT_MISSING);
        assert_string_equal(buffer, "same");
        check_status(girt_ring_name(ring, 0, buffer, 6), GIRT_OK);
        assert_string_equal(buffer, "alpha");
        assert_int_equal(girt_ring_count(NULL), 0);
        assert_true(girt_ring_share(NULL, "alpha") == 0.0);
        assert_true(girt_ring_share(ring, NULL) == 0.0);
        assert_true(girt_ring_share(ring, "") == 0.0);
        assert_true(girt_ring_share(ring, "alph") == 0.0);
        girt_ring_release(NULL, 0);
        girt_ring_release(ring, 0);
        girt_ring_release(ring, UINT32_MAX);
        girt_ring_destroy(ring);
    }
}

static void an_empty_ring_has_no_owner(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        for (int round = 0; round < 2; round++) {
            uint32_t id = 77, ids[2] = {7, 7};
            size_t count = 2;
            assert_int_equal(girt_ring_count(ring), 0);
            check_status(girt_ring_find(ring, "k", 1, &id), GIRT_MISSING);
            check_status(girt_ring_acquire(ring, "k", 1, &id), GIRT_MISSING);
            assert_int_equal(id, 77);
            check_status(girt_ring_find_n(ring, "k", 1, ids, &count),
                         GIRT_MISSING);
            assert_int_equal(count, 0);
            /* Also after nodes were there. */
            check_status(girt_ring_set(ring, three, 3), GIRT_OK);
            check_status(girt_ring_set(ring, NULL, 0), GIRT_OK);
        }
        girt_ring_destroy(ring);
    }
}

static void one_node_owns_all(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        check_status(girt_ring_add(ring, "only", 0), GIRT_OK);
        assert_int_equal(girt_ring_count(ring), 1);
        assert_true(girt_ring_share(ring, "only") == 1.0);
        for (uint64_t k = 0; k < 1000; k++) {
            uint32_t id = 77;
            check_status(girt_ring_find(ring, &k, sizeof k, &id), GIRT_OK);
            assert_int_equal(id, 0);
        }
        girt_ring_destroy(ring);
    }
}

/* Distinct, as many as asked or there are, the owner first, a longer answer
 * begins with the shorter one. */
static void find_n_is_a_preference(void **state)
{
    (void)state;
    enum { NODES = 40 };
    girt_node nodes[NODES];
    char names[NODES][16];
    for (size_t i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "node-%zu:1", i);
        nodes[i] = (girt_node){names[i], (uint32_t)(1 + i % 3)};
    }
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        check_status(girt_ring_set(ring, nodes, NODES), GIRT_OK);
        for (uint64_t k = 0; k < 100; k++) {
            uint32_t owner, all[NODES + 5], some[NODES + 5];
            check_status(girt_ring_find(ring, &k, sizeof k, &owner), GIRT_OK);
            size_t count = NODES + 5;
            check_status(girt_ring_find_n(ring, &k, sizeof k, all, &count),
                         GIRT_OK);
            assert_int_equal(count, NODES);
            assert_int_equal(all[0], owner);
            uint64_t seen = 0;
            for (size_t i = 0; i < count; i++) {
                assert_true(all[i] < NODES);
                seen |= (uint64_t)1 << all[i];
            }
            assert_int_equal(seen, ((uint64_t)1 << NODES) - 1);
            for (size_t want = 0; want < NODES; want += 7) {
                count = want;
                check_status(girt_ring_find_n(ring, &k, sizeof k,
                                              want == 0 ? NULL : some, &count),
                             GIRT_OK);
                assert_int_equal(count, want);
                assert_memory_equal(some, all, want * sizeof *all);
            }
        }
        girt_ring_destroy(ring);
    }
}

/* Asking for more than the ring could ever have must not read beyond it. */
static void find_n_of_a_huge_count(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        check_status(girt_ring_set(ring, three, 3), GIRT_OK);
        uint32_t ids[3];
        size_t count = SIZE_MAX;
        check_status(girt_ring_find_n(ring, "k", 1, ids, &count), GIRT_OK);
        assert_int_equal(count, 3);
        girt_ring_destroy(ring);
    }
}

/* More members than find_n remembers in bits. */
static void find_n_of_many_nodes(void **state)
{
    (void)state;
    enum { NODES = 17000, WANTED = 600 };
    girt_ring *ring = NULL;
    check_status(
        girt_ring_create(&ring, &(girt_ring_options){.points_per_weight = 2}),
        GIRT_OK);
    girt_node *const nodes = calloc(NODES, sizeof *nodes);
    char(*const names)[16] = calloc(NODES, sizeof *names);
    for (size_t i = 0; i < NODES; i++) {
        snprintf(names[i], sizeof names[i], "n%zu", i);
        nodes[i].name = names[i];
    }
    check_status(girt_ring_set(ring, nodes, NODES), GIRT_OK);
    static uint8_t seen[NODES];
    for (uint64_t k = 0; k < 20; k++) {
        uint32_t ids[WANTED];
        size_t count = WANTED;
        check_status(girt_ring_find_n(ring, &k, sizeof k, ids, &count),
                     GIRT_OK);
        assert_int_equal(count, WANTED);
        memset(seen, 0, sizeof seen);
        for (size_t i = 0; i < count; i++) {
            assert_true(ids[i] < NODES);
            assert_int_equal(seen[ids[i]]++, 0);
        }
    }
    free(nodes);
    free(names);
    girt_ring_destroy(ring);
}

static void keys_of_every_size(void **state)
{
    (void)state;
    size_t const large = (size_t)64 << 20;
    char *const key = calloc(large, 1);
    assert_non_null(key);
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        check_status(girt_ring_set(ring, three, 3), GIRT_OK);
        uint32_t empty, null;
        check_status(girt_ring_find(ring, "", 0, &empty), GIRT_OK);
        check_status(girt_ring_find(ring, NULL, 0, &null), GIRT_OK);
        assert_int_equal(empty, null);
        /* Zeros of many sizes are many keys. */
        uint32_t owners = 0, id;
        for (size_t size = 0; size < 300; size++) {
            check_status(girt_ring_find(ring, key, size, &id), GIRT_OK);
            owners |= 1u << id;
        }
        assert_int_equal(owners, 7);
        if (kind != GIRT_RING_KETAMA) {
            check_status(girt_ring_find(ring, key, large, &id), GIRT_OK);
            assert_true(id < 3);
        }
        girt_ring_destroy(ring);
    }
    free(key);
}

static void the_seed_moves_keys(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *rings[2] = {NULL, NULL};
        for (uint64_t seed = 0; seed < 2; seed++) {
            check_status(girt_ring_create(
                             &rings[seed],
                             &(girt_ring_options){.kind = (girt_ring_kind)kind,
                                                  .seed = seed}),
                         GIRT_OK);
            check_status(girt_ring_set(rings[seed], three, 3), GIRT_OK);
        }
        size_t moved = 0;
        for (uint64_t k = 0; k < 1000; k++) {
            uint32_t a, b;
            check_status(girt_ring_find(rings[0], &k, sizeof k, &a), GIRT_OK);
            check_status(girt_ring_find(rings[1], &k, sizeof k, &b), GIRT_OK);
            moved += a != b;
        }
        if (kind == GIRT_RING_KETAMA)
            assert_int_equal(moved, 0);
        else
            assert_true(moved > 400);
        girt_ring_destroy(rings[0]);
        girt_ring_destroy(rings[1]);
    }
}

static void shares_add_up(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of((girt_ring_kind)kind);
        check_status(girt_ring_set(ring, three, 3), GIRT_OK);
        double sum = 0;
        for (size_t i = 0; i < 3; i++) {
            double const share = girt_ring_share(ring, three[i].name);
            /* beta has weight 2 of 4 */
            assert_true(fabs(share - (i == 1 ? 0.5 : 0.25)) < 0.06);
            sum += share;
        }
        assert_true(fabs(sum - 1) < 1e-12);
        girt_ring_destroy(ring);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_out_of_range),
        cmocka_unit_test(options_in_range),
        cmocka_unit_test(arguments_out_of_range),
        cmocka_unit_test(an_empty_ring_has_no_owner),
        cmocka_unit_test(one_node_owns_all),
        cmocka_unit_test(find_n_is_a_preference),
        cmocka_unit_test(find_n_of_a_huge_count),
        cmocka_unit_test(find_n_of_many_nodes),
        cmocka_unit_test(keys_of_every_size),
        cmocka_unit_test(the_seed_moves_keys),
        cmocka_unit_test(shares_add_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
