/* SPDX-License-Identifier: MIT */
/* lease.c - tokens that a thread holds, so that it need not go to the shared
 * word, nor read a clock, for each.
 *
 * The trouble with keeping tokens aside is that the bucket refills meanwhile: a
 * thread that uses them after a rest comes on top of a whole burst, and the
 * bound is broken though the total is right.  So a lease is a piece of the
 * burst itself: as long as a thread may hold up to `lease` tokens, the shared
 * bucket's room is smaller by as many.
 *
 * I1: room = (burst - leased) * cost, and leased = lease * leases that are
 *     open (epoch is the limiter's lease_epoch).  An open lease holds at most
 *     `lease` tokens.
 * I2: leased <= burst / 2.
 *
 * Window bound: what is used in a window is what leases held at its start, at
 * most `leased`, and what left the shared word within it, at most
 * burst - leased + w * limit / period (limiter.c, with that room).
 *
 * Opening takes the tokens by making the room smaller and leaves the mark;
 * closing makes it larger and moves the mark on by what is missing.  Neither
 * changes how much can be taken in all.  Both are changes of side (see
 * limiter_rate.c), once in a thread's life, not once a lease.
 *
 * A request that is larger than the room calls in all leases: it moves
 * lease_epoch and charges each as if it had been used up, because its thread
 * may be just about to take from it; what it did hold is lost.  The charge is
 * made at the clock's time: the caller's may be older than a lease's last use,
 * and a burst would be whole again too soon. */
#include <girt/limiter.h>

#include <sched.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/clock_internal.h"
#include "limiter/limiter_internal.h"

/* Tries for the mutex at a thread's end, each after a yield; it is held for
 * well under a microsecond.  More would hang the child of a fork in which
 * another thread held it; what the lease held is then lost. */
enum { END_TRIES = 1000 };

/* Under the mutex. NULL: out of memory. */
static girt__lease *make_lease(girt_limiter *limiter, uint32_t thread_index)
{
    girt__lease *const lease = girt__lease_find(limiter, thread_index);
    if (lease != NULL)
        return lease;
    size_t const block =
        31 - (size_t)__builtin_clz((thread_index + GIRT__LEASE_FIRST) /
                                   GIRT__LEASE_FIRST);
    girt__lease *const leases = girt__allocate_zeroed(
        &limiter->allocator,
        ((size_t)GIRT__LEASE_FIRST << block) * sizeof(girt__lease),
        GIRT_CACHELINE);
    girt_store_release(&limiter->leases[block], leases); /* R4 -> A4 */
    return girt__lease_find(limiter, thread_index);
}

/* Whether the shared word could spare a lease's tokens now. */
static bool can_spare(const girt_limiter *limiter, const girt__sight *sight,
                      int64_t now_ns)
{
    int64_t const need = (int64_t)(limiter->lease * sight->gcra.cost);
    int64_t const time = girt__gcra_time(&sight->gcra, now_ns);
    int64_t const owed = sight->mark > time ? sight->mark - time : 0;
    return limiter->lease <= sight->gcra.burst / 2 &&
           owed + need <= sight->gcra.room;
}

/* Opens the calling thread's lease, full; NULL: not now. */
static girt__lease *open_lease(girt_limiter *limiter, uint32_t thread_index,
                               int64_t now_ns)
{
    girt__sight sight;
    girt__limiter_look(limiter, &sight);
    /* Looked at first without the mutex: a refusal writes nothing. */
    if (!can_spare(limiter, &sight, now_ns) ||
        girt_load_relaxed(&limiter->leased) + limiter->lease >
            sight.gcra.burst / 2 ||
        pthread_mutex_trylock(&limiter->mutex) != 0)
        return NULL;
    girt__lease *opened = NULL;
    girt__lease *const lease = make_lease(limiter, thread_index);
    /* A round fails only if another call moved the word. */
    while (lease != NULL) {
        girt__limiter_look(limiter, &sight);
        uint64_t const leased = limiter->leased + limiter->lease;
        if (!can_spare(limiter, &sight, now_ns) ||
            leased > sight.gcra.burst / 2)
            break;
        girt__gcra gcra = sight.gcra;
        gcra.room -= (int64_t)(limiter->lease * gcra.cost);
        int64_t const time = girt__gcra_time(&gcra, now_ns);
        if (girt__limiter_switch(limiter, &sight, &gcra, sight.mark,
                                 sight.mark < time ? sight.mark : time)) {
            girt_store_relaxed(&limiter->leased, leased);
            girt_store_relaxed(&lease->tokens, limiter->lease);
            girt_store_relaxed(&lease->epoch, limiter->lease_epoch);
            opened = lease;
            break;
        }
    }
    (void)pthread_mutex_unlock(&limiter->mutex);
    return opened;
}

/* Gives `room` tokens of burst back to the shared word with all but `tokens`
 * of them used up. Under the mutex. */
static void fold(girt_limiter *limiter, uint64_t room, uint64_t tokens,
                 int64_t now_ns)
{
    girt_assert(tokens <= room && room <= limiter->leased);
    /* A round fails only if another call moved the word. */
    for (;;) {
        girt__sight sight;
        girt__limiter_look(limiter, &sight);
        girt__gcra gcra = sight.gcra;
        gcra.room += (int64_t)(room * gcra.cost);
        int64_t const time = girt__gcra_time_up(&gcra, now_ns);
        int64_t const start = sight.mark > time ? sight.mark : time;
        int64_t const mark = start + (int64_t)((room - tokens) * gcra.cost);
        if (girt__limiter_switch(limiter, &sight, &gcra, mark,
                                 time < mark ? time : mark))
            break;
    }
    girt_store_relaxed(&limiter->leased, limiter->leased - room);
}

void girt__lease_recall_locked(girt_limiter *limiter, int64_t now_ns)
{
    girt_store_relaxed(&limiter->lease_epoch, limiter->lease_epoch + 1);
    /* now_ns may be older than the last use of a lease.  Whoever still used
     * one had its now_ns before the epoch moved, so none is after this. */
    girt_fence_seq_cst();
    int64_t const clock_ns = girt__clock_now(&limiter->clock);
    fold(limiter, limiter->leased, 0, clock_ns > now_ns ? clock_ns : now_ns);
}

bool girt__lease_recall(girt_limiter *limiter, int64_t now_ns)
{
    if (pthread_mutex_trylock(&limiter->mutex) != 0)
        return false;
    bool const any = limiter->leased != 0;
    if (any)
        girt__lease_recall_locked(limiter, now_ns);
    (void)pthread_mutex_unlock(&limiter->mutex);
    return any;
}

void girt__lease_ended(girt__thread_observer *observer, uint32_t thread_index)
{
    girt_limiter *const limiter =
        girt_container_of(observer, girt_limiter, observer);
    girt__lease *const lease = girt__lease_find(limiter, thread_index);
    if (!girt__lease_is_open(limiter, lease))
        return;
    for (int i = 0; pthread_mutex_trylock(&limiter->mutex) != 0; i++) {
        if (i == END_TRIES)
            return;
        (void)sched_yield();
    }
    if (girt__lease_is_open(limiter, lease))
        fold(limiter, limiter->lease, girt_load_relaxed(&lease->tokens),
             girt__clock_now(&limiter->clock));
    girt_store_relaxed(&lease->tokens, 0);
    girt_store_relaxed(&lease->epoch, 0);
    (void)pthread_mutex_unlock(&limiter->mutex);
}

/* The calling thread's lease if it has one; threads that share an index have
 * none. */
static girt__lease *own(const girt_limiter *limiter, uint32_t *thread_index)
{
    *thread_index = girt__thread_index();
    if (girt_unlikely(*thread_index == GIRT__THREADS_MAX - 1))
        return NULL;
    girt__lease *const lease = girt__lease_find(limiter, *thread_index);
    return girt__lease_is_open(limiter, lease) ? lease : NULL;
}

uint64_t girt__lease_held(const girt_limiter *limiter)
{
    if (limiter->lease == 0)
        return 0;
    uint32_t thread_index;
    const girt__lease *const lease = own(limiter, &thread_index);
    return lease == NULL ? 0 : girt_load_relaxed(&lease->tokens);
}

/* Takes from the shared word what the lease lacks: a whole lease if it is
 * there, else just what is missing. */
static girt_status refill(girt_limiter *limiter, girt__lease *lease,
                          uint64_t tokens, int64_t now_ns, int64_t *wait_ns)
{
    uint64_t const held = girt_load_relaxed(&lease->tokens);
    girt__sight sight;
    if (tokens <= limiter->lease &&
        girt__limiter_take_shared(limiter, limiter->lease, now_ns, NULL) ==
            GIRT_OK) {
        girt_store_relaxed(&lease->tokens, held + limiter->lease - tokens);
        return GIRT_OK;
    }
    girt_status const status = girt__limiter_acquire(
        limiter, tokens - held, now_ns, 0, &sight, wait_ns);
    if (status == GIRT_OK)
        girt_store_relaxed(&lease->tokens, 0);
    return status;
}

/* Takes what the thread does not hold. */
static girt_status take_beyond(girt_limiter *limiter, girt__lease *lease,
                               uint32_t thread_index, uint64_t tokens,
                               int64_t now_ns, int64_t *wait_ns)
{
    girt__sight sight;
    girt__limiter_look(limiter, &sight);
    if (tokens > sight.gcra.burst) { /* asking for the rest would hide it */
        *wait_ns = INT64_MAX;
        return GIRT_NEVER;
    }
    if (lease != NULL && tokens != 0)
        return refill(limiter, lease, tokens, now_ns, wait_ns);
    if (tokens != 0 && tokens <= limiter->lease &&
        thread_index != GIRT__THREADS_MAX - 1) {
        lease = open_lease(limiter, thread_index, now_ns);
        if (lease != NULL) {
            girt_store_relaxed(&lease->tokens, limiter->lease - tokens);
            return GIRT_OK;
        }
    }
    return girt__limiter_acquire(limiter, tokens, now_ns, 0, &sight, wait_ns);
}

static void describe(girt_limiter *limiter, girt_status status, int64_t now_ns,
                     int64_t wait_ns, girt_decision *decision)
{
    (void)girt__limiter_peek_at(limiter, 0, now_ns, decision);
    decision->status = status;
    decision->retry_after_ns = status == GIRT_OK ? 0 : wait_ns;
    decision->remaining += girt__lease_held(limiter);
}

girt_status girt__lease_take(girt_limiter *limiter, uint64_t tokens,
                             const int64_t *now_ns, girt_decision *decision)
{
    girt_status status = GIRT_OK;
    int64_t const now =
        now_ns != NULL ? *now_ns : girt__clock_now(&limiter->clock);
    int64_t wait_ns = 0;
    if (tokens == 0 || !girt__lease_spend(limiter, tokens)) {
        uint32_t thread_index;
        girt__lease *const lease = own(limiter, &thread_index);
        status =
            take_beyond(limiter, lease, thread_index, tokens, now, &wait_ns);
    }
    if (decision != NULL)
        describe(limiter, status, now, wait_ns, decision);
    return status;
}
