/* SPDX-License-Identifier: MIT */
/* Goal: seeds differ and no byte of a fill is left out.  Method: many seeds
 * compared with each other; fills of every size up to some, looked at byte by
 * byte and past the end. */
#include "core/random.h"

#include <pthread.h>

#include "support/check.h"

static int compare(const void *a, const void *b)
{
    uint64_t const x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void seeds_differ(void **state)
{
    (void)state;
    enum { SEEDS = 4096 };
    static uint64_t seeds[SEEDS];
    for (size_t i = 0; i < SEEDS; i++) {
        seeds[i] = girt__random_seed();
        assert_true(seeds[i] != 0);
    }
    qsort(seeds, SEEDS, sizeof *seeds, compare);
    for (size_t i = 1; i < SEEDS; i++)
        assert_true(seeds[i] != seeds[i - 1]);
}

static void fills_are_whole_and_end_where_asked(void **state)
{
    (void)state;
    enum { MOST = 300, ROUNDS = 8 };
    for (size_t size = 0; size < MOST; size++) {
        unsigned char ever[MOST + 1] = {0};
        for (int round = 0; round < ROUNDS; round++) {
            unsigned char bytes[MOST + 1] = {0};
            girt__random_fill(bytes, size);
            for (size_t i = 0; i <= MOST; i++)
                ever[i] |= bytes[i];
        }
        /* All eight draws of a byte are 0 once in 2^64. */
        for (size_t i = 0; i < size; i++)
            assert_int_not_equal(ever[i], 0);
        for (size_t i = size; i <= MOST; i++)
            assert_int_equal(ever[i], 0);
    }
}

static void *fill_cancelled(void *argument)
{
    (void)pthread_cancel(pthread_self());
    girt__random_fill(argument, 8);
    ((unsigned char *)argument)[8] = 1;
    pthread_testcancel();
    return NULL;
}

/* Who asks has memory in its hands. */
static void a_fill_is_no_cancellation_point(void **state)
{
    (void)state;
    unsigned char bytes[9] = {0};
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(pthread_create(&thread, NULL, fill_cancelled, bytes), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, PTHREAD_CANCELED);
    assert_int_equal(bytes[8], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_differ),
        cmocka_unit_test(fills_are_whole_and_end_where_asked),
        cmocka_unit_test(a_fill_is_no_cancellation_point),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
