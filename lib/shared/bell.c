/* SPDX-License-Identifier: MIT */
/* bell.c - an event count between processes, on a futex that is not private.
 *
 * A count of sleepers would stay too high for ever when one of them is killed,
 * and every send would then make a system call for nobody.  So there is a flag:
 * sleepers raise it, whoever rings takes it down, and puts it up again if as
 * many woke as were to be woken, because then there may be more.  A dead
 * sleeper costs one ring for nobody.
 *
 * No ring is lost among the living.  The sleeper raises `waiting`, then reads
 * the condition; the ringer writes the condition, then reads `waiting`; a full
 * fence stands between each pair (F1, F2), so one of them sees the other.  If
 * the ringer does, it moves `epoch`: a sleeper whose key is from before does
 * not fall asleep, or is woken.
 *
 * What is lost when a process is killed, the slice makes up for.
 *
 * E1 -> E2: the condition is visible to who sees the epoch that ringing it
 *     gave. */
#include "shared/bell.h"

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <girt/clock.h>

#include "core/atomic.h"

enum { NS_PER_S = 1000000000 };

uint32_t girt__bell_prepare(girt__bell *bell)
{
    uint32_t const key = girt_load_acquire(&bell->epoch); /* E2 <- E1 */
    girt_store_relaxed(&bell->waiting, 1);
    girt_fence_seq_cst(); /* F1 -> F2: waiting, then the condition */
    return key;
}

void girt__bell_wait(girt__bell *bell, uint32_t key, int64_t deadline_ns)
{
    int64_t const slice_ns =
        girt_clock_monotonic.now_ns(NULL) + GIRT__BELL_SLICE_NS;
    int64_t const until_ns = deadline_ns < slice_ns ? deadline_ns : slice_ns;
    struct timespec const until = {.tv_sec = until_ns / NS_PER_S,
                                   .tv_nsec = until_ns % NS_PER_S};
    /* Whatever ends it, the caller looks again. */
    (void)syscall(SYS_futex, &bell->epoch, FUTEX_WAIT_BITSET, key, &until, NULL,
                  FUTEX_BITSET_MATCH_ANY);
}

void girt__bell_wake(girt__bell *bell, uint64_t count)
{
    if (girt_swap_relaxed(&bell->waiting, 0) == 0)
        return; /* another ringer wakes them */
    int const most = count > INT_MAX ? INT_MAX : (int)count;
    (void)girt_add_release(&bell->epoch, 1); /* E1 -> E2 */
    long const woken =
        syscall(SYS_futex, &bell->epoch, FUTEX_WAKE, most, NULL, NULL, 0);
    if (woken >= most)
        girt_store_relaxed(&bell->waiting, 1);
}
