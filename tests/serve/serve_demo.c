/* SPDX-License-Identifier: MIT */
/* serve_demo.c - a program with one of each object, at work and served, until
 * its standard input ends; prints the port. For the tests of the live page. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <girt/girt.h>
#include <girt/serve.h>

static void must(girt_status status)
{
    if (status == GIRT_OK)
        return;
    fprintf(stderr, "serve_demo: %s\n", girt_status_name(status));
    exit(1);
}

static void task(void *argument)
{
    (void)argument;
    (void)usleep(300);
}

typedef struct program {
    girt_metrics *metrics;
    girt_queue *queue;
    girt_cache *cache;
    girt_map *map;
    girt_limiter *limiter;
    girt_breaker *forced, *closed;
    girt_bulkhead *bulkhead;
    girt_workers *workers;
    girt_histogram *latency;
} program;

static void make(program *p)
{
    must(girt_metrics_create(&p->metrics, NULL));
    must(girt_queue_create(&p->queue,
                           &(girt_queue_options){.capacity = 100,
                                                 .name = "jobs \"<b>&\"",
                                                 .metrics = p->metrics}));
    must(girt_cache_create(
        &p->cache,
        &(girt_cache_options){.name = "users", .metrics = p->metrics}));
    must(girt_map_create(&p->map,
                         &(girt_map_options){.value_size = sizeof(uint64_t),
                                             .name = "sessions",
                                             .metrics = p->metrics}));
    must(girt_limiter_create(
        &p->limiter, &(girt_limiter_options){.rate = {100, 1000000000, 20},
                                             .name = "logins",
                                             .metrics = p->metrics}));
    must(girt_breaker_create(
        &p->forced,
        &(girt_breaker_options){.name = "bank", .metrics = p->metrics}));
    must(girt_breaker_create(
        &p->closed,
        &(girt_breaker_options){.name = "mail", .metrics = p->metrics}));
    girt_breaker_force(p->forced, GIRT_BREAKER_FORCED_OPEN);
    must(girt_bulkhead_create(&p->bulkhead,
                              &(girt_bulkhead_options){.inside_max = 4,
                                                       .waiting_max = 4,
                                                       .name = "uploads",
                                                       .metrics = p->metrics}));
    must(girt_workers_create(
        &p->workers, &(girt_workers_options){
                         .threads = 1, .name = "pool", .metrics = p->metrics}));
    must(girt_histogram_create(&p->latency, p->metrics, "request_ns",
                               "Time of requests.", NULL));
}

/* Some work of each kind: 3 of 4 lookups hit, the queue holds 42. */
static void work(program *p, uint64_t turn)
{
    void *item;
    girt_cached cached;
    while (girt_queue_count(p->queue) < 42)
        must(girt_queue_push(p->queue, p, GIRT_NOW));
    for (uint64_t i = 0; i < 40; i++) {
        const uint64_t key = i % 4 == 0 ? 1000 + turn * 40 + i : i;
        if (girt_cache_get(p->cache, &key, sizeof key, &cached) == GIRT_OK)
            girt_cache_release(p->cache, &cached);
        else if (i % 4 != 0)
            must(girt_cache_put(p->cache, &key, sizeof key, "value", 5, 0));
        girt_histogram_record(p->latency, 1000 * (i + 1));
        (void)girt_limiter_take(p->limiter, 1, NULL);
    }
    const uint64_t key = turn % 500;
    must(girt_map_put(p->map, &key, sizeof key, &turn));
    must(girt_queue_pop(p->queue, &item, GIRT_NOW));
    girt_permit permit;
    (void)girt_breaker_enter(p->forced, &permit);
    if (girt_breaker_enter(p->closed, &permit) == GIRT_OK)
        girt_breaker_leave(p->closed, &permit, GIRT_SUCCESS);
    if (girt_bulkhead_enter(p->bulkhead, GIRT_NOW) == GIRT_OK)
        girt_bulkhead_leave(p->bulkhead);
    must(girt_workers_submit(p->workers, task, NULL, GIRT_FOREVER));
}

int main(int count, char **words)
{
    program p = {.metrics = NULL};
    make(&p);
    girt_metrics_server *server;
    must(girt_metrics_serve(&server, p.metrics, count > 1 ? words[1] : "0",
                            NULL));
    printf("%u\n", (unsigned)girt_metrics_server_port(server));
    fflush(stdout);
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (uint64_t turn = 0; poll(&input, 1, 5) == 0; turn++)
        work(&p, turn);
    girt_metrics_server_destroy(server);
    girt_workers_destroy(p.workers);
    girt_bulkhead_destroy(p.bulkhead);
    girt_breaker_destroy(p.forced);
    girt_breaker_destroy(p.closed);
    girt_limiter_destroy(p.limiter);
    girt_map_destroy(p.map);
    girt_cache_destroy(p.cache);
    girt_queue_destroy(p.queue);
    girt_metrics_destroy(p.metrics);
    return 0;
}
