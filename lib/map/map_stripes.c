/* SPDX-License-Identifier: MIT */
/* map_stripes.c - sums that many threads add to without sharing a line. */
#include "map/map_stripes.h"

#include <unistd.h>

#include "core/alloc_internal.h"

/* More CPUs share stripes; a kilobyte a map is enough for the rest. */
#define STRIPES_MAX 64

girt_status girt__stripes_init(girt__stripes *stripes,
                               const girt_allocator *allocator)
{
    const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t count = 1;
    while ((long)count < cpus && count < STRIPES_MAX)
        count *= 2;
    stripes->stripes = girt__allocate_zeroed(
        allocator, count * sizeof(girt__stripe), GIRT_DESTRUCTIVE);
    stripes->mask = count - 1;
    return stripes->stripes == NULL ? GIRT_E_NOMEM : GIRT_OK;
}

void girt__stripes_destroy(girt__stripes *stripes,
                           const girt_allocator *allocator)
{
    girt__release(allocator, stripes->stripes, girt__stripes_bytes(stripes));
}

size_t girt__stripes_sum(const girt__stripes *stripes, int sum)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i <= stripes->mask; i++)
        total += girt_load_relaxed(&stripes->stripes[i].sums[sum]);
    /* A removal can be seen without the insertion before it. */
    return (int64_t)total < 0 ? 0 : (size_t)total;
}
