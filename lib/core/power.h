/* SPDX-License-Identifier: MIT */
/* power.h - powers of two, for sizes that are cut by a mask. */
#ifndef GIRT_CORE_POWER_H
#define GIRT_CORE_POWER_H

#include <stdint.h>

/* The least that is not below `count`, which is at most 2^63; 1 for 0. */
static inline uint64_t girt__power_from(uint64_t count)
{
    return count <= 1 ? 1 : UINT64_C(1) << (64 - __builtin_clzll(count - 1));
}

/* The largest that is not above `count`; 1 for 0. */
static inline uint64_t girt__power_within(uint64_t count)
{
    return count <= 1 ? 1 : UINT64_C(1) << (63 - __builtin_clzll(count));
}

#endif /* GIRT_CORE_POWER_H */
