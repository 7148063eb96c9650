/* SPDX-License-Identifier: MIT */
/* queue_libcds.cpp - cds::container::VyukovMPMCCycleQueue: sequence slots. */
#define QUEUE_NAME libcds_vyukov
#include <cds/container/vyukov_mpmc_cycle_queue.h>

#include "bench_queue.h"

namespace
{
using queue_type = cds::container::VyukovMPMCCycleQueue<void *>;

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<queue_type *>(queue); };
    return new queue_type(c->capacity);
}

bool queue_can(const queue_case *)
{
    return true;
}

bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<queue_type *>(queue)->enqueue(item);
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->dequeue(*item);
}
} // namespace

#include "queue_driver.h"
