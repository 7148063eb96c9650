/* SPDX-License-Identifier: MIT */
/* tally.c - making, ending and summing a tally; adding is in the header. */
#include "core/tally.h"

#include "core/alloc_internal.h"
#include "core/assert.h"

static size_t bytes_of(size_t stride)
{
    return stride * GIRT__TALLY_CELLS * sizeof(uint64_t);
}

girt_status girt__tally_init(girt__tally *tally, size_t counters,
                             const girt_allocator *allocator)
{
    girt_assert(counters != 0);
    if (counters > SIZE_MAX / bytes_of(1) - GIRT__TALLY_STEP)
        return GIRT_E_TOO_LARGE;
    size_t const stride =
        (counters + GIRT__TALLY_STEP - 1) / GIRT__TALLY_STEP * GIRT__TALLY_STEP;
    uint64_t *const words =
        girt__allocate_zeroed(allocator, bytes_of(stride), GIRT_DESTRUCTIVE);
    if (words == NULL)
        return GIRT_E_NOMEM;
    *tally = (girt__tally){.words = words, .stride = stride};
    return GIRT_OK;
}

void girt__tally_destroy(girt__tally *tally, const girt_allocator *allocator)
{
    girt__release(allocator, tally->words, bytes_of(tally->stride));
}

uint64_t girt__tally_sum(const girt__tally *tally, size_t which)
{
    uint64_t sum = 0;
    for (size_t cell = 0; cell < GIRT__TALLY_CELLS; cell++)
        sum += girt_load_relaxed(&tally->words[cell * tally->stride + which]);
    return sum;
}
