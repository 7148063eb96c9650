/* SPDX-License-Identifier: MIT */
/* Goal: every call of map64.h answers as its documentation says, bad input
 * included.  Method: one small case a promise. */
#include <girt/map64.h>

#include "support/check.h"
#include "support/failing.h"

static const uint64_t edges[] = {0,
                                 1,
                                 2,
                                 UINT64_MAX,
                                 (uint64_t)1 << 63,
                                 0x00000000ffffffffu,
                                 0xffffffff00000000u};
enum { EDGES = sizeof edges / sizeof *edges };

static girt_map64 *make(size_t expected)
{
    girt_map64 *map = NULL;
    check_status(girt_map64_create(&map, expected, NULL), GIRT_OK);
    assert_non_null(map);
    return map;
}

static void create_refuses_bad_arguments(void **state)
{
    (void)state;
    girt_map64 *const untouched = (girt_map64 *)(uintptr_t)16;
    girt_map64 *map = untouched;
    const girt_allocator half = {.allocate = NULL,
                                 .release = (void (*)(void *, void *, size_t))1,
                                 .context = NULL};
    check_status(girt_map64_create(NULL, 0, NULL), GIRT_E_INVALID);
    check_status(girt_map64_create(&map, 0, &half), GIRT_E_INVALID);
    check_status(girt_map64_create(&map, SIZE_MAX, NULL), GIRT_E_TOO_LARGE);
    check_status(girt_map64_create(&map, (size_t)1 << 63, NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_map64_create(&map, (size_t)1 << 40, NULL), GIRT_E_NOMEM);
    assert_ptr_equal(map, untouched);
    girt_map64_destroy(NULL);
}

static bool never(void *context, uint64_t key, uint64_t value)
{
    (void)context;
    (void)key;
    (void)value;
    fail_msg("called");
    return true;
}

static void null_map_or_pointer_is_invalid(void **state)
{
    (void)state;
    uint64_t value = 5;
    bool found = true;
    check_status(girt_map64_get(NULL, 1, &value), GIRT_E_INVALID);
    check_status(girt_map64_put(NULL, 1, 1), GIRT_E_INVALID);
    check_status(girt_map64_add(NULL, 1, 1), GIRT_E_INVALID);
    check_status(girt_map64_remove(NULL, 1, &value), GIRT_E_INVALID);
    check_status(girt_map64_exchange(NULL, 1, 1, 1), GIRT_E_INVALID);
    check_status(girt_map64_increase(NULL, 1, 1, &value), GIRT_E_INVALID);
    check_status(girt_map64_each(NULL, never, NULL), GIRT_E_INVALID);
    assert_int_equal(girt_map64_count(NULL), 0);
    assert_int_equal(girt_map64_bytes(NULL), 0);
    assert_int_equal(girt_map64_get_n(NULL, edges, &value, &found, 1), 0);
    girt_map64 *const map = make(0);
    check_status(girt_map64_put(map, 0, 1), GIRT_OK);
    check_status(girt_map64_get(map, 0, NULL), GIRT_E_INVALID);
    check_status(girt_map64_each(map, NULL, NULL), GIRT_E_INVALID);
    assert_int_equal(girt_map64_get_n(map, NULL, &value, &found, 1), 0);
    assert_int_equal(girt_map64_get_n(map, edges, NULL, &found, 1), 0);
    assert_int_equal(girt_map64_get_n(map, edges, &value, NULL, 1), 0);
    assert_int_equal(value, 5);
    assert_true(found);
    girt_map64_destroy(map);
}

static void every_key_and_value_is_allowed(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    uint64_t value = 77;
    for (size_t i = 0; i < EDGES; i++) {
        check_status(girt_map64_get(map, edges[i], &value), GIRT_MISSING);
        assert_int_equal(value, 77);
        check_status(girt_map64_remove(map, edges[i], &value), GIRT_MISSING);
        check_status(girt_map64_exchange(map, edges[i], 77, 1), GIRT_MISSING);
        assert_int_equal(value, 77);
    }
    for (size_t i = 0; i < EDGES; i++)
        check_status(girt_map64_put(map, edges[i], edges[EDGES - 1 - i]),
                     GIRT_OK);
    assert_int_equal(girt_map64_count(map), EDGES);
    for (size_t i = 0; i < EDGES; i++) {
        check_status(girt_map64_get(map, edges[i], &value), GIRT_OK);
        assert_true(value == edges[EDGES - 1 - i]);
        check_status(girt_map64_add(map, edges[i], 9), GIRT_EXISTS);
        check_status(girt_map64_get(map, edges[i], &value), GIRT_OK);
        assert_true(value == edges[EDGES - 1 - i]);
    }
    for (size_t i = 0; i < EDGES; i++) {
        check_status(girt_map64_remove(map, edges[i], i % 2 ? &value : NULL),
                     GIRT_OK);
        if (i % 2)
            assert_true(value == edges[EDGES - 1 - i]);
        check_status(girt_map64_get(map, edges[i], &value), GIRT_MISSING);
    }
    assert_int_equal(girt_map64_count(map), 0);
    girt_map64_destroy(map);
}

static void put_replaces_and_add_does_not(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    uint64_t value;
    check_status(girt_map64_add(map, 1, 10), GIRT_OK);
    check_status(girt_map64_add(map, 1, 11), GIRT_EXISTS);
    check_status(girt_map64_get(map, 1, &value), GIRT_OK);
    assert_int_equal(value, 10);
    check_status(girt_map64_put(map, 1, 12), GIRT_OK);
    check_status(girt_map64_get(map, 1, &value), GIRT_OK);
    assert_int_equal(value, 12);
    assert_int_equal(girt_map64_count(map), 1);
    girt_map64_destroy(map);
}

static void exchange_compares_first(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    uint64_t value;
    check_status(girt_map64_exchange(map, 1, 0, 1), GIRT_MISSING);
    assert_int_equal(girt_map64_count(map), 0);
    check_status(girt_map64_put(map, 1, 10), GIRT_OK);
    check_status(girt_map64_exchange(map, 1, 11, 12), GIRT_EXISTS);
    check_status(girt_map64_exchange(map, 1, 10, 13), GIRT_OK);
    check_status(girt_map64_get(map, 1, &value), GIRT_OK);
    assert_int_equal(value, 13);
    girt_map64_destroy(map);
}

static void increase_begins_at_zero_and_wraps(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    uint64_t sum = 99;
    check_status(girt_map64_increase(map, 1, 0, &sum), GIRT_OK);
    assert_int_equal(sum, 0);
    assert_int_equal(girt_map64_count(map), 1);
    check_status(girt_map64_increase(map, 1, 5, NULL), GIRT_OK);
    check_status(girt_map64_increase(map, 1, UINT64_MAX, &sum), GIRT_OK);
    assert_int_equal(sum, 4);
    check_status(girt_map64_increase(map, 2, UINT64_MAX, &sum), GIRT_OK);
    assert_true(sum == UINT64_MAX);
    girt_map64_destroy(map);
}

static void get_n_answers_like_get(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    enum { N = 200 };
    uint64_t keys[N], values[N];
    bool found[N];
    for (uint64_t i = 0; i < N; i++) {
        keys[i] = i * 3;
        if (i % 3 != 0)
            check_status(girt_map64_put(map, keys[i], i), GIRT_OK);
    }
    keys[1] = keys[2]; /* twice the same */
    const size_t counts[] = {0, 1, 2, 31, 32, 33, 64, 65, N};
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
        memset(values, 0xee, sizeof values);
        memset(found, 1, sizeof found);
        size_t want = 0;
        const size_t hits =
            girt_map64_get_n(map, keys, values, found, counts[c]);
        for (size_t i = 0; i < counts[c]; i++) {
            uint64_t value = 0xeeeeeeeeeeeeeeeeu;
            const girt_status s = girt_map64_get(map, keys[i], &value);
            assert_int_equal(found[i], s == GIRT_OK);
            assert_true(values[i] == value); /* untouched when missing */
            want += s == GIRT_OK;
        }
        assert_int_equal(hits, want);
        for (size_t i = counts[c]; i < N; i++)
            assert_true(values[i] == 0xeeeeeeeeeeeeeeeeu && found[i]);
    }
    girt_map64_destroy(map);
}

enum { MANY = 40000 };

typedef struct tally {
    uint8_t seen[MANY];
    size_t calls, stop_after;
    girt_map64 *map;
} tally;

static bool tally_one(void *context, uint64_t key, uint64_t value)
{
    tally *const t = context;
    uint64_t again;
    assert_true(key < MANY && value == key + 1);
    t->seen[key]++;
    /* It may read the map. */
    check_status(girt_map64_get(t->map, key, &again), GIRT_OK);
    assert_true(again == value);
    return ++t->calls != t->stop_after;
}

static void each_shows_every_entry_once(void **state)
{
    (void)state;
    static tally t;
    memset(&t, 0, sizeof t);
    t.map = make(0);
    check_status(girt_map64_each(t.map, tally_one, &t), GIRT_OK);
    assert_int_equal(t.calls, 0);
    for (uint64_t i = 0; i < MANY; i++)
        check_status(girt_map64_put(t.map, i, i + 1), GIRT_OK);
    check_status(girt_map64_each(t.map, tally_one, &t), GIRT_OK);
    assert_int_equal(t.calls, MANY);
    for (size_t i = 0; i < MANY; i++)
        assert_int_equal(t.seen[i], 1);
    t.calls = 0;
    t.stop_after = 5000;
    check_status(girt_map64_each(t.map, tally_one, &t), GIRT_OK);
    assert_int_equal(t.calls, 5000);
    girt_map64_destroy(t.map);
}

static void bytes_are_what_the_allocator_gave(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_map64 *map;
    check_status(girt_map64_create(&map, 0, &f.allocator), GIRT_OK);
    for (uint64_t i = 0; i < 100000; i++) {
        check_status(girt_map64_put(map, i, i), GIRT_OK);
        if (i % 1000 == 0)
            assert_int_equal(girt_map64_bytes(map), f.live_bytes);
    }
    for (uint64_t i = 0; i < 100000; i++)
        check_status(girt_map64_remove(map, i, NULL), GIRT_OK);
    const size_t before = girt_map64_bytes(map);
    for (int round = 0; round < 3; round++) /* slots are reused */
        for (uint64_t i = 0; i < 50000; i++) {
            check_status(girt_map64_put(map, i + 1000000, i), GIRT_OK);
            check_status(girt_map64_remove(map, i + 1000000, NULL), GIRT_OK);
        }
    assert_int_equal(girt_map64_bytes(map), before);
    girt_map64_destroy(map);
    assert_int_equal(f.live_blocks, 0);
}

/* The bound of the design: 40 bytes an entry at the sizes that users have,
 * 45 in the middle of growth. */
static void an_entry_costs_at_most_45_bytes(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    for (uint64_t i = 1; i <= 300000; i++) {
        check_status(girt_map64_put(map, i, i), GIRT_OK);
        if (i >= 20000 && i % 1000 == 0)
            assert_true(girt_map64_bytes(map) <= 45 * i);
    }
    girt_map64_destroy(map);
}

/* Tables of all sizes are split at different times: what an entry costs hardly
 * changes while the map doubles twice. */
static void an_entry_costs_nearly_the_same_at_every_size(void **state)
{
    (void)state;
    girt_map64 *const map = make(0);
    double least = 1e9, most = 0;
    for (uint64_t i = 1; i <= 400000; i++) {
        check_status(girt_map64_put(map, i, i), GIRT_OK);
        const double cost = (double)girt_map64_bytes(map) / (double)i;
        if (i >= 100000 && i % 1000 == 0) {
            least = cost < least ? cost : least;
            most = cost > most ? cost : most;
        }
    }
    assert_true(most <= 34);
    assert_true(most <= 1.25 * least);
    girt_map64_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(create_refuses_bad_arguments),
        cmocka_unit_test(null_map_or_pointer_is_invalid),
        cmocka_unit_test(every_key_and_value_is_allowed),
        cmocka_unit_test(put_replaces_and_add_does_not),
        cmocka_unit_test(exchange_compares_first),
        cmocka_unit_test(increase_begins_at_zero_and_wraps),
        cmocka_unit_test(get_n_answers_like_get),
        cmocka_unit_test(each_shows_every_entry_once),
        cmocka_unit_test(bytes_are_what_the_allocator_gave),
        cmocka_unit_test(an_entry_costs_at_most_45_bytes),
        cmocka_unit_test(an_entry_costs_nearly_the_same_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
