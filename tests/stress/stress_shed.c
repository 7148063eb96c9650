/* SPDX-License-Identifier: MIT */
/* Goal: many threads at one door lose no count: overload brings the level down,
 * rest brings it up again.
 * Method: threads ask and tell on a clock that they all move. */
#include <girt/shed.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

enum { THREADS = 4 };

typedef struct arena {
    girt_shed *shed;
    int64_t now_ns;
    int64_t wait_ns;
    size_t calls;
    uint64_t passed[2];
} arena;

static int64_t arena_now(void *context)
{
    return __atomic_load_n(&((arena *)context)->now_ns, __ATOMIC_ACQUIRE);
}

static void ask(void *context, size_t index)
{
    arena *const a = context;
    for (size_t i = 0; i < a->calls; i++) {
        (void)__atomic_fetch_add(&a->now_ns, 1, __ATOMIC_RELAXED);
        unsigned const priority = (unsigned)((i + index) % 2);
        if (girt_shed_admit(a->shed, priority) == GIRT_OK)
            (void)__atomic_fetch_add(&a->passed[priority], 1, __ATOMIC_RELAXED);
        girt_shed_observe(a->shed, a->wait_ns);
    }
}

static void test_threads(void **state)
{
    (void)state;
    arena a = {.calls = scaled(200000), .wait_ns = 11};
    girt_shed_options const o = {.target_ns = 10,
                                 .interval_ns = 1000,
                                 .priorities = 2,
                                 .clock = {arena_now, &a}};
    check_status(girt_shed_create(&a.shed, &o), GIRT_OK);
    threads_run(THREADS, ask, &a);
    printf("overload: %llu and %llu pass\n", (unsigned long long)a.passed[0],
           (unsigned long long)a.passed[1]);
    assert_true(a.passed[0] > a.passed[1]);
    assert_true(a.passed[0] + a.passed[1] < THREADS * a.calls / 2);
    a.wait_ns = 0;
    a.now_ns += 3000;
    a.passed[0] = a.passed[1] = 0;
    threads_run(THREADS, ask, &a);
    assert_true(a.passed[0] + a.passed[1] > THREADS * a.calls / 10 * 9);
    girt_shed_destroy(a.shed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
