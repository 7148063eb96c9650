/* SPDX-License-Identifier: MIT */
/* ring_memcached.c - libmemcached's weighted ketama. A handle is not to be
 * shared by threads, so each gets a copy of its own, as it asks. */
#include <libmemcached/memcached.h>
#include <pthread.h>
#include <stdlib.h>

#include "bench_ring.h"

typedef struct handles {
    memcached_st *original;
    pthread_key_t own;
} handles;

static void free_handle(void *handle)
{
    memcached_free(handle);
}

static void *make_ring(const ring_case *c)
{
    if (c->nodes > 100) /* it aborts beyond */
        return NULL;
    handles *const h = calloc(1, sizeof *h);
    h->original = memcached_create(NULL);
    (void)pthread_key_create(&h->own, free_handle);
    (void)memcached_behavior_set(h->original,
                                 MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1);
    memcached_server_st *servers = NULL;
    for (size_t i = 0; i < c->nodes; i++) {
        char name[32];
        memcached_return_t answer;
        ring_node_name(name, i);
        servers = memcached_server_list_append_with_weight(servers, name, 11211,
                                                           1, &answer);
    }
    (void)memcached_server_push(h->original, servers);
    memcached_server_list_free(servers);
    return h;
}

static void free_ring(void *ring)
{
    handles *const h = ring;
    pthread_key_delete(h->own);
    memcached_free(h->original);
    free(h);
}

static uint64_t find_in_ring(void *ring, const void *key, size_t size)
{
    handles *const h = ring;
    memcached_st *own = pthread_getspecific(h->own);
    if (own == NULL) {
        own = memcached_clone(NULL, h->original);
        (void)pthread_setspecific(h->own, own);
    }
    return memcached_generate_hash(own, key, size);
}

double ring_memcached(const void *adapter, const void *bench_case,
                      double seconds)
{
    (void)adapter;
    const ring_case *const c = bench_case;
    void *const ring = make_ring(c);
    if (ring == NULL)
        return BENCH_UNABLE;
    double const cost = ring_race(c, seconds, ring, find_in_ring, NULL);
    free_ring(ring);
    return cost;
}
