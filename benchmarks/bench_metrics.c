/* SPDX-License-Identifier: MIT */
/* bench_metrics.c - the suite: what counting costs, beside one atomic word, a
 * mutex, and a library for it; and what a scrape costs. */
#include <girt/metrics.h>
#include <girt/version.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_metrics.h"
#include "bench_team.h"

enum { STRIDE = 64 };

typedef struct metrics_run {
    const metrics_contest *how;
    void *subject;
    unsigned stride;
} metrics_run;

typedef struct metrics_case {
    unsigned threads, stride;
} metrics_case;

static void repeat(bench_member *member)
{
    metrics_run *const run = member->context;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < run->stride; i++)
            run->how->once(run->subject);
        bench_count(member, run->stride);
    }
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const metrics_case *const c = bench_case;
    metrics_run run = {.how = adapter, .stride = c->stride};
    run.subject = run.how->make();
    if (run.subject == NULL)
        return BENCH_UNABLE;
    double const cost = bench_team_run(&(bench_team){.size = c->threads,
                                                     .pinned = true,
                                                     .seconds = seconds,
                                                     .body = repeat,
                                                     .context = &run});
    run.how->release(run.subject);
    return cost;
}

static _Thread_local unsigned next_value;

unsigned bench_metrics_value(void)
{
    /* A linear congruence: 1000 .. 1000 + 2^23. */
    next_value = next_value * 1664525u + 1013904223u;
    return 1000 + (next_value >> 9);
}

/* ---- girt --------------------------------------------------------------- */

typedef struct subject {
    girt_metrics *metrics;
    girt_counter *counter;
    girt_histogram *histogram;
    size_t bytes;
} subject;

static void *make_girt(void)
{
    subject *const s = calloc(1, sizeof *s);
    if (girt_metrics_create(&s->metrics, NULL) != GIRT_OK ||
        girt_counter_create(&s->counter, s->metrics, "c", "h", NULL) !=
            GIRT_OK ||
        girt_histogram_create(&s->histogram, s->metrics, "h_ns", "h", NULL) !=
            GIRT_OK)
        abort();
    return s;
}

static void release_girt(void *context)
{
    subject *const s = context;
    girt_metrics_destroy(s->metrics);
    free(s);
}

static void add_girt(void *context)
{
    girt_counter_add(((subject *)context)->counter, 1);
}

static void record_girt(void *context)
{
    girt_histogram_record(((subject *)context)->histogram,
                          bench_metrics_value());
}

static void *make_girt_series(void)
{
    subject *const s = make_girt();
    for (unsigned i = 0; i < BENCH_METRICS_SERIES; i++) {
        char value[24];
        (void)snprintf(value, sizeof value, "/path/%u", i);
        const char *const labels[] = {"method", "GET", "path", value, NULL};
        girt_counter *c;
        if (girt_counter_create(&c, s->metrics, "requests", "h", labels) !=
            GIRT_OK)
            abort();
        girt_counter_add(c, i * UINT64_C(1000003));
    }
    return s;
}

static bool take(void *context, const char *text, size_t size)
{
    (void)text;
    *(size_t *)context += size;
    return true;
}

static void scrape_girt(void *context)
{
    subject *const s = context;
    if (girt_metrics_write(s->metrics, GIRT_PROMETHEUS_TEXT, take, &s->bytes) !=
        GIRT_OK)
        abort();
}

/* ---- by hand ------------------------------------------------------------ */

typedef struct by_hand {
    pthread_mutex_t mutex;
    uint64_t count, sum;
    uint64_t buckets[64]; /* by doubling: less than girt tells apart */
} by_hand;

static void *make_by_hand(void)
{
    by_hand *const h = calloc(1, sizeof *h);
    (void)pthread_mutex_init(&h->mutex, NULL);
    return h;
}

static void add_atomic(void *context)
{
    by_hand *const h = context;
    (void)__atomic_fetch_add(&h->count, 1, __ATOMIC_RELAXED);
}

static void add_mutex(void *context)
{
    by_hand *const h = context;
    (void)pthread_mutex_lock(&h->mutex);
    h->count++;
    (void)pthread_mutex_unlock(&h->mutex);
}

static void record_atomic(void *context)
{
    by_hand *const h = context;
    uint64_t const value = bench_metrics_value();
    (void)__atomic_fetch_add(&h->buckets[63 - __builtin_clzll(value)], 1,
                             __ATOMIC_RELAXED);
    (void)__atomic_fetch_add(&h->sum, value, __ATOMIC_RELAXED);
}

static void record_mutex(void *context)
{
    by_hand *const h = context;
    uint64_t const value = bench_metrics_value();
    (void)pthread_mutex_lock(&h->mutex);
    h->buckets[63 - __builtin_clzll(value)]++;
    h->sum += value;
    (void)pthread_mutex_unlock(&h->mutex);
}

/* The floors: a call that does nothing, one that draws a value, and a read of
 * the processor's counter, which whoever measures a duration pays twice. */
static void do_nothing(void *context)
{
    __asm__ __volatile__("" : : "r"(context) : "memory");
}

static void draw(void *context)
{
    (void)context;
    unsigned const value = bench_metrics_value();
    __asm__ __volatile__("" : : "r"(value) : "memory");
}

static void read_tsc(void *context)
{
    (void)context;
#if defined(__x86_64__)
    unsigned low, high;
    __asm__ __volatile__("rdtsc" : "=a"(low), "=d"(high));
#endif
}

/* ---- rows --------------------------------------------------------------- */

#define RIVAL(label, name, version) extern const metrics_contest name[3];
#define MISSING(label, package)
#include "metrics_rivals.h"
#undef RIVAL
#undef MISSING

enum { ADD, RECORD, SCRAPE };

static void run_row(const bench_suite *suite, const bench_options *options,
                    const char *name, unsigned threads, int what,
                    const bench_contestant first[], size_t first_count)
{
    bench_contestant all[16];
    size_t count = 0;
    for (; count < first_count; count++)
        all[count] = first[count];
#define RIVAL(label, adapter, version)                                         \
    all[count++] =                                                             \
        (bench_contestant){label, version, true, measure, &adapter[what]};
#define MISSING(label, package)                                                \
    all[count++] = (bench_contestant){label, package, true, NULL, NULL};
#include "metrics_rivals.h"
#undef RIVAL
#undef MISSING
    const metrics_case c = {threads, what == SCRAPE ? 1 : STRIDE};
    bench_row(suite, options, name, threads, "ns", all, count, &c);
}

static void run(const bench_suite *suite, const bench_options *options)
{
    const bench_contestant adds[] = {
        {"girt_counter", GIRT_VERSION, false, measure,
         &(const metrics_contest){make_girt, add_girt, release_girt}},
        {"one atomic word", "", true, measure,
         &(const metrics_contest){make_by_hand, add_atomic, free}},
        {"word under a mutex", "", true, measure,
         &(const metrics_contest){make_by_hand, add_mutex, free}},
        {"floor: a call", "", true, measure,
         &(const metrics_contest){make_by_hand, do_nothing, free}},
        {"floor: rdtsc", "", true, measure,
         &(const metrics_contest){make_by_hand, read_tsc, free}},
    };
    const bench_contestant records[] = {
        {"girt_histogram", GIRT_VERSION, false, measure,
         &(const metrics_contest){make_girt, record_girt, release_girt}},
        {"64 atomic buckets", "", true, measure,
         &(const metrics_contest){make_by_hand, record_atomic, free}},
        {"64 buckets under a mutex", "", true, measure,
         &(const metrics_contest){make_by_hand, record_mutex, free}},
        {"floor: drawing the value", "", true, measure,
         &(const metrics_contest){make_by_hand, draw, free}},
    };
    const bench_contestant scrapes[] = {
        {"girt_metrics_write", GIRT_VERSION, false, measure,
         &(const metrics_contest){make_girt_series, scrape_girt, release_girt}},
    };
    for (unsigned threads = 1; threads <= 2; threads++) {
        run_row(suite, options, "counter: add", threads, ADD, adds,
                sizeof adds / sizeof *adds);
        run_row(suite, options, "histogram: record", threads, RECORD, records,
                sizeof records / sizeof *records);
    }
    run_row(suite, options, "scrape: 1000 counters", 1, SCRAPE, scrapes, 1);
}

const bench_suite bench_metrics_suite = {
    "metrics", "what counting costs, and a scrape", 5, run};
