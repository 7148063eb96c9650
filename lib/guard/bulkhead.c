/* SPDX-License-Identifier: MIT */
/* bulkhead.c - places inside, and a fair line of those who wait for one.
 *
 * One word says who is where; those in line stand in a list under a mutex, each
 * with a futex of its own, on its own stack:
 *
 *     word: [ waiting: 32 | inside: 32 ]      first <-> ... <-> last
 *
 * I1: inside <= inside_max.  Enter adds by a compare-and-swap from a word that
 *     has room and no line; a hand-over adds under the mutex, from a word that
 *     has room, and with a line only hand-overs add.
 * I2: while waiting > 0 nobody goes inside but by a hand-over, so nobody can
 *     take a place from those in line.
 * I3: while waiting > 0, places free <= leavers on their way to the mutex.
 *     One goes in line by a compare-and-swap from a word without room (none
 *     free) or with a line (I3 held before).  A leave subtracts, which tells it
 *     in the same instruction whether there is a line: if so it has added one
 *     to both sides and takes the mutex to hand over a place that is free.  If
 *     it finds none free, I3 holds without it; if it finds no line, there is
 *     nothing to hold.  So no wake-up can be lost.
 * I4: waiting changes under the mutex only, and is then the list's length.
 *
 * A leave is one addition because two compare-and-swaps a call were a third
 * slower at two threads (2-core AMD EPYC VM, 2026-11).
 *
 * One whose time is over takes the mutex to leave the line: it finds itself in
 * the list, or inside.  The waker also wakes under the mutex, and the woken one
 * passes through it, so the waiter's record is not used after its stack frame
 * is gone. */
#include "guard/bulkhead_internal.h"

#include <stdbool.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/durations.h"
#include "core/park.h"
#include "core/probe.h"

#define ONE_INSIDE  UINT64_C(1)
#define ONE_WAITING (UINT64_C(1) << 32)

typedef struct girt__waiter {
    struct girt__waiter *next, *previous; /* under the mutex */
    bool inside;                          /* written under the mutex */
    girt__park park;
} waiter;

girt_status girt_bulkhead_create(girt_bulkhead **out,
                                 const girt_bulkhead_options *options)
{
    if (out == NULL || options == NULL || options->inside_max == 0 ||
        !girt__options_are_valid(options->name, options->metrics,
                                 options->reserved))
        return GIRT_E_INVALID;
    if (options->inside_max > GIRT_BULKHEAD_MAX ||
        options->waiting_max > GIRT_BULKHEAD_MAX)
        return GIRT_E_TOO_LARGE;
    girt_allocator allocator;
    girt_status status =
        girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    girt_bulkhead *const bulkhead = girt__allocate_zeroed(
        &allocator, sizeof *bulkhead, _Alignof(girt_bulkhead));
    if (bulkhead == NULL)
        return GIRT_E_NOMEM;
    bulkhead->allocator = allocator;
    bulkhead->inside_max = (uint32_t)options->inside_max;
    bulkhead->waiting_max = (uint32_t)options->waiting_max;
    status = GIRT_E_NOMEM;
    if (pthread_mutex_init(&bulkhead->mutex, NULL) != 0)
        goto fail_mutex;
    status = girt__bulkhead_report(bulkhead, options);
    if (status != GIRT_OK)
        goto fail_report;
    *out = bulkhead;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&bulkhead->mutex);
fail_mutex:
    girt__release(&allocator, bulkhead, sizeof *bulkhead);
    return status;
}

void girt_bulkhead_destroy(girt_bulkhead *bulkhead)
{
    if (bulkhead == NULL)
        return;
    girt__report_destroy(bulkhead->report);
    girt_require(bulkhead->word == 0);
    girt_allocator const allocator = bulkhead->allocator;
    (void)pthread_mutex_destroy(&bulkhead->mutex);
    girt__release(&allocator, bulkhead, sizeof *bulkhead);
}

static void append(girt_bulkhead *bulkhead, waiter *w)
{
    w->next = NULL;
    w->previous = bulkhead->last;
    if (bulkhead->last != NULL)
        bulkhead->last->next = w;
    else
        bulkhead->first = w;
    bulkhead->last = w;
}

static void unlink_waiter(girt_bulkhead *bulkhead, waiter *w)
{
    if (w->previous != NULL)
        w->previous->next = w->next;
    else
        bulkhead->first = w->next;
    if (w->next != NULL)
        w->next->previous = w->previous;
    else
        bulkhead->last = w->previous;
}

/* OK: inside. REJECTED, TIMEOUT: as answered. FULL: in line, as `w`; under the
 * mutex. */
static girt_status enter_or_line_up(girt_bulkhead *bulkhead, waiter *w,
                                    int64_t timeout_ns)
{
    uint64_t word = girt_load_relaxed(&bulkhead->word);
    for (;;) { /* a round fails only if another caller came or went */
        if (girt__bulkhead_waiting(word) == 0 &&
            girt__bulkhead_inside(word) < bulkhead->inside_max) {
            /* L2 <- L1 */
            if (girt_cas_acquire(&bulkhead->word, &word, word + ONE_INSIDE))
                return GIRT_OK;
            continue;
        }
        if (girt__bulkhead_waiting(word) >= bulkhead->waiting_max) {
            girt_probe1(bulkhead_reject, bulkhead);
            return GIRT_REJECTED;
        }
        if (timeout_ns == GIRT_NOW)
            return GIRT_TIMEOUT;
        /* Relaxed: the list is the mutex's. */
        if (girt_cas_relaxed(&bulkhead->word, &word, word + ONE_WAITING)) {
            append(bulkhead, w);
            return GIRT_FULL;
        }
    }
}

/* Until the place is handed over, or the time is over. */
static girt_status wait_in_line(girt_bulkhead *bulkhead, waiter *w,
                                int64_t deadline_ns)
{
    for (bool in_time = true;;) {
        uint32_t const key = girt__park_prepare(&w->park);
        (void)pthread_mutex_lock(&bulkhead->mutex);
        bool const inside = w->inside;
        if (!inside && !in_time) {
            unlink_waiter(bulkhead, w);
            (void)girt_sub_relaxed(&bulkhead->word, ONE_WAITING);
        }
        (void)pthread_mutex_unlock(&bulkhead->mutex);
        if (inside || !in_time) {
            girt__park_cancel(&w->park);
            return inside ? GIRT_OK : GIRT_TIMEOUT;
        }
        in_time = girt__park_wait(&w->park, key, deadline_ns);
    }
}

static __attribute__((noinline)) girt_status enter_slowly(
    girt_bulkhead *bulkhead, int64_t timeout_ns)
{
    waiter w = {.inside = false};
    int64_t const deadline_ns = girt__deadline(timeout_ns);
    (void)pthread_mutex_lock(&bulkhead->mutex);
    girt_status const status = enter_or_line_up(bulkhead, &w, timeout_ns);
    (void)pthread_mutex_unlock(&bulkhead->mutex);
    if (status != GIRT_FULL)
        return status;
    if (bulkhead->report == NULL)
        return wait_in_line(bulkhead, &w, deadline_ns);
    int64_t const start_ns = girt__clock_now(&girt_clock_monotonic);
    girt_status const answer = wait_in_line(bulkhead, &w, deadline_ns);
    girt__durations_add(bulkhead->report->durations,
                        girt__clock_now(&girt_clock_monotonic) - start_ns);
    return answer;
}

static inline __attribute__((always_inline)) girt_status enter(
    girt_bulkhead *bulkhead, int64_t timeout_ns)
{
    uint64_t word = girt_load_relaxed(&bulkhead->word);
    /* A round fails only if another caller came or went. */
    while (girt_likely(girt__bulkhead_waiting(word) == 0 &&
                       girt__bulkhead_inside(word) < bulkhead->inside_max)) {
        /* L2 <- L1: what was done in this place before. */
        if (girt_likely(
                girt_cas_acquire(&bulkhead->word, &word, word + ONE_INSIDE)))
            return GIRT_OK;
    }
    /* A refusal that is certain writes nothing. */
    if (girt__bulkhead_waiting(word) >= bulkhead->waiting_max) {
        girt_probe1(bulkhead_reject, bulkhead);
        return GIRT_REJECTED;
    }
    if (timeout_ns == GIRT_NOW)
        return GIRT_TIMEOUT;
    return enter_slowly(bulkhead, timeout_ns);
}

static __attribute__((noinline)) girt_status enter_and_count(
    girt_bulkhead *bulkhead, int64_t timeout_ns)
{
    girt_status const status = enter(bulkhead, timeout_ns);
    girt__report_add(bulkhead->report,
                     status == GIRT_OK         ? GIRT__BULKHEAD_ENTERED
                     : status == GIRT_REJECTED ? GIRT__BULKHEAD_REJECTED
                                               : GIRT__BULKHEAD_TIMEOUTS,
                     1);
    return status;
}

girt_status girt_bulkhead_enter(girt_bulkhead *bulkhead, int64_t timeout_ns)
{
    if (girt_unlikely(bulkhead == NULL || timeout_ns < 0))
        return GIRT_E_INVALID;
    if (girt_unlikely(bulkhead->report != NULL))
        return enter_and_count(bulkhead, timeout_ns);
    return enter(bulkhead, timeout_ns);
}

/* A place is free, unless someone took it when the line had gone. */
static __attribute__((noinline)) void hand_over(girt_bulkhead *bulkhead)
{
    (void)pthread_mutex_lock(&bulkhead->mutex);
    waiter *const w = bulkhead->first;
    /* With a line others only subtract: room stays room (I2).  Relaxed: what
     * leavers did is seen by way of L3. */
    if (w != NULL && girt__bulkhead_inside(girt_load_relaxed(&bulkhead->word)) <
                         bulkhead->inside_max) {
        unlink_waiter(bulkhead, w);
        /* L3 <- L1 */
        (void)girt_add_acquire(&bulkhead->word, ONE_INSIDE - ONE_WAITING);
        w->inside = true;
        girt__park_wake(&w->park, 1);
    }
    (void)pthread_mutex_unlock(&bulkhead->mutex);
}

void girt_bulkhead_leave(girt_bulkhead *bulkhead)
{
    if (girt_unlikely(bulkhead == NULL))
        return;
    /* L1 -> L2, L3 */
    uint64_t const word = girt_sub_release(&bulkhead->word, ONE_INSIDE);
    girt_require(girt__bulkhead_inside(word) != 0);
    if (girt_unlikely(girt__bulkhead_waiting(word) != 0))
        hand_over(bulkhead);
}
