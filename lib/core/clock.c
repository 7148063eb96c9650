/* SPDX-License-Identifier: MIT */
/* clock.c - the clocks that objects can be given. */
#include <girt/clock.h>

#include <time.h>

#include "core/atomic.h"

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    (void)clock_gettime(id, &now); /* cannot fail for these two ids */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int64_t monotonic_now(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC);
}

static int64_t coarse_now(void *context)
{
    (void)context;
    return read_clock(CLOCK_MONOTONIC_COARSE);
}

static int64_t manual_now(void *context)
{
    /* Pairs with the release store of whoever moves the time: what was
     * written before it is seen too. */
    return girt_load_acquire((const int64_t *)context);
}

const girt_clock girt_clock_monotonic = {monotonic_now, NULL};
const girt_clock girt_clock_coarse = {coarse_now, NULL};

void girt_clock_manual(girt_clock *clock, int64_t *now_ns)
{
    if (clock == NULL || now_ns == NULL)
        return;
    *clock = (girt_clock){manual_now, now_ns};
}
