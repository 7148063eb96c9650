/* SPDX-License-Identifier: MIT */
/* Goal: girt_fast_cas2_acq_rel changes both words or none.  Method: wrong
 * expectations in either word alone, then threads that count in both words at
 * once, where a torn write would make them differ for ever. */
#include <girt/fast/atomic.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

static void both_words_decide(void **state)
{
    (void)state;
    girt_fast_pair pair = {{1, 2}};
    assert_false(girt_fast_cas2_acq_rel(&pair, 1, 3, 8, 9));
    assert_false(girt_fast_cas2_acq_rel(&pair, 3, 2, 8, 9));
    assert_false(girt_fast_cas2_acq_rel(&pair, 2, 1, 8, 9));
    assert_int_equal(pair.word[0], 1);
    assert_int_equal(pair.word[1], 2);
    assert_true(girt_fast_cas2_acq_rel(&pair, 1, 2, UINT64_MAX, 0));
    assert_true(pair.word[0] == UINT64_MAX && pair.word[1] == 0);
    assert_true(girt_fast_cas2_acq_rel(&pair, UINT64_MAX, 0, 0, UINT64_MAX));
    assert_true(pair.word[0] == 0 && pair.word[1] == UINT64_MAX);
}

static girt_fast_pair shared_pair;

static void count_in_both(void *context, size_t index)
{
    (void)index;
    size_t const turns = *(size_t *)context;
    for (size_t done = 0; done < turns;) {
        uint64_t const low = girt_fast_load_relaxed(&shared_pair.word[0]);
        uint64_t const high = girt_fast_load_relaxed(&shared_pair.word[1]);
        if (girt_fast_cas2_acq_rel(&shared_pair, low, high, low + 1, high - 3))
            done++;
    }
}

static void no_write_is_torn_or_lost(void **state)
{
    (void)state;
    size_t turns = scaled(200000);
    shared_pair = (girt_fast_pair){{0, 0}};
    threads_run(4, count_in_both, &turns);
    assert_int_equal(shared_pair.word[0], 4 * turns);
    assert_true(shared_pair.word[1] == 0 - 3 * (uint64_t)(4 * turns));
}

static void backing_off_is_bounded(void **state)
{
    (void)state;
    unsigned pauses = 16;
    for (int i = 0; i < 20; i++)
        girt_fast_back_off(&pauses);
    assert_int_equal(pauses, 256);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_words_decide),
        cmocka_unit_test(no_write_is_torn_or_lost),
        cmocka_unit_test(backing_off_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
