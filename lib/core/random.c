/* SPDX-License-Identifier: MIT */
/* random.c - seeds from the kernel. */
#include "core/random.h"

#include <errno.h>
#include <pthread.h>
#include <sys/random.h>
#include <time.h>

#include "core/atomic.h"

/* Early boot, or a kernel that refuses the call: the best there is without
 * waiting.  The counter tells apart two calls within one tick. */
static void fill_poorly(unsigned char *out, size_t size)
{
    static uint64_t calls;
    struct timespec now, cpu;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    uint64_t state = ((uint64_t)now.tv_nsec << 32) ^ (uint64_t)now.tv_sec ^
                     ((uint64_t)cpu.tv_nsec << 16) ^ (uint64_t)(uintptr_t)&now ^
                     (girt_add_relaxed(&calls, 1) << 48);
    for (size_t i = 0; i < size; i++) {
        state ^= state >> 29;
        state *= 0x9e3779b97f4a7c15u;
        out[i] = (unsigned char)(state >> 56);
    }
}

void girt__random_fill(void *out, size_t size)
{
    unsigned char *at = out;
    int state; /* getrandom is a cancellation point, our callers are not */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    while (size > 0) {
        ssize_t const got = getrandom(at, size, GRND_NONBLOCK);
        if (got < 0 && errno == EINTR)
            continue; /* a signal; the next call makes progress */
        if (got <= 0)
            break;
        at += got;
        size -= (size_t)got;
    }
    (void)pthread_setcancelstate(state, NULL);
    if (size > 0)
        fill_poorly(at, size);
}

uint64_t girt__random_seed(void)
{
    uint64_t seed;
    do
        girt__random_fill(&seed, sizeof seed);
    while (seed == 0); /* once in 2^64 */
    return seed;
}
