/* SPDX-License-Identifier: MIT */
/* guard_internal.h - what the options of all guards have in common. */
#ifndef GIRT_GUARD_INTERNAL_H
#define GIRT_GUARD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <girt/clock.h>

#include "core/clock_internal.h"

enum { GIRT__GUARD_NAME_MAX = 255 };

/* A coarse clock's tick is 4 ms, on some kernels 10: a tenth of this. */
#define GIRT__GUARD_COARSE_NS INT64_C(100000000)

/* NULL, or 1 to 255 bytes; no metrics yet; reserved words are zero. */
static inline bool girt__guard_options_valid(const char *name,
                                             const void *metrics,
                                             const uint64_t reserved[4])
{
    for (size_t i = 0; i < 4; i++)
        if (reserved[i] != 0)
            return false;
    if (name != NULL) {
        size_t const size = strnlen(name, GIRT__GUARD_NAME_MAX + 1);
        if (size == 0 || size > GIRT__GUARD_NAME_MAX)
            return false;
    }
    return metrics == NULL;
}

/* The clock for what need not be finer than grain_ns: the caller's, or of the
 * kernel's the cheap one where its tick is small beside the grain. */
static inline girt_clock girt__guard_clock(const girt_clock *clock,
                                           int64_t grain_ns)
{
    if (clock->now_ns == NULL && grain_ns >= GIRT__GUARD_COARSE_NS)
        return girt_clock_coarse;
    return girt__clock_resolve(clock);
}

/* a + b for b >= 0, saturating. */
static inline int64_t girt__guard_later(int64_t a, int64_t b)
{
    int64_t sum;
    return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* One step of splitmix64 [Steele, Lea, Flood 2014]. */
static inline uint64_t girt__guard_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

#endif /* GIRT_GUARD_INTERNAL_H */
