/* SPDX-License-Identifier: MIT */
/* Goal: a registry in a segment counts for all processes, killed ones included,
 * and any of them scrapes all.
 * Method: children that count and are killed; the parent's sums and text. */
#include <girt/shared.h>

#include <signal.h>
#include <unistd.h>

#include "shared/shared_internal.h"
#include "support/check.h"
#include "support/segment.h"

static girt_counter *open_counter(girt_metrics *metrics)
{
    girt_counter *counter;
    check_status(
        girt_counter_create(&counter, metrics, "served", "Requests.", NULL),
        GIRT_OK);
    return counter;
}

static int count_and_die(void *context)
{
    girt_shared *const shared = context;
    girt_metrics *metrics;
    if (girt_metrics_shared(&metrics, shared, "m") != GIRT_OK)
        return 1;
    girt_counter_add(open_counter(metrics), 10);
    (void)raise(SIGKILL);
    return 0;
}

static bool keep(void *context, const char *text, size_t size)
{
    char *const kept = context;
    (void)strncat(kept, text, size);
    return true;
}

static void test_all_see_all(void **state)
{
    (void)state;
    girt_shared *shared;
    girt_metrics *metrics;
    check_status(girt_shared_create(&shared, NULL, 1 << 20, 0), GIRT_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(child_wait(child_start(count_and_die, shared)),
                         1000 + SIGKILL);
    check_status(girt_metrics_shared(&metrics, shared, "m"), GIRT_OK);
    girt_shared_close(shared);
    girt_counter *const counter = open_counter(metrics);
    girt_counter_add(counter, 5);
    assert_int_equal(girt_counter_value(counter), 35);
    static char text[65536];
    check_status(girt_metrics_write(metrics, GIRT_PROMETHEUS_TEXT, keep, text),
                 GIRT_OK);
    assert_non_null(strstr(text, "served_total 35\n"));
    girt_metrics_destroy(metrics);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    girt_shared *shared;
    girt_metrics *metrics = NULL;
    check_status(girt_shared_create(&shared, NULL, 1 << 20, 0), GIRT_OK);
    check_status(girt_metrics_shared(NULL, shared, "m"), GIRT_E_INVALID);
    check_status(girt_metrics_shared(&metrics, NULL, "m"), GIRT_E_INVALID);
    check_status(girt_metrics_shared(&metrics, shared, NULL), GIRT_E_INVALID);
    check_status(girt_metrics_shared(&metrics, shared, ""), GIRT_E_INVALID);
    assert_null(metrics);
    girt_shared_close(shared);
    check_status(girt_shared_create(&shared, NULL, 60000, 0), GIRT_OK);
    check_status(girt_metrics_shared(&metrics, shared, "m"), GIRT_E_NOMEM);
    girt_shared_close(shared);
}

/* Half of the room, or what is left. */
static void test_room(void **state)
{
    (void)state;
    girt_shared *shared;
    girt_metrics *first, *second, *third;
    check_status(girt_shared_create(&shared, NULL, 1 << 18, 0), GIRT_OK);
    check_status(girt_metrics_shared(&first, shared, "a"), GIRT_OK);
    assert_int_equal(shared->header->parts[0].bytes, 1 << 17);
    girt_limiter *limiter;
    girt_limiter_options const options = {.rate = {1, 1, 1}};
    check_status(girt_limiter_shared(&limiter, shared, "l", &options), GIRT_OK);
    check_status(girt_metrics_shared(&second, shared, "b"), GIRT_OK);
    assert_int_equal(shared->header->parts[2].bytes, (1 << 17) - 4096);
    check_status(girt_metrics_shared(&third, shared, "c"), GIRT_E_NOMEM);
    check_status(girt_metrics_shared(&third, shared, "l"), GIRT_E_INVALID);
    girt_limiter_destroy(limiter);
    girt_metrics_destroy(first);
    girt_metrics_destroy(second);
    girt_shared_close(shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_see_all),
        cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
