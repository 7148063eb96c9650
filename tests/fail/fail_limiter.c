/* SPDX-License-Identifier: MIT */
/* Goal: out of memory at any allocation is GIRT_E_NOMEM with nothing leaked, or
 * where a take allocates, a take without a lease.
 * Method: an allocator that fails at step k, for all k. */
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>

#include "support/check.h"
#include "support/failing.h"
#include "support/threads.h"

static void test_create(void **state)
{
    (void)state;
    for (uint64_t lease = 0; lease <= 5; lease += 5) {
        size_t steps = 0;
        for (size_t k = 1;; k++) {
            failing f;
            failing_init(&f);
            f.fail_at = k;
            girt_limiter_options const options = {.rate = {10, 1000, 20},
                                                  .lease = lease,
                                                  .allocator = &f.allocator};
            girt_limiter *limiter = NULL;
            girt_status const status = girt_limiter_create(&limiter, &options);
            if (status == GIRT_OK) {
                check_status(girt_limiter_take(limiter, 1, NULL), GIRT_OK);
                girt_limiter_destroy(limiter);
            } else {
                check_status(status, GIRT_E_NOMEM);
                assert_null(limiter);
                steps++;
            }
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.live_bytes, 0);
            if (f.calls < k)
                break;
        }
        assert_int_equal(steps, lease == 0 ? 1 : 2);
    }
}

static void test_create_keyed(void **state)
{
    (void)state;
    size_t steps = 0;
    for (size_t k = 1;; k++) {
        failing f;
        failing_init(&f);
        f.fail_at = k;
        girt_keyed_limiter_options const options = {
            .rate = {10, 1000, 20}, .keys = 100, .allocator = &f.allocator};
        girt_keyed_limiter *limiter = NULL;
        girt_status const status =
            girt_keyed_limiter_create(&limiter, &options);
        if (status == GIRT_OK) {
            check_status(girt_keyed_limiter_take(limiter, "a", 1, 1, NULL),
                         GIRT_OK);
            girt_keyed_limiter_destroy(limiter);
        } else {
            check_status(status, GIRT_E_NOMEM);
            assert_null(limiter);
            steps++;
        }
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.live_bytes, 0);
        if (f.calls < k)
            break;
    }
    assert_int_equal(steps, 3);
}

typedef struct many {
    girt_limiter *limiter;
    uint64_t admitted;
} many;

static void take_ten(void *context, size_t index)
{
    (void)index;
    many *const m = context;
    for (int i = 0; i < 10; i++)
        if (girt_limiter_take_at(m->limiter, 1, 0, NULL) == GIRT_OK)
            (void)__atomic_add_fetch(&m->admitted, 1, __ATOMIC_RELAXED);
}

/* The blocks of leases beyond the first are allocated by takes. */
static void test_no_leases(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    int64_t now = 0;
    girt_limiter_options options = {
        .rate = {0, 1, 400}, .lease = 4, .allocator = &f.allocator};
    girt_clock_manual(&options.clock, &now);
    many m = {0};
    check_status(girt_limiter_create(&m.limiter, &options), GIRT_OK);
    f.fail_at = f.calls + 1;
    f.fail_all_after = true;
    threads_run(20, take_ten, &m);
    assert_int_equal(m.admitted, 200);
    while (girt_limiter_take_at(m.limiter, 1, 0, NULL) == GIRT_OK)
        m.admitted++;
    assert_int_equal(m.admitted, 400);
    girt_limiter_destroy(m.limiter);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.live_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create),
        cmocka_unit_test(test_create_keyed),
        cmocka_unit_test(test_no_leases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
