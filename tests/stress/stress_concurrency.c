/* SPDX-License-Identifier: MIT */
/* Goal: never more inside than the largest limit allows, places all come back.
 * Method: threads enter and leave with random outcomes; inside is counted. */
#include <girt/concurrency.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4, MAX = 3 };

typedef struct arena {
    girt_concurrency *limit;
    size_t calls;
    uint64_t seed;
    uint32_t inside, passed;
} arena;

static void pass(void *context, size_t index)
{
    arena *const a = context;
    rng r = {a->seed + index};
    for (size_t i = 0; i < a->calls; i++) {
        girt_permit permit;
        if (girt_concurrency_enter(a->limit, &permit) != GIRT_OK)
            continue;
        assert_true(__atomic_add_fetch(&a->inside, 1, __ATOMIC_RELAXED) <= MAX);
        (void)__atomic_add_fetch(&a->passed, 1, __ATOMIC_RELAXED);
        (void)__atomic_sub_fetch(&a->inside, 1, __ATOMIC_RELAXED);
        uint64_t const limit = girt_concurrency_limit(a->limit);
        assert_true(limit >= 1 && limit <= MAX);
        girt_concurrency_leave(a->limit, &permit,
                               (girt_outcome)(rng_below(&r, 40) % 3));
    }
}

static void test_places(void **state)
{
    (void)state;
    for (int kind = 0; kind < 3; kind++) {
        arena a = {.calls = scaled(200000), .seed = test_seed()};
        girt_concurrency_options const o = {
            .kind = (girt_concurrency_kind)kind, .min = 1, .max = MAX};
        check_status(girt_concurrency_create(&a.limit, &o), GIRT_OK);
        threads_run(THREADS, pass, &a);
        assert_true(a.passed > 0);
        girt_permit permits[MAX];
        uint64_t const limit = girt_concurrency_limit(a.limit);
        for (uint64_t i = 0; i < limit; i++)
            check_status(girt_concurrency_enter(a.limit, &permits[i]), GIRT_OK);
        girt_permit last;
        check_status(girt_concurrency_enter(a.limit, &last), GIRT_REJECTED);
        girt_concurrency_destroy(a.limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_places)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
