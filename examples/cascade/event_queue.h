/* SPDX-License-Identifier: MIT */
/* event_queue.h - virtual time: what happens when.
 *
 * Time stands still while an action runs and jumps to the next one.  Actions of
 * one instant run in the order in which they were added, so a simulation is the
 * same each time. */
#ifndef GIRT_EXAMPLES_EVENT_QUEUE_H
#define GIRT_EXAMPLES_EVENT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define US_NS INT64_C(1000)
#define MS_NS INT64_C(1000000)
#define S_NS  INT64_C(1000000000)

/* What happens, to whom; the ticket is the object's to make sense of. */
typedef void (*event_action)(void *object, uint64_t ticket);

typedef struct event {
    int64_t at_ns;
    uint64_t order;
    event_action action;
    void *object;
    uint64_t ticket;
} event;

typedef struct event_queue {
    int64_t now_ns;
    uint64_t order; /* of the next event to be added */
    event *heap;    /* the next one first */
    size_t count, capacity;
} event_queue;

/* At now_ns + delay_ns, which is not negative.  Ends the program where there is
 * no memory. */
void event_queue_add(event_queue *queue, int64_t delay_ns, event_action action,
                     void *object, uint64_t ticket);

/* Moves the time to the next event and lets it happen; false: there is none. */
bool event_queue_step(event_queue *queue);

void event_queue_free(event_queue *queue);

#endif /* GIRT_EXAMPLES_EVENT_QUEUE_H */
