/* SPDX-License-Identifier: MIT */
/* queue_girt_hpp_mpmc.cpp - girt::mpmc, as girt.hpp gives it. */
#define QUEUE_NAME girt_hpp_mpmc
#include <girt/girt.hpp>

#include "bench_queue.h"

namespace
{
using queue_type = girt::mpmc<void *>;

bool queue_can(const queue_case *)
{
    return true;
}
} // namespace

#include "queue/queue_girt_hpp.hpp"
