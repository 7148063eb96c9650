/* SPDX-License-Identifier: MIT */
/* Goal: an index keeps every word whatever its hashes are: spread, all in one
 * home, all equal, all with the same top bits, none of which may make it grow
 * without bound.  Method: families of chosen hashes inserted, looked up,
 * removed and walked, with the audit walker after each step. */
#include "map/map_index.h"

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/threads.h"

/* What a word is the address of: begins with the hash. */
typedef struct item {
    uint64_t hash;
} item;

static item items[200000];

/* Entries of equal hash are told apart by their word. */
static bool same_word(const void *key, uint64_t word)
{
    return *(const uint64_t *)key == word;
}

static uint64_t word_of(uint64_t hash, uint64_t i)
{
    assert_true(i < sizeof items / sizeof *items);
    items[i].hash = hash;
    return (uint64_t)(uintptr_t)&items[i];
}

static bool holds(girt__index *index, uint64_t hash, uint64_t i)
{
    uint64_t found = 0;
    const uint64_t word = word_of(hash, i);
    return girt__index_find(index, index->shape, hash, same_word, &word,
                            &found) &&
           found == word;
}

static girt_status insert(girt__index *index, uint64_t hash, uint64_t i)
{
    const uint64_t word = word_of(hash, i);
    for (;;) {
        girt__place place = girt__index_lock(index, index->shape, hash);
        assert_false(girt__place_find(&place, same_word, &word));
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

static bool take_out(girt__index *index, uint64_t hash, uint64_t i)
{
    const uint64_t word = word_of(hash, i);
    girt__place place = girt__index_lock(index, index->shape, hash);
    const bool found = girt__place_find(&place, same_word, &word);
    if (found)
        girt__place_remove(&place);
    girt__place_unlock(&place);
    return found;
}

typedef uint64_t (*family)(uint64_t i);

static uint64_t spread(uint64_t i)
{
    rng r = {i * 77};
    return rng_next(&r);
}

static uint64_t all_equal(uint64_t i)
{
    (void)i;
    return 0x123456789abcdef0u;
}

static uint64_t one_home(uint64_t i) /* of any table; tags differ */
{
    rng r = {i};
    return (rng_next(&r) & ~(uint64_t)0xffff00) | 0x5500;
}

static uint64_t same_top(uint64_t i) /* no split helps */
{
    rng r = {i};
    return rng_next(&r) >> 40;
}

static uint64_t one_home_same_top(uint64_t i)
{
    return i & 255;
}

static uint64_t tag_zero(uint64_t i)
{
    return spread(i) << 8;
}

static size_t walk_all(girt__index *index)
{
    girt__snapshot snapshot = {.last = false};
    size_t count = 0;
    while (!snapshot.last) {
        check_status(girt__snapshot_next(index, &snapshot), GIRT_OK);
        count += snapshot.count;
    }
    girt__snapshot_free(index, &snapshot);
    return count;
}

/* Inserts n, removes the odd ones, inserts those again, removes all. */
static void run_shape(girt__shape shape, family hash, uint64_t n,
                      size_t bytes_max)
{
    failing f;
    failing_init(&f);
    girt__index index;
    check_status(girt__index_init(&index, shape, 0, 0, &f.allocator), GIRT_OK);
    for (uint64_t i = 0; i < n; i++) {
        check_status(insert(&index, hash(i), i), GIRT_OK);
        if ((i & (i - 1)) == 0)
            for (uint64_t j = 0; j <= i; j++)
                assert_true(holds(&index, hash(j), j));
    }
    assert_true(girt__index_is_valid(&index));
    assert_true(girt__index_bytes(&index) <= bytes_max);
    assert_int_equal(walk_all(&index), n);
    for (uint64_t i = 1; i < n; i += 2)
        assert_true(take_out(&index, hash(i), i));
    assert_true(girt__index_is_valid(&index));
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(holds(&index, hash(i), i), i % 2 == 0);
    for (uint64_t i = 1; i < n; i += 2)
        check_status(insert(&index, hash(i), i), GIRT_OK);
    for (uint64_t i = 0; i < n; i++) {
        assert_true(holds(&index, hash(i), i));
        assert_true(take_out(&index, hash(i), i));
        assert_false(holds(&index, hash(i), i));
    }
    assert_true(girt__index_is_valid(&index));
    assert_int_equal(walk_all(&index), 0);
    const size_t counted = girt__index_bytes(&index);
    assert_int_equal(counted, f.live_bytes);
    girt__index_destroy(&index);
    assert_int_equal(f.live_blocks, 0);
}

static void run_family(family hash, uint64_t n, size_t bytes_max)
{
    run_shape(GIRT__WIDE, hash, n, bytes_max);
    run_shape(GIRT__LINE, hash, n, 2 * bytes_max);
}

static void spread_hashes(void **state)
{
    (void)state;
    run_family(spread, 20000, 20000 * 45);
}

static void equal_hashes(void **state)
{
    (void)state;
    run_family(all_equal, 500, 500 * 24 + 100000);
}

static void hashes_of_one_home(void **state)
{
    (void)state;
    run_family(one_home, 500, 500 * 24 + 100000);
}

static void hashes_with_the_same_top(void **state)
{
    (void)state;
    /* Ten splits in vain before it is seen that none helps. */
    run_family(same_top, 4000, 4000 * 80 + 10 * 50000);
}

static void hashes_of_one_home_with_the_same_top(void **state)
{
    (void)state;
    run_family(one_home_same_top, 500, 500 * 24 + 100000);
}

static void hashes_whose_tag_byte_is_zero(void **state)
{
    (void)state;
    run_family(tag_zero, 5000, 5000 * 64);
}

/* Not the sizes of one table, from none to several. */
static void presized_indices(void **state)
{
    (void)state;
    const size_t sizes[] = {1, 37, 38, 700, 2393, 2394, 2395, 50000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        failing f;
        failing_init(&f);
        girt__index index;
        check_status(
            girt__index_init(&index, GIRT__WIDE, sizes[s], 0, &f.allocator),
            GIRT_OK);
        const size_t before = girt__index_bytes(&index);
        const size_t calls = f.calls;
        for (uint64_t i = 0; i < sizes[s] * 9 / 10; i++)
            check_status(insert(&index, spread(i), i), GIRT_OK);
        /* Chance may split one of many tables early. */
        if (sizes[s] <= 2395) {
            assert_int_equal(girt__index_bytes(&index), before);
            assert_int_equal(f.calls, calls);
        }
        for (uint64_t i = sizes[s] * 9 / 10; i < sizes[s] * 4; i++)
            check_status(insert(&index, spread(i), i), GIRT_OK);
        for (uint64_t i = 0; i < sizes[s] * 4; i++)
            assert_true(holds(&index, spread(i), i));
        assert_true(girt__index_is_valid(&index));
        girt__index_destroy(&index);
        assert_int_equal(f.live_blocks, 0);
    }
}

/* As large as they need be, whatever the number. */
static void presized_indices_take_little_more_than_they_need(void **state)
{
    (void)state;
    for (size_t expected = 20000; expected < 3000000;
         expected += expected / 50) {
        failing f;
        failing_init(&f);
        girt__index index;
        check_status(
            girt__index_init(&index, GIRT__WIDE, expected, 0, &f.allocator),
            GIRT_OK);
        const size_t slots =
            index.tables *
            girt__table_capacity(
                GIRT__WIDE, girt__entry_groups(index.directory->entries[0]));
        assert_true(slots >= expected * 10 / 7);
        assert_true(slots <= expected * 10 / 7 * 9 / 8 + 1000);
        assert_int_equal(girt__index_bytes(&index), f.live_bytes);
        assert_true(f.live_bytes <= expected * 29);
        girt__index_destroy(&index);
        assert_int_equal(f.live_blocks, 0);
    }
}

static void what_was_expected_fits_without_growing(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt__index index;
    const size_t expected = 100000;
    check_status(
        girt__index_init(&index, GIRT__WIDE, expected, 0, &f.allocator),
        GIRT_OK);
    const uint32_t tables = index.tables;
    for (uint64_t i = 0; i < expected; i++)
        check_status(insert(&index, spread(i), i), GIRT_OK);
    assert_int_equal(index.tables, tables);
    girt__index_destroy(&index);
    assert_int_equal(f.live_blocks, 0);
}

static void many_first_tables(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt__index index;
    check_status(girt__index_init(&index, GIRT__WIDE, 0, 100, &f.allocator),
                 GIRT_OK);
    assert_int_equal(index.tables, 128);
    for (uint64_t i = 0; i < 20000; i++)
        check_status(insert(&index, spread(i), i), GIRT_OK);
    assert_int_equal(index.tables, 128);
    assert_true(girt__index_is_valid(&index));
    assert_int_equal(walk_all(&index), 20000);
    girt__index_destroy(&index);
    assert_int_equal(f.live_blocks, 0);
}

static void absurd_sizes_are_refused_untouched(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt__index index;
    const size_t sizes[] = {SIZE_MAX, (size_t)1 << 63, ((size_t)1 << 40) + 1};
    for (size_t i = 0; i < 3; i++)
        check_status(
            girt__index_init(&index, GIRT__WIDE, sizes[i], 0, &f.allocator),
            GIRT_E_TOO_LARGE);
    check_status(
        girt__index_init(&index, GIRT__WIDE, (size_t)1 << 40, 0, &f.allocator),
        GIRT_E_NOMEM);
    check_status(
        girt__index_init(&index, GIRT__WIDE, 0, SIZE_MAX, &f.allocator),
        GIRT_E_TOO_LARGE);
    assert_int_equal(f.calls, 0);
}

/* Removals must not leave away bits that lengthen every later search. */
static void away_bits_are_rebuilt(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt__index index;
    check_status(girt__index_init(&index, GIRT__WIDE, 2000, 0, &f.allocator),
                 GIRT_OK);
    for (uint64_t i = 0; i < 60; i++)
        check_status(insert(&index, one_home(i), i), GIRT_OK);
    const girt__entry entry = girt__index_entry(&index, one_home(0));
    girt__group *const home = girt__table_group(
        entry, GIRT__WIDE, girt__table_home(entry, one_home(0)));
    assert_int_not_equal(home->part.away, 0);
    for (uint64_t i = 0; i < 60; i++)
        assert_true(take_out(&index, one_home(i), i));
    assert_int_equal(home->part.away, 0);
    girt__index_destroy(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spread_hashes),
        cmocka_unit_test(equal_hashes),
        cmocka_unit_test(hashes_of_one_home),
        cmocka_unit_test(hashes_with_the_same_top),
        cmocka_unit_test(hashes_of_one_home_with_the_same_top),
        cmocka_unit_test(hashes_whose_tag_byte_is_zero),
        cmocka_unit_test(presized_indices),
        cmocka_unit_test(presized_indices_take_little_more_than_they_need),
        cmocka_unit_test(what_was_expected_fits_without_growing),
        cmocka_unit_test(many_first_tables),
        cmocka_unit_test(absurd_sizes_are_refused_untouched),
        cmocka_unit_test(away_bits_are_rebuilt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
