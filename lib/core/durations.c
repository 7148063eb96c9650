/* SPDX-License-Identifier: MIT */
/* durations.c - the bounds of durations.h, and adding up what is beneath them.
 *
 * I1: a value counts in the first bound that it does not exceed.
 * I2: what a scrape sees as the total is the sum of the counts it saw, so that
 *     its buckets agree with each other whoever adds meanwhile. */
#include "core/durations.h"

#include "core/atomic.h"
#include "core/thread.h"

enum { LEAST_SHIFT = 7 }; /* the first bound is 2^7 */

static uint64_t bound_of(unsigned i)
{
    uint64_t const octave = (uint64_t)1 << (LEAST_SHIFT + i / 2);
    return i % 2 == 0 ? octave : octave + octave / 2;
}

static unsigned index_of(uint64_t ns)
{
    if (ns <= (uint64_t)1 << LEAST_SHIFT)
        return 0;
    unsigned const octave = 63u - (unsigned)__builtin_clzll(ns - 1);
    unsigned const half = (ns - 1) >> (octave - 1) & 1;
    unsigned const index = 2 * (octave - LEAST_SHIFT) + half + 1;
    return index < GIRT__DURATIONS_BOUNDS ? index : GIRT__DURATIONS_BOUNDS;
}

void girt__durations_add(girt__durations *durations, int64_t ns)
{
    uint64_t const value = ns < 0 ? 0 : (uint64_t)ns;
    uint32_t const row = girt__thread_index() & (GIRT__DURATIONS_ROWS - 1);
    /* Relaxed: a count orders nothing. */
    (void)girt_add_relaxed(&durations->rows[row].counts[index_of(value)], 1);
    (void)girt_add_relaxed(&durations->rows[row].sum_ns, value);
}

void girt__durations_write(const girt__durations *durations, girt__sink *sink,
                           const girt__series *series)
{
    uint64_t bounds[GIRT__DURATIONS_BOUNDS], cumulative[GIRT__DURATIONS_BOUNDS];
    uint64_t total = 0, sum_ns = 0;
    for (unsigned i = 0; i <= GIRT__DURATIONS_BOUNDS; i++) {
        for (unsigned row = 0; row < GIRT__DURATIONS_ROWS; row++)
            total += girt_load_relaxed(&durations->rows[row].counts[i]);
        if (i == GIRT__DURATIONS_BOUNDS)
            break;
        bounds[i] = bound_of(i);
        cumulative[i] = total;
    }
    for (unsigned row = 0; row < GIRT__DURATIONS_ROWS; row++)
        sum_ns += girt_load_relaxed(&durations->rows[row].sum_ns);
    girt__sink_histogram(sink, series, NULL,
                         &(girt__histogram_view){
                             .count = GIRT__DURATIONS_BOUNDS,
                             .bounds = bounds,
                             .cumulative = cumulative,
                             .total = total,
                             .sum = sum_ns,
                         });
}
