/* SPDX-License-Identifier: MIT */
/* Goal: no increment is lost, whatever threads do.  Method: generations of
 * threads that come, add, record and go, more than there are cells of one
 * writer, while others make series, scrape, and fork; the sums at the end are
 * exact, and a reader never sees one go back. */
#include <girt/metrics.h>

#include <sys/wait.h>
#include <unistd.h>

#include "core/atomic.h"
#include "metrics/metrics_internal.h"
#include "support/check.h"
#include "support/scale.h"
#include "support/scrape.h"
#include "support/threads.h"

enum { THREADS = 48, GENERATIONS = 6, SHARED = 3 };

typedef struct run {
    girt_metrics *metrics;
    girt_counter *counters[SHARED];
    girt_gauge *gauge;
    girt_histogram *histogram;
    size_t rounds;
    bool done;
} run;

static void add_all(void *context, size_t index)
{
    run *const r = context;
    char value[24];
    (void)snprintf(value, sizeof value, "%zu", index % 5);
    const char *const labels[] = {"i", value, NULL};
    for (size_t i = 0; i < r->rounds; i++) {
        girt_counter *own;
        girt_counter_add(r->counters[i % SHARED], i % 7);
        girt_gauge_add(r->gauge, i % 2 == 0 ? 1 : -1);
        girt_histogram_record(r->histogram, (index + 1) * 1000 + i % 100);
        if (i % 64 == 0) {
            check_status(
                girt_counter_create(&own, r->metrics, "own", "h", labels),
                GIRT_OK);
            girt_counter_add(own, 1);
        }
    }
}

static bool discard(void *context, const char *text, size_t size)
{
    (void)text;
    *(size_t *)context += size;
    return true;
}

/* Sums rise as one thread sees them; scrapes are whole. */
static void *watch(void *context)
{
    run *const r = context;
    uint64_t before[SHARED] = {0}, count = 0;
    size_t bytes = 0;
    while (!girt_load_acquire(&r->done)) {
        for (size_t i = 0; i < SHARED; i++) {
            const uint64_t now = girt_counter_value(r->counters[i]);
            assert_true(now >= before[i]);
            before[i] = now;
        }
        const uint64_t now = girt_histogram_count(r->histogram);
        assert_true(now >= count);
        count = now;
        check_status(girt_metrics_write(r->metrics, GIRT_OPENMETRICS_TEXT,
                                        discard, &bytes),
                     GIRT_OK);
    }
    return NULL;
}

/* A child may use its copy at once, whoever held the mutex. */
static void fork_once(run *r)
{
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        girt_counter *c = NULL;
        size_t bytes = 0;
        girt_counter_add(r->counters[0], 1);
        const bool works = girt_counter_create(&c, r->metrics, "child", "h",
                                               NULL) == GIRT_OK &&
                           girt_metrics_write(r->metrics, GIRT_PROMETHEUS_TEXT,
                                              discard, &bytes) == GIRT_OK;
        _exit(works ? 0 : 1);
    }
    int how = -1;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_int_equal(how, 0);
}

static void nothing_is_lost(void **state)
{
    (void)state;
    run r = {.rounds = scaled(40000)};
    check_status(girt_metrics_create(&r.metrics, NULL), GIRT_OK);
    for (size_t i = 0; i < SHARED; i++) {
        char name[8];
        (void)snprintf(name, sizeof name, "c%zu", i);
        check_status(
            girt_counter_create(&r.counters[i], r.metrics, name, "h", NULL),
            GIRT_OK);
    }
    check_status(girt_gauge_create(&r.gauge, r.metrics, "g", "h", NULL),
                 GIRT_OK);
    check_status(
        girt_histogram_create(&r.histogram, r.metrics, "h_ns", "h", NULL),
        GIRT_OK);
    pthread_t watcher;
    assert_int_equal(pthread_create(&watcher, NULL, watch, &r), 0);
    for (int i = 0; i < GENERATIONS; i++) {
        threads_run(THREADS, add_all, &r);
        if (!under_sanitizer())
            fork_once(&r);
    }
    girt_store_release(&r.done, true);
    assert_int_equal(pthread_join(watcher, NULL), 0);

    uint64_t expected[SHARED] = {0}, sum = 0, own = 0;
    for (size_t i = 0; i < r.rounds; i++) {
        expected[i % SHARED] += i % 7;
        own += i % 64 == 0;
        for (size_t t = 0; t < THREADS; t++)
            sum += (t + 1) * 1000 + i % 100;
    }
    const uint64_t times = (uint64_t)THREADS * GENERATIONS;
    for (size_t i = 0; i < SHARED; i++)
        assert_int_equal(girt_counter_value(r.counters[i]),
                         expected[i] * times);
    assert_true(girt_gauge_value(r.gauge) == (double)(r.rounds % 2 * times));
    girt__histogram_read read;
    girt__histogram_read_cells(&r.histogram->handle.series, &read);
    assert_int_equal(read.total, r.rounds * times);
    assert_int_equal(read.sum, sum * GENERATIONS);
    uint64_t owned = 0;
    for (int i = 0; i < 5; i++) {
        char value[8];
        girt_counter *c;
        (void)snprintf(value, sizeof value, "%d", i);
        check_status(girt_counter_create(&c, r.metrics, "own", "h",
                                         (const char *[]){"i", value, NULL}),
                     GIRT_OK);
        owned += girt_counter_value(c);
    }
    assert_int_equal(owned, own * times);
    scrape s;
    scrape_take(&s, r.metrics, GIRT_OPENMETRICS_TEXT);
    scrape_free(&s);
    assert_true(girt__metrics_is_valid(r.metrics));
    girt_metrics_destroy(r.metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
