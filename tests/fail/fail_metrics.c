/* SPDX-License-Identifier: MIT */
/* Goal: out of memory at any allocation is GIRT_E_NOMEM, leaves the registry as
 * it was, and leaks nothing.  Method: the same creations with allocation k
 * failing, for every k, until none fails; after a failure the text is the same
 * and the next try works. */
#include <girt/metrics.h>

#include "metrics/metrics_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/scrape.h"

enum { WORK = 90 };

static girt_status one_call(girt_metrics *metrics, size_t i)
{
    char name[24];
    static char value[1000];
    (void)snprintf(name, sizeof name, "m%zu", i % 30);
    memset(value, 'v', sizeof value - 1);
    value[i % 999] = '\0'; /* short ones and long ones */
    const char *const labels[] = {"l", value, NULL};
    girt_counter *c = NULL;
    girt_gauge *g = NULL;
    girt_histogram *h = NULL;
    girt_status status;
    if (i % 3 == 0)
        status = girt_counter_create(&c, metrics, name, "help", labels);
    else if (i % 3 == 1)
        status = girt_gauge_create(&g, metrics, name, "help", labels);
    else
        status = girt_histogram_create(&h, metrics, name, "help", labels);
    const bool made = c != NULL || g != NULL || h != NULL;
    assert_int_equal(made, status == GIRT_OK);
    return status;
}

/* false: allocation k was never reached. */
static bool work(size_t k)
{
    failing f;
    failing_init(&f);
    f.fail_at = k;
    girt_metrics *metrics = NULL;
    girt_status status = girt_metrics_create(&metrics, &f.allocator);
    if (status != GIRT_OK) {
        check_status(status, GIRT_E_NOMEM);
        assert_null(metrics);
        assert_int_equal(f.live_blocks, 0);
        return true;
    }
    size_t failures = 0;
    for (size_t i = 0; i < WORK; i++) {
        const bool reached = f.calls >= k;
        scrape before, after;
        if (!reached)
            scrape_take(&before, metrics, GIRT_OPENMETRICS_TEXT);
        const size_t handles = metrics->handle_count;
        status = one_call(metrics, i);
        if (status != GIRT_OK) {
            check_status(status, GIRT_E_NOMEM);
            failures++;
            assert_int_equal(metrics->handle_count, handles);
            scrape_take(&after, metrics, GIRT_OPENMETRICS_TEXT);
            assert_string_equal(before.text, after.text);
            scrape_free(&after);
            check_status(one_call(metrics, i), GIRT_OK);
        }
        if (!reached)
            scrape_free(&before);
        assert_int_equal(metrics->handle_count, handles + 1);
    }
    assert_true(failures <= 1);
    assert_true(girt__metrics_is_valid(metrics));
    girt_metrics_destroy(metrics);
    assert_int_equal(f.live_blocks, 0);
    return k <= f.calls;
}

static void every_allocation_fails(void **state)
{
    (void)state;
    size_t k = 1;
    while (work(k))
        k++;
    assert_true(k > WORK);
}

static void works_on_while_memory_stays_out(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_metrics *metrics = NULL;
    check_status(girt_metrics_create(&metrics, &f.allocator), GIRT_OK);
    girt_counter *c = NULL, *again = NULL;
    check_status(girt_counter_create(&c, metrics, "c", "", NULL), GIRT_OK);
    f.fail_at = f.calls + 1;
    f.fail_all_after = true;
    for (size_t i = 0; i < 2000; i++)
        check_status(one_call(metrics, i), GIRT_E_NOMEM);
    check_status(girt_counter_create(&again, metrics, "c", "", NULL), GIRT_OK);
    assert_ptr_equal(c, again);
    girt_counter_add(c, 1);
    scrape s;
    scrape_take(&s, metrics, GIRT_PROMETHEUS_TEXT);
    assert_true(scrape_has_line(&s, "c_total 1"));
    scrape_free(&s);
    girt_metrics_destroy(metrics);
    assert_int_equal(f.live_blocks, 0);
}

/* Wherever in a block memory ends: what was taken is given back. */
static void gives_back_what_it_took(void **state)
{
    (void)state;
    static char help[GIRT_METRICS_TEXT_MAX + 1];
    memset(help, 'h', sizeof help - 1);
    for (size_t pad = 0; pad < GIRT__ARENA_FIRST; pad += 512) {
        failing f;
        failing_init(&f);
        girt_metrics *metrics = NULL;
        check_status(girt_metrics_create(&metrics, &f.allocator), GIRT_OK);
        girt__arena *const arena = &metrics->arena;
        uint64_t offset;
        check_status(girt__arena_take(arena, pad + 8, 8, &offset), GIRT_OK);
        const size_t used = arena->used;
        girt_counter *c = NULL;
        for (size_t k = 1; c == NULL; k++) {
            f.calls = 0;
            f.fail_at = k;
            const girt_status status =
                girt_counter_create(&c, metrics, "c", help, NULL);
            if (status == GIRT_OK)
                break;
            check_status(status, GIRT_E_NOMEM);
            assert_int_equal(arena->used, used);
            assert_int_equal(arena->count, 1);
            assert_true(girt__arena_head(arena)->slab == 0);
        }
        girt_metrics_destroy(metrics);
        assert_int_equal(f.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_fails),
        cmocka_unit_test(works_on_while_memory_stays_out),
        cmocka_unit_test(gives_back_what_it_took),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
