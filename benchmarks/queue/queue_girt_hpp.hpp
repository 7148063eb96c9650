// SPDX-License-Identifier: MIT
// queue_girt_hpp.hpp - a queue of girt.hpp as a contestant; queue_type says
// which.
#include "bench_queue.h"

namespace {

void *queue_make(const queue_case *c, void (**release)(void *))
{
    *release = [](void *queue) { delete static_cast<queue_type *>(queue); };
    return new queue_type(c->capacity);
}

bool queue_try_push(void *queue, unsigned, void *item)
{
    return static_cast<queue_type *>(queue)->try_push(std::move(item));
}

bool queue_try_pop(void *queue, unsigned, void **item)
{
    return static_cast<queue_type *>(queue)->try_pop(*item);
}

} // namespace

#include "queue_driver.h"
