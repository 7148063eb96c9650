/* SPDX-License-Identifier: MIT */
/* queue_tbb.cpp - tbb::concurrent_bounded_queue, waiting and not. */
#define QUEUE_NAME tbb_bounded
#define QUEUE_WAITS
#include <atomic>
#include <oneapi/tbb/concurrent_queue.h>
#include <time.h>

#include "bench_queue.h"

namespace
{
using inner_type = oneapi::tbb::concurrent_bounded_queue<void *>;

struct queue_type : inner_type {
    std::atomic<bool> closed{false};
};

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<queue_type *>(queue); };
    queue_type *const queue = new queue_type;
    queue->set_capacity(static_cast<inner_type::size_type>(c->capacity));
    return queue;
}

bool queue_can(const queue_case *)
{
    return true;
}

bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<queue_type *>(queue)->try_push(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->try_pop(*item);
}

/* abort() wakes those who wait with an exception: its way to be closed. */
bool queue_push(void *queue, unsigned, void *item)
{
    queue_type *const q = static_cast<queue_type *>(queue);
    try {
        if (q->closed)
            return false;
        q->push(item);
        return true;
    } catch (const oneapi::tbb::user_abort &) {
        return false;
    }
}

bool queue_pop(void *queue, unsigned, void **item)
{
    queue_type *const q = static_cast<queue_type *>(queue);
    try {
        if (q->closed)
            return false;
        q->pop(*item);
        return true;
    } catch (const oneapi::tbb::user_abort &) {
        return false;
    }
}

void queue_close(void *queue)
{
    static_cast<queue_type *>(queue)->closed = true;
    /* abort wakes those who wait now; one may be on its way to wait. */
    for (int i = 0; i < 100; i++) {
        static_cast<queue_type *>(queue)->abort();
        struct timespec const moment = {0, 1000000};
        nanosleep(&moment, nullptr);
    }
}
} // namespace

#include "queue_driver.h"
