/* SPDX-License-Identifier: MIT */
/* window.c - the rare parts of window.h. */
#include "guard/window.h"

#include "core/assert.h"

#define SECOND_NS INT64_C(1000000000)

void girt__window_init(girt__window *window, const girt_clock *clock,
                       int64_t window_ns)
{
    girt_assert(window_ns >= GIRT__WINDOW_NS_MIN);
    window->clock = *clock;
    window->base_ns = girt__clock_now(clock);
    window->slice_ns = (window_ns - 1) / GIRT__WINDOW_SLICES + 1;
    if (clock->now_ns == girt_clock_coarse.now_ns &&
        window->slice_ns >= SECOND_NS)
        window->second = time;
}

uint64_t girt__window_slice(const girt__window *window, int64_t now_ns)
{
    if (now_ns <= window->base_ns)
        return 0; /* a reading from before the window was made */
    return ((uint64_t)now_ns - (uint64_t)window->base_ns) /
           (uint64_t)window->slice_ns;
}

static void mark_used(girt__window *window, uint32_t index)
{
    uint32_t used = girt_load_relaxed(&window->used);
    /* A round fails only if another thread came. */
    while (used <= index && !girt_cas_relaxed(&window->used, &used, index + 1))
        continue;
}

void girt__window_turn(girt__window *window, uint32_t index, uint64_t era,
                       int64_t now_ns)
{
    girt__window_cell *const cell = &window->cells[index];
    uint64_t const slice = girt__window_slice(window, now_ns);
    mark_used(window, index);
    cell->start_ns = (int64_t)((uint64_t)window->base_ns +
                               slice * (uint64_t)window->slice_ns);
    cell->era = era;
    cell->tag = girt__window_tag(slice, era);
    cell->position = (uint32_t)(slice % GIRT__WINDOW_SLICES);
    cell->left = 0;
}

/* false: the count is at its end. */
static bool add_to_shared(uint64_t *word, uint32_t tag)
{
    uint64_t seen = girt_load_relaxed(word);
    for (;;) { /* a round fails only if another thread counted */
        uint64_t const next = (uint32_t)(seen >> 32) == tag
                                  ? seen + 1
                                  : ((uint64_t)tag << 32) + 1;
        if ((uint32_t)next == 0)
            return false;
        /* W1 -> W2 */
        if (girt_cas_release(word, &seen, next))
            return true;
    }
}

bool girt__window_add_shared(girt__window *window, uint64_t era, int64_t now_ns,
                             unsigned mask)
{
    girt__window_cell *const cell = &window->cells[GIRT__WINDOW_OWN];
    uint64_t const slice = girt__window_slice(window, now_ns);
    uint32_t const tag = girt__window_tag(slice, era);
    uint64_t *const words = cell->words[slice % GIRT__WINDOW_SLICES];
    bool const first = (uint32_t)(girt_load_relaxed(&words[0]) >> 32) != tag;
    for (unsigned i = 0; i < GIRT__WINDOW_COUNTERS; i++)
        if ((i == 0 || (mask >> i & 1) != 0) && !add_to_shared(&words[i], tag))
            break;
    /* Relaxed: a hint for when to look. */
    return girt_sub_relaxed(&cell->left, 1) <= 1 || first;
}

void girt__window_set_left(girt__window *window, int64_t left)
{
    uint32_t const index = girt__thread_index();
    girt_assert(index >= GIRT__WINDOW_OWN || window->cells[index].again == 0);
    if (index < GIRT__WINDOW_OWN)
        window->cells[index].left = left;
    else
        girt_store_relaxed(&window->cells[GIRT__WINDOW_OWN].left, left);
}

static void sum_cell(const girt__window_cell *cell, uint32_t oldest,
                     uint64_t sums[GIRT__WINDOW_COUNTERS])
{
    for (unsigned s = 0; s < GIRT__WINDOW_SLICES; s++) {
        /* Backwards, so that no counter is seen above counter 0. */
        for (unsigned i = GIRT__WINDOW_COUNTERS; i-- > 0;) {
            /* W2 <- W1 */
            uint64_t const word = girt_load_acquire(&cell->words[s][i]);
            /* One slice more: another thread's clock may be ahead. */
            if ((uint32_t)(word >> 32) - oldest <= GIRT__WINDOW_SLICES)
                sums[i] += (uint32_t)word;
        }
    }
}

void girt__window_sum(const girt__window *window, uint64_t era, int64_t now_ns,
                      uint64_t sums[GIRT__WINDOW_COUNTERS])
{
    uint64_t const slice = girt__window_slice(window, now_ns);
    uint32_t const oldest =
        girt__window_tag(slice, era) - (GIRT__WINDOW_SLICES - 1);
    uint32_t const used = girt_load_relaxed(&window->used);
    for (unsigned i = 0; i < GIRT__WINDOW_COUNTERS; i++)
        sums[i] = 0;
    for (uint32_t c = 0; c < used; c++)
        sum_cell(&window->cells[c], oldest, sums);
    sum_cell(&window->cells[GIRT__WINDOW_OWN], oldest, sums);
}
