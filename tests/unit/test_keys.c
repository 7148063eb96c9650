/* SPDX-License-Identifier: MIT */
/* Goal: a batch of keys gives what its keys give one by one, on every kind of
 * ring and at every size of a block, and one that lies about itself is refused
 * before anything is done.
 * Method: batches of 0 to 200 keys, with zero bytes between them and with
 * sizes, against single calls; then each field of girt_keys wrong by one. */
#include <girt/keys.h>

#include <girt/keyed_limiter.h>
#include <girt/ring.h>

#include "support/check.h"
#include "support/rng.h"

enum { KINDS = GIRT_RING_JUMP + 1, COUNT_MAX = 200, ROOM = 16 };

/* Keys "k0" "k7" "k14" and so on; every fifth is empty. */
static char joined[COUNT_MAX * ROOM], packed[COUNT_MAX * ROOM];
static uint32_t sizes[COUNT_MAX];

static girt_keys with_zeros(size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        if (i != 0)
            joined[size++] = '\0';
        if (i % 5 != 4)
            size += (size_t)sprintf(joined + size, "k%zu", 7 * i);
    }
    return (girt_keys){joined, size, NULL, count};
}

static girt_keys with_sizes(size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        sizes[i] =
            i % 5 == 4 ? 0 : (uint32_t)sprintf(packed + size, "k%zu", 7 * i);
        size += sizes[i];
    }
    return (girt_keys){packed, size, sizes, count};
}

static void ring_answers_as_one_by_one(void **state)
{
    (void)state;
    static const girt_node nodes[] = {{"a", 1}, {"b", 2}, {"c", 3}};
    for (int kind = 0; kind < KINDS; kind++) {
        girt_ring *ring = NULL;
        check_status(
            girt_ring_create(
                &ring, &(girt_ring_options){.kind = (girt_ring_kind)kind}),
            GIRT_OK);
        check_status(girt_ring_set(ring, nodes, 3), GIRT_OK);
        for (size_t count = 0; count <= COUNT_MAX; count++) {
            uint32_t by_zeros[COUNT_MAX + 1] = {0}, by_sizes[COUNT_MAX];
            by_zeros[count] = 99;
            girt_keys const zeros = with_zeros(count),
                            sized = with_sizes(count);
            check_status(girt_ring_find_keys(ring, &zeros, by_zeros), GIRT_OK);
            check_status(girt_ring_find_keys(ring, &sized, by_sizes), GIRT_OK);
            assert_int_equal(by_zeros[count], 99);
            const char *key = packed;
            for (size_t i = 0; i < count; i++) {
                uint32_t id = 99;
                check_status(girt_ring_find(ring, key, sizes[i], &id), GIRT_OK);
                assert_int_equal(by_zeros[i], id);
                assert_int_equal(by_sizes[i], id);
                key += sizes[i];
            }
        }
        girt_ring_destroy(ring);
    }
}

/* Zero bytes seldom and often, on either side of every block of 64, at every
 * alignment. */
static void zeros_anywhere(void **state)
{
    (void)state;
    rng r = {7};
    girt_ring *ring = NULL;
    check_status(girt_ring_create(&ring, NULL), GIRT_OK);
    for (uint32_t i = 0; i < 5; i++)
        check_status(girt_ring_add(ring, (char[]){(char)('a' + i), 0}, 1),
                     GIRT_OK);
    static unsigned char bytes[400];
    static uint32_t ids[401];
    for (int round = 0; round < 3000; round++) {
        size_t const start = rng_below(&r, 64), size = rng_below(&r, 330);
        uint64_t const one_in = 1 + rng_below(&r, 150);
        size_t count = 1;
        for (size_t i = 0; i < size; i++) {
            bytes[start + i] = (unsigned char)(1 + rng_below(&r, 255));
            if (rng_below(&r, one_in) == 0) {
                bytes[start + i] = 0;
                count++;
            }
        }
        girt_keys const keys = {bytes + start, size, NULL, count};
        check_status(girt_ring_find_keys(ring, &keys, ids), GIRT_OK);
        const unsigned char *key = bytes + start;
        for (size_t i = 0; i < count; i++) {
            const unsigned char *end = key;
            while (end < bytes + start + size && *end != 0)
                end++;
            uint32_t id = 99;
            check_status(girt_ring_find(ring, key, (size_t)(end - key), &id),
                         GIRT_OK);
            assert_int_equal(ids[i], id);
            key = end + 1;
        }
    }
    girt_ring_destroy(ring);
}

static void an_empty_ring_has_no_owners(void **state)
{
    (void)state;
    girt_ring *ring = NULL;
    check_status(girt_ring_create(&ring, NULL), GIRT_OK);
    uint32_t id = 99;
    girt_keys const one = with_zeros(1), none = with_zeros(0);
    check_status(girt_ring_find_keys(ring, &one, &id), GIRT_MISSING);
    check_status(girt_ring_find_keys(ring, &none, NULL), GIRT_MISSING);
    assert_int_equal(id, 99);
    girt_ring_destroy(ring);
}

static girt_keyed_limiter *limiter_of(int64_t *now)
{
    girt_keyed_limiter_options options = {.rate = {10, 1000, 2}, .keys = 500};
    girt_clock_manual(&options.clock, now);
    girt_keyed_limiter *limiter = NULL;
    check_status(girt_keyed_limiter_create(&limiter, &options), GIRT_OK);
    return limiter;
}

static void limiter_answers_as_one_by_one(void **state)
{
    (void)state;
    int64_t now = 1;
    for (size_t count = 0; count <= COUNT_MAX; count += 40) {
        girt_keyed_limiter *const batched = limiter_of(&now);
        girt_keyed_limiter *const single = limiter_of(&now);
        for (int round = 0; round < 8; round++) {
            now += 60;
            bool taken[COUNT_MAX];
            int64_t retry[COUNT_MAX];
            girt_keys const keys =
                round % 2 ? with_zeros(count) : with_sizes(count);
            (void)with_sizes(count);
            check_status(girt_keyed_limiter_take_keys(batched, &keys, 1, taken,
                                                      round < 4 ? retry : NULL),
                         GIRT_OK);
            const char *key = packed;
            for (size_t i = 0; i < count; i++) {
                girt_decision d;
                girt_status const status =
                    girt_keyed_limiter_take(single, key, sizes[i], 1, &d);
                assert_int_equal(taken[i], status == GIRT_OK);
                if (round < 4)
                    assert_int_equal(retry[i], d.retry_after_ns);
                key += sizes[i];
            }
        }
        girt_keyed_limiter_destroy(batched);
        girt_keyed_limiter_destroy(single);
    }
}

static void more_than_the_burst_is_never_taken(void **state)
{
    (void)state;
    int64_t now = 1, retry;
    bool taken = true;
    girt_keyed_limiter *const limiter = limiter_of(&now);
    girt_keys const one = {"ann", 3, NULL, 1};
    check_status(girt_keyed_limiter_take_keys(limiter, &one, 3, &taken, &retry),
                 GIRT_OK);
    assert_false(taken);
    assert_int_equal(retry, INT64_MAX);
    /* Neither answer wanted: the tokens are taken all the same. */
    check_status(girt_keyed_limiter_take_keys(limiter, &one, 2, NULL, NULL),
                 GIRT_OK);
    check_status(girt_keyed_limiter_take(limiter, "ann", 3, 1, NULL),
                 GIRT_LIMITED);
    girt_keyed_limiter_destroy(limiter);
}

/* Every batch here is refused by both, and nobody's tokens are gone. */
static void refuse(girt_ring *ring, girt_keyed_limiter *limiter, girt_keys keys,
                   girt_status status)
{
    uint32_t ids[4] = {99, 99, 99, 99};
    bool taken[4] = {true, true, true, true};
    check_status(girt_keyed_limiter_take_keys(limiter, &keys, 1, taken, NULL),
                 status);
    assert_true(taken[0]);
    if (status == GIRT_E_TOO_LARGE) /* of any size, for a ring */
        return;
    check_status(girt_ring_find_keys(ring, &keys, ids), status);
    assert_int_equal(ids[0], 99);
}

static void what_is_not_true_is_refused(void **state)
{
    (void)state;
    int64_t now = 1;
    girt_keyed_limiter *const limiter = limiter_of(&now);
    girt_ring *ring = NULL;
    check_status(girt_ring_create(&ring, NULL), GIRT_OK);
    check_status(girt_ring_add(ring, "a", 1), GIRT_OK);
    static const uint32_t three[] = {1, 1, 1};
    static const uint32_t wrap[] = {UINT32_MAX, UINT32_MAX, 5};
    static char large[GIRT_KEYED_LIMITER_KEY_MAX + 3];
    memset(large, 'x', sizeof large);
    uint32_t const above[] = {1, GIRT_KEYED_LIMITER_KEY_MAX + 1};

    refuse(ring, limiter, (girt_keys){NULL, 1, NULL, 1}, GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"a", 1, NULL, 0}, GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"a", 1, NULL, 2}, GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"a\0b", 3, NULL, 1}, GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"a\0b", 3, NULL, SIZE_MAX},
           GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"abc", 3, three, 2}, GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"abc", 2, three, 3}, GIRT_E_INVALID);
    refuse(ring, limiter, (girt_keys){"abc", 3, wrap, 3}, GIRT_E_INVALID);
    refuse(ring, limiter,
           (girt_keys){large, GIRT_KEYED_LIMITER_KEY_MAX + 2, above, 2},
           GIRT_E_TOO_LARGE);
    refuse(ring, limiter,
           (girt_keys){large, GIRT_KEYED_LIMITER_KEY_MAX + 1, NULL, 1},
           GIRT_E_TOO_LARGE);
    large[1] = '\0'; /* many bytes in all, and each key within its bound */
    girt_keys const two = {large, GIRT_KEYED_LIMITER_KEY_MAX + 2, NULL, 2};
    check_status(girt_keyed_limiter_take_keys(limiter, &two, 1, NULL, NULL),
                 GIRT_OK);

    girt_keys const one = {"b", 1, NULL, 1};
    uint32_t id;
    check_status(girt_keyed_limiter_take_keys(NULL, &one, 1, NULL, NULL),
                 GIRT_E_INVALID);
    check_status(girt_keyed_limiter_take_keys(limiter, NULL, 1, NULL, NULL),
                 GIRT_E_INVALID);
    check_status(girt_ring_find_keys(NULL, &one, &id), GIRT_E_INVALID);
    check_status(girt_ring_find_keys(ring, NULL, &id), GIRT_E_INVALID);
    check_status(girt_ring_find_keys(ring, &one, NULL), GIRT_E_INVALID);
    check_status(girt_keyed_limiter_take(limiter, "a", 1, 2, NULL), GIRT_OK);
    girt_keyed_limiter_destroy(limiter);
    girt_ring_destroy(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_answers_as_one_by_one),
        cmocka_unit_test(zeros_anywhere),
        cmocka_unit_test(an_empty_ring_has_no_owners),
        cmocka_unit_test(limiter_answers_as_one_by_one),
        cmocka_unit_test(more_than_the_burst_is_never_taken),
        cmocka_unit_test(what_is_not_true_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
