/* SPDX-License-Identifier: MIT */
/* Goal: a tracer that gets no memory says so and leaks none; a span that gets
 * none for its ring is counted.  Method: allocation k fails, for all k. */
#include <girt/trace.h>

#include "support/check.h"
#include "support/failing.h"

static bool drop(void *context, const char *text, size_t size)
{
    (void)context;
    (void)text;
    (void)size;
    return true;
}

static void each_allocation_fails(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt_tracer_options const options = {.keep_errors = true,
                                         .allocator = &f.allocator};
    bool made = false;
    for (size_t k = 1; !made; k++) {
        f.calls = 0;
        f.fail_at = k;
        girt_tracer *tracer = NULL;
        girt_status const status = girt_tracer_create(&tracer, &options);
        made = status == GIRT_OK;
        if (!made) {
            check_status(status, GIRT_E_NOMEM);
            assert_null(tracer);
            assert_true(k <= 3);
        }
        girt_tracer_destroy(tracer);
        assert_int_equal(f.live_blocks, 0);
    }
}

static void a_ring_without_memory(void **state)
{
    (void)state;
    for (size_t k = 1; k <= 2; k++) {
        failing f;
        failing_init(&f);
        girt_tracer *tracer = NULL;
        check_status(
            girt_tracer_create(
                &tracer, &(girt_tracer_options){.allocator = &f.allocator}),
            GIRT_OK);
        f.calls = 0;
        f.fail_at = k;
        for (int i = 0; i < 2; i++) {
            girt_span span;
            girt_span_start(&span, tracer, "s", NULL);
            girt_span_end(&span);
        }
        girt_tracer_stats stats;
        girt_tracer_read_stats(tracer, &stats);
        /* The second had memory. */
        assert_int_equal(stats.dropped, 1);
        assert_int_equal(stats.recorded, 1);
        check_status(girt_tracer_write(tracer, GIRT_TRACE_CHROME, drop, NULL),
                     GIRT_OK);
        girt_tracer_destroy(tracer);
        assert_int_equal(f.live_blocks, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_allocation_fails),
        cmocka_unit_test(a_ring_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
