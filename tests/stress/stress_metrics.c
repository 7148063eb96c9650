/* SPDX-License-Identifier: MIT */
/* Goal: no increment is lost, whatever threads do.  Method: generations of
 * threads that come, add, record and go, more than there are cells of one
 * writer, while others make series, scrape, and fork; processes that add to the
 * same series; the sums at the end are exact, and a reader never sees one go
 * back. */
#include <girt/metrics.h>

#include <sched.h>
#include <sys/mman.h>
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

static bool discard(void *context, const char *text, size_t size)
{
    (void)text;
    *(size_t *)context += size;
    return true;
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
        if (i % 16 == 0) {
            check_status(
                girt_counter_create(&own, r->metrics, "own", "h", labels),
                GIRT_OK);
            girt_counter_add(own, 1);
        }
        /* While others make series. */
        if (index == 0 && i % (r->rounds / 4 + 1) == 100 && !under_sanitizer())
            fork_once(r);
    }
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
    for (int i = 0; i < GENERATIONS; i++)
        threads_run(THREADS, add_all, &r);
    girt_store_release(&r.done, true);
    assert_int_equal(pthread_join(watcher, NULL), 0);

    uint64_t expected[SHARED] = {0}, sum = 0, own = 0;
    for (size_t i = 0; i < r.rounds; i++) {
        expected[i % SHARED] += i % 7;
        own += i % 16 == 0;
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

/* Two processes whose only thread has index 0, in the same cells. */
static void between_processes(void **state)
{
    (void)state;
    enum { BLOCK = 1 << 20, CHILDREN = 2 };
    void *const block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(block != MAP_FAILED);
    const size_t rounds = scaled(4000000);
    pid_t children[CHILDREN];
    /* Before the forks, so that both have the same turn. */
    girt_metrics *metrics = NULL;
    girt_counter *c = NULL;
    girt_gauge *g = NULL;
    girt_histogram *h = NULL;
    check_status(girt__metrics_attach(&metrics, block, BLOCK, NULL, NULL, NULL),
                 GIRT_OK);
    check_status(girt_counter_create(&c, metrics, "c", "h", NULL), GIRT_OK);
    check_status(girt_gauge_create(&g, metrics, "g", "h", NULL), GIRT_OK);
    check_status(girt_histogram_create(&h, metrics, "h", "h", NULL), GIRT_OK);
    girt_gauge *started = NULL;
    check_status(girt_gauge_create(&started, metrics, "s", "h", NULL), GIRT_OK);
    for (size_t i = 0; i < CHILDREN; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            cpu_set_t own;
            CPU_ZERO(&own);
            CPU_SET(i, &own); /* where there are two they overlap */
            (void)sched_setaffinity(0, sizeof own, &own);
            girt_gauge_add(started, 1);
            while (girt_gauge_value(started) < CHILDREN)
                (void)sched_yield();
            for (size_t round = 0; round < rounds; round++)
                girt_histogram_record(h, 3);
            for (size_t round = 0; round < rounds; round++)
                girt_counter_add(c, 1);
            for (size_t round = 0; round < rounds; round++)
                girt_gauge_add(g, 1);
            _exit(0);
        }
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        int how = -1;
        assert_int_equal(waitpid(children[i], &how, 0), children[i]);
        assert_int_equal(how, 0);
    }
    assert_int_equal(girt_counter_value(c), CHILDREN * rounds);
    assert_true(girt_gauge_value(g) == (double)(CHILDREN * rounds));
    girt__histogram_read read;
    girt__histogram_read_cells(&h->handle.series, &read);
    assert_int_equal(read.total, CHILDREN * rounds);
    assert_int_equal(read.sum, 3 * CHILDREN * rounds);
    girt_metrics_destroy(metrics);
    assert_int_equal(munmap(block, BLOCK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(between_processes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
