/* SPDX-License-Identifier: MIT */
/* Goal: any sequence of calls by one thread answers as a plain list would.
 * Method: random pushes, pops and steals on a deque and on a naive twin. */
#include <girt/deque.h>

#include "queue/deque_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

#define MOST 64

static void play(size_t capacity, rng *random, size_t steps)
{
    girt_deque *deque = NULL;
    check_status(girt_deque_create(&deque, capacity, NULL), GIRT_OK);
    girt__deque_start(deque, 0 - rng_below(random, steps));
    void *list[MOST];
    size_t count = 0;
    for (size_t i = 0; i < steps; i++) {
        void *item = (void *)i, *expected = (void *)i;
        uint64_t const action = rng_below(random, 7);
        if (action < 3) {
            assert_int_equal(girt_deque_push(deque, item), count < capacity);
            if (count < capacity)
                list[count++] = item;
            continue;
        }
        bool const there = count > 0;
        if (action < 5) {
            assert_int_equal(girt_deque_pop(deque, &item), there);
            if (there)
                expected = list[--count];
        } else {
            assert_int_equal(girt_deque_steal(deque, &item), there);
            if (there) {
                expected = list[0];
                memmove(list, list + 1, --count * sizeof *list);
            }
        }
        assert_ptr_equal(item, expected);
        assert_true(girt__deque_is_valid(deque));
    }
    girt_deque_destroy(deque);
}

static void answers_are_those_of_a_list(void **state)
{
    (void)state;
    rng random = {test_seed()};
    for (size_t round = 0; round < scaled(300); round++)
        play(1 + rng_below(&random, MOST), &random, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
