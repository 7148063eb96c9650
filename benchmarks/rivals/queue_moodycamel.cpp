/* SPDX-License-Identifier: MIT */
/* queue_moodycamel.cpp - moodycamel::ConcurrentQueue with tokens: FIFO for each
 * producer only.  Its bound is the blocks that it starts with, since
 * try_enqueue does not allocate: as many as hold the capacity.  The constructor
 * that takes a number of producers makes that many times as many.  Each
 * producer's index of blocks has room for all of them, or it would be full at
 * 32. */
#define QUEUE_NAME moodycamel
#define QUEUE_BATCHES
#include <concurrentqueue/concurrentqueue.h>
#include <memory>
#include <vector>

#include "bench_queue.h"

namespace
{
struct traits : moodycamel::ConcurrentQueueDefaultTraits {
    static const size_t EXPLICIT_INITIAL_INDEX_SIZE = 2048;
};
using queue_type = moodycamel::ConcurrentQueue<void *, traits>;

struct tokened {
    queue_type queue;
    size_t capacity;
    std::vector<std::unique_ptr<moodycamel::ProducerToken>> producers;
    std::vector<std::unique_ptr<moodycamel::ConsumerToken>> consumers;
    explicit tokened(const queue_case *c)
        : queue(c->capacity), capacity(c->capacity)
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
