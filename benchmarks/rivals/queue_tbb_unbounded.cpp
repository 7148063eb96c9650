/* SPDX-License-Identifier: MIT */
/* queue_tbb_unbounded.cpp - tbb::concurrent_queue, which has no bound: that of
 * queue_bound.h. */
#define QUEUE_NAME tbb_queue
#include <oneapi/tbb/concurrent_queue.h>

#include "bench_queue.h"
#include "rivals/queue_bound.h"

namespace
{
struct bounded {
    oneapi::tbb::concurrent_queue<void *> queue;
    queue_bound bound{};
};

void *queue_make(const queue_case *c, void (**release)(void *))
{
    bounded *const q = new bounded;
    q->bound.capacity = c->capacity;
    q->bound.producers = c->producers;
    q->bound.consumers = c->consumers > 0 ? c->consumers : 1;
    *release = [](void *queue) { delete static_cast<bounded *>(queue); };
    return q;
}

bool queue_can(const queue_case *)
{
    return true;
}

bool queue_try_push(void *queue, unsigned producer, void *item)
{
    bounded *const q = static_cast<bounded *>(queue);
    if (!queue_bound_has_room(&q->bound, producer))
        return false;
    q->queue.push(item);
    queue_bound_add(&q->bound.pushed[producer]);
    return true;
}

bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    bounded *const q = static_cast<bounded *>(queue);
    if (!q->queue.try_pop(*item))
        return false;
    queue_bound_add(&q->bound.popped[consumer]);
    return true;
}
} // namespace

#include "queue_driver.h"
