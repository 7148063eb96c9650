/* SPDX-License-Identifier: MIT */
/* Goal: no guard leaks or half exists when memory runs out.
 * Method: each is made with an allocator whose k-th call fails, for every k. */
#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/concurrency.h>
#include <girt/retry.h>
#include <girt/shed.h>

#include "support/check.h"
#include "support/failing.h"

typedef girt_status (*maker)(void **out, const girt_allocator *allocator);

/* Makes with every k failing; `steps` is how many allocations there are. */
static void each_fails(maker make, void (*destroy)(void *object),
                       size_t steps_wanted)
{
    size_t steps = 0;
    for (size_t k = 1;; k++) {
        failing f;
        failing_init(&f);
        f.fail_at = k;
        void *object = NULL;
        girt_status const status = make(&object, &f.allocator);
        if (status == GIRT_OK) {
            destroy(object);
        } else {
            check_status(status, GIRT_E_NOMEM);
            assert_null(object);
            steps++;
        }
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.live_bytes, 0);
        if (f.calls < k)
            break;
    }
    assert_int_equal(steps, steps_wanted);
}

static girt_status make_retry(void **out, const girt_allocator *allocator)
{
    girt_retry_budget *budget = NULL;
    girt_status const status = girt_retry_budget_create(
        &budget, &(girt_retry_budget_options){.allocator = allocator});
    *out = budget;
    return status;
}

static void destroy_retry(void *budget)
{
    girt_retry_budget_destroy(budget);
}

static void test_retry(void **state)
{
    (void)state;
    each_fails(make_retry, destroy_retry, 1);
}

static girt_status make_bulkhead(void **out, const girt_allocator *allocator)
{
    girt_bulkhead *bulkhead = NULL;
    girt_status const status = girt_bulkhead_create(
        &bulkhead,
        &(girt_bulkhead_options){.inside_max = 16, .allocator = allocator});
    *out = bulkhead;
    return status;
}

static void destroy_bulkhead(void *bulkhead)
{
    girt_bulkhead_destroy(bulkhead);
}

static void test_bulkhead(void **state)
{
    (void)state;
    each_fails(make_bulkhead, destroy_bulkhead, 1);
}

static girt_status make_breaker(void **out, const girt_allocator *allocator)
{
    girt_breaker *breaker = NULL;
    girt_status const status = girt_breaker_create(
        &breaker, &(girt_breaker_options){.allocator = allocator});
    *out = breaker;
    return status;
}

static void destroy_breaker(void *breaker)
{
    girt_breaker_destroy(breaker);
}

static void test_breaker(void **state)
{
    (void)state;
    each_fails(make_breaker, destroy_breaker, 2);
}

static girt_status make_concurrency(void **out, const girt_allocator *allocator)
{
    girt_concurrency *object = NULL;
    girt_status const status = girt_concurrency_create(
        &object, &(girt_concurrency_options){.allocator = allocator});
    *out = object;
    return status;
}

static void destroy_concurrency(void *object)
{
    girt_concurrency_destroy(object);
}

static void test_concurrency(void **state)
{
    (void)state;
    each_fails(make_concurrency, destroy_concurrency, 1);
}

static girt_status make_shed(void **out, const girt_allocator *allocator)
{
    girt_shed *object = NULL;
    girt_status const status =
        girt_shed_create(&object, &(girt_shed_options){.allocator = allocator});
    *out = object;
    return status;
}

static void destroy_shed(void *object)
{
    girt_shed_destroy(object);
}

static void test_shed(void **state)
{
    (void)state;
    each_fails(make_shed, destroy_shed, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry),   cmocka_unit_test(test_bulkhead),
        cmocka_unit_test(test_breaker), cmocka_unit_test(test_concurrency),
        cmocka_unit_test(test_shed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
