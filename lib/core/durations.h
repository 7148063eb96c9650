/* SPDX-License-Identifier: MIT */
/* durations.h - how long things took, counted by upper bounds for a scrape.
 *
 *     bounds, in ns: 128, 192, 256, 384, 512, ... 2^36 (68.7 s), and the rest
 *
 * Two an octave: a quantile read from them is at most half too large, and an
 * object writes 59 lines of it. Waits and tasks take a microsecond at least, so
 * an addition is a locked one, in a row that some threads share: 4 KiB. */
#ifndef GIRT_CORE_DURATIONS_H
#define GIRT_CORE_DURATIONS_H

#include <stdint.h>

#include "core/cacheline.h"
#include "core/report.h"

enum {
    GIRT__DURATIONS_BOUNDS = 59,
    GIRT__DURATIONS_ROWS = 8 /* by thread; a power of two */
};

/* All zero: none yet. */
typedef struct girt__durations {
    struct {
        uint64_t counts[GIRT__DURATIONS_BOUNDS + 1]; /* the last: beyond them */
        uint64_t sum_ns;
    } GIRT_ALIGNED(GIRT_DESTRUCTIVE) rows[GIRT__DURATIONS_ROWS];
} girt__durations;

/* Any thread; less than 0 counts as 0. */
void girt__durations_add(girt__durations *durations, int64_t ns);

/* Gives them to the sink as the one sample of a histogram in ns. */
void girt__durations_write(const girt__durations *durations, girt__sink *sink,
                           const girt__series *series);

#endif /* GIRT_CORE_DURATIONS_H */
