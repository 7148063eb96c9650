/* SPDX-License-Identifier: MIT */
/* 01_queue.c - hand work to another thread, and end without losing any.
 *
 * Three producers share one bounded queue with one consumer. A full queue makes
 * producers wait, an empty one the consumer. After the close the consumer still
 * gets what was pushed before it, and only then GIRT_CLOSED. */
#include <pthread.h>
#include <stdio.h>

#include <girt/queue.h>

enum { PRODUCERS = 3, ITEMS_EACH = 10000 };

static int numbers[ITEMS_EACH];

static void *produce(void *argument)
{
    girt_queue *const queue = argument;
    for (int i = 0; i < ITEMS_EACH; i++)
        if (girt_queue_push(queue, &numbers[i], GIRT_FOREVER) != GIRT_OK)
            break; /* closed: nobody wants more */
    return NULL;
}

typedef struct totals {
    girt_queue *queue;
    long items;
    long sum;
} totals;

static void *consume(void *argument)
{
    totals *const t = argument;
    void *item;
    while (girt_queue_pop(t->queue, &item, GIRT_FOREVER) == GIRT_OK) {
        t->items++;
        t->sum += *(const int *)item;
    }
    return NULL; /* GIRT_CLOSED: empty, and nothing will come */
}

int main(void)
{
    girt_queue *queue;
    if (girt_queue_create(&queue, &(girt_queue_options){.capacity = 64}) !=
        GIRT_OK)
        return 1;
    for (int i = 0; i < ITEMS_EACH; i++)
        numbers[i] = i;

    totals t = {.queue = queue};
    pthread_t consumer, producers[PRODUCERS];
    pthread_create(&consumer, NULL, consume, &t);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_create(&producers[i], NULL, produce, queue);
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(producers[i], NULL);
    girt_queue_close(queue);
    pthread_join(consumer, NULL);

    printf("%ld items through a queue of %zu\n", t.items,
           girt_queue_capacity(queue));
    printf("their sum is %ld\n", t.sum);
    void *item;
    printf("another pop: %s\n",
           girt_status_text(girt_queue_pop(queue, &item, GIRT_NOW)));
    girt_queue_destroy(queue);
    return 0;
}
