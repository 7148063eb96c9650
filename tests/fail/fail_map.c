/* SPDX-License-Identifier: MIT */
/* Goal: out of memory at any allocation is GIRT_E_NOMEM, leaves the map as it
 * was and usable, and leaks nothing.  Method: the same work with allocation k
 * failing, for every k, until none fails; the failed call is made again. */
#include <girt/epoch.h>
#include <girt/map.h>
#include <girt/map64.h>

#include "map/map_grow.h"
#include "support/check.h"
#include "support/failing.h"

enum { WORK = 9000, WORK_BYTES = 700 };

/* One call; out of memory must change nothing, and the next try succeed. */
static void put64(girt_map64 *map, failing *f, uint64_t key, size_t *failures)
{
    const size_t count = girt_map64_count(map);
    const size_t bytes = girt_map64_bytes(map);
    girt_status status = key % 3 == 0 ? girt_map64_put(map, key, key)
                         : key % 3 == 1
                             ? girt_map64_add(map, key, key)
                             : girt_map64_increase(map, key, key, NULL);
    if (status == GIRT_OK)
        return;
    ++*failures;
    check_status(status, GIRT_E_NOMEM);
    uint64_t value;
    assert_int_equal(girt_map64_count(map), count);
    assert_int_equal(girt_map64_bytes(map), bytes);
    assert_int_equal(f->live_bytes, bytes);
    check_status(girt_map64_get(map, key, &value), GIRT_MISSING);
    for (uint64_t i = key > 100 ? key - 100 : 0; i < key; i++)
        check_status(girt_map64_get(map, i, &value), GIRT_OK);
    check_status(girt_map64_put(map, key, key), GIRT_OK);
}

static bool count_each(void *context, uint64_t key, uint64_t value)
{
    assert_true(key == value);
    ++*(size_t *)context;
    return true;
}

/* false: allocation k was never reached. */
static bool work64(size_t k, size_t expected)
{
    failing f;
    failing_init(&f);
    f.fail_at = k;
    size_t failures = 0, seen = 0;
    girt_map64 *map = NULL;
    const girt_status status = girt_map64_create(&map, expected, &f.allocator);
    if (status != GIRT_OK) {
        check_status(status, GIRT_E_NOMEM);
        assert_null(map);
        assert_int_equal(f.live_blocks, 0);
        return true;
    }
    for (uint64_t key = 0; key < WORK; key++)
        put64(map, &f, key, &failures);
    if (girt_map64_each(map, count_each, &seen) != GIRT_OK) {
        failures++;
        seen = 0;
        check_status(girt_map64_each(map, count_each, &seen), GIRT_OK);
    }
    assert_int_equal(seen, WORK);
    for (uint64_t key = 0; key < WORK; key++)
        check_status(girt_map64_remove(map, key, NULL), GIRT_OK);
    girt_map64_destroy(map);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(failures, k <= f.calls ? 1 : 0);
    return k <= f.calls;
}

static void map64_survives_every_failure(void **state)
{
    (void)state;
    const size_t sizes[] = {0, 3000};
    for (size_t s = 0; s < 2; s++) {
        size_t k = 1;
        while (work64(k, sizes[s]))
            k++;
        assert_true(k > 8); /* there was something to fail */
    }
}

static void map64_works_on_while_memory_stays_out(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_map64 *map;
    check_status(girt_map64_create(&map, 0, &f.allocator), GIRT_OK);
    f.fail_at = f.calls + 1;
    f.fail_all_after = true;
    uint64_t n = 0;
    while (girt_map64_add(map, n, n) == GIRT_OK)
        n++;
    assert_int_equal(n, 44); /* every slot of the first table */
    uint64_t value;
    for (uint64_t i = 0; i < n; i++) {
        check_status(girt_map64_get(map, i, &value), GIRT_OK);
        check_status(girt_map64_put(map, i, i + 1), GIRT_OK);
    }
    check_status(girt_map64_put(map, n, n), GIRT_E_NOMEM);
    check_status(girt_map64_remove(map, 0, NULL), GIRT_OK);
    check_status(girt_map64_put(map, n, n), GIRT_OK);
    check_status(girt_map64_each(map, count_each, &n), GIRT_E_NOMEM);
    f.fail_at = 0;
    check_status(girt_map64_put(map, 0, 0), GIRT_OK);
    girt_map64_destroy(map);
    assert_int_equal(f.live_blocks, 0);
}

static girt_map_action store_it(void *context, void *value, bool present)
{
    (void)present;
    memcpy(value, context, sizeof(uint32_t));
    return GIRT_MAP_STORE;
}

static girt_status put_bytes(girt_map *map, uint32_t i)
{
    if (i % 3 == 0)
        return girt_map_put(map, &i, sizeof i, &i);
    if (i % 3 == 1)
        return girt_map_add(map, &i, sizeof i, &i);
    return girt_map_update(map, &i, sizeof i, store_it, &i);
}

static bool count_entry(void *context, const void *key, size_t key_size,
                        const void *value)
{
    assert_memory_equal(key, value, key_size);
    ++*(size_t *)context;
    return true;
}

static bool work_bytes(size_t k)
{
    failing f;
    failing_init(&f);
    f.fail_at = k;
    size_t failures = 0, seen = 0;
    girt_map *map = NULL;
    const girt_map_options options = {.value_size = sizeof(uint32_t),
                                      .allocator = &f.allocator};
    girt_status status = girt_map_create(&map, &options);
    if (status != GIRT_OK) {
        check_status(status, GIRT_E_NOMEM);
        assert_null(map);
        assert_int_equal(f.live_blocks, 0);
        return true;
    }
    for (uint32_t i = 0; i < WORK_BYTES; i++) {
        uint32_t value = 77;
        if (put_bytes(map, i) == GIRT_OK)
            continue;
        failures++;
        check_status(girt_map_get(map, &i, sizeof i, &value), GIRT_MISSING);
        assert_int_equal(girt_map_count(map), i);
        assert_int_equal(girt_map_bytes(map), f.live_bytes);
        check_status(put_bytes(map, i), GIRT_OK);
    }
    /* Replacing keeps the old value when there is no memory for the new. */
    for (uint32_t i = 0; i < WORK_BYTES; i += 50) {
        uint32_t value = 0;
        status = girt_map_put(map, &i, sizeof i, &i);
        failures += status != GIRT_OK;
        check_status(girt_map_get(map, &i, sizeof i, &value), GIRT_OK);
        assert_int_equal(value, i);
    }
    if (girt_map_each(map, count_entry, &seen) != GIRT_OK) {
        failures++;
        seen = 0;
        check_status(girt_map_each(map, count_entry, &seen), GIRT_OK);
    }
    assert_int_equal(seen, WORK_BYTES);
    girt_map_destroy(map);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(failures, k <= f.calls ? 1 : 0);
    return k <= f.calls;
}

static void map_survives_every_failure(void **state)
{
    (void)state;
    size_t k = 1;
    while (work_bytes(k))
        k++;
    assert_true(k > WORK_BYTES);
}

static bool same_word(const void *key, uint64_t word)
{
    return *(const uint64_t *)key == word;
}

static girt_status insert_equal(girt__index *index, uint64_t hash,
                                uint64_t word)
{
    for (;;) {
        girt__place place = girt__index_lock(index, GIRT__WIDE, hash);
        girt_status status = girt__place_insert(&place, word);
        if (status == GIRT_OK) {
            girt__place_unlock(&place);
            return GIRT_OK;
        }
        status = girt__index_make_room(index, &place, status);
        if (status != GIRT_OK)
            return status;
    }
}

/* Spills, and tables copied while they have some: hashes that are equal to
 * begin with, then others that make the table grow. */
static bool work_spills(size_t k)
{
    enum { EQUAL = 300, OTHERS = 4000 };
    failing f;
    failing_init(&f);
    girt__index index;
    check_status(girt__index_init(&index, GIRT__WIDE, 0, 0, &f.allocator),
                 GIRT_OK);
    f.fail_at = f.calls + k;
    size_t failures = 0;
    for (uint64_t i = 0; i < EQUAL + OTHERS; i++) {
        const uint64_t hash = i < EQUAL ? 0x5555 : i * 0x9e3779b97f4a7c15u;
        if (insert_equal(&index, hash, i) == GIRT_OK)
            continue;
        failures++;
        assert_int_equal(f.live_bytes, girt__index_bytes(&index));
        check_status(insert_equal(&index, hash, i), GIRT_OK);
    }
    assert_true(girt__index_is_valid(&index));
    for (uint64_t i = 0; i < EQUAL + OTHERS; i++) {
        const uint64_t hash = i < EQUAL ? 0x5555 : i * 0x9e3779b97f4a7c15u;
        uint64_t word;
        assert_true(
            girt__index_find(&index, GIRT__WIDE, hash, same_word, &i, &word));
    }
    const bool reached = f.fail_at <= f.calls;
    girt__index_destroy(&index);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(failures, reached);
    return reached;
}

static void spills_survive_every_failure(void **state)
{
    (void)state;
    size_t k = 1;
    while (work_spills(k))
        k++;
    assert_true(k > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map64_survives_every_failure),
        cmocka_unit_test(map64_works_on_while_memory_stays_out),
        cmocka_unit_test(map_survives_every_failure),
        cmocka_unit_test(spills_survive_every_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
