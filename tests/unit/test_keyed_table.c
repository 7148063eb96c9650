/* SPDX-License-Identifier: MIT */
/* Goal: the table holds as many keys as were asked for, whichever they are, and
 * one slot for each.
 * Method: chosen hashes, all with one home; the walker after each step; threads
 * that claim the same few keys. */
#include "limiter/keyed_table.h"

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static girt_allocator allocator;

static void open_table(girt__keyed_table *table, uint64_t keys)
{
    check_status(girt__allocator_resolve(&allocator, NULL), GIRT_OK);
    check_status(girt__keyed_table_create(table, keys, &allocator), GIRT_OK);
}

static girt_status take(girt__keyed_table *table, uint64_t hash, int64_t need,
                        int64_t room, int64_t time, int64_t *due)
{
    girt__keyed_ask const ask = {hash, need, room, time, time};
    girt__keyed_answer answer = {0, 0};
    girt_status const status = girt__keyed_table_take(table, &ask, &answer);
    *due = answer.due;
    return status;
}

/* All keys in one group's neighbourhood: the worst set there is. */
static void test_one_home(void **state)
{
    (void)state;
    for (uint64_t keys = 1; keys < 200; keys += 1 + keys / 3) {
        girt__keyed_table table;
        int64_t due;
        open_table(&table, keys);
        for (uint64_t hash = 1; hash <= keys; hash++)
            check_status(take(&table, hash, 10, 20, 0, &due), GIRT_OK);
        assert_true(girt__keyed_table_is_valid(&table));
        assert_true(table.used == keys);
        check_status(take(&table, keys + 1, 10, 20, 0, &due), GIRT_FULL);
        assert_int_equal(due, 10);
        for (uint64_t hash = 1; hash <= keys; hash++) {
            check_status(take(&table, hash, 10, 20, 0, &due), GIRT_OK);
            check_status(take(&table, hash, 10, 20, 0, &due), GIRT_LIMITED);
            assert_int_equal(due, 10);
        }
        check_status(take(&table, keys + 1, 10, 20, 18, &due), GIRT_FULL);
        check_status(take(&table, keys + 1, 10, 20, 20, &due), GIRT_OK);
        for (uint64_t hash = 1000; hash < 1000 + keys - 1; hash++)
            check_status(take(&table, hash, 10, 20, 20, &due), GIRT_OK);
        check_status(take(&table, 5000, 10, 20, 20, &due), GIRT_FULL);
        assert_true(girt__keyed_table_is_valid(&table));
        girt__keyed_table_destroy(&table, &allocator);
    }
}

/* Threads that stopped after they had counted a slot, and before they wrote in
 * it, hold no key's place. */
static void test_counted_only(void **state)
{
    (void)state;
    for (uint64_t keys = 1; keys < 200; keys += 1 + keys / 3) {
        girt__keyed_table table;
        int64_t due;
        open_table(&table, keys);
        table.used = 3;
        for (uint64_t hash = 1; hash <= keys; hash++)
            check_status(take(&table, hash, 10, 20, 0, &due), GIRT_OK);
        check_status(take(&table, keys + 1, 10, 20, 0, &due), GIRT_FULL);
        assert_int_equal(due, 10);
        check_status(take(&table, keys + 1, 10, 20, 20, &due), GIRT_OK);
        assert_true(table.used >= 4);
        table.used -= 3;
        assert_true(girt__keyed_table_is_valid(&table));
        girt__keyed_table_destroy(&table, &allocator);
    }
}

/* A bucket that was thrown away by a newer time is not full to an older. */
static void test_forgotten(void **state)
{
    (void)state;
    girt__keyed_table table;
    int64_t due;
    open_table(&table, 1);
    check_status(take(&table, 7, 20, 20, 100, &due), GIRT_OK); /* until 120 */
    check_status(take(&table, 8, 20, 20, 120, &due), GIRT_OK); /* until 140 */
    check_status(take(&table, 8, 2, 20, 139, &due), GIRT_OK);
    check_status(take(&table, 9, 2, 20, 142, &due), GIRT_OK); /* 8 is gone */
    check_status(take(&table, 7, 20, 20, 121, &due), GIRT_LIMITED);
    assert_int_equal(due, 142);
    girt__keyed_table_destroy(&table, &allocator);
}

typedef struct arena {
    girt__keyed_table table;
    int64_t time;
    uint64_t seed;
} arena;

static void claim(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    for (size_t i = 0; i < scaled(100000); i++) {
        int64_t const time =
            2 * (int64_t)(__atomic_add_fetch(&a->time, 1, __ATOMIC_RELAXED));
        int64_t due;
        (void)take(&a->table, 1 + rng_below(&r, 12), 10, 20,
                   time - 2 * (int64_t)rng_below(&r, 8), &due);
    }
}

static void test_claims(void **state)
{
    (void)state;
    arena a = {.seed = test_seed()};
    open_table(&a.table, 8);
    threads_run(4, claim, &a);
    assert_true(girt__keyed_table_is_valid(&a.table));
    girt__keyed_table_destroy(&a.table, &allocator);
}

static void test_too_large(void **state)
{
    (void)state;
    girt__keyed_table table;
    check_status(girt__keyed_table_create(&table, UINT64_MAX, &allocator),
                 GIRT_E_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_home),  cmocka_unit_test(test_counted_only),
        cmocka_unit_test(test_forgotten), cmocka_unit_test(test_claims),
        cmocka_unit_test(test_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
