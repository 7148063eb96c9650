/* SPDX-License-Identifier: MIT */
/* asym_fence.c - the heavy side of asym_fence.h.
 *
 * A light side is at some instruction of its own when the heavy one makes its
 * CPU fence; one that does not run at that moment fenced when it lost its CPU.
 * Instructions before that fence are seen by the heavy side afterwards; those
 * after it see what the heavy side stored before.  The compiler keeps store
 * and load on their sides of the light one, so the fence stands before it, or
 * after it, or between the two: in each case one sees the other.
 *
 * The registration belongs to the address space.  Linux hands it to a fork's
 * child; should it not have it, the heavy side registers again.
 *
 * A filter that forbids membarrier after girt__asym_available leaves the
 * light side without a fence and no way to tell it.  The heavy side then waits
 * for a millisecond: no store stays in a CPU's buffer nearly as long. */
#include "core/asym_fence.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* Of linux/membarrier.h, which older systems do not have. */
enum {
    MEMBARRIER_EXPEDITED = 1 << 3,
    MEMBARRIER_REGISTER_EXPEDITED = 1 << 4,
};

static bool barrier(int command)
{
#ifdef SYS_membarrier
    return syscall(SYS_membarrier, command, 0, 0) == 0;
#else
    (void)command;
    return false;
#endif
}

bool girt__asym_available(void)
{
    /* Tried once: a filter may know the one and not the other. */
    return barrier(MEMBARRIER_REGISTER_EXPEDITED) &&
           barrier(MEMBARRIER_EXPEDITED);
}

void girt__asym_heavy(void)
{
    girt_fence_seq_cst(); /* of this thread */
    if (barrier(MEMBARRIER_EXPEDITED) || girt__asym_available())
        return;
    /* syscall(2), for it is no cancellation point. */
    struct timespec const wait = {.tv_nsec = 1000000};
    (void)syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, &wait, NULL);
    girt_fence_seq_cst();
}
