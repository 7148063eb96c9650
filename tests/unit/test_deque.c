/* SPDX-License-Identifier: MIT */
/* Goal: the deque's calls answer as documented, at any capacity and across the
 * wrap of its indexes.  Method: one thread in both roles against plain
 * counters, from indexes near 2^32, 2^63 and 2^64. */
#include <girt/deque.h>

#include "queue/deque_internal.h"
#include "support/check.h"
#include "support/failing.h"

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    girt_deque *deque = (girt_deque *)(void *)&state;
    failing f;
    failing_init(&f);
    girt_allocator const half = {.release = f.allocator.release};
    check_status(girt_deque_create(NULL, 1, NULL), GIRT_E_INVALID);
    check_status(girt_deque_create(&deque, 0, NULL), GIRT_E_INVALID);
    check_status(girt_deque_create(&deque, 1, &half), GIRT_E_INVALID);
    check_status(girt_deque_create(&deque, ((size_t)1 << 32) + 1, NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_deque_create(&deque, (size_t)1 << 63, NULL),
                 GIRT_E_TOO_LARGE);
    check_status(girt_deque_create(&deque, SIZE_MAX, NULL), GIRT_E_TOO_LARGE);
    assert_ptr_equal(deque, &state);
    girt_deque_destroy(NULL);
}

static void both_ends(size_t capacity, uint64_t index)
{
    girt_deque *deque = NULL;
    check_status(girt_deque_create(&deque, capacity, NULL), GIRT_OK);
    girt__deque_start(deque, index);
    void *item = (void *)7;
    assert_false(girt_deque_pop(deque, &item));
    assert_false(girt_deque_steal(deque, &item));
    assert_ptr_equal(item, (void *)7);
    for (size_t lap = 0; lap < 5; lap++) {
        for (size_t i = 0; i < capacity; i++)
            assert_true(girt_deque_push(deque, (void *)i));
        assert_false(girt_deque_push(deque, NULL));
        assert_true(girt__deque_is_valid(deque));
        /* Thieves get the oldest, the owner the newest. */
        size_t low = 0, high = capacity;
        while (low < high) {
            if (lap % 3 == 0 || (lap % 3 == 1 && high % 2 == 0)) {
                assert_true(girt_deque_pop(deque, &item));
                assert_ptr_equal(item, (void *)--high);
            } else {
                assert_true(girt_deque_steal(deque, &item));
                assert_ptr_equal(item, (void *)low++);
                if (lap % 3 == 2 && low == 1) {
                    assert_true(girt_deque_push(deque, (void *)high++));
                    assert_false(girt_deque_push(deque, NULL));
                }
            }
        }
        assert_false(girt_deque_pop(deque, &item));
        assert_false(girt_deque_steal(deque, &item));
        assert_true(girt__deque_is_valid(deque));
    }
    girt_deque_destroy(deque);
}

static void every_capacity_at_every_index(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 2, 3, 4, 5, 7, 8, 9, 33, 1000};
    static const uint64_t indexes[] = {0, UINT32_MAX - 2, INT64_MAX - 2,
                                       (uint64_t)INT64_MAX, UINT64_MAX - 2};
    for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
        for (size_t i = 0; i < 5; i++)
            both_ends(capacities[c], indexes[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(every_capacity_at_every_index),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
