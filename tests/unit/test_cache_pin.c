/* SPDX-License-Identifier: MIT */
/* Goal: announcements are seen by who removes, and looked at twice by who
 * reads.  Method: both sides' steps in the orders that threads could take
 * them, on one thread. */
#include "cache/cache_find.h"
#include "support/check.h"

static girt_cache *new_cache(void)
{
    girt_cache *cache = NULL;
    check_status(girt_cache_create(&cache, NULL), GIRT_OK);
    return cache;
}

static void a_mark_is_found_by_the_holder(void **state)
{
    (void)state;
    girt__item item = {.holders = 1};
    bool passing = true;
    uintptr_t *const a = girt__pin_announce(&item, &passing);
    uintptr_t *const b = girt__pin_announce(&item, &passing);
    assert_ptr_not_equal(a, b);
    assert_false(passing);
    assert_null(girt__pin_withdraw(b));
    girt__pin_mark(&item, &item.holders);
    assert_int_equal(item.holders, 2); /* a; b had left */
    assert_ptr_equal(girt__pin_withdraw(a), &item);
    girt__pin_mark(&item, &item.holders);
    assert_int_equal(item.holders, 2);
}

static void beyond_the_slots_is_passing(void **state)
{
    (void)state;
    girt__item item = {.holders = 1};
    uintptr_t *slots[GIRT__PIN_SLOTS];
    bool passing;
    for (uint32_t i = 0; i < GIRT__PIN_SLOTS; i++) {
        slots[i] = girt__pin_announce(&item, &passing);
        assert_false(passing);
    }
    uintptr_t *const last = girt__pin_announce(&item, &passing);
    assert_true(passing);
    girt__pin_mark(&item, &item.holders);
    assert_int_equal(item.holders, 1 + GIRT__PIN_SLOTS + 1);
    assert_ptr_equal(girt__pin_withdraw(last), &item);
    for (uint32_t i = 0; i < GIRT__PIN_SLOTS; i++)
        assert_ptr_equal(girt__pin_withdraw(slots[i]), &item);
}

/* Who evicts looks through the records in use: these stay few. */
static void passing_takes_no_more_records(void **state)
{
    (void)state;
    girt__item item = {.holders = 1};
    bool passing;
    girt__pin_withdraw(girt__pin_announce(&item, &passing));
    const uint32_t before = girt__pins.records;
    assert_true(before < GIRT__PIN_RECORDS);
    beyond_the_slots_is_passing(state);
    assert_int_equal(girt__pins.records, before);
}

static void what_left_before_the_second_look_is_not_held(void **state)
{
    (void)state;
    girt_cache *const cache = new_cache();
    girt__item item = {.holders = 5}, other = {.holders = 5};
    girt__item *place = &item;
    girt__found_item found = {&item, NULL, false};
    assert_true(girt__found_hold(cache, &place, &found));
    girt__pin_mark(&item, &item.holders);
    assert_int_equal(item.holders, 6);
    girt__found_withdraw(cache, &found);
    assert_int_equal(item.holders, 5);
    place = &other; /* replaced between the looks */
    assert_false(girt__found_hold(cache, &place, &found));
    place = NULL; /* removed */
    assert_false(girt__found_hold(cache, &place, &found));
    girt__pin_mark(&item, &item.holders);
    assert_int_equal(item.holders, 5); /* no slot is left behind */
    girt_cache_destroy(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_is_found_by_the_holder),
        cmocka_unit_test(beyond_the_slots_is_passing),
        cmocka_unit_test(passing_takes_no_more_records),
        cmocka_unit_test(what_left_before_the_second_look_is_not_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
