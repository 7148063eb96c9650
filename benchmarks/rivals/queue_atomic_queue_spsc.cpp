/* SPDX-License-Identifier: MIT */
/* queue_atomic_queue_spsc.cpp - atomic_queue::AtomicQueueB in its single
 * producer, single consumer form. */
#define QUEUE_NAME atomic_queue_spsc
#include <atomic_queue/atomic_queue.h>

#include "bench_queue.h"

namespace
{
using queue_type = atomic_queue::AtomicQueueB<void *, std::allocator<void *>,
                                              nullptr, true, false, true>;

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<queue_type *>(queue); };
    return new queue_type(static_cast<unsigned>(c->capacity));
}

bool queue_can(const queue_case *c)
{
    return c->producers == 1 && c->consumers <= 1;
}

bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<queue_type *>(queue)->try_push(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->try_pop(*item);
}
} // namespace

#include "queue_driver.h"
