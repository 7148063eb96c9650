/* SPDX-License-Identifier: MIT */
/* queue_moodycamel.cpp - moodycamel::ConcurrentQueue with tokens: FIFO for each
 * producer only; bounded by nothing, so capacity is what it starts with. */
#define QUEUE_NAME moodycamel
#define QUEUE_BATCHES
#include <concurrentqueue/concurrentqueue.h>
#include <memory>
#include <vector>

#include "bench_queue.h"

namespace
{
using queue_type = moodycamel::ConcurrentQueue<void *>;

struct tokened {
    queue_type queue;
    size_t capacity;
    std::vector<std::unique_ptr<moodycamel::ProducerToken>> producers;
    std::vector<std::unique_ptr<moodycamel::ConsumerToken>> consumers;
    explicit tokened(const queue_case *c)
        : queue(c->capacity, c->producers, 0), capacity(c->capacity)
    {
        for (unsigned i = 0; i < c->producers; i++)
            producers.push_back(
                std::make_unique<moodycamel::ProducerToken>(queue));
        for (unsigned i = 0; i < c->consumers + 1; i++)
            consumers.push_back(
                std::make_unique<moodycamel::ConsumerToken>(queue));
    }
};

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<tokened *>(queue); };
    return new tokened(c);
}

bool queue_can(const queue_case *)
{
    return true;
}

/* try_enqueue does not allocate: the bound that it has. */
bool queue_try_push(void *queue, unsigned producer, void *item)
{
    tokened *const q = static_cast<tokened *>(queue);
    return q->queue.try_enqueue(*q->producers[producer], item);
}

bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    tokened *const q = static_cast<tokened *>(queue);
    return q->queue.try_dequeue(*q->consumers[consumer], *item);
}

size_t queue_try_push_n(void *queue, unsigned producer, void *const items[],
                        size_t count)
{
    tokened *const q = static_cast<tokened *>(queue);
    return q->queue.try_enqueue_bulk(*q->producers[producer], items, count)
               ? count
               : 0;
}

size_t queue_try_pop_n(void *queue, unsigned consumer, void *items[],
                       size_t count)
{
    tokened *const q = static_cast<tokened *>(queue);
    return q->queue.try_dequeue_bulk(*q->consumers[consumer], items, count);
}
} // namespace

#include "queue_driver.h"
