/* SPDX-License-Identifier: MIT */
/* clock_internal.h - reading the clock that an object was given. */
#ifndef GIRT_CORE_CLOCK_INTERNAL_H
#define GIRT_CORE_CLOCK_INTERNAL_H

#include <stddef.h>

#include <girt/clock.h>

/* What an options struct says, with zero replaced by the monotonic clock. */
static inline girt_clock girt__clock_resolve(const girt_clock *clock)
{
    return clock == NULL || clock->now_ns == NULL ? girt_clock_monotonic
                                                  : *clock;
}

static inline int64_t girt__clock_now(const girt_clock *clock)
{
    return clock->now_ns(clock->context);
}

#endif /* GIRT_CORE_CLOCK_INTERNAL_H */
