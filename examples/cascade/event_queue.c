/* SPDX-License-Identifier: MIT */
/* event_queue.c - a binary heap by {time, order}.
 *
 * I1: no event is before its parent (i - 1) / 2. */
#include "event_queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum { CAPACITY_FIRST = 1024 };

static bool is_before(const event *a, const event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void make_room(event_queue *queue)
{
    if (queue->count < queue->capacity)
        return;
    size_t const capacity =
        queue->capacity == 0 ? CAPACITY_FIRST : queue->capacity * 2;
    event *const heap = realloc(queue->heap, capacity * sizeof *heap);
    if (heap == NULL) {
        fputs("cascade: out of memory\n", stderr);
        exit(1);
    }
    queue->heap = heap;
    queue->capacity = capacity;
}

void event_queue_add(event_queue *queue, int64_t delay_ns, event_action action,
                     void *object, uint64_t ticket)
{
    assert(delay_ns >= 0);
    make_room(queue);
    event const added = {queue->now_ns + delay_ns, queue->order++, action,
                         object, ticket};
    size_t i = queue->count++;
    while (i > 0 && is_before(&added, &queue->heap[(i - 1) / 2])) {
        queue->heap[i] = queue->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    queue->heap[i] = added;
}

/* The first one leaves; the last one sinks from its place. */
static event take_first(event_queue *queue)
{
    event const first = queue->heap[0];
    event const last = queue->heap[--queue->count];
    size_t i = 0;
    for (size_t child = 1; child < queue->count; child = 2 * i + 1) {
        if (child + 1 < queue->count &&
            is_before(&queue->heap[child + 1], &queue->heap[child]))
            child++;
        if (!is_before(&queue->heap[child], &last))
            break;
        queue->heap[i] = queue->heap[child];
        i = child;
    }
    queue->heap[i] = last;
    return first;
}

bool event_queue_step(event_queue *queue)
{
    if (queue->count == 0)
        return false;
    event const next = take_first(queue);
    assert(next.at_ns >= queue->now_ns);
    queue->now_ns = next.at_ns;
    next.action(next.object, next.ticket);
    return true;
}

void event_queue_free(event_queue *queue)
{
    free(queue->heap);
    *queue = (event_queue){.heap = NULL};
}
