/* SPDX-License-Identifier: MIT */
/* queue_urcu.c - liburcu's wait-free concurrent queue: wait-free push, poppers
 * behind its mutex, a node an item, bounded by queue_bound.h. */
#define QUEUE_NAME urcu_wfcqueue
#define _LGPL_SOURCE
#include <stdlib.h>
#include <string.h>
#include <urcu/wfcqueue.h>

#include "bench_queue.h"
#include "rivals/queue_bound.h"

typedef struct node {
    struct cds_wfcq_node link;
    void *item;
} node;

typedef struct wfcq {
    struct cds_wfcq_head head __attribute__((aligned(128)));
    struct cds_wfcq_tail tail __attribute__((aligned(128)));
    queue_bound bound;
} wfcq;

static void wfcq_free(void *queue)
{
    wfcq *const q = queue;
    struct cds_wfcq_node *link;
    while ((link = cds_wfcq_dequeue_blocking(&q->head, &q->tail)) != NULL)
        free(link);
    cds_wfcq_destroy(&q->head, &q->tail);
    free(q);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    wfcq *const q = aligned_alloc(128, sizeof *q);
    memset(q, 0, sizeof *q);
    cds_wfcq_init(&q->head, &q->tail);
    q->bound.capacity = c->capacity;
    q->bound.producers = c->producers;
    q->bound.consumers = c->consumers > 0 ? c->consumers : 1;
    *release = wfcq_free;
    return q;
}

static bool queue_can(const queue_case *c)
{
    (void)c;
    return true;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    wfcq *const q = queue;
    if (!queue_bound_has_room(&q->bound, producer))
        return false;
    node *const n = malloc(sizeof *n);
    if (n == NULL)
        return false;
    cds_wfcq_node_init(&n->link);
    n->item = item;
    (void)cds_wfcq_enqueue(&q->head, &q->tail, &n->link);
    queue_bound_add(&q->bound.pushed[producer]);
    return true;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    wfcq *const q = queue;
    if (cds_wfcq_empty(&q->head, &q->tail))
        return false;
    node *const n = (node *)cds_wfcq_dequeue_blocking(&q->head, &q->tail);
    if (n == NULL)
        return false;
    *item = n->item;
    free(n);
    queue_bound_add(&q->bound.popped[consumer]);
    return true;
}

#include "queue_driver.h"
