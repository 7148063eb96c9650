/* SPDX-License-Identifier: MIT */
/* Goal: a table without room is replaced while it is small, split when it is
 * whole, and gets a spill when neither would help; no key is lost or doubled
 * by it, and a step that memory stops leaves everything as it was.  Method:
 * single steps on an index, with hashes chosen for each, a counting allocator,
 * and walks that are compared with what was put in. */
#include "map/map_grow.h"

#include "support/check.h"
#include "support/failing.h"
#include "support/rng.h"
#include "support/threads.h"

enum { ITEMS = 40000 };

static failing f;
static girt__index tree;
static girt__shape shape;

/* What words are the addresses of: begins with the hash. */
static uint64_t items[ITEMS];
static uint32_t item_count;

static int begin(girt__shape wanted, size_t tables)
{
    failing_init(&f);
    shape = wanted;
    item_count = 0;
    check_status(girt__index_init(&tree, shape, 0, tables, &f.allocator),
                 GIRT_OK);
    return 0;
}

static int begin_wide(void **state)
{
    (void)state;
    return begin(GIRT__WIDE, 0);
}

static int begin_line(void **state)
{
    (void)state;
    return begin(GIRT__LINE, 0);
}

static int end(void **state)
{
    (void)state;
    girt__index_destroy(&tree);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.live_bytes, 0);
    return 0;
}

static bool same_word(const void *key, uint64_t word)
{
    return *(const uint64_t *)key == word;
}

/* One attempt; the key is remembered when it is in. */
static girt_status try_insert(uint64_t hash)
{
    assert_true(item_count < ITEMS);
    items[item_count] = hash;
    girt__place place = girt__index_lock(&tree, shape, hash);
    const girt_status status =
        girt__place_insert(&place, (uintptr_t)&items[item_count]);
    girt__place_unlock(&place);
    item_count += status == GIRT_OK;
    return status;
}

static girt_status grow_for(uint64_t hash)
{
    return girt__index_grow(&tree, girt__index_entry(&tree, hash), hash);
}

static void insert_key(uint64_t hash)
{
    girt_status status;
    while ((status = try_insert(hash)) == GIRT_FULL)
        check_status(grow_for(hash), GIRT_OK);
    check_status(status, GIRT_OK);
}

static uint64_t spread(rng *r)
{
    return rng_next(r);
}

/* Random keys until one does not fit; answers its hash. */
static uint64_t fill(rng *r)
{
    for (;;) {
        const uint64_t hash = spread(r);
        if (try_insert(hash) == GIRT_FULL)
            return hash;
    }
}

static girt__table *table_of(uint64_t hash)
{
    return girt__entry_table(girt__index_entry(&tree, hash));
}

static uint32_t directory_depth(void)
{
    return tree.directory->depth;
}

static void check_all_there(void)
{
    for (uint32_t i = 0; i < item_count; i++) {
        const uint64_t word = (uintptr_t)&items[i];
        uint64_t found = 0;
        assert_true(
            girt__index_find(&tree, shape, items[i], same_word, &word, &found));
        assert_int_equal(found, word);
    }
    assert_true(girt__index_is_valid(&tree));
}

/* Each key once, in any table. */
static void check_each_once(void)
{
    static uint8_t seen[ITEMS];
    memset(seen, 0, sizeof seen);
    uint32_t count = 0;
    uint64_t prefix = 0;
    do {
        girt__table *const table = table_of(prefix);
        girt__walk walk = girt__walk_begin(table);
        while (girt__walk_next(&walk)) {
            const uint64_t *const item =
                (const uint64_t *)(uintptr_t)girt_load_relaxed(
                    girt__slot_word(walk.slot, shape));
            assert_true(item >= items && item < items + item_count);
            assert_int_equal(girt__walk_hash(&walk), *item);
            assert_int_equal(seen[item - items]++, 0);
            count++;
        }
        prefix = girt__table_next_prefix(table, prefix);
    } while (prefix != 0);
    assert_int_equal(count, item_count);
}

static void directories_are_counted(void **state)
{
    (void)state;
    const size_t blocks = f.live_blocks;
    const size_t counted = girt__index_bytes(&tree);
    girt__directory *const old = tree.directory;
    f.fail_at = f.calls + 1;
    assert_null(girt__directory_create(&tree, 7, old));
    assert_int_equal(girt__index_bytes(&tree), counted);
    girt__directory *const directory = girt__directory_create(&tree, 7, old);
    assert_non_null(directory);
    assert_int_equal(f.live_blocks, blocks + 1);
    assert_int_equal(girt__directory_bytes(7),
                     sizeof(girt__directory) + 128 * sizeof(girt__entry));
    assert_int_equal(girt__index_bytes(&tree),
                     counted + girt__directory_bytes(7));
    assert_ptr_equal(directory->older, old);
    assert_int_equal(directory->depth, 7);
    assert_int_equal(UINT64_MAX >> directory->shift, 127);
    assert_int_equal((uintptr_t)directory % GIRT_CACHELINE, 0);
    /* All of it is ours to write: the index frees both. */
    for (size_t i = 0; i < 128; i++)
        directory->entries[i] = old->entries[i >> 6];
    girt_store_relaxed(&tree.directory, directory);
}

static void a_small_table_is_replaced_by_a_larger_one(void **state)
{
    (void)state;
    rng r = {test_seed()};
    const uint32_t groups[] = {16, 64, GIRT__GROUPS_MAX};
    for (size_t step = 0; step < 3; step++) {
        const uint64_t hash = fill(&r);
        girt__table *const old = table_of(hash);
        const size_t counted = girt__index_bytes(&tree);
        check_status(grow_for(hash), GIRT_OK);
        girt__table *const new = table_of(hash);
        assert_ptr_not_equal(new, old);
        assert_ptr_equal(table_of(~hash), new);
        assert_int_equal(new->groups, groups[step]);
        assert_int_equal(new->shape, shape);
        assert_int_equal(new->depth, 0);
        assert_int_equal(tree.tables, 1);
        assert_int_equal(directory_depth(), 1);
        assert_int_equal(girt__index_bytes(&tree),
                         counted + girt__table_bytes(shape, groups[step]));
        assert_int_equal(girt__index_bytes(&tree), f.live_bytes);
        check_each_once();
        check_all_there();
        insert_key(hash);
    }
}

static void a_whole_table_is_split_by_the_next_bit(void **state)
{
    (void)state;
    rng r = {test_seed()};
    while (table_of(0)->groups < GIRT__GROUPS_WHOLE)
        check_status(grow_for(fill(&r)), GIRT_OK);
    for (uint32_t tables = 2; tables <= 9; tables++) {
        const uint64_t hash = fill(&r);
        girt__table *const old = table_of(hash);
        const uint32_t depth = old->depth;
        const uint32_t before = directory_depth();
        const size_t used = girt__table_used(old);
        check_status(grow_for(hash), GIRT_OK);
        const uint64_t bit = (uint64_t)1 << (63 - depth);
        girt__table *const zero = table_of(hash & ~bit);
        girt__table *const one = table_of(hash | bit);
        assert_ptr_equal(zero, old);
        assert_ptr_not_equal(one, old);
        assert_int_equal(zero->depth, depth + 1);
        assert_int_equal(one->depth, depth + 1);
        assert_in_range(one->groups, GIRT__GROUPS_WHOLE, GIRT__GROUPS_MAX);
        assert_int_equal(girt__table_used(zero) + girt__table_used(one), used);
        assert_int_equal(tree.tables, tables);
        assert_int_equal(directory_depth(),
                         before > depth ? before : depth + 1);
        assert_int_equal(girt__index_bytes(&tree), f.live_bytes);
        check_each_once();
        check_all_there();
    }
}

/* Of any 16 tables in turn each half of the sizes has six or more. */
static void sizes_of_new_tables_are_spread(void **state)
{
    (void)state;
    rng r = {test_seed()};
    while (table_of(0)->groups < GIRT__GROUPS_WHOLE)
        check_status(grow_for(fill(&r)), GIRT_OK);
    uint32_t small = 0;
    for (uint32_t step = 1; step <= 16; step++) {
        girt__table *const last = tree.all;
        while (tree.all == last)
            insert_key(spread(&r));
        assert_in_range(tree.all->groups, GIRT__GROUPS_WHOLE, GIRT__GROUPS_MAX);
        small += tree.all->groups < (GIRT__GROUPS_WHOLE + GIRT__GROUPS_MAX) / 2;
    }
    assert_in_range(small, 6, 10);
}

/* Bits for keys that left would lengthen later searches. */
static void a_split_leaves_no_away_bit_behind(void **state)
{
    (void)state;
    rng r = {test_seed()};
    while (table_of(0)->groups < GIRT__GROUPS_WHOLE)
        check_status(grow_for(fill(&r)), GIRT_OK);
    const uint64_t hash = fill(&r);
    check_status(grow_for(hash), GIRT_OK);
    for (uint64_t top = 0; top < 2; top++) {
        girt__table *const table = table_of(top << 63);
        const girt__entry entry = girt__table_entry(table);
        uint8_t needed[GIRT__GROUPS_MAX] = {0};
        girt__walk walk = girt__walk_begin(table);
        uint32_t away_from_home = 0;
        while (girt__walk_next(&walk)) {
            const uint64_t at = girt__walk_hash(&walk);
            const uint8_t away = girt__walk_away(&walk, at);
            needed[girt__table_home(entry, at)] |= away;
            away_from_home += away != 0;
        }
        if (top == 0) /* the other half was filled anew, with room at home */
            assert_int_not_equal(away_from_home, 0);
        for (uint32_t g = 0; g < girt__entry_groups(entry); g++) {
            girt__group *const group = girt__table_group(entry, shape, g);
            assert_int_equal(group->part.away, needed[g]);
            assert_int_equal(group->part.lock & 1, 0);
        }
    }
}

/* Equal hashes: neither a larger table nor a split makes room. */
static void keys_of_one_home_get_a_spill(void **state)
{
    (void)state;
    const uint64_t hash = 0xabcdef0123456789;
    for (int i = 0; i < 400; i++)
        insert_key(hash);
    assert_int_equal(tree.tables, 1);
    assert_int_equal(directory_depth(), 1);
    girt__table *const table = table_of(hash);
    assert_non_null(table->spill);
    assert_int_equal(girt__index_bytes(&tree), f.live_bytes);
    check_each_once();
    check_all_there();

    /* A walk visits the chain last and tells the home's bit for it. */
    girt__walk walk = girt__walk_begin(table);
    uint32_t in_spills = 0;
    while (girt__walk_next(&walk)) {
        in_spills += walk.spill != NULL;
        assert_int_equal(walk.spill != NULL, in_spills != 0);
        if (walk.spill != NULL)
            assert_int_equal(girt__walk_away(&walk, hash), GIRT__AWAY_SPILL);
    }
    assert_int_equal(in_spills + girt__table_used(table), 400);
    /* One more spill is all that a step adds. */
    const size_t counted = girt__index_bytes(&tree);
    girt__spill *const newest = table->spill;
    check_status(grow_for(hash), GIRT_OK);
    assert_int_equal(girt__index_bytes(&tree), counted + sizeof(girt__spill));
    assert_ptr_equal(table->spill->next, newest);
}

/* A split of a table with spills: what stays in the chain, what leaves it. */
static void a_chain_is_split_with_its_table(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (uint64_t i = 0; i < 120; i++)
        insert_key((i & 1) << 63 | 0x5511);
    girt__table *const table = table_of(0);
    assert_non_null(table->spill);
    while (table_of(0) == table && tree.tables == 1) {
        const uint64_t hash = spread(&r);
        insert_key(hash);
    }
    while (tree.tables == 1)
        insert_key(spread(&r));
    check_each_once();
    check_all_there();
}

/* The splits in vain are bounded by what the number of tables calls for. */
static void same_top_bits_end_in_a_spill(void **state)
{
    (void)state;
    rng r = {test_seed()};
    const uint32_t more =
        2 * (uint32_t)girt__table_capacity(shape, GIRT__GROUPS_MAX);
    for (uint32_t i = 0; i < more; i++)
        insert_key(spread(&r) >> 40);
    assert_non_null(table_of(0)->spill);
    /* Each split in vain is one table more: 6 bits more than log2 of those. */
    assert_true(tree.tables <= 16);
    assert_true(directory_depth() <= 10);
    check_each_once();
    check_all_there();
}

static void a_step_that_another_did_is_not_done_again(void **state)
{
    (void)state;
    rng r = {test_seed()};
    /* Replaced. */
    uint64_t hash = fill(&r);
    girt__entry stale = girt__index_entry(&tree, hash);
    check_status(grow_for(hash), GIRT_OK);
    size_t counted = girt__index_bytes(&tree);
    girt__table *const all = tree.all;
    check_status(girt__index_grow(&tree, stale, hash), GIRT_OK);
    assert_int_equal(girt__index_bytes(&tree), counted);
    assert_int_equal(f.live_bytes, counted);
    assert_ptr_equal(tree.all, all);
    /* Split: the table of the other half is not that of the hash. */
    while (table_of(0)->groups < GIRT__GROUPS_WHOLE)
        check_status(grow_for(fill(&r)), GIRT_OK);
    hash = fill(&r);
    stale = girt__index_entry(&tree, 0);
    check_status(grow_for(hash), GIRT_OK);
    counted = girt__index_bytes(&tree);
    check_status(girt__index_grow(&tree, stale, UINT64_MAX), GIRT_OK);
    assert_int_equal(girt__index_bytes(&tree), counted);
    assert_int_equal(f.live_bytes, counted);
    assert_int_equal(tree.tables, 2);
    check_each_once();
    check_all_there();
}

/* Each allocation of the step fails in turn. */
static void grow_against_failures(uint64_t hash, size_t allocations)
{
    const size_t counted = girt__index_bytes(&tree);
    const uint32_t tables = tree.tables;
    const uint32_t depth = table_of(hash)->depth;
    const girt__entry entry = girt__index_entry(&tree, hash);
    for (size_t k = 1; k <= allocations; k++) {
        f.fail_at = f.calls + k;
        check_status(grow_for(hash), GIRT_E_NOMEM);
        assert_int_equal(girt__index_bytes(&tree), counted);
        assert_int_equal(f.live_bytes, counted);
        assert_int_equal(tree.tables, tables);
        assert_int_equal(table_of(hash)->depth, depth);
        assert_int_equal(girt__index_entry(&tree, hash), entry);
        check_each_once();
        check_all_there();
    }
    f.fail_at = 0;
    const size_t calls = f.calls;
    check_status(grow_for(hash), GIRT_OK);
    assert_int_equal(f.calls, calls + allocations);
    check_all_there();
}

static void memory_that_is_out_changes_nothing(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int step = 0; step < 3; step++)
        grow_against_failures(fill(&r), 1); /* the table */
    grow_against_failures(fill(&r), 1);     /* depth 1 was there */
    for (;;) {
        const uint64_t hash = fill(&r);
        if (table_of(hash)->depth == directory_depth()) {
            grow_against_failures(hash, 2); /* the directory, too */
            break;
        }
        check_status(grow_for(hash), GIRT_OK);
    }
}

static void memory_that_is_out_adds_no_spill(void **state)
{
    (void)state;
    const uint64_t hash = 77;
    while (table_of(0)->spill == NULL)
        insert_key(hash);
    while (try_insert(hash) == GIRT_OK)
        continue;
    grow_against_failures(hash, 1);
}

static girt_status make_room(uint64_t hash, girt_status why)
{
    girt__place place = girt__index_lock(&tree, shape, hash);
    const girt_status status = girt__index_make_room(&tree, &place, why);
    assert_true(girt__group_trylock(place.home));
    girt__group_unlock(place.home);
    return status;
}

static void room_is_made_when_full_not_when_busy(void **state)
{
    (void)state;
    rng r = {test_seed()};
    const uint64_t hash = fill(&r);
    const size_t calls = f.calls;
    const girt__entry entry = girt__index_entry(&tree, hash);
    check_status(make_room(hash, GIRT_E_BUSY), GIRT_OK);
    assert_int_equal(f.calls, calls);
    assert_int_equal(girt__index_entry(&tree, hash), entry);
    f.fail_at = calls + 1;
    check_status(make_room(hash, GIRT_FULL), GIRT_E_NOMEM);
    f.fail_at = 0;
    check_status(make_room(hash, GIRT_FULL), GIRT_OK);
    assert_int_not_equal(girt__index_entry(&tree, hash), entry);
    check_status(try_insert(hash), GIRT_OK);
    check_all_there();
}

#define both_shapes(test)                                                      \
    cmocka_unit_test_setup_teardown(test, begin_wide, end),                    \
        cmocka_unit_test_setup_teardown(test, begin_line, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(directories_are_counted, begin_wide,
                                        end),
        both_shapes(a_small_table_is_replaced_by_a_larger_one),
        both_shapes(a_whole_table_is_split_by_the_next_bit),
        both_shapes(sizes_of_new_tables_are_spread),
        both_shapes(a_split_leaves_no_away_bit_behind),
        both_shapes(keys_of_one_home_get_a_spill),
        both_shapes(a_chain_is_split_with_its_table),
        both_shapes(same_top_bits_end_in_a_spill),
        both_shapes(a_step_that_another_did_is_not_done_again),
        both_shapes(memory_that_is_out_changes_nothing),
        both_shapes(memory_that_is_out_adds_no_spill),
        both_shapes(room_is_made_when_full_not_when_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
