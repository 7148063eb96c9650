/* SPDX-License-Identifier: MIT */
/* Goal: between many threads girt_mpmc loses, doubles and reorders nothing,
 * and is full and empty only when it was.  Method: support/traffic.h in many
 * shapes, with single and batch operations, at small and usual capacities,
 * from early and late tickets, while one more thread counts. */
#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"
#include "support/traffic.h"

static uint64_t seed;

static void run_shape(size_t producers, size_t consumers, size_t items)
{
    static const size_t capacities[] = {1, 2, 3, 8, 50, 1000};
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        for (size_t batch = 1; batch <= 20; batch += 19) {
            size_t const all = capacities[c] < 8 ? items / 8 : items;
            const traffic plan = {
                .kind = &fifo_mpmc,
                .producers = producers,
                .consumers = consumers,
                .capacity = capacities[c],
                .each = scaled(all / producers),
                .batch_max = batch,
                .first = batch == 1 ? 0 : (UINT64_C(1) << 63) - 500,
                .seed = seed++};
            traffic_run(&plan);
        }
    }
}

static void one_to_one(void **state)
{
    (void)state;
    run_shape(1, 1, 60000);
}

static void many_to_one(void **state)
{
    (void)state;
    run_shape(3, 1, 60000);
}

static void one_to_many(void **state)
{
    (void)state;
    run_shape(1, 3, 60000);
}

static void many_to_many(void **state)
{
    (void)state;
    run_shape(2, 2, 60000);
    run_shape(4, 4, 60000);
}

static void far_more_threads_than_processors(void **state)
{
    (void)state;
    run_shape(24, 24, 24000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_to_one),
        cmocka_unit_test(many_to_one),
        cmocka_unit_test(one_to_many),
        cmocka_unit_test(many_to_many),
        cmocka_unit_test(far_more_threads_than_processors),
    };
    seed = test_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
