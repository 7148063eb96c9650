/* SPDX-License-Identifier: MIT */
/* Goal: an object is seen by its registry from the end of its create to the
 * begin of its destroy, under its name, and a refusal leaves nothing behind.
 * Method: a small object, a registry that records what it is told, and one
 * that refuses. */
#include "core/report.h"

#include "core/durations.h"
#include "core/epoch_internal.h"
#include "support/check.h"
#include "support/failing.h"
#include "support/fake_registry.h"
#include "support/scale.h"
#include "support/threads.h"

enum { KNOCKS, RINGS, COUNTERS };

static const girt__series door_series[] = {
    {"girt_door_knocks_total", GIRT__SERIES_COUNTER, NULL, "Knocks."},
    {"girt_door_angle", GIRT__SERIES_GAUGE, "hinge", "Degrees."},
    {"girt_door_wait_ns", GIRT__SERIES_HISTOGRAM, NULL, "Waits."},
};

typedef struct door {
    girt__report *report;
    bool ready; /* what collect needs to be there */
} door;

static void collect_door(void *object, girt__sink *sink)
{
    door *const d = object;
    assert_true(d->ready);
    assert_non_null(d->report);
    girt__sink_counter(sink, &door_series[0], NULL,
                       girt__report_sum(d->report, KNOCKS));
    girt__sink_gauge(sink, &door_series[1], "upper", 0.5);
    girt__sink_gauge(sink, &door_series[1], "lower \"\\\n\xff", -1);
    girt__durations_write(d->report->durations, sink, &door_series[2]);
}

static girt_status make(door *d, const char *name, fake_registry *registry,
                        const girt_allocator *allocator)
{
    d->ready = true;
    return girt__report_create(
        &d->report,
        &(girt__report_plan){
            .allocator = allocator,
            .metrics = registry == NULL ? NULL : fake_metrics(registry),
            .name = name,
            .part = "door",
            GIRT__SERIES(door_series),
            .counters = COUNTERS,
            .durations = 1,
            .object = d,
            .collect = collect_door,
        });
}

static void end(door *d)
{
    girt__report_destroy(d->report);
    d->ready = false;
}

static void an_object_is_seen_between_create_and_destroy(void **state)
{
    (void)state;
    failing memory;
    failing_init(&memory);
    fake_registry registry;
    fake_registry_init(&registry);
    door front, back;
    check_status(make(&front, "front", &registry, &memory.allocator), GIRT_OK);
    char name[GIRT__NAME_MAX + 1];
    memset(name, 'b', GIRT__NAME_MAX);
    name[GIRT__NAME_MAX] = '\0';
    check_status(make(&back, name, &registry, &memory.allocator), GIRT_OK);
    girt__report_count(front.report, KNOCKS, 3);
    girt__report_count(front.report, RINGS, 100);
    girt__durations_add(back.report->durations, 59);
    girt__durations_add(back.report->durations, 40);
    fake_registry_scrape(&registry);
    assert_int_equal(registry.sample_count, 2 * 4 + 1);
    assert_true(
        fake_value(&registry, "girt_door_knocks_total", "front", NULL) == 3);
    assert_true(fake_value(&registry, "girt_door_angle", "front", "upper") ==
                0.5);
    assert_true(fake_value(&registry, "girt_door_angle", name,
                           "lower \"\\\n\xff") == -1);
    const fake_sample *const waits =
        fake_find(&registry, "girt_door_wait_ns", name, NULL);
    assert_non_null(waits);
    assert_true(waits->value == 2 && waits->sum == 99);
    end(&front);
    fake_registry_scrape(&registry);
    assert_int_equal(registry.sample_count, 4 + 1);
    end(&back);
    fake_registry_end(&registry);
    assert_int_equal(memory.live_blocks, 0);
    assert_int_equal(memory.live_bytes, 0);
}

static void without_metrics_there_is_no_report(void **state)
{
    (void)state;
    failing memory;
    failing_init(&memory);
    for (int named = 0; named < 2; named++) {
        door d = {.report = (void *)&memory};
        check_status(make(&d, named ? "n" : NULL, NULL, &memory.allocator),
                     GIRT_OK);
        assert_null(d.report);
        girt__report_count(d.report, KNOCKS, 1);
        end(&d);
    }
    assert_int_equal(memory.calls, 0);
}

static void a_refusal_leaves_nothing(void **state)
{
    (void)state;
    failing memory;
    failing_init(&memory);
    fake_registry registry;
    fake_registry_init(&registry);
    door first, second = {.report = (void *)&memory};
    check_status(make(&first, "d", &registry, &memory.allocator), GIRT_OK);
    check_status(make(&second, "d", &registry, &memory.allocator), GIRT_E_BUSY);
    assert_null(second.report);
    registry.answer = GIRT_E_INVALID;
    check_status(make(&second, "e", &registry, &memory.allocator),
                 GIRT_E_INVALID);
    registry.answer = GIRT_OK;
    for (size_t k = 1; k <= 3; k++) {
        memory.fail_at = memory.calls + k;
        check_status(make(&second, "e", &registry, &memory.allocator),
                     GIRT_E_NOMEM);
        assert_null(second.report);
    }
    assert_int_equal(registry.attached, 1);
    end(&first);
    fake_registry_end(&registry);
    assert_int_equal(memory.live_blocks, 0);
}

static void release_nothing(void *block)
{
    (void)block;
}

static void the_process_reports_its_backlog(void **state)
{
    (void)state;
    girt_epoch_barrier();
    fake_registry registry;
    fake_registry_init(&registry);
    fake_registry_scrape(&registry);
    assert_true(fake_value(&registry, "girt_epoch_backlog", "", NULL) == 0);
    girt_epoch_enter();
    for (int i = 0; i < 20; i++)
        girt_epoch_retire(&registry, release_nothing);
    fake_registry_scrape(&registry);
    assert_true(fake_value(&registry, "girt_epoch_backlog", "", NULL) == 20);
    girt_epoch_exit();
    girt_epoch_barrier();
    fake_registry_scrape(&registry);
    assert_true(fake_value(&registry, "girt_epoch_backlog", "", NULL) == 0);
    fake_registry_end(&registry);
}

typedef struct coming {
    fake_registry registry;
    size_t rounds;
} coming;

/* Index 0 scrapes; the others come and go under their own names. */
static void come_and_go(void *context, size_t index)
{
    coming *const c = context;
    failing memory;
    failing_init(&memory);
    const char name[2] = {(char)('a' + index), '\0'};
    for (size_t i = 0; i < c->rounds; i++) {
        if (index == 0) {
            fake_registry_scrape(&c->registry);
            continue;
        }
        door d;
        if (make(&d, name, &c->registry, &memory.allocator) != GIRT_OK)
            abort();
        girt__report_count(d.report, KNOCKS, i);
        if (girt__report_sum(d.report, KNOCKS) != i)
            abort();
        end(&d);
    }
}

static void objects_come_and_go_under_scrapes(void **state)
{
    (void)state;
    coming c = {.rounds = scaled(4000)};
    fake_registry_init(&c.registry);
    threads_run(4, come_and_go, &c);
    assert_int_equal(c.registry.scrapes, c.rounds);
    fake_registry_end(&c.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_object_is_seen_between_create_and_destroy),
        cmocka_unit_test(without_metrics_there_is_no_report),
        cmocka_unit_test(a_refusal_leaves_nothing),
        cmocka_unit_test(the_process_reports_its_backlog),
        cmocka_unit_test(objects_come_and_go_under_scrapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
