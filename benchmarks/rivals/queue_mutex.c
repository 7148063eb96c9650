/* SPDX-License-Identifier: MIT */
/* queue_mutex.c - what people write: a ring behind one pthread mutex and two
 * condition variables. */
#define QUEUE_NAME mutex
#define QUEUE_BATCHES
#define QUEUE_WAITS
#include <pthread.h>
#include <stdlib.h>

#include "bench_queue.h"

typedef struct mutex_ring {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    size_t head, count, capacity;
    bool closed;
    void *items[];
} mutex_ring;

static void mutex_ring_free(void *queue)
{
    mutex_ring *const q = queue;
    pthread_mutex_destroy(&q->lock);
    pthread_cond_destroy(&q->filled);
    pthread_cond_destroy(&q->drained);
    free(q);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    mutex_ring *const q = calloc(1, sizeof *q + c->capacity * sizeof(void *));
    q->capacity = c->capacity;
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->filled, NULL);
    pthread_cond_init(&q->drained, NULL);
    *release = mutex_ring_free;
    return q;
}

static bool queue_can(const queue_case *c)
{
    (void)c;
    return true;
}

static size_t put(mutex_ring *q, void *const items[], size_t count)
{
    size_t done = 0;
    for (; done < count && q->count < q->capacity; done++) {
        size_t const at = q->head + q->count++;
        q->items[at < q->capacity ? at : at - q->capacity] = items[done];
    }
    return done;
}

static size_t take(mutex_ring *q, void *items[], size_t count)
{
    size_t done = 0;
    for (; done < count && q->count > 0; done++, q->count--) {
        items[done] = q->items[q->head];
        q->head = q->head + 1 == q->capacity ? 0 : q->head + 1;
    }
    return done;
}

static size_t queue_try_push_n(void *queue, unsigned producer,
                               void *const items[], size_t count)
{
    (void)producer;
    mutex_ring *const q = queue;
    pthread_mutex_lock(&q->lock);
    size_t const done = put(q, items, count);
    pthread_mutex_unlock(&q->lock);
    if (done > 0)
        pthread_cond_signal(&q->filled);
    return done;
}

static size_t queue_try_pop_n(void *queue, unsigned consumer, void *items[],
                              size_t count)
{
    (void)consumer;
    mutex_ring *const q = queue;
    pthread_mutex_lock(&q->lock);
    size_t const done = take(q, items, count);
    pthread_mutex_unlock(&q->lock);
    if (done > 0)
        pthread_cond_signal(&q->drained);
    return done;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    return queue_try_push_n(queue, producer, &item, 1) == 1;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    return queue_try_pop_n(queue, consumer, item, 1) == 1;
}

static bool queue_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    mutex_ring *const q = queue;
    pthread_mutex_lock(&q->lock);
    while (q->count == q->capacity && !q->closed)
        pthread_cond_wait(&q->drained, &q->lock);
    bool const done = !q->closed && put(q, &item, 1) == 1;
    pthread_mutex_unlock(&q->lock);
    pthread_cond_signal(&q->filled);
    return done;
}

static bool queue_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    mutex_ring *const q = queue;
    pthread_mutex_lock(&q->lock);
    while (q->count == 0 && !q->closed)
        pthread_cond_wait(&q->filled, &q->lock);
    bool const done = take(q, item, 1) == 1;
    pthread_mutex_unlock(&q->lock);
    pthread_cond_signal(&q->drained);
    return done;
}

static void queue_close(void *queue)
{
    mutex_ring *const q = queue;
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_mutex_unlock(&q->lock);
    pthread_cond_broadcast(&q->filled);
    pthread_cond_broadcast(&q->drained);
}

#include "queue_driver.h"
