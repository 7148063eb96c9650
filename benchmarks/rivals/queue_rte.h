/* SPDX-License-Identifier: MIT */
/* queue_rte.h - DPDK's ring on memory of our own (no EAL), in the mode that
 * QUEUE_RTE_FLAGS names. */
#define QUEUE_BATCHES
#include <rte_config.h>
#include <rte_ring.h>
#include <stdlib.h>

#include "bench_queue.h"

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    ssize_t const size = rte_ring_get_memsize((unsigned)c->capacity * 2);
    if (size < 0)
        return NULL;
    struct rte_ring *const ring =
        aligned_alloc(128, ((size_t)size + 127) / 128 * 128);
    if (rte_ring_init(ring, "girt-bench", (unsigned)c->capacity,
                      QUEUE_RTE_FLAGS | RING_F_EXACT_SZ) != 0)
        return NULL;
    *release = free;
    return ring;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    return rte_ring_enqueue(queue, item) == 0;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    return rte_ring_dequeue(queue, item) == 0;
}

static size_t queue_try_push_n(void *queue, unsigned producer,
                               void *const items[], size_t count)
{
    (void)producer;
    return rte_ring_enqueue_burst(queue, items, (unsigned)count, NULL);
}

static size_t queue_try_pop_n(void *queue, unsigned consumer, void *items[],
                              size_t count)
{
    (void)consumer;
    return rte_ring_dequeue_burst(queue, items, (unsigned)count, NULL);
}
