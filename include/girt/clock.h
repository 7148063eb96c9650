/* SPDX-License-Identifier: MIT */
/* clock.h - where objects take the time from. */
#ifndef GIRT_CLOCK_H
#define GIRT_CLOCK_H

#include <stdint.h>

#include <girt/export.h>

GIRT_BEGIN

/**
 * A source of time; options structs carry one.  Zeroed, or NULL in its place,
 * means girt_clock_monotonic.  An object copies it at create: the struct need
 * not live on, but what context points to must.
 */
typedef struct girt_clock {
    /**
     * Nanoseconds since a fixed instant, never less than it answered before.
     * Any threads may call it at once; it must not call the object that calls
     * it.
     */
    int64_t (*now_ns)(void *context);
    /** Passed to now_ns. */
    void *context;
} girt_clock;

/**
 * The kernel's CLOCK_MONOTONIC: exact to some ns, read in about 20 ns.  Stands
 * still while the machine is suspended.
 *
 * now_ns is wait-free and async-signal-safe, and works on in a fork's child.
 */
GIRT_API extern const girt_clock girt_clock_monotonic;

/**
 * The kernel's CLOCK_MONOTONIC_COARSE: the time of the last tick, up to 4 ms
 * (10 ms on some kernels) behind girt_clock_monotonic and never ahead of it,
 * read in about 4 ns.  For objects whose decisions need not be finer.
 *
 * now_ns is wait-free and async-signal-safe, and works on in a fork's child.
 */
GIRT_API extern const girt_clock girt_clock_coarse;

/**
 * Makes a clock that shows the number at now_ns, for tests and simulations.
 *
 * Whoever moves the time stores to *now_ns, atomically if other threads read
 * the clock meanwhile, and never a smaller number.  A waiting call that is
 * given a timeout sleeps by the monotonic clock all the same.
 *
 * @param[out] clock  becomes the manual clock; NULL does nothing.
 * @param now_ns      where the time is; must live while any object has the
 *                    clock.  NULL does nothing: clock is left as it was.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free; so is reading the clock.
 * Order: reading acquires: what the writer did before a release store of the
 *   time is visible after it.
 * Since: 0.1
 */
GIRT_API void girt_clock_manual(girt_clock *clock, int64_t *now_ns);

GIRT_END

#endif /* GIRT_CLOCK_H */
