/* SPDX-License-Identifier: MIT */
/* queue_girt_queue.h - girt_queue as a contestant, with QUEUE_OPTIONS; with
 * QUEUE_PAIR for one producer and one consumer. */
#define QUEUE_BATCHES
#define QUEUE_WAITS
#include <girt/queue.h>

#include "bench_queue.h"

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    girt_queue *queue = NULL;
    girt_queue_options const options = {.capacity = c->capacity, QUEUE_OPTIONS};
    *release = (void (*)(void *))girt_queue_destroy;
    return girt_queue_create(&queue, &options) == GIRT_OK ? queue : NULL;
}

static bool queue_can(const queue_case *c)
{
#ifdef QUEUE_PAIR
    return c->producers <= 1 && c->consumers <= 1;
#else
    (void)c;
    return true;
#endif
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    return girt_queue_push(queue, item, GIRT_NOW) == GIRT_OK;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    return girt_queue_pop(queue, item, GIRT_NOW) == GIRT_OK;
}

static size_t queue_try_push_n(void *queue, unsigned producer,
                               void *const items[], size_t count)
{
    (void)producer;
    size_t pushed = 0;
    (void)girt_queue_push_n(queue, items, count, GIRT_NOW, &pushed);
    return pushed;
}

static size_t queue_try_pop_n(void *queue, unsigned consumer, void *items[],
                              size_t count)
{
    (void)consumer;
    size_t popped = 0;
    (void)girt_queue_pop_n(queue, items, count, GIRT_NOW, &popped);
    return popped;
}

static bool queue_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    return girt_queue_push(queue, item, GIRT_FOREVER) == GIRT_OK;
}

static bool queue_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    return girt_queue_pop(queue, item, GIRT_FOREVER) == GIRT_OK;
}

static void queue_close(void *queue)
{
    girt_queue_close(queue);
}

#include "queue_driver.h"
