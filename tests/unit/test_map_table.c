/* SPDX-License-Identifier: MIT */
/* Goal: a key whose home is full goes to the roomiest alternative, then to the
 * spill chain, and is found there until its last of that home is gone; a
 * table's lock is that of all its groups; in tables of every size homes are
 * spread evenly and alternatives differ.  Method: one table made by hand in
 * either shape and two sizes, filled group by group with chosen hashes. */
#include "map/map_table.h"

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

enum { HOME = 9, ITEMS = 4000 };

static girt__shape shape;
static uint32_t groups;
static girt__table *table;
static girt__entry entry;
static girt_allocator memory;
static size_t bytes;

/* What words are the addresses of: begins with the hash. */
static uint64_t items[ITEMS];
static uint32_t item_count;

static int begin(void **state, girt__shape wanted, uint32_t how_many)
{
    (void)state;
    shape = wanted;
    groups = how_many;
    item_count = 0;
    check_status(girt__allocator_resolve(&memory, NULL), GIRT_OK);
    bytes = girt__table_bytes(shape, groups);
    void *const block = girt__allocate_zeroed(&memory, bytes, GIRT_CACHELINE);
    assert_non_null(block);
    table = girt__table_in(block, shape, groups);
    table->groups = (uint16_t)groups;
    table->shape = (uint16_t)shape;
    table->bytes = bytes;
    entry = girt__table_entry(table);
    return 0;
}

static int begin_wide(void **state)
{
    return begin(state, GIRT__WIDE, 32);
}

static int begin_line(void **state)
{
    return begin(state, GIRT__LINE, 32);
}

/* No power of two. */
static int begin_wide_whole(void **state)
{
    return begin(state, GIRT__WIDE, 148);
}

static int begin_line_whole(void **state)
{
    return begin(state, GIRT__LINE, 148);
}

static int end(void **state)
{
    (void)state;
    while (table->spill != NULL) {
        girt__spill *const spill = table->spill;
        table->spill = spill->next;
        girt__release(&memory, spill, sizeof *spill);
    }
    assert_in_range((char *)table - (char *)girt__table_block(table), 0, bytes);
    girt__release(&memory, girt__table_block(table), bytes);
    return 0;
}

static girt__spill *add_spill(void)
{
    girt__spill *const spill =
        girt__allocate_zeroed(&memory, sizeof *spill, GIRT_CACHELINE);
    assert_non_null(spill);
    spill->next = table->spill;
    table->spill = spill;
    return spill;
}

static girt__group *group(uint32_t at)
{
    return girt__table_group(entry, shape, at % groups);
}

static uint32_t used_in(girt__group *g)
{
    return girt__shape_slots(shape) -
           (uint32_t)__builtin_popcount(
               girt__header_free(girt__group_read(g), shape));
}

static uint32_t alternative(uint32_t i)
{
    return girt__table_alternative(entry, HOME, i);
}

static bool same_word(const void *key, uint64_t word)
{
    return *(const uint64_t *)key == word;
}

/* A new key of that home, in *word. */
static uint64_t new_key(uint32_t home, uint64_t *word)
{
    assert_true(item_count < ITEMS);
    const uint64_t first = ((home % groups << 16) + groups - 1) / groups;
    items[item_count] = (uint64_t)item_count << 32 | first << 8 | 0x5a;
    *word = (uint64_t)(uintptr_t)&items[item_count];
    return items[item_count++];
}

static girt__place lock_home(uint64_t hash)
{
    girt__place place = {.entry = entry, .hash = hash, .shape = shape};
    place.home = group(girt__table_home(entry, hash));
    assert_true(girt__group_trylock(place.home));
    return place;
}

static girt_status insert_key(uint32_t home, uint64_t *word)
{
    girt__place place = lock_home(new_key(home, word));
    const girt_status status = girt__place_insert(&place, *word);
    assert_false(girt__group_trylock(place.home)); /* still ours */
    girt__place_unlock(&place);
    return status;
}

static void insert_many(uint32_t home, uint32_t count)
{
    uint64_t word;
    for (uint32_t i = 0; i < count; i++)
        check_status(insert_key(home, &word), GIRT_OK);
}

static bool holds(uint64_t word)
{
    uint64_t found = 0;
    const uint64_t hash = *(const uint64_t *)(uintptr_t)word;
    return girt__table_find(entry, shape, hash, same_word, &word, &found) ==
               GIRT__FOUND &&
           found == word;
}

static bool remove_key(uint64_t word)
{
    girt__place place = lock_home(*(const uint64_t *)(uintptr_t)word);
    const bool found = girt__place_find(&place, same_word, &word);
    if (found)
        girt__place_remove(&place);
    girt__place_unlock(&place);
    return found;
}

/* Home and all alternatives, by keys whose home is that very group. */
static void fill_all_but(uint32_t room_in_each_alternative)
{
    const uint32_t slots = girt__shape_slots(shape);
    insert_many(HOME, slots);
    for (uint32_t i = 1; i <= girt__table_alternatives(entry); i++)
        insert_many(alternative(i), slots - room_in_each_alternative);
}

static void used_counts_every_slot(void **state)
{
    (void)state;
    const uint32_t slots = girt__shape_slots(shape);
    assert_int_equal(girt__table_used(table), 0);
    size_t used = 0;
    rng r = {test_seed()};
    for (uint32_t g = 0; g < groups; g++) {
        const uint32_t count = (uint32_t)rng_below(&r, slots + 1);
        insert_many(g, count);
        used += count;
        assert_int_equal(girt__table_used(table), used);
    }
    for (uint32_t g = 0; g < groups; g++)
        insert_many(g, slots - used_in(group(g)));
    assert_int_equal(girt__table_used(table),
                     girt__table_capacity(shape, groups));
    (void)add_spill(); /* is not counted */
    assert_int_equal(girt__table_used(table),
                     girt__table_capacity(shape, groups));
}

static void a_tables_lock_is_that_of_all_groups(void **state)
{
    (void)state;
    girt__table_lock(table);
    for (uint32_t g = 0; g < groups; g++)
        assert_false(girt__group_trylock(group(g)));
    girt__table_unlock(table);
    for (uint32_t g = 0; g < groups; g++) {
        assert_int_equal(group(g)->part.lock, 0);
        assert_true(girt__group_trylock(group(g)));
    }
    girt__table_unlock(table);
}

typedef struct handover {
    uint32_t waiting, left;
} handover;

static void hold_or_wait(void *context, size_t me)
{
    handover *const h = context;
    if (me == 0) {
        while (girt_load_acquire(&h->waiting) == 0)
            girt_pause();
        for (int i = 0; i < 20000; i++)
            girt_pause();
        girt_store_relaxed(&h->left, 1u);
        girt__group_unlock(group(HOME));
        return;
    }
    girt_store_release(&h->waiting, 1u);
    girt__group_lock_wait(group(HOME));
    assert_int_equal(girt_load_relaxed(&h->left), 1);
    girt__group_unlock(group(HOME));
}

static void a_lock_is_waited_for(void **state)
{
    (void)state;
    for (int round = 0; round < 20; round++) {
        handover h = {0, 0};
        assert_true(girt__group_trylock(group(HOME)));
        threads_run(2, hold_or_wait, &h);
        assert_int_equal(group(HOME)->part.lock, 0);
    }
}

/* Each alternative in turn has one slot more than the others. */
static void a_full_home_takes_the_roomiest_alternative(void **state)
{
    (void)state;
    const uint32_t slots = girt__shape_slots(shape);
    insert_many(HOME, slots);
    assert_int_equal(group(HOME)->part.away, 0);
    const uint32_t count = girt__table_alternatives(entry);
    assert_int_equal(count, GIRT__ALTERNATIVES);
    uint8_t away = 0;
    /* The last has the most room, the first the least, but for none. */
    for (uint32_t i = 1; i <= count; i++)
        insert_many(alternative(i), slots - (i < 5 ? i : 5));
    const uint32_t order[] = {5, 6, 7, 4, 5, 6, 7, 3, 4, 5, 6, 7};
    for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
        uint64_t word;
        const uint32_t before = used_in(group(alternative(order[k])));
        check_status(insert_key(HOME, &word), GIRT_OK);
        assert_int_equal(used_in(group(alternative(order[k]))), before + 1);
        away = (uint8_t)(away | 1u << (order[k] - 1));
        assert_int_equal(group(HOME)->part.away, away);
        assert_true(holds(word));
    }
}

static void a_group_that_another_fills_is_busy(void **state)
{
    (void)state;
    uint64_t word;
    fill_all_but(0);
    /* Room in the second alternative only. */
    girt__group *const only = group(alternative(2));
    girt_store_relaxed(&only->part.tags[0], (uint8_t)0);
    const size_t used = girt__table_used(table);
    assert_true(girt__group_trylock(only));
    check_status(insert_key(HOME, &word), GIRT_E_BUSY);
    assert_int_equal(group(HOME)->part.away, 0);
    assert_int_equal(girt__table_used(table), used);
    assert_false(holds(word));
    assert_false(girt__group_trylock(only)); /* was not unlocked for us */
    girt__group_unlock(only);
    check_status(insert_key(HOME, &word), GIRT_OK);
    assert_int_equal(group(HOME)->part.away, 2);
    assert_int_equal(only->part.lock & 1, 0);
}

static void without_room_or_spill_a_table_is_full(void **state)
{
    (void)state;
    uint64_t word;
    fill_all_but(0);
    check_status(insert_key(HOME, &word), GIRT_FULL);
    assert_int_equal(group(HOME)->part.away, 0);
    assert_false(holds(word));
}

static void spills_are_filled_one_after_the_other(void **state)
{
    (void)state;
    const uint32_t slots = girt__shape_slots(shape);
    fill_all_but(0);
    girt__spill *const older = add_spill();
    insert_many(HOME, slots);
    assert_int_equal(used_in(&older->group), slots);
    uint64_t word;
    check_status(insert_key(HOME, &word), GIRT_FULL);
    girt__spill *const newer = add_spill();
    assert_true(girt__group_trylock(&newer->group));
    check_status(insert_key(HOME, &word), GIRT_E_BUSY);
    assert_int_equal(used_in(&newer->group), 0);
    girt__group_unlock(&newer->group);
    check_status(insert_key(HOME, &word), GIRT_OK);
    assert_int_equal(used_in(&newer->group), 1);
    assert_true(holds(word));
    assert_int_equal(group(HOME)->part.away, GIRT__AWAY_SPILL);
    /* One that is free again further down the chain serves, too: when the
     * nearer ones are busy, and when they are full. */
    girt_store_relaxed(&older->group.part.tags[0], (uint8_t)0);
    assert_true(girt__group_trylock(&newer->group));
    check_status(insert_key(HOME, &word), GIRT_OK);
    girt__group_unlock(&newer->group);
    assert_int_equal(used_in(&older->group), slots);
    assert_true(holds(word));
    insert_many(HOME, slots - 1);
    girt_store_relaxed(&older->group.part.tags[slots - 1], (uint8_t)0);
    check_status(insert_key(HOME, &word), GIRT_OK);
    assert_int_equal(used_in(&older->group), slots);
    assert_true(holds(word));
}

/* Two of one home and one of another in the same alternative. */
static void an_away_bit_stays_for_the_last_of_its_home(void **state)
{
    (void)state;
    uint64_t first, second, other;
    fill_all_but(0);
    for (uint32_t s = 1; s <= 2; s++) /* a stranger is before them */
        girt_store_relaxed(&group(alternative(3))->part.tags[s], (uint8_t)0);
    check_status(insert_key(HOME, &first), GIRT_OK);
    check_status(insert_key(HOME, &second), GIRT_OK);
    girt_store_relaxed(&group(alternative(6))->part.tags[0], (uint8_t)0);
    check_status(insert_key(HOME, &other), GIRT_OK);
    assert_int_equal(group(HOME)->part.away, 1 << 2 | 1 << 5);
    assert_true(remove_key(first));
    assert_false(holds(first));
    assert_int_equal(group(HOME)->part.away, 1 << 2 | 1 << 5);
    assert_true(holds(second));
    assert_true(remove_key(second));
    /* The rest of that group are keys at home. */
    assert_int_equal(group(HOME)->part.away, 1 << 5);
    assert_true(holds(other));
    assert_true(remove_key(other));
    assert_int_equal(group(HOME)->part.away, 0);
    assert_false(remove_key(other));
}

static void the_spill_bit_stays_for_the_last_in_any_spill(void **state)
{
    (void)state;
    const uint32_t slots = girt__shape_slots(shape);
    const uint32_t neighbour = HOME + 1;
    uint64_t word, deep, stranger;
    fill_all_but(0);
    (void)add_spill();
    check_status(insert_key(HOME, &deep), GIRT_OK);
    /* A neighbour whose groups are full as well shares the chain. */
    insert_many(neighbour, slots - used_in(group(neighbour)));
    for (uint32_t i = 1; i <= GIRT__ALTERNATIVES; i++) {
        const uint32_t at = girt__table_alternative(entry, neighbour, i);
        insert_many(at, slots - used_in(group(at)));
    }
    check_status(insert_key(neighbour, &stranger), GIRT_OK);
    insert_many(neighbour, slots - 2);
    girt__spill *const newer = add_spill();
    check_status(insert_key(HOME, &word), GIRT_OK);
    assert_int_equal(used_in(&newer->group), 1);
    assert_true(remove_key(word));
    assert_int_equal(group(HOME)->part.away, GIRT__AWAY_SPILL);
    assert_true(holds(deep));
    assert_true(remove_key(deep));
    assert_int_equal(group(HOME)->part.away, 0);
    assert_true(holds(stranger));
    assert_int_equal(group(neighbour)->part.away, GIRT__AWAY_SPILL);
}

static bool is_a_size(uint32_t units)
{
    return (units & (units - 1)) == 0 || units >= GIRT__UNITS_WHOLE;
}

/* The name that the directory gives a table of that many units. */
static girt__entry entry_of(uint32_t units)
{
    girt__table *const whole = table;
    const uint16_t was = whole->groups;
    whole->groups = (uint16_t)(units << GIRT__UNIT_SHIFT);
    const girt__entry name = girt__table_entry(whole);
    whole->groups = was;
    return name;
}

static void an_entry_names_table_and_size(void **state)
{
    (void)state;
    for (uint32_t units = 1; units <= GIRT__UNITS_MAX; units++) {
        const girt__entry name = entry_of(units);
        assert_ptr_equal(girt__entry_table(name), table);
        assert_int_equal(girt__entry_groups(name), units << GIRT__UNIT_SHIFT);
    }
}

/* By the 16 bits above the tag's, and by nothing else. */
static void homes_are_spread_evenly(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (uint32_t units = 1; units <= GIRT__UNITS_MAX; units++) {
        const girt__entry name = entry_of(units);
        const uint32_t count = girt__entry_groups(name);
        uint32_t hits[GIRT__GROUPS_MAX] = {0};
        for (uint64_t bits = 0; bits < 1 << 16; bits++) {
            const uint64_t noise = rng_next(&r) & ~(uint64_t)0xffff00;
            const uint32_t home = girt__table_home(name, noise | bits << 8);
            assert_true(home < count);
            hits[home]++;
        }
        for (uint32_t g = 0; g < count; g++)
            assert_in_range(hits[g], (1u << 16) / count,
                            (1u << 16) / count + 1);
    }
}

static void alternatives_differ_in_every_size(void **state)
{
    (void)state;
    for (uint32_t units = 1; units <= GIRT__UNITS_MAX; units++) {
        const girt__entry name = entry_of(units);
        const uint32_t count = girt__entry_groups(name);
        if (!is_a_size(units))
            continue;
        for (uint32_t home = 0; home < count; home++) {
            uint8_t seen[GIRT__GROUPS_MAX] = {0};
            seen[home] = 1;
            for (uint32_t i = 1; i <= girt__table_alternatives(name); i++) {
                const uint32_t at = girt__table_alternative(name, home, i);
                assert_true(at < count);
                assert_int_equal(seen[at]++, 0);
            }
        }
    }
}

#define both_shapes(test)                                                      \
    cmocka_unit_test_setup_teardown(test, begin_wide, end),                    \
        cmocka_unit_test_setup_teardown(test, begin_line, end),                \
        cmocka_unit_test_setup_teardown(test, begin_wide_whole, end),          \
        cmocka_unit_test_setup_teardown(test, begin_line_whole, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        both_shapes(used_counts_every_slot),
        both_shapes(a_tables_lock_is_that_of_all_groups),
        both_shapes(a_lock_is_waited_for),
        both_shapes(a_full_home_takes_the_roomiest_alternative),
        both_shapes(a_group_that_another_fills_is_busy),
        both_shapes(without_room_or_spill_a_table_is_full),
        both_shapes(spills_are_filled_one_after_the_other),
        both_shapes(an_away_bit_stays_for_the_last_of_its_home),
        both_shapes(the_spill_bit_stays_for_the_last_in_any_spill),
        cmocka_unit_test_setup_teardown(an_entry_names_table_and_size,
                                        begin_wide, end),
        cmocka_unit_test_setup_teardown(homes_are_spread_evenly, begin_wide,
                                        end),
        cmocka_unit_test_setup_teardown(alternatives_differ_in_every_size,
                                        begin_wide, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
