/* SPDX-License-Identifier: MIT */
/* Goal: a pool tells a registry what runs, what waits and how long tasks took.
 * Method: tasks that stand at a barrier while the pool is looked at. */
#include <girt/workers.h>

#include <pthread.h>

#include "support/check.h"
#include "support/fake_registry.h"

typedef struct gate {
    pthread_barrier_t reached, open;
} gate;

static void stand(void *argument)
{
    gate *const g = argument;
    (void)pthread_barrier_wait(&g->reached);
    (void)pthread_barrier_wait(&g->open);
}

static void pass(void *argument)
{
    (void)argument;
}

static fake_registry registry;

static double value_of(const char *series)
{
    return fake_value(&registry, series, "w", NULL);
}

static void a_pool_tells_what_it_does(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    gate g;
    assert_int_equal(pthread_barrier_init(&g.reached, NULL, 3), 0);
    assert_int_equal(pthread_barrier_init(&g.open, NULL, 3), 0);
    girt_workers *pool = NULL;
    check_status(
        girt_workers_create(
            &pool, &(girt_workers_options){.threads = 2,
                                           .queue_capacity = 3,
                                           .name = "w",
                                           .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_workers_threads") == 2);
    assert_true(value_of("girt_workers_queue_capacity") == 3);
    assert_true(value_of("girt_workers_busy") == 0);
    for (int i = 0; i < 2; i++)
        check_status(girt_workers_submit(pool, stand, &g, GIRT_FOREVER),
                     GIRT_OK);
    (void)pthread_barrier_wait(&g.reached);
    for (int i = 0; i < 3; i++)
        check_status(girt_workers_submit(pool, pass, NULL, GIRT_FOREVER),
                     GIRT_OK);
    check_status(girt_workers_submit(pool, pass, NULL, GIRT_NOW), GIRT_FULL);
    check_status(girt_workers_submit(pool, pass, NULL, 1000), GIRT_TIMEOUT);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_workers_busy") == 2);
    assert_true(value_of("girt_workers_queued") == 3);
    assert_true(value_of("girt_workers_full_total") == 2);
    assert_true(value_of("girt_workers_task_ns") == 0);
    (void)pthread_barrier_wait(&g.open);
    check_status(girt_workers_drain(pool, GIRT_FOREVER), GIRT_OK);
    fake_registry_scrape(&registry);
    assert_true(value_of("girt_workers_busy") == 0);
    assert_true(value_of("girt_workers_queued") == 0);
    assert_true(value_of("girt_workers_task_ns") == 5);
    /* Two stood while the pool was looked at. */
    assert_true(fake_find(&registry, "girt_workers_task_ns", "w", NULL)->sum >
                2000);
    girt_workers_destroy(pool);
    (void)pthread_barrier_destroy(&g.reached);
    (void)pthread_barrier_destroy(&g.open);
    fake_registry_end(&registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_tells_what_it_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
