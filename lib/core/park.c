/* SPDX-License-Identifier: MIT */
/* park.c - the event count of park.h on a private futex.
 *
 * No wake is lost.  The sleeper writes `waiters`, then reads the condition;
 * the waker writes the condition, then reads `waiters`; a full fence stands
 * between each pair (F1, F2), so at least one of them sees the other's write:
 *   - the sleeper sees the condition: it cancels; or
 *   - the waker sees a waiter: it moves `epoch` (E1).  If the sleeper's key is
 *     from before, the futex or the loop around it finds epoch != key and does
 *     not sleep, or FUTEX_WAKE finds it asleep.  If its key is from after, the
 *     key's load (E2) made the condition visible, and the sleeper's last look
 *     sees it.
 * `epoch` wraps after 2^32 wakes: a sleeper would have to stand still between
 * prepare and wait for exactly that many.
 *
 * After a fork the child's `waiters` may count threads that it does not have;
 * its wakes then make a needless system call, and nothing else is wrong. */
#include "core/park.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <girt/clock.h>
#include <girt/status.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/cacheline.h"

enum { NS_PER_S = 1000000000 };

uint32_t girt__park_prepare(girt__park *park)
{
    (void)girt_add_relaxed(&park->waiters, 1);
    girt_fence_seq_cst(); /* F1 -> F2: waiters, then the condition */
    /* E2 -> E1: the condition of a wake that this key already counts. */
    return girt_load_acquire(&park->epoch);
}

void girt__park_cancel(girt__park *park)
{
    uint32_t const before = girt_sub_relaxed(&park->waiters, 1);
    girt_assert(before != 0);
    (void)before;
}

/* false: the deadline passed. An absolute deadline, so that a signal or a
 * wake meant for someone else does not move it. */
static bool sleep_once(girt__park *park, uint32_t key, int64_t deadline_ns)
{
    struct timespec limit;
    struct timespec *until = NULL;
    if (deadline_ns != GIRT_FOREVER) {
        int64_t const at = deadline_ns < 0 ? 0 : deadline_ns;
        limit.tv_sec = at / NS_PER_S;
        limit.tv_nsec = at % NS_PER_S;
        until = &limit;
    }
    long const done =
        syscall(SYS_futex, &park->epoch, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG,
                key, until, NULL, FUTEX_BITSET_MATCH_ANY);
    return done == 0 || errno != ETIMEDOUT;
}

bool girt__park_wait(girt__park *park, uint32_t key, int64_t deadline_ns)
{
    bool in_time = true;
    /* E2 -> E1: what the waker wrote is visible to the woken.  Each turn is a
     * sleep that ended by a signal, by a wake, or by the deadline. */
    while (girt_load_acquire(&park->epoch) == key) {
        if (!in_time) {
            girt__park_cancel(park);
            return false;
        }
        in_time = sleep_once(park, key, deadline_ns);
    }
    girt__park_cancel(park);
    return true;
}

void girt__park_wake(girt__park *park, uint32_t count)
{
    girt_fence_seq_cst(); /* F2 -> F1: the condition, then waiters */
    if (girt_likely(girt_load_relaxed(&park->waiters) == 0) || count == 0)
        return;
    /* E1 -> E2 */
    (void)girt_add_release(&park->epoch, 1);
    (void)syscall(SYS_futex, &park->epoch, FUTEX_WAKE | FUTEX_PRIVATE_FLAG,
                  count > INT_MAX ? INT_MAX : (int)count, NULL, NULL, 0);
}

int64_t girt__deadline(int64_t timeout_ns)
{
    if (timeout_ns == GIRT_FOREVER)
        return GIRT_FOREVER;
    int64_t const now = girt_clock_monotonic.now_ns(NULL);
    int64_t deadline;
    if (timeout_ns <= 0)
        return now;
    if (__builtin_add_overflow(now, timeout_ns, &deadline))
        return GIRT_FOREVER;
    return deadline;
}
