/* SPDX-License-Identifier: MIT */
/* Goal: the table of failed traces has exactly the last 1024 that came.
 * Method: ids out of few, so that they come again, and ids that share a home,
 * beside a plain list. */
#include "trace/failed_traces.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static girt__failed_traces table;
static uint64_t last[GIRT__FAILED_TRACES];
static size_t count;

static bool is_listed(uint64_t id)
{
    size_t const n = count < GIRT__FAILED_TRACES ? count : GIRT__FAILED_TRACES;
    for (size_t i = 0; i < n; i++) {
        if (last[i] == id)
            return true;
    }
    return false;
}

static void play(uint64_t ids, uint64_t step)
{
    rng r = {test_seed()};
    memset(&table, 0, sizeof table);
    count = 0;
    size_t const rounds = scaled(20000);
    for (size_t round = 0; round < rounds; round++) {
        uint64_t const number = rng_next(&r) % ids * step;
        uint64_t const id[2] = {number, 0};
        assert_int_equal(girt__failed_traces_has(&table, id),
                         is_listed(number));
        if (rng_next(&r) % 2 == 0)
            continue;
        if (!is_listed(number))
            last[count++ % GIRT__FAILED_TRACES] = number;
        girt__failed_traces_add(&table, id);
        assert_true(girt__failed_traces_has(&table, id));
    }
}

static void few_ids(void **state)
{
    (void)state;
    play(1000, 1);
}

static void many_ids(void **state)
{
    (void)state;
    play(3000, 1);
}

/* Multiples of 2^43 have one home in four, or so. */
static void crowded_ids(void **state)
{
    (void)state;
    play(2000, (uint64_t)1 << 43);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_ids),
        cmocka_unit_test(many_ids),
        cmocka_unit_test(crowded_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
