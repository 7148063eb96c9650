/* SPDX-License-Identifier: MIT */
/* with_girt.c - the service on girt: no lock of its own anywhere.
 *
 *   producers -> girt_queue -> workers -> girt_keyed_limiter  a token a request
 *                                      -> girt_ring           the URL's shard
 *                                      -> girt_map            its hits, bytes
 */
#include "spike_service.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <girt/keyed_limiter.h>
#include <girt/map.h>
#include <girt/queue.h>
#include <girt/ring.h>

/* The ring's seed is fixed, so that every run balances alike. */
#define RING_SEED     UINT64_C(0x67697274)
#define SHARD_IDS_MAX 4096
/* A new client whom several workers meet at once counts more than once for a
 * moment: one place for each worker there can be. */
#define KEYS_TO_SPARE 256

/* The map's values are pointers to these: to count is to read the map, which
 * takes no lock and writes nothing shared, and two additions. */
typedef struct url_total {
    _Atomic uint64_t hits;
    _Atomic uint64_t bytes;
} url_total;

typedef struct service {
    spike_config config;
    girt_queue *queue;
    girt_keyed_limiter *limiter;
    girt_ring *ring;
    girt_map *maps[SPIKE_SHARDS_MAX];
    uint8_t shard_of_id[SHARD_IDS_MAX];
} service;

static bool free_total(void *context, const void *key, size_t key_size,
                       const void *value)
{
    (void)context;
    (void)key;
    (void)key_size;
    free(*(url_total *const *)value);
    return true;
}

static void destroy(void *context)
{
    service *const s = context;
    if (s == NULL)
        return;
    for (size_t i = 0; i < SPIKE_SHARDS_MAX && s->maps[i] != NULL; i++) {
        (void)girt_map_each(s->maps[i], free_total, NULL);
        girt_map_destroy(s->maps[i]);
    }
    girt_ring_destroy(s->ring);
    girt_keyed_limiter_destroy(s->limiter);
    girt_queue_destroy(s->queue);
    free(s);
}

/* The ring names its nodes by ids of its own: looks up which shard each is. */
static girt_status learn_ids(service *s)
{
    uint32_t ids[SPIKE_SHARDS_MAX];
    size_t count = s->config.shards;
    girt_status status = girt_ring_find_n(s->ring, "", 0, ids, &count);
    for (size_t i = 0; status == GIRT_OK && i < count; i++) {
        char name[32];
        unsigned shard;
        status = girt_ring_name(s->ring, ids[i], name, sizeof name);
        if (status == GIRT_OK &&
            (ids[i] >= SHARD_IDS_MAX || sscanf(name, "shard-%u", &shard) != 1))
            status = GIRT_E_TOO_LARGE;
        if (status == GIRT_OK)
            s->shard_of_id[ids[i]] = (uint8_t)shard;
    }
    return status;
}

static girt_status create_ring(service *s)
{
    char names[SPIKE_SHARDS_MAX][32];
    girt_node nodes[SPIKE_SHARDS_MAX];
    for (size_t i = 0; i < s->config.shards; i++) {
        snprintf(names[i], sizeof names[i], "shard-%zu", i);
        nodes[i] = (girt_node){.name = names[i]};
    }
    girt_status status =
        girt_ring_create(&s->ring, &(girt_ring_options){.seed = RING_SEED});
    if (status == GIRT_OK)
        status = girt_ring_set(s->ring, nodes, s->config.shards);
    return status == GIRT_OK ? learn_ids(s) : status;
}

static girt_status create_parts(service *s)
{
    girt_status status = girt_queue_create(
        &s->queue, &(girt_queue_options){.capacity = s->config.capacity});
    if (status == GIRT_OK)
        status = girt_keyed_limiter_create(
            &s->limiter, &(girt_keyed_limiter_options){
                             .rate = {.limit = s->config.burst,
                                      .period_ns = INT64_C(60000000000),
                                      .burst = s->config.burst},
                             .keys = s->config.clients + KEYS_TO_SPARE,
                             .when_full = GIRT_LIMITED,
                         });
    if (status == GIRT_OK)
        status = create_ring(s);
    for (size_t i = 0; status == GIRT_OK && i < s->config.shards; i++)
        status = girt_map_create(
            &s->maps[i],
            &(girt_map_options){.value_size = sizeof(url_total *)});
    return status;
}

static girt_status create(void **out, const spike_config *config)
{
    service *const s = calloc(1, sizeof *s);
    if (s == NULL)
        return GIRT_E_NOMEM;
    s->config = *config;
    girt_status const status = create_parts(s);
    if (status != GIRT_OK) {
        destroy(s);
        return status;
    }
    *out = s;
    return GIRT_OK;
}

static girt_status push(void *context, spike_request *const requests[],
                        size_t count)
{
    service *const s = context;
    void *items[SPIKE_BATCH_MAX];
    for (size_t i = 0; i < count; i++)
        items[i] = requests[i];
    size_t pushed;
    return girt_queue_push_n(s->queue, items, count, GIRT_FOREVER, &pushed);
}

static void close_queue(void *context)
{
    girt_queue_close(((service *)context)->queue);
}

/* A URL seen for the first time: gives it totals of its own, or finds those
 * that another worker gave it at the same moment. */
static girt_status first_sight(girt_map *map, const access_entry *e,
                               url_total **total)
{
    url_total *const fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL)
        return GIRT_E_NOMEM;
    girt_status status = girt_map_add(map, e->url, e->url_size, &fresh);
    if (status == GIRT_OK) {
        *total = fresh;
        return GIRT_OK;
    }
    free(fresh);
    if (status == GIRT_EXISTS)
        status = girt_map_get(map, e->url, e->url_size, total);
    return status;
}

static girt_status count_url(girt_map *map, const access_entry *e)
{
    url_total *total;
    girt_status status = girt_map_get(map, e->url, e->url_size, &total);
    if (status == GIRT_MISSING)
        status = first_sight(map, e, &total);
    if (status != GIRT_OK)
        return status;
    /* Sums only: no order among them matters. */
    atomic_fetch_add_explicit(&total->hits, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&total->bytes, e->bytes, memory_order_relaxed);
    return GIRT_OK;
}

static girt_status serve(service *s, spike_worker *worker,
                         spike_request *request)
{
    const access_entry *const e = &request->entry;
    girt_status status = girt_keyed_limiter_take_at(
        s->limiter, e->client, e->client_size, 1, s->config.now_ns, NULL);
    if (status < 0)
        return status;
    if (status == GIRT_OK)
        worker->admitted++;
    else
        worker->limited++;

    uint32_t node;
    status = girt_ring_find(s->ring, e->url, e->url_size, &node);
    if (status != GIRT_OK)
        return status;
    return count_url(s->maps[s->shard_of_id[node]], e);
}

static girt_status work(void *context, spike_worker *worker)
{
    service *const s = context;
    void *items[SPIKE_BATCH_MAX];
    spike_request *batch[SPIKE_BATCH_MAX];
    for (;;) {
        size_t count = 0;
        girt_status status = girt_queue_pop_n(s->queue, items, s->config.batch,
                                              GIRT_FOREVER, &count);
        if (status != GIRT_OK)
            return status == GIRT_CLOSED ? GIRT_OK : status;
        for (size_t i = 0; i < count; i++) {
            batch[i] = items[i];
            status = serve(s, worker, batch[i]);
            if (status != GIRT_OK)
                return status;
        }
        spike_served(worker, batch, count);
    }
}

typedef struct url_walk {
    spike_see_url *see;
    void *context;
    size_t shard;
} url_walk;

static bool see_entry(void *context, const void *key, size_t key_size,
                      const void *value)
{
    const url_walk *const walk = context;
    url_total *const total = *(url_total *const *)value;
    return walk->see(walk->context, walk->shard, key, key_size,
                     atomic_load(&total->hits), atomic_load(&total->bytes));
}

static girt_status each_url(void *context, spike_see_url *see,
                            void *see_context)
{
    service *const s = context;
    girt_status status = GIRT_OK;
    for (size_t i = 0; i < s->config.shards && status == GIRT_OK; i++) {
        url_walk walk = {see, see_context, i};
        status = girt_map_each(s->maps[i], see_entry, &walk);
    }
    return status;
}

const spike_way spike_with_girt = {
    .name = "girt",
    .sharded = true,
    .create = create,
    .push = push,
    .close = close_queue,
    .work = work,
    .each_url = each_url,
    .destroy = destroy,
};
