/* SPDX-License-Identifier: MIT */
/* Goal: set, add and remove change what they say and, when they fail, nothing.
 * Method: each refusal followed by a look at the whole ring; equal memberships
 * reached in different ways answer alike. */
#include <girt/epoch.h>
#include <girt/ring.h>

#include "ring/ring_internal.h"
#include "support/check.h"

enum { KINDS = GIRT_RING_JUMP + 1 };

static const girt_node three[] = {{"alpha", 1}, {"beta", 2}, {"gamma", 3}};

static girt_ring *ring_of_three(girt_ring_kind kind)
{
    girt_ring *ring = NULL;
    check_status(girt_ring_create(&ring, &(girt_ring_options){.kind = kind}),
                 GIRT_OK);
    check_status(girt_ring_set(ring, three, 3), GIRT_OK);
    return ring;
}

/* Each failure keeps the very snapshot. */
static void bad_nodes_change_nothing(void **state)
{
    (void)state;
    static char long_name[10241], longest[256], too_long[257];
    memset(long_name, 'x', sizeof long_name - 1);
    memset(longest, 'x', sizeof longest - 1);
    memset(too_long, 'x', sizeof too_long - 1);
    const girt_node bad[][3] = {
        {{"a", 1}, {NULL, 1}, {"c", 1}},      {{"a", 1}, {"b", 1}, {"", 1}},
        {{long_name, 1}, {"b", 1}, {"c", 1}}, {{"a", 1}, {"b", 1}, {"a", 2}},
        {{"a", 1}, {too_long, 1}, {"c", 1}},
    };
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of_three((girt_ring_kind)kind);
        const girt__ring_snapshot *const before = ring->snapshot;
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            check_status(girt_ring_set(ring, bad[i], 3), GIRT_E_INVALID);
        check_status(girt_ring_set(ring, NULL, 1), GIRT_E_INVALID);
        check_status(girt_ring_set(NULL, three, 3), GIRT_E_INVALID);
        check_status(girt_ring_set(ring, three, SIZE_MAX), GIRT_E_TOO_LARGE);
        check_status(girt_ring_set(ring, three, (size_t)1 << 63),
                     GIRT_E_TOO_LARGE);
        check_status(girt_ring_set(ring, three, ((size_t)1 << 26) + 1),
                     GIRT_E_TOO_LARGE);
        check_status(girt_ring_add(NULL, "a", 1), GIRT_E_INVALID);
        check_status(girt_ring_add(ring, NULL, 1), GIRT_E_INVALID);
        check_status(girt_ring_add(ring, "", 1), GIRT_E_INVALID);
        check_status(girt_ring_add(ring, long_name, 1), GIRT_E_INVALID);
        check_status(girt_ring_add(ring, too_long, 1), GIRT_E_INVALID);
        check_status(girt_ring_remove(NULL, "a"), GIRT_E_INVALID);
        check_status(girt_ring_remove(ring, NULL), GIRT_E_INVALID);
        check_status(girt_ring_remove(ring, ""), GIRT_E_INVALID);
        check_status(girt_ring_remove(ring, "alph"), GIRT_MISSING);
        check_status(girt_ring_remove(ring, "alphaa"), GIRT_MISSING);
        check_status(girt_ring_remove(ring, long_name), GIRT_E_INVALID);
        check_status(girt_ring_add(ring, "gamma", 3), GIRT_EXISTS);
        assert_ptr_equal(ring->snapshot, before);
        check_status(girt_ring_add(ring, longest, 1), GIRT_OK);
        char name[256];
        check_status(girt_ring_name(ring, 3, name, sizeof name), GIRT_OK);
        assert_string_equal(name, longest);
        girt_ring_destroy(ring);
    }
}

/* Weights up to 2^32 - 1 either work or say that they are too large. */
static void weights_of_every_size(void **state)
{
    (void)state;
    static const struct {
        girt_ring_kind kind;
        girt_status status;
    } expected[] = {
        {GIRT_RING_NATIVE, GIRT_E_TOO_LARGE}, {GIRT_RING_KETAMA, GIRT_OK},
        {GIRT_RING_MAGLEV, GIRT_OK},          {GIRT_RING_RENDEZVOUS, GIRT_OK},
        {GIRT_RING_JUMP, GIRT_E_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        girt_ring *const ring = ring_of_three(expected[i].kind);
        check_status(girt_ring_add(ring, "heavy", UINT32_MAX),
                     expected[i].status);
        bool const added = expected[i].status == GIRT_OK;
        assert_int_equal(girt_ring_count(ring), added ? 4 : 3);
        if (added)
            assert_true(girt_ring_share(ring, "heavy") > 0.9999);
        girt_ring_destroy(ring);
    }
}

static void names_of_any_bytes(void **state)
{
    (void)state;
    static const girt_node odd[] = {
        {" ", 1},        {"\n", 1}, {"\t\x01\x7f", 1}, {"a b", 1},
        {"\xff\xfe", 1}, {"a", 1},  {"aa", 1},         {":11211", 1}};
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *const ring = ring_of_three((girt_ring_kind)kind);
        check_status(girt_ring_set(ring, odd, 8), GIRT_OK);
        for (uint32_t i = 0; i < 8; i++) {
            char name[256];
            assert_true(girt_ring_share(ring, odd[i].name) > 0);
            check_status(girt_ring_name(ring, i, name, sizeof name), GIRT_OK);
            assert_string_equal(name, odd[i].name);
        }
        girt_ring_destroy(ring);
    }
}

/* What 300 keys are answered, by name. */
static void answers(girt_ring *ring, char text[301])
{
    memset(text, 0, 301);
    for (uint32_t k = 0; k < 300; k++) {
        uint32_t id;
        char name[256];
        check_status(girt_ring_find(ring, &k, sizeof k, &id), GIRT_OK);
        check_status(girt_ring_name(ring, id, name, sizeof name), GIRT_OK);
        text[k] = name[0];
    }
}

static void ways_to_the_same_membership(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        char expected[301], got[301];
        girt_ring *const ring = ring_of_three((girt_ring_kind)kind);
        answers(ring, expected);
        /* There and back. */
        check_status(girt_ring_add(ring, "delta", 2), GIRT_OK);
        answers(ring, got);
        assert_string_not_equal(got, expected);
        check_status(girt_ring_remove(ring, "delta"), GIRT_OK);
        answers(ring, got);
        assert_string_equal(got, expected);
        check_status(girt_ring_add(ring, "gamma", 9), GIRT_EXISTS);
        answers(ring, got);
        assert_string_not_equal(got, expected);
        check_status(girt_ring_add(ring, "gamma", 3), GIRT_EXISTS);
        answers(ring, got);
        assert_string_equal(got, expected);
        /* One by one. */
        check_status(girt_ring_set(ring, NULL, 0), GIRT_OK);
        for (size_t i = 0; i < 3; i++)
            check_status(girt_ring_add(ring, three[i].name, three[i].weight),
                         GIRT_OK);
        answers(ring, got);
        assert_string_equal(got, expected);
        /* Another order: the same but for jump, whose order it is. */
        static const girt_node other[] = {
            {"gamma", 3}, {"alpha", 1}, {"beta", 2}};
        check_status(girt_ring_set(ring, other, 3), GIRT_OK);
        answers(ring, got);
        if (kind == GIRT_RING_JUMP)
            assert_string_not_equal(got, expected);
        else
            assert_string_equal(got, expected);
        girt_ring_destroy(ring);
    }
}

/* Retired snapshots are large: few wait, however many changes there are. */
static void few_snapshots_wait(void **state)
{
    (void)state;
    girt_ring *const ring = ring_of_three(GIRT_RING_NATIVE);
    for (int i = 0; i < 100; i++) {
        check_status(girt_ring_add(ring, "delta", 1), GIRT_OK);
        check_status(girt_ring_remove(ring, "delta"), GIRT_OK);
        assert_true(__atomic_load_n(&ring->retired_count, __ATOMIC_ACQUIRE) <=
                    8);
    }
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_nodes_change_nothing),
        cmocka_unit_test(weights_of_every_size),
        cmocka_unit_test(names_of_any_bytes),
        cmocka_unit_test(ways_to_the_same_membership),
        cmocka_unit_test(few_snapshots_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
