/* SPDX-License-Identifier: MIT */
/* queue_girt_mpmc.h - girt_mpmc as a contestant, inlined or called: whatever
 * GIRT_INLINE_FAST says where it is included. */
#define QUEUE_BATCHES
#include <girt/mpmc.h>

#include "bench_queue.h"

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    girt_mpmc *queue = NULL;
    *release = (void (*)(void *))girt_mpmc_destroy;
    return girt_mpmc_create(&queue, c->capacity, NULL) == GIRT_OK ? queue
                                                                  : NULL;
}

static bool queue_can(const queue_case *c)
{
    (void)c;
    return true;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    return girt_mpmc_push(queue, item);
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    return girt_mpmc_pop(queue, item);
}

static size_t queue_try_push_n(void *queue, unsigned producer,
                               void *const items[], size_t count)
{
    (void)producer;
    return girt_mpmc_push_n(queue, items, count);
}

static size_t queue_try_pop_n(void *queue, unsigned consumer, void *items[],
                              size_t count)
{
    (void)consumer;
    return girt_mpmc_pop_n(queue, items, count);
}

#include "queue_driver.h"
