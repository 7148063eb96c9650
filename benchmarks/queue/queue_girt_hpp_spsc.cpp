/* SPDX-License-Identifier: MIT */
/* queue_girt_hpp_spsc.cpp - girt::spsc, as girt.hpp gives it. */
#define QUEUE_NAME girt_hpp_spsc
#include <girt/girt.hpp>

#include "bench_queue.h"

namespace
{
using queue_type = girt::spsc<void *>;

bool queue_can(const queue_case *c)
{
    return c->producers == 1 && c->consumers <= 1;
}
} // namespace

#include "queue/queue_girt_hpp.hpp"
