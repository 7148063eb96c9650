/* SPDX-License-Identifier: MIT */
/* clock.h - where objects take the time from. */
#ifndef GIRT_CLOCK_H
#define GIRT_CLOCK_H

#include <stdint.h>

#include <girt/export.h>

GIRT_BEGIN

/** A source of time; zeroed means girt_clock_monotonic. */
typedef struct girt_clock {
    /** Nanoseconds since a fixed instant; never goes back. */
    int64_t (*now_ns)(void *context);
    void *context;
} girt_clock;

GIRT_API extern const girt_clock girt_clock_monotonic;
GIRT_API extern const girt_clock girt_clock_coarse;
GIRT_API void girt_clock_manual(girt_clock *clock, int64_t *now_ns);

GIRT_END

#endif /* GIRT_CLOCK_H */
