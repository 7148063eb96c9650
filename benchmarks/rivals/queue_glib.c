/* SPDX-License-Identifier: MIT */
/* queue_glib.c - GAsyncQueue. It has no bound and no close: a producer that is
 * a capacity ahead yields, consumers look up every 100 ms. */
#define QUEUE_NAME glib
#define QUEUE_WAITS
#include <glib.h>
#include <sched.h>

#include "bench_queue.h"

typedef struct async {
    GAsyncQueue *queue;
    gint capacity;
    bool closed;
} async;

static void async_free(void *queue)
{
    g_async_queue_unref(((async *)queue)->queue);
    g_free(queue);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    async *const q = g_new0(async, 1);
    q->queue = g_async_queue_new();
    q->capacity = (gint)c->capacity;
    *release = async_free;
    return q;
}

static bool queue_can(const queue_case *c)
{
    (void)c;
    return true;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    async *const q = queue;
    if (g_async_queue_length(q->queue) >= q->capacity)
        return false;
    g_async_queue_push(q->queue, item);
    return true;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    void *const popped = g_async_queue_try_pop(((async *)queue)->queue);
    if (popped == NULL)
        return false;
    *item = popped;
    return true;
}

static bool queue_push(void *queue, unsigned producer, void *item)
{
    async *const q = queue;
    while (!queue_try_push(queue, producer, item)) {
        if (__atomic_load_n(&q->closed, __ATOMIC_RELAXED))
            return false;
        sched_yield();
    }
    return true;
}

static bool queue_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    async *const q = queue;
    void *popped;
    while ((popped = g_async_queue_timeout_pop(q->queue, 100000)) == NULL) {
        if (__atomic_load_n(&q->closed, __ATOMIC_RELAXED))
            return false;
    }
    *item = popped;
    return true;
}

static void queue_close(void *queue)
{
    __atomic_store_n(&((async *)queue)->closed, true, __ATOMIC_RELAXED);
}

#include "queue_driver.h"
