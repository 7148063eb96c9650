/* SPDX-License-Identifier: MIT */
/* random.c - seeds from the kernel. */
#include "core/random.h"

#include <sys/random.h>
#include <time.h>

uint64_t girt__random_seed(void)
{
    uint64_t seed = 0;
    while (seed == 0) {
        if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed)
            continue;
        /* Early boot: the best there is without blocking the caller. */
        struct timespec now;
        (void)clock_gettime(CLOCK_MONOTONIC, &now);
        seed = ((uint64_t)now.tv_nsec << 32) ^ (uint64_t)now.tv_sec ^
               (uint64_t)(uintptr_t)&seed;
        seed *= 0x9e3779b97f4a7c15u;
    }
    return seed;
}
