/* SPDX-License-Identifier: MIT */
/* queue_boost_spsc.cpp - boost::lockfree::spsc_queue. */
#define QUEUE_NAME boost_spsc
#define QUEUE_BATCHES
#include <boost/lockfree/spsc_queue.hpp>

#include "bench_queue.h"

namespace
{
using queue_type = boost::lockfree::spsc_queue<void *>;

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
    return static_cast<queue_type *>(queue)->push(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->pop(*item);
}

size_t queue_try_push_n(void *queue, unsigned, void *const items[],
                        size_t count)
{
    return static_cast<queue_type *>(queue)->push(items, count);
}

size_t queue_try_pop_n(void *queue, unsigned, void *items[], size_t count)
{
    return static_cast<queue_type *>(queue)->pop(items, count);
}
} // namespace

#include "queue_driver.h"
