/* SPDX-License-Identifier: MIT */
/* Goal: no addition is lost, whatever the thread's index, and counters side by
 * side stay apart.  Method: given indices on one thread, real threads in more
 * generations than there are cells, and sums read while they add. */
#include "core/tally.h"

#include "support/check.h"
#include "support/failing.h"
#include "support/scale.h"
#include "support/threads.h"

static failing memory;

static girt__tally made(size_t counters)
{
    failing_init(&memory);
    girt__tally tally;
    check_status(girt__tally_init(&tally, counters, &memory.allocator),
                 GIRT_OK);
    return tally;
}

static void end(girt__tally *tally)
{
    girt__tally_destroy(tally, &memory.allocator);
    assert_int_equal(memory.live_blocks, 0);
    assert_int_equal(memory.live_bytes, 0);
}

static void every_index_counts(void **state)
{
    (void)state;
    girt__tally tally = made(3);
    uint64_t expected = 0;
    for (uint32_t i = 0; i < 3 * GIRT__TALLY_CELLS; i++, expected += i)
        girt__tally_add_at(&tally, i, 1, i + 1);
    girt__tally_add_at(&tally, GIRT__THREADS_MAX - 1, 1, 7);
    girt__tally_add_at(&tally, UINT32_MAX, 2, 1);
    girt__tally_add(&tally, 2, (uint64_t)1 << 40);
    assert_int_equal(girt__tally_sum(&tally, 0), 0);
    assert_int_equal(girt__tally_sum(&tally, 1), expected + 7);
    assert_int_equal(girt__tally_sum(&tally, 2), ((uint64_t)1 << 40) + 1);
    end(&tally);
}

static void counters_stay_apart_and_cells_on_their_lines(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 15, 16, 17, 32, 33, 200};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        girt__tally tally = made(counts[i]);
        assert_int_equal((uintptr_t)tally.words % GIRT_DESTRUCTIVE, 0);
        assert_int_equal(tally.stride * sizeof(uint64_t) % GIRT_DESTRUCTIVE, 0);
        assert_true(tally.stride >= counts[i]);
        for (uint32_t index = 0; index < 100; index++)
            for (size_t which = 0; which < counts[i]; which++)
                girt__tally_add_at(&tally, index, which, which + 1);
        for (size_t which = 0; which < counts[i]; which++)
            assert_int_equal(girt__tally_sum(&tally, which), 100 * (which + 1));
        end(&tally);
    }
}

static void sums_wrap(void **state)
{
    (void)state;
    girt__tally tally = made(1);
    girt__tally_add_at(&tally, 0, 0, UINT64_MAX);
    girt__tally_add_at(&tally, 1, 0, 5);
    girt__tally_add_at(&tally, 40, 0, (uint64_t)0 - 3);
    assert_int_equal(girt__tally_sum(&tally, 0), 1);
    end(&tally);
}

typedef struct crowd {
    girt__tally tally;
    size_t each;
    uint64_t seen;
    bool fell;
} crowd;

static void add_all(void *context, size_t index)
{
    crowd *const c = context;
    for (size_t i = 0; i < c->each; i++) {
        girt__tally_add(&c->tally, 0, 1);
        girt__tally_add(&c->tally, 1, index);
    }
}

/* Index 0 reads while the others add. */
static void add_or_read(void *context, size_t index)
{
    crowd *const c = context;
    if (index != 0) {
        add_all(context, index);
        return;
    }
    for (int i = 0; i < 1000; i++) {
        uint64_t const sum = girt__tally_sum(&c->tally, 0);
        c->fell = c->fell || sum < c->seen;
        c->seen = sum;
    }
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    /* More than have cells of their own, so that some share; and generations,
     * so that indices pass from thread to thread. */
    enum { THREADS = 70, GENERATIONS = 3 };
    crowd c = {.tally = made(2), .each = scaled(2000)};
    for (int i = 0; i < GENERATIONS; i++) {
        threads_run(THREADS, add_or_read, &c);
        assert_false(c.fell);
    }
    uint64_t const sum = (uint64_t)GENERATIONS * c.each;
    assert_int_equal(girt__tally_sum(&c.tally, 0), sum * (THREADS - 1));
    assert_int_equal(girt__tally_sum(&c.tally, 1),
                     sum * (THREADS * (THREADS - 1) / 2));
    end(&c.tally);
}

static void add_to_one_cell(void *context, size_t index)
{
    crowd *const c = context;
    uint32_t const shared =
        GIRT__TALLY_OWN + (uint32_t)index * GIRT__TALLY_SHARED;
    for (size_t i = 0; i < c->each; i++)
        girt__tally_add_at(&c->tally, shared, 0, 1);
}

static void a_shared_cell_loses_nothing(void **state)
{
    (void)state;
    crowd c = {.tally = made(1), .each = scaled(4000000)};
    threads_run(4, add_to_one_cell, &c);
    assert_int_equal(girt__tally_sum(&c.tally, 0), 4 * c.each);
    assert_int_equal(
        girt_load_relaxed(&c.tally.words[GIRT__TALLY_OWN * c.tally.stride]),
        4 * c.each);
    end(&c.tally);
}

static void failures_leave_nothing(void **state)
{
    (void)state;
    failing_init(&memory);
    memory.fail_at = 1;
    girt__tally tally = {NULL, 0};
    check_status(girt__tally_init(&tally, 4, &memory.allocator), GIRT_E_NOMEM);
    check_status(girt__tally_init(&tally, SIZE_MAX, &memory.allocator),
                 GIRT_E_TOO_LARGE);
    check_status(girt__tally_init(&tally, SIZE_MAX / 512, &memory.allocator),
                 GIRT_E_TOO_LARGE);
    assert_null(tally.words);
    end(&tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_counts),
        cmocka_unit_test(counters_stay_apart_and_cells_on_their_lines),
        cmocka_unit_test(sums_wrap),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(a_shared_cell_loses_nothing),
        cmocka_unit_test(failures_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
