/* SPDX-License-Identifier: MIT */
/* Goal: what a guard tells a registry is what happened.  Method: calls of known
 * outcome under a manual clock, and the samples of a scrape after each. */
#include <math.h>

#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/concurrency.h>
#include <girt/retry.h>
#include <girt/shed.h>

#include "support/check.h"
#include "support/fake_registry.h"
#include "support/threads.h"

static fake_registry registry;
static int64_t now;
static girt_clock manual;

static int begin(void **state)
{
    (void)state;
    fake_registry_init(&registry);
    now = 1000000;
    girt_clock_manual(&manual, &now);
    return 0;
}

static int end(void **state)
{
    (void)state;
    fake_registry_end(&registry);
    return 0;
}

#define check_value(series, label_value, expected)                             \
    assert_true(fake_value(&registry, (series), "g", (label_value)) ==         \
                (double)(expected))

/* ---- breaker ----------------------------------------------------------- */

static void check_breaker_state(const char *expected)
{
    static const char *const states[] = {"closed", "open", "half_open",
                                         "forced_open", "forced_closed"};
    for (size_t i = 0; i < 5; i++)
        check_value("girt_breaker_state", states[i],
                    strcmp(states[i], expected) == 0);
}

static void call_through(girt_breaker *b, girt_outcome outcome)
{
    girt_permit permit;
    check_status(girt_breaker_enter(b, &permit), GIRT_OK);
    girt_breaker_leave(b, &permit, outcome);
    girt_breaker_leave(b, &permit, outcome); /* ignored */
}

static void a_breaker_tells_states_and_calls(void **state)
{
    (void)state;
    girt_breaker *b = NULL;
    check_status(
        girt_breaker_create(
            &b, &(girt_breaker_options){.calls_min = 4,
                                        .open_ns = 1000,
                                        .clock = manual,
                                        .name = "g",
                                        .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    fake_registry_scrape(&registry);
    check_breaker_state("closed");
    check_value("girt_breaker_transitions_total", "open", 0);
    call_through(b, GIRT_SUCCESS);
    call_through(b, GIRT_IGNORED);
    call_through(b, (girt_outcome)77);
    for (int i = 0; i < 3; i++)
        call_through(b, GIRT_FAILURE);
    girt_permit permit;
    for (int i = 0; i < 5; i++)
        check_status(girt_breaker_enter(b, &permit), GIRT_REJECTED);
    fake_registry_scrape(&registry);
    check_breaker_state("open");
    check_value("girt_breaker_transitions_total", "open", 1);
    check_value("girt_breaker_calls_total", "success", 1);
    check_value("girt_breaker_calls_total", "failure", 3);
    check_value("girt_breaker_calls_total", "ignored", 2);
    check_value("girt_breaker_rejected_total", NULL, 5);
    now += 1000;
    fake_registry_scrape(&registry);
    check_breaker_state("half_open");
    check_status(girt_breaker_enter(b, &permit), GIRT_OK);
    girt_permit second;
    check_status(girt_breaker_enter(b, &second), GIRT_REJECTED);
    girt_breaker_leave(b, &permit, GIRT_SUCCESS);
    girt_breaker_force(b, GIRT_BREAKER_CLOSED); /* it was */
    girt_breaker_force(b, GIRT_BREAKER_FORCED_OPEN);
    check_status(girt_breaker_enter(b, &second), GIRT_REJECTED);
    fake_registry_scrape(&registry);
    check_breaker_state("forced_open");
    check_value("girt_breaker_transitions_total", "half_open", 1);
    check_value("girt_breaker_transitions_total", "closed", 1);
    check_value("girt_breaker_transitions_total", "forced_open", 1);
    check_value("girt_breaker_transitions_total", "forced_closed", 0);
    check_value("girt_breaker_rejected_total", NULL, 7);
    check_value("girt_breaker_calls_total", "success", 2);
    girt_breaker_destroy(b);
}

/* ---- bulkhead ---------------------------------------------------------- */

typedef struct line {
    girt_bulkhead *bulkhead;
    girt_status answer;
} line;

/* 0: leaves once the other is seen in line; 1: waits. */
static void stand_in_line(void *context, size_t index)
{
    line *const l = context;
    if (index == 1) {
        l->answer = girt_bulkhead_enter(l->bulkhead, GIRT_FOREVER);
        return;
    }
    do
        fake_registry_scrape(&registry);
    while (fake_value(&registry, "girt_bulkhead_waiting", "g", NULL) != 1);
    girt_bulkhead_leave(l->bulkhead);
}

static void a_bulkhead_tells_who_is_where(void **state)
{
    (void)state;
    line l = {NULL, GIRT_E_INVALID};
    check_status(girt_bulkhead_create(&l.bulkhead,
                                      &(girt_bulkhead_options){
                                          .inside_max = 2,
                                          .waiting_max = 1,
                                          .name = "g",
                                          .metrics = fake_metrics(&registry)}),
                 GIRT_OK);
    check_status(girt_bulkhead_enter(l.bulkhead, GIRT_NOW), GIRT_OK);
    check_status(girt_bulkhead_enter(l.bulkhead, GIRT_NOW), GIRT_OK);
    check_status(girt_bulkhead_enter(l.bulkhead, GIRT_NOW), GIRT_TIMEOUT);
    check_status(girt_bulkhead_enter(l.bulkhead, 1000), GIRT_TIMEOUT);
    check_status(girt_bulkhead_enter(l.bulkhead, -1), GIRT_E_INVALID);
    threads_run(2, stand_in_line, &l);
    check_status(l.answer, GIRT_OK);
    fake_registry_scrape(&registry);
    check_value("girt_bulkhead_inside", NULL, 2);
    check_value("girt_bulkhead_inside_max", NULL, 2);
    check_value("girt_bulkhead_waiting", NULL, 0);
    check_value("girt_bulkhead_waiting_max", NULL, 1);
    check_value("girt_bulkhead_entered_total", NULL, 3);
    check_value("girt_bulkhead_timeouts_total", NULL, 2);
    check_value("girt_bulkhead_rejected_total", NULL, 0);
    check_value("girt_bulkhead_wait_ns", NULL, 2);
    assert_true(fake_find(&registry, "girt_bulkhead_wait_ns", "g", NULL)->sum >=
                1000);
    girt_bulkhead_leave(l.bulkhead);
    girt_bulkhead_leave(l.bulkhead);
    girt_bulkhead_destroy(l.bulkhead);
}

static void a_bulkhead_without_a_line_tells_refusals(void **state)
{
    (void)state;
    girt_bulkhead *b = NULL;
    check_status(
        girt_bulkhead_create(
            &b, &(girt_bulkhead_options){.inside_max = 1,
                                         .name = "g",
                                         .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    check_status(girt_bulkhead_enter(b, GIRT_NOW), GIRT_OK);
    for (int i = 0; i < 3; i++)
        check_status(girt_bulkhead_enter(b, GIRT_FOREVER), GIRT_REJECTED);
    girt_bulkhead_leave(b);
    fake_registry_scrape(&registry);
    check_value("girt_bulkhead_rejected_total", NULL, 3);
    check_value("girt_bulkhead_wait_ns", NULL, 0);
    check_value("girt_bulkhead_inside", NULL, 0);
    girt_bulkhead_destroy(b);
}

/* ---- the others -------------------------------------------------------- */

static void a_limit_tells_itself_and_its_calls(void **state)
{
    (void)state;
    girt_concurrency *c = NULL;
    check_status(
        girt_concurrency_create(
            &c,
            &(girt_concurrency_options){.kind = GIRT_CONCURRENCY_AIMD,
                                        .initial = 10,
                                        .min = 1,
                                        .clock = manual,
                                        .name = "g",
                                        .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    girt_permit permits[12];
    for (int i = 0; i < 12; i++)
        check_status(girt_concurrency_enter(c, &permits[i]),
                     i < 10 ? GIRT_OK : GIRT_REJECTED);
    fake_registry_scrape(&registry);
    check_value("girt_concurrency_limit", NULL, 10);
    check_value("girt_concurrency_inside", NULL, 10);
    check_value("girt_concurrency_rejected_total", NULL, 2);
    girt_concurrency_leave(c, &permits[0], GIRT_FAILURE);
    girt_concurrency_leave(c, &permits[1], GIRT_IGNORED);
    for (int i = 2; i < 12; i++)
        girt_concurrency_leave(c, &permits[i], GIRT_IGNORED);
    fake_registry_scrape(&registry);
    check_value("girt_concurrency_limit", NULL, 9);
    check_value("girt_concurrency_inside", NULL, 0);
    check_value("girt_concurrency_calls_total", "failure", 1);
    check_value("girt_concurrency_calls_total", "ignored", 9);
    check_value("girt_concurrency_calls_total", "success", 0);
    girt_concurrency_destroy(c);
}

static void a_shed_tells_its_level_and_who_came(void **state)
{
    (void)state;
    girt_shed *s = NULL;
    check_status(
        girt_shed_create(
            &s, &(girt_shed_options){.priorities = 2,
                                     .interval_ns = 1000,
                                     .target_ns = 10,
                                     .clock = manual,
                                     .name = "g",
                                     .metrics = fake_metrics(&registry)}),
        GIRT_OK);
    fake_registry_scrape(&registry);
    check_value("girt_shed_level", NULL, 2);
    for (int round = 0; round < 8; round++) {
        for (int i = 0; i < 100; i++)
            (void)girt_shed_admit(s, i % 4 == 0);
        girt_shed_observe(s, 1000);
        now += 1000;
    }
    fake_registry_scrape(&registry);
    assert_true(fake_value(&registry, "girt_shed_level", "g", NULL) < 2);
    check_value("girt_shed_requests_total", "0", 600);
    check_value("girt_shed_requests_total", "1", 200);
    double const rejected =
        fake_value(&registry, "girt_shed_rejected_total", "g", NULL);
    assert_true(rejected > 0);
    check_value("girt_shed_admitted_total", NULL, 800 - rejected);
    girt_shed_destroy(s);
}

static void a_budget_tells_what_is_left(void **state)
{
    (void)state;
    girt_retry_budget *b = NULL;
    check_status(girt_retry_budget_create(
                     &b, &(girt_retry_budget_options){.ratio = 0.5,
                                                      .floor_per_s = 1,
                                                      .window_ns = 2000000000,
                                                      .clock = manual,
                                                      .name = "g",
                                                      .metrics = fake_metrics(
                                                          &registry)}),
                 GIRT_OK);
    for (int i = 0; i < 4; i++)
        girt_retry_budget_call(b);
    fake_registry_scrape(&registry);
    assert_true(
        fabs(fake_value(&registry, "girt_retry_budget_left", "g", NULL) - 4) <
        1e-3);
    for (int i = 0; i < 9; i++)
        (void)girt_retry_budget_take(b);
    fake_registry_scrape(&registry);
    check_value("girt_retry_budget_calls_total", NULL, 4);
    check_value("girt_retry_budget_retries_total", NULL, 4);
    check_value("girt_retry_budget_limited_total", NULL, 5);
    assert_true(fake_value(&registry, "girt_retry_budget_left", "g", NULL) <
                1e-3);
    now += 4000000000;
    fake_registry_scrape(&registry);
    assert_true(
        fabs(fake_value(&registry, "girt_retry_budget_left", "g", NULL) - 2) <
        1e-3);
    check_value("girt_retry_budget_calls_total", NULL, 4);
    girt_retry_budget_destroy(b);
}

#define TEST(body) cmocka_unit_test_setup_teardown(body, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_breaker_tells_states_and_calls),
        TEST(a_bulkhead_tells_who_is_where),
        TEST(a_bulkhead_without_a_line_tells_refusals),
        TEST(a_limit_tells_itself_and_its_calls),
        TEST(a_shed_tells_its_level_and_who_came),
        TEST(a_budget_tells_what_is_left),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
