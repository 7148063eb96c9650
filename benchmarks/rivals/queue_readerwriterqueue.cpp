/* SPDX-License-Identifier: MIT */
/* queue_readerwriterqueue.cpp - moodycamel::ReaderWriterQueue, one of each. */
#define QUEUE_NAME readerwriterqueue
#include <readerwriterqueue/readerwriterqueue.h>

#include "bench_queue.h"

namespace
{
using queue_type = moodycamel::ReaderWriterQueue<void *>;

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<queue_type *>(queue); };
    return new queue_type(c->capacity);
}

bool queue_can(const queue_case *c)
{
    return c->producers == 1 && c->consumers <= 1;
}

bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<queue_type *>(queue)->try_enqueue(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->try_dequeue(*item);
}
} // namespace

#include "queue_driver.h"
