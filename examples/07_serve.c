/* SPDX-License-Identifier: MIT */
/* 07_serve.c - a service that reports itself.
 *
 * Each object gets a name and the registry, and what serves the registry is two
 * lines. Runs until standard input ends or has a line; look at it meanwhile
 * with a browser, Prometheus, or build/examples/top.
 *
 * usage: 07_serve [ADDRESS]     "127.0.0.1:9464" if none is given */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <girt/breaker.h>
#include <girt/cache.h>
#include <girt/limiter.h>
#include <girt/metrics.h>
#include <girt/queue.h>
#include <girt/serve.h>

enum { DEPTH = 42, REQUESTS = 10, PRODUCTS = 300, PRICE_TTL_NS = 1000000000 };

static void must(girt_status status)
{
    if (status == GIRT_OK)
        return;
    fprintf(stderr, "07_serve: %s\n", girt_status_name(status));
    exit(1);
}

/* A product's price: from the cache, or from a shop that is always down. */
static void find_price(girt_cache *prices, girt_breaker *shop, uint64_t product)
{
    girt_cached price;
    girt_permit permit;
    if (girt_cache_get(prices, &product, sizeof product, &price) == GIRT_OK) {
        girt_cache_release(prices, &price);
        return;
    }
    if (girt_breaker_enter(shop, &permit) == GIRT_OK)
        girt_breaker_leave(shop, &permit, GIRT_FAILURE);
    must(girt_cache_put(prices, &product, sizeof product, "unknown", 7,
                        PRICE_TTL_NS));
}

int main(int count, char *words[])
{
    girt_metrics *metrics;
    girt_queue *jobs;
    girt_cache *prices;
    girt_limiter *logins;
    girt_breaker *shop;
    girt_metrics_server *server;
    must(girt_metrics_create(&metrics, NULL));
    must(girt_queue_create(&jobs, &(girt_queue_options){.capacity = 100,
                                                        .name = "jobs",
                                                        .metrics = metrics}));
    must(girt_cache_create(&prices, &(girt_cache_options){.bytes_max = 1 << 20,
                                                          .name = "prices",
                                                          .metrics = metrics}));
    must(girt_limiter_create(
        &logins, &(girt_limiter_options){.rate = {10, 1000000000, 5},
                                         .name = "logins",
                                         .metrics = metrics}));
    must(girt_breaker_create(
        &shop, &(girt_breaker_options){.name = "shop", .metrics = metrics}));
    must(girt_metrics_serve(&server, metrics, count > 1 ? words[1] : NULL,
                            NULL));
    printf("http://127.0.0.1:%u/metrics\n", girt_metrics_server_port(server));
    fflush(stdout);

    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (uint64_t turn = 0; poll(&input, 1, 10) == 0; turn++) {
        while (girt_queue_count(jobs) < DEPTH)
            must(girt_queue_push(jobs, &input, GIRT_NOW));
        void *job;
        for (int i = 0; i < REQUESTS; i++)
            must(girt_queue_pop(jobs, &job, GIRT_NOW));
        for (uint64_t i = 0; i < REQUESTS; i++) {
            must(girt_queue_push(jobs, &input, GIRT_NOW));
            find_price(prices, shop, (turn * REQUESTS + i * i) % PRODUCTS);
            (void)girt_limiter_take(logins, 1, NULL);
        }
    }
    girt_metrics_server_destroy(server); /* before the registry */
    girt_breaker_destroy(shop);
    girt_limiter_destroy(logins);
    girt_cache_destroy(prices);
    while (girt_queue_pop(jobs, &(void *){NULL}, GIRT_NOW) == GIRT_OK)
        continue;
    girt_queue_destroy(jobs);
    girt_metrics_destroy(metrics); /* after all that reports there */
    return 0;
}
