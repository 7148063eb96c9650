/* SPDX-License-Identifier: MIT */
/* queue_libcds_ms.cpp - cds::container::MSQueue [Michael, Scott 1996] with
 * hazard pointers: lock-free, a node an item, bounded by queue_bound.h. */
#define QUEUE_NAME libcds_ms
#include <cds/container/msqueue.h>
#include <cds/gc/hp.h>
#include <cds/init.h>
#include <memory>

#include "bench_queue.h"
#include "rivals/queue_bound.h"

namespace
{
using queue_type = cds::container::MSQueue<cds::gc::HP, void *>;

struct collected {
    cds::gc::HP collector;
    queue_type queue;
    queue_bound bound{};
};

/* Each thread must be known to the collector. */
struct attachment {
    attachment()
    {
        cds::threading::Manager::attachThread();
    }
    ~attachment()
    {
        cds::threading::Manager::detachThread();
    }
};
inline void attach()
{
    static thread_local attachment const here;
    (void)&here;
}

/* The process ends after one run: what it holds is left to that. */
void leave(void *)
{
}

void *queue_make(const queue_case *c, void (**release)(void *))
{
    cds::Initialize();
    attach();
    collected *const q = new collected;
    q->bound.capacity = c->capacity;
    q->bound.producers = c->producers;
    q->bound.consumers = c->consumers > 0 ? c->consumers : 1;
    *release = leave;
    return q;
}

bool queue_can(const queue_case *c)
{
    return c->trial != QUEUE_TRIP;
}

bool queue_try_push(void *queue, unsigned producer, void *item)
{
    collected *const q = static_cast<collected *>(queue);
    if (!queue_bound_has_room(&q->bound, producer))
        return false;
    attach();
    q->queue.enqueue(item);
    queue_bound_add(&q->bound.pushed[producer]);
    return true;
}

bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    collected *const q = static_cast<collected *>(queue);
    attach();
    if (!q->queue.dequeue(*item))
        return false;
    queue_bound_add(&q->bound.popped[consumer]);
    return true;
}
} // namespace

#include "queue_driver.h"
