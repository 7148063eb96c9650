/* SPDX-License-Identifier: MIT */
/* tally.h - counters that many threads add to without sharing a line.
 *
 * A tally is a table of cells, each with one word a counter, so that an
 * operation that moves several counters of an object touches one cell:
 *
 *     cell 0 .. 31   thread index 0 .. 31: one writer each
 *     cell 32 .. 63  all other threads, by index modulo 32: locked additions
 *
 * I1: no addition is lost. A cell below GIRT__TALLY_OWN has one writer at a
 *     time, since a thread index has (core/thread.h), whose mutex is between
 *     the thread that ends and the one that gets its index.
 * I2: a word never goes back, so neither does a sum, seen from one thread.
 * I3: a sum has every addition that happened before it began.
 *
 * Not for memory that processes share: both have a thread of index 0. */
#ifndef GIRT_CORE_TALLY_H
#define GIRT_CORE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/thread.h"

enum {
    GIRT__TALLY_OWN = 32,    /* cells of one writer */
    GIRT__TALLY_SHARED = 32, /* a power of two */
    GIRT__TALLY_CELLS = GIRT__TALLY_OWN + GIRT__TALLY_SHARED,
    /* Counters that fill a cell's lines: so many cost what one costs. */
    GIRT__TALLY_STEP = GIRT_DESTRUCTIVE / sizeof(uint64_t)
};
_Static_assert((GIRT__TALLY_SHARED & (GIRT__TALLY_SHARED - 1)) == 0,
               "an index is cut by a mask");

typedef struct girt__tally {
    /* Written once. */
    uint64_t *words; /* GIRT__TALLY_CELLS times stride */
    size_t stride;   /* words from cell to cell */
} girt__tally;

/* Counters 0 .. counters - 1, all 0, in 8 KiB for each 16 of them; counters is
 * 1 and up. GIRT_E_TOO_LARGE: more than a size_t can count. */
girt_status girt__tally_init(girt__tally *tally, size_t counters,
                             const girt_allocator *allocator);
/* Of a tally that is all zero, too. */
void girt__tally_destroy(girt__tally *tally, const girt_allocator *allocator);

/* For a caller that knows girt__thread_index() already. */
static inline void girt__tally_add_at(const girt__tally *tally,
                                      uint32_t thread_index, size_t which,
                                      uint64_t amount)
{
    /* Relaxed: a count orders nothing. */
    if (girt_likely(thread_index < GIRT__TALLY_OWN)) {
        girt_bump_relaxed(&tally->words[thread_index * tally->stride + which],
                          amount);
        return;
    }
    size_t const cell =
        GIRT__TALLY_OWN + (thread_index & (GIRT__TALLY_SHARED - 1));
    (void)girt_add_relaxed(&tally->words[cell * tally->stride + which], amount);
}

/* Modulo 2^64, so that an amount may be taken away by its complement. */
static inline void girt__tally_add(const girt__tally *tally, size_t which,
                                   uint64_t amount)
{
    girt__tally_add_at(tally, girt__thread_index(), which, amount);
}

uint64_t girt__tally_sum(const girt__tally *tally, size_t which);

#endif /* GIRT_CORE_TALLY_H */
