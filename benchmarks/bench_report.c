/* SPDX-License-Identifier: MIT */
/* bench_report.c - the suite: objects that report themselves beside the same
 * ones that do not. The ratio of "metrics on" is what reporting costs. */
#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/cache.h>
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>
#include <girt/map.h>
#include <girt/map64.h>
#include <girt/metrics.h>
#include <girt/queue.h>
#include <girt/ring.h>
#include <girt/version.h>

#include <stdlib.h>

#include "bench.h"
#include "bench_team.h"

enum { STRIDE = 64, KEYS = 10000, NODES = 10 };

/* An object, and what a thread does with it once: the i-th time. */
typedef struct subject {
    const char *name;
    void *(*make)(girt_metrics *metrics, const char *name);
    void (*once)(void *object, uint64_t i);
    void (*end)(void *object);
} subject;

/* The bench_case, and the adapter: whether metrics are on. */
typedef struct report_case {
    const subject *subject;
    unsigned threads;
} report_case;
static const bool off = false, on = true;

typedef struct report_run {
    const subject *subject;
    void *object;
} report_run;

static void repeat(bench_member *member)
{
    const report_run *const run = member->context;
    uint64_t at = member->index * 7919;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < STRIDE; i++)
            run->subject->once(run->object, at++);
        bench_count(member, STRIDE);
    }
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const report_case *const c = bench_case;
    girt_metrics *metrics = NULL;
    if (girt_metrics_create(&metrics, NULL) != GIRT_OK)
        return BENCH_UNABLE;
    report_run run = {.subject = c->subject};
    run.object = *(const bool *)adapter ? c->subject->make(metrics, "bench")
                                        : c->subject->make(NULL, NULL);
    if (run.object == NULL)
        return BENCH_UNABLE;
    double const cost = bench_team_run(&(bench_team){.size = c->threads,
                                                     .pinned = true,
                                                     .seconds = seconds,
                                                     .body = repeat,
                                                     .context = &run});
    c->subject->end(run.object);
    girt_metrics_destroy(metrics);
    return cost;
}

/* ---- maps and cache ------------------------------------------------------ */

static void *make_map(girt_metrics *metrics, const char *name)
{
    girt_map *map = NULL;
    (void)girt_map_create(&map, &(girt_map_options){.value_size = 8,
                                                    .seed = 1,
                                                    .metrics = metrics,
                                                    .name = name});
    for (uint64_t key = 0; key < KEYS; key++)
        (void)girt_map_put(map, &key, sizeof key, &key);
    return map;
}

static void get_map(void *map, uint64_t i)
{
    uint64_t const key = i % KEYS;
    uint64_t value;
    (void)girt_map_get(map, &key, sizeof key, &value);
}

static void put_map(void *map, uint64_t i)
{
    uint64_t const key = i % KEYS;
    (void)girt_map_put(map, &key, sizeof key, &i);
}

static void end_map(void *map)
{
    girt_map_destroy(map);
}

static void *make_map64(girt_metrics *metrics, const char *name)
{
    girt_map64 *map = NULL;
    (void)girt_map64_create(&map, 0, NULL);
    if (metrics != NULL)
        (void)girt_map64_report(map, metrics, name);
    for (uint64_t key = 0; key < KEYS; key++)
        (void)girt_map64_put(map, key, key);
    return map;
}

static void get_map64(void *map, uint64_t i)
{
    uint64_t value;
    (void)girt_map64_get(map, i % KEYS, &value);
}

static void end_map64(void *map)
{
    girt_map64_destroy(map);
}

static void *make_cache(girt_metrics *metrics, const char *name)
{
    girt_cache *cache = NULL;
    (void)girt_cache_create(
        &cache,
        &(girt_cache_options){.seed = 1, .metrics = metrics, .name = name});
    for (uint64_t key = 0; key < KEYS; key++)
        (void)girt_cache_put(cache, &key, sizeof key, &key, sizeof key, 0);
    return cache;
}

static void hit_cache(void *cache, uint64_t i)
{
    uint64_t const key = i % KEYS;
    girt_cached cached;
    if (girt_cache_get(cache, &key, sizeof key, &cached) == GIRT_OK)
        girt_cache_release(cache, &cached);
}

static void end_cache(void *cache)
{
    girt_cache_destroy(cache);
}

/* ---- queues -------------------------------------------------------------- */

static void *make_queue_of(girt_queue_options options, girt_metrics *metrics,
                           const char *name)
{
    girt_queue *queue = NULL;
    options.metrics = metrics;
    options.name = name;
    (void)girt_queue_create(&queue, &options);
    return queue;
}

static void *make_queue(girt_metrics *metrics, const char *name)
{
    return make_queue_of((girt_queue_options){.capacity = 1024}, metrics, name);
}

static void *make_pair(girt_metrics *metrics, const char *name)
{
    return make_queue_of((girt_queue_options){.capacity = 1024,
                                              .single_producer = true,
                                              .single_consumer = true},
                         metrics, name);
}

static void *make_lanes(girt_metrics *metrics, const char *name)
{
    return make_queue_of(
        (girt_queue_options){.capacity = 1024, .per_producer_order = true},
        metrics, name);
}

static void pass_queue(void *queue, uint64_t i)
{
    (void)i;
    void *item = queue;
    (void)girt_queue_push(queue, item, GIRT_FOREVER);
    (void)girt_queue_pop(queue, &item, GIRT_FOREVER);
}

static void end_queue(void *queue)
{
    girt_queue_destroy(queue);
}

/* ---- limiters ------------------------------------------------------------ */

static void *make_limiter(girt_metrics *metrics, const char *name)
{
    girt_limiter *limiter = NULL;
    (void)girt_limiter_create(
        &limiter, &(girt_limiter_options){.rate = {1000000, 1, 1000000000},
                                          .metrics = metrics,
                                          .name = name});
    return limiter;
}

static void *make_refusing(girt_metrics *metrics, const char *name)
{
    girt_limiter *limiter = NULL;
    (void)girt_limiter_create(&limiter,
                              &(girt_limiter_options){.rate = {1, INT64_MAX, 1},
                                                      .metrics = metrics,
                                                      .name = name});
    return limiter;
}

static void take_at(void *limiter, uint64_t i)
{
    (void)girt_limiter_take_at(limiter, 1, (int64_t)i, NULL);
}

static void take(void *limiter, uint64_t i)
{
    (void)i;
    (void)girt_limiter_take(limiter, 1, NULL);
}

static void end_limiter(void *limiter)
{
    girt_limiter_destroy(limiter);
}

static void *make_keyed(girt_metrics *metrics, const char *name)
{
    girt_keyed_limiter *limiter = NULL;
    (void)girt_keyed_limiter_create(
        &limiter,
        &(girt_keyed_limiter_options){.rate = {1000000000, 1000000000, 1000},
                                      .keys = KEYS,
                                      .metrics = metrics,
                                      .name = name});
    return limiter;
}

static void take_keyed(void *limiter, uint64_t i)
{
    uint64_t const key = i % KEYS;
    (void)girt_keyed_limiter_take_at(limiter, &key, sizeof key, 1, (int64_t)i,
                                     NULL);
}

static void end_keyed(void *limiter)
{
    girt_keyed_limiter_destroy(limiter);
}

/* ---- guards and ring ------------------------------------------------------
 */

static void *make_breaker(girt_metrics *metrics, const char *name)
{
    girt_breaker *breaker = NULL;
    (void)girt_breaker_create(
        &breaker, &(girt_breaker_options){.metrics = metrics, .name = name});
    return breaker;
}

static void pass_breaker(void *breaker, uint64_t i)
{
    (void)i;
    girt_permit permit;
    if (girt_breaker_enter(breaker, &permit) == GIRT_OK)
        girt_breaker_leave(breaker, &permit, GIRT_SUCCESS);
}

static void end_breaker(void *breaker)
{
    girt_breaker_destroy(breaker);
}

static void *make_bulkhead(girt_metrics *metrics, const char *name)
{
    girt_bulkhead *bulkhead = NULL;
    (void)girt_bulkhead_create(
        &bulkhead, &(girt_bulkhead_options){
                       .inside_max = 16, .metrics = metrics, .name = name});
    return bulkhead;
}

static void pass_bulkhead(void *bulkhead, uint64_t i)
{
    (void)i;
    if (girt_bulkhead_enter(bulkhead, GIRT_NOW) == GIRT_OK)
        girt_bulkhead_leave(bulkhead);
}

static void end_bulkhead(void *bulkhead)
{
    girt_bulkhead_destroy(bulkhead);
}

static void *make_ring(girt_metrics *metrics, const char *name)
{
    girt_ring *ring = NULL;
    (void)girt_ring_create(
        &ring, &(girt_ring_options){.metrics = metrics, .name = name});
    for (int i = 0; i < NODES; i++)
        (void)girt_ring_add(ring, (const char[]){(char)('a' + i), '\0'}, 1);
    return ring;
}

static void find_node(void *ring, uint64_t i)
{
    uint32_t id;
    (void)girt_ring_find(ring, &i, sizeof i, &id);
}

static void end_ring(void *ring)
{
    girt_ring_destroy(ring);
}

/* ---- the suite ------------------------------------------------------------
 */

static const subject subjects[] = {
    {"map get", make_map, get_map, end_map},
    {"map put", make_map, put_map, end_map},
    {"map64 get", make_map64, get_map64, end_map64},
    {"cache hit", make_cache, hit_cache, end_cache},
    {"queue push+pop", make_queue, pass_queue, end_queue},
    {"queue push+pop, both promises", make_pair, pass_queue, end_queue},
    {"queue push+pop, per_producer_order", make_lanes, pass_queue, end_queue},
    {"limiter take", make_limiter, take, end_limiter},
    {"limiter take, time given", make_limiter, take_at, end_limiter},
    {"limiter refusal, time given", make_refusing, take_at, end_limiter},
    {"keyed limiter take, time given", make_keyed, take_keyed, end_keyed},
    {"breaker enter and leave", make_breaker, pass_breaker, end_breaker},
    {"bulkhead enter and leave", make_bulkhead, pass_bulkhead, end_bulkhead},
    {"ring find, 10 nodes", make_ring, find_node, end_ring},
};

static void run(const bench_suite *suite, const bench_options *options)
{
    const bench_contestant contestants[] = {
        {"metrics off", GIRT_VERSION, false, measure, &off},
        {"metrics on", GIRT_VERSION, false, measure, &on},
    };
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            /* That queue is for one thread a side. */
            if (threads == 2 && subjects[i].make == make_pair)
                continue;
            char name[80];
            snprintf(name, sizeof name, "metrics on: %s", subjects[i].name);
            report_case const c = {&subjects[i], threads};
            bench_row(suite, options, name, threads, "ns", contestants, 2, &c);
        }
    }
}

const bench_suite bench_report_suite = {
    "report", "what an object's reporting costs its calls", 5, run};
