/* SPDX-License-Identifier: MIT */
/* window.h - counting what happened in the last so many seconds, by any number
 * of threads that share no line.
 *
 * Time is cut in slices of a tenth of the window.  Each of the first
 * GIRT__WINDOW_OWN threads has a cell that only it writes; all others share
 * one more.  A cell has a slot for each slice of the window, a slot a word for
 * each counter:
 *
 *     word: [ tag: 32 | count: 32 ]     tag = slice + era * 0x9e3779b1
 *
 * I1: a word whose tag is not of the window that is asked for counts nothing:
 *     no slot is ever cleared, by no timer and at no border.
 * I2: counts of one era are not seen by another: opening a new one is how a
 *     breaker forgets.  Eras are small numbers, and the products of small
 *     numbers with 2^32 / golden ratio are far apart.
 * I3: a cell below GIRT__WINDOW_OWN is written by one thread at a time, since
 *     a thread index is (core/thread.h): plain additions suffice.
 * I4: a count stops at 2^32 - 1, with all counters of its slot.
 *
 * The clock is half of what a count costs.  Where it is the kernel's coarse one
 * and a slice lasts a second or more, a thread that reads the same instant
 * twice may count up to GIRT__WINDOW_AGAIN times more for that instant, while
 * time(2) gives the second that it gave before the reading: on x86_64 that is
 * one load.
 *
 * I5: such a count is less than a second, so at most a slice, older than it
 *     should be; and at most GIRT__WINDOW_AGAIN in a row are, of each thread
 *     that was busy before a pause.  (Somebody who sets the calendar back
 *     meanwhile may make them older; not more.)
 * I6: `again` was taken off `left`, and what is left of it is given back before
 *     anything else is counted: looks are due at the record at which they were.
 *
 * A word left alone for exactly 2^32 slices would count again: 136 years of
 * seconds. */
#ifndef GIRT_GUARD_WINDOW_H
#define GIRT_GUARD_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <girt/clock.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/clock_internal.h"
#include "core/thread.h"

enum {
    GIRT__WINDOW_SLICES = 10,
    GIRT__WINDOW_OWN = 32,
    GIRT__WINDOW_COUNTERS = 3,
    GIRT__WINDOW_NS_MIN = GIRT__WINDOW_SLICES,
    GIRT__WINDOW_AGAIN = 7
};

typedef struct girt__window_cell {
    /* Its thread's only; the shared cell uses `left` alone. */
    int64_t start_ns; /* of the slice that it is in */
    uint64_t era;     /* 0: none yet */
    uint32_t tag;
    uint32_t position;
    int64_t left; /* records until the owner of the window looks at the sums */
    /* Counts without the clock. */
    uint32_t again;  /* so many more, in *place */
    time_t second;   /* of the calendar, before the clock was last read */
    int64_t read_ns; /* what it gave */
    uint64_t *place;
    uint64_t words[GIRT__WINDOW_SLICES][GIRT__WINDOW_COUNTERS];
} GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__window_cell;

typedef struct girt__window {
    /* Written once, but for `used`, which only grows. */
    girt_clock clock;
    int64_t base_ns;
    int64_t slice_ns;
    time_t (*second)(time_t *); /* time(2); NULL: the clock is always read */
    uint32_t used; /* cells below it may hold counts; so may the shared one */
    girt__window_cell cells[GIRT__WINDOW_OWN + 1];
} girt__window;

/* In zeroed memory; window_ns >= GIRT__WINDOW_NS_MIN. */
void girt__window_init(girt__window *window, const girt_clock *clock,
                       int64_t window_ns);

/* Before the clock is read for girt__window_add_easily. */
static inline time_t girt__window_second(const girt__window *window)
{
    return window->second == NULL ? 0 : window->second(NULL);
}

static inline int64_t girt__window_now(const girt__window *window)
{
    return girt__clock_now(&window->clock);
}

/* Counts from 0 at the window's creation. */
uint64_t girt__window_slice(const girt__window *window, int64_t now_ns);

static inline uint32_t girt__window_tag(uint64_t slice, uint64_t era)
{
    return (uint32_t)slice + (uint32_t)era * UINT32_C(0x9e3779b1);
}

/* What was counted in the era, in the slice of now_ns and the nine before it.
 */
void girt__window_sum(const girt__window *window, uint64_t era, int64_t now_ns,
                      uint64_t sums[GIRT__WINDOW_COUNTERS]);

/* The caller's cell says `left` records until the next true. */
void girt__window_set_left(girt__window *window, int64_t left);
/* Cells that may be in use, 1 and up. */
static inline uint32_t girt__window_used(const girt__window *window)
{
    /* Relaxed: a thread that has just come is seen a little later. */
    uint32_t const used = girt_load_relaxed(&window->used);
    return used == 0 ? 1 : used;
}

/* The rare parts of girt__window_add. */
void girt__window_turn(girt__window *window, uint32_t index, uint64_t era,
                       int64_t now_ns);
bool girt__window_add_shared(girt__window *window, uint64_t era, int64_t now_ns,
                             unsigned mask);

/* By the only writer of the word; false: the count is at its end. */
static inline bool girt__window_bump(uint64_t *place, uint32_t tag)
{
    uint64_t word = girt_load_relaxed(place);
    if (girt_unlikely((uint32_t)(word >> 32) != tag))
        word = (uint64_t)tag << 32;
    if (girt_unlikely((uint32_t)word == UINT32_MAX))
        return false;
    girt_store_release(place, word + 1);
    return true;
}

/* Counts 1 in counter 0, and in those of 1 and 2 whose bit is in the mask.
 * true: the caller's `left` has run out, or its slice is a new one. */
static inline bool girt__window_add(girt__window *window, uint64_t era,
                                    int64_t now_ns, unsigned mask)
{
    uint32_t const index = girt__thread_index();
    if (girt_unlikely(index >= GIRT__WINDOW_OWN))
        return girt__window_add_shared(window, era, now_ns, mask);
    girt__window_cell *const cell = &window->cells[index];
    cell->left += cell->again;
    cell->again = 0;
    if (girt_unlikely((uint64_t)now_ns - (uint64_t)cell->start_ns >=
                          (uint64_t)window->slice_ns ||
                      cell->era != era))
        girt__window_turn(window, index, era, now_ns);
    uint64_t *const words = cell->words[cell->position];
    /* W1 -> W2 (girt__window_sum): counter 0 before the others. */
    if (girt_likely(girt__window_bump(&words[0], cell->tag)) && mask != 0) {
        if ((mask & 2) != 0)
            (void)girt__window_bump(&words[1], cell->tag);
        if ((mask & 4) != 0)
            (void)girt__window_bump(&words[2], cell->tag);
    }
    return --cell->left <= 0;
}

/* The same for a mask of 0 where nothing else is to be done: a slice and an era
 * that the cell is in, a count that is not at its end, and records left.
 * `second` was asked for before now_ns.  false: nothing has changed,
 * girt__window_add will do it. */
static inline bool girt__window_add_easily(girt__window *window, uint64_t era,
                                           time_t second, int64_t now_ns)
{
    uint32_t const index = girt__thread_index();
    if (girt_unlikely(index >= GIRT__WINDOW_OWN))
        return false;
    girt__window_cell *const cell = &window->cells[index];
    int64_t const left = cell->left + cell->again;
    uint64_t *const place = &cell->words[cell->position][0];
    uint64_t const word = girt_load_relaxed(place);
    if (girt_unlikely((uint64_t)now_ns - (uint64_t)cell->start_ns >=
                          (uint64_t)window->slice_ns ||
                      cell->era != era || (uint32_t)(word >> 32) != cell->tag ||
                      (uint32_t)word >= UINT32_MAX - GIRT__WINDOW_AGAIN ||
                      left <= 1))
        return false;
    girt_store_release(place, word + 1); /* W1 -> W2 */
    /* A look is due at the last one left, which is not an easy one. */
    bool const lends = window->second != NULL && now_ns == cell->read_ns &&
                       left > GIRT__WINDOW_AGAIN + 1;
    cell->again = lends ? GIRT__WINDOW_AGAIN : 0;
    cell->left = left - 1 - cell->again;
    cell->place = place;
    cell->second = second;
    cell->read_ns = now_ns;
    return true;
}

/* The same without the clock (I5). */
static inline bool girt__window_add_again(girt__window *window, uint64_t era)
{
    uint32_t const index = girt__thread_index();
    if (girt_unlikely(index >= GIRT__WINDOW_OWN))
        return false;
    girt__window_cell *const cell = &window->cells[index];
    if (cell->again == 0 || girt_unlikely(cell->era != era) ||
        girt_unlikely(window->second(NULL) != cell->second))
        return false;
    cell->again--;
    /* W1 -> W2; relaxed: nobody else writes it. */
    girt_store_release(cell->place, girt_load_relaxed(cell->place) + 1);
    return true;
}

#endif /* GIRT_GUARD_WINDOW_H */
