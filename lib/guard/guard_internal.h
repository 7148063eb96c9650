/* SPDX-License-Identifier: MIT */
/* guard_internal.h - what all guards have in common. */
#ifndef GIRT_GUARD_INTERNAL_H
#define GIRT_GUARD_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/clock.h>

#include "core/clock_internal.h"
#include "core/options.h"
#include "core/report.h"

/* A coarse clock's tick is 4 ms, on some kernels 10: a tenth of this. */
#define GIRT__GUARD_COARSE_NS INT64_C(100000000)

/* The clock for what need not be finer than grain_ns: the caller's, or of the
 * kernel's the cheap one where its tick is small beside the grain. */
static inline girt_clock girt__guard_clock(const girt_clock *clock,
                                           int64_t grain_ns)
{
    if (clock->now_ns == NULL && grain_ns >= GIRT__GUARD_COARSE_NS)
        return girt_clock_coarse;
    return girt__clock_resolve(clock);
}

/* Of girt_outcome; a number that is none of them is GIRT_IGNORED. */
enum { GIRT__GUARD_OUTCOMES = 3 };
extern const char *const girt__guard_outcome_names[GIRT__GUARD_OUTCOMES];

static inline unsigned girt__guard_outcome(unsigned outcome)
{
    return outcome < GIRT__GUARD_OUTCOMES ? outcome : GIRT__GUARD_OUTCOMES - 1;
}

/* One sample an outcome, of the counters from `first`. */
void girt__guard_write_outcomes(girt__sink *sink, const girt__series *series,
                                const girt__report *report, size_t first);

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
