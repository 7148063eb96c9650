/* SPDX-License-Identifier: MIT */
/* queue_ck_ring.c - Concurrency Kit's ring in its many-producer mode. A
 * producer that is preempted between reserving and publishing stops all others,
 * so shapes with more threads than CPUs may stand still. */
#define QUEUE_NAME ck_ring
#include <ck_ring.h>
#include <stdlib.h>

#include "bench_queue.h"

typedef struct ring {
    ck_ring_t ring;
    ck_ring_buffer_t *buffer;
} ring;

static void ring_free(void *queue)
{
    free(((ring *)queue)->buffer);
    free(queue);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    ring *const q = aligned_alloc(128, (sizeof *q + 127) / 128 * 128);
    q->buffer = calloc(c->capacity, sizeof *q->buffer);
    ck_ring_init(&q->ring, (unsigned)c->capacity);
    *release = ring_free;
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
    ring *const q = queue;
    return ck_ring_enqueue_mpmc(&q->ring, q->buffer, item);
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    ring *const q = queue;
    return ck_ring_trydequeue_mpmc(&q->ring, q->buffer, item);
}

#include "queue_driver.h"
