/* SPDX-License-Identifier: MIT */
/* girt.h - everything that libgirt offers, in one include. */
#ifndef GIRT_GIRT_H
#define GIRT_GIRT_H

#include <girt/alloc.h>
#include <girt/breaker.h>
#include <girt/bulkhead.h>
#include <girt/cache.h>
#include <girt/call.h>
#include <girt/channel.h>
#include <girt/clock.h>
#include <girt/concurrency.h>
#include <girt/deque.h>
#include <girt/epoch.h>
#include <girt/export.h>
#include <girt/hash.h>
#include <girt/keyed_limiter.h>
#include <girt/keys.h>
#include <girt/limiter.h>
#include <girt/map.h>
#include <girt/map64.h>
#include <girt/metrics.h>
#include <girt/mpmc.h>
#include <girt/queue.h>
#include <girt/retry.h>
#include <girt/ring.h>
#include <girt/shared.h>
#include <girt/shed.h>
#include <girt/spsc.h>
#include <girt/status.h>
#include <girt/trace.h>
#include <girt/version.h>
#include <girt/workers.h>

#endif /* GIRT_GIRT_H */
