/* SPDX-License-Identifier: MIT */
/* queue_ck_fifo.c - Concurrency Kit's lock-free FIFO [Michael, Scott 1996].
 * Entries come from a lock-free stack of as many as the queue may hold, as
 * boost::lockfree does, which bounds it. */
#define QUEUE_NAME ck_fifo
#include <ck_fifo.h>
#include <ck_stack.h>
#include <stdlib.h>

#include "bench_queue.h"

/* The stack's links lie beside the queue's: a queue that is late reads a link
 * of its own even in a spare entry. */
typedef struct fifo_node {
    ck_fifo_mpmc_entry_t entry;
    ck_stack_entry_t spare;
} __attribute__((aligned(64))) fifo_node;

typedef struct fifo {
    ck_fifo_mpmc_t fifo __attribute__((aligned(128)));
    ck_stack_t spares __attribute__((aligned(128)));
    fifo_node *nodes;
} fifo;

static void fifo_free(void *queue)
{
    free(((fifo *)queue)->nodes);
    free(queue);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    fifo *const q = aligned_alloc(128, sizeof *q);
    q->nodes = aligned_alloc(64, (c->capacity + 1) * sizeof *q->nodes);
    ck_stack_init(&q->spares);
    ck_fifo_mpmc_init(&q->fifo, &q->nodes[0].entry);
    for (size_t i = 1; i <= c->capacity; i++)
        ck_stack_push_mpmc(&q->spares, &q->nodes[i].spare);
    *release = fifo_free;
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
    fifo *const q = queue;
    ck_stack_entry_t *const spare = ck_stack_pop_mpmc(&q->spares);
    if (spare == NULL)
        return false;
    fifo_node *const node =
        (fifo_node *)((char *)spare - offsetof(fifo_node, spare));
    ck_fifo_mpmc_enqueue(&q->fifo, &node->entry, item);
    return true;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    fifo *const q = queue;
    ck_fifo_mpmc_entry_t *garbage;
    if (!ck_fifo_mpmc_dequeue(&q->fifo, item, &garbage))
        return false;
    ck_stack_push_mpmc(&q->spares, &((fifo_node *)garbage)->spare);
    return true;
}

#include "queue_driver.h"
