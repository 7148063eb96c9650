/* SPDX-License-Identifier: MIT */
/* queue_moodycamel_blocking.cpp - moodycamel::BlockingConcurrentQueue. It
 * cannot be closed: consumers look up every 100 ms; nor bounded: a producer
 * that is a capacity ahead yields. */
#define QUEUE_NAME moodycamel_blocking
#define QUEUE_WAITS
#include <atomic>
#include <concurrentqueue/blockingconcurrentqueue.h>
#include <sched.h>

#include "bench_queue.h"

namespace
{
struct closable {
    moodycamel::BlockingConcurrentQueue<void *> queue;
    size_t capacity;
    std::atomic<bool> closed{false};
};

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<closable *>(queue); };
    return new closable{
        moodycamel::BlockingConcurrentQueue<void *>(c->capacity), c->capacity};
}

bool queue_can(const queue_case *c)
{
    return c->waits;
}

bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<closable *>(queue)->queue.try_enqueue(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<closable *>(queue)->queue.try_dequeue(*item);
}

bool queue_push(void *queue, unsigned, void *item)
{
    closable *const q = static_cast<closable *>(queue);
    while (q->queue.size_approx() >= q->capacity) {
        if (q->closed.load(std::memory_order_relaxed))
            return false;
        sched_yield();
    }
    return q->queue.enqueue(item);
}

bool queue_pop(void *queue, unsigned, void **item)
{
    closable *const q = static_cast<closable *>(queue);
    while (!q->queue.wait_dequeue_timed(*item, 100000)) {
        if (q->closed.load(std::memory_order_relaxed))
            return false;
    }
    return true;
}

void queue_close(void *queue)
{
    static_cast<closable *>(queue)->closed.store(true);
}
} // namespace

#include "queue_driver.h"
