/* SPDX-License-Identifier: MIT */
/* queue_boost.cpp - boost::lockfree::queue, lock-free, many of both. */
#define QUEUE_NAME boost_queue
#include <boost/lockfree/queue.hpp>

#include "bench_queue.h"

namespace
{
using queue_type = boost::lockfree::queue<void *>;

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<queue_type *>(queue); };
    return new queue_type(c->capacity);
}

bool queue_can(const queue_case *)
{
    return true;
}

/* bounded_push does not allocate: the bound that it has. */
bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<queue_type *>(queue)->bounded_push(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->pop(*item);
}
} // namespace

#include "queue_driver.h"
