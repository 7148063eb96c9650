/* SPDX-License-Identifier: MIT */
/* bulkhead.c - places inside, and a fair line of those who wait for one.
 *
 * One word says who is where; those in line stand in a list under a mutex, each
 * with a futex of its own, on its own stack:
 *
 *     word: [ waiting: 32 | lends: 1 | taken: 31 ]   first <-> ... <-> last
 *
 * While the bulkhead is not near full, most enters and leaves find what they
 * want in a shard, and never see the word: bulkhead_shards.c.  A shard's free
 * places count as taken.  Once somebody finds none, all are gathered, and taken
 * is inside; nobody is in line before (S3 there).  What follows is about the
 * word.
 *
 * I1: inside <= taken <= inside_max.  Enter adds by a compare-and-swap from a
 *     word that has room and no line; a hand-over adds under the mutex, from a
 *     word that has room, and with a line only hand-overs add.
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
#include "core/thread.h"

#define ONE_INSIDE  GIRT__BULKHEAD_TAKEN
#define ONE_WAITING GIRT__BULKHEAD_WAITING

typedef struct girt__waiter {
    struct girt__waiter *next, *previous; /* under the mutex */
    bool inside;                          /* written under the mutex */
    girt__park park;
} waiter;

static size_t size_of(uint32_t shards)
{
    return sizeof(girt_bulkhead) + shards * sizeof(girt__bulkhead_shard);
}

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
    uint32_t const shards =
        girt__bulkhead_shard_count((uint32_t)options->inside_max);
    girt_bulkhead *const bulkhead = girt__allocate_zeroed(
        &allocator, size_of(shards), _Alignof(girt_bulkhead));
    if (bulkhead == NULL)
        return GIRT_E_NOMEM;
    bulkhead->allocator = allocator;
    bulkhead->inside_max = (uint32_t)options->inside_max;
    bulkhead->waiting_max = (uint32_t)options->waiting_max;
    girt__bulkhead_init_shards(bulkhead, shards);
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
    girt__release(&allocator, bulkhead, size_of(shards));
    return status;
}

void girt_bulkhead_destroy(girt_bulkhead *bulkhead)
{
    if (bulkhead == NULL)
        return;
    girt__report_destroy(bulkhead->report);
    /* Nobody else is here: a place that was left too often is found. */
    if (bulkhead->word & GIRT__BULKHEAD_LENDS)
        girt__bulkhead_gather(bulkhead);
    girt_require(bulkhead->word == 0);
    girt_allocator const allocator = bulkhead->allocator;
    (void)pthread_mutex_destroy(&bulkhead->mutex);
    girt__release(&allocator, bulkhead, size_of(bulkhead->shard_mask + 1));
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

/* Nobody in line, and a place that is free and not lent. */
static inline bool has_room(const girt_bulkhead *bulkhead, uint64_t word)
{
    return (word & ~GIRT__BULKHEAD_LENDS) < bulkhead->inside_max;
}

/* OK: inside. REJECTED, TIMEOUT: as answered. FULL: in line, as `w`; under the
 * mutex. */
static girt_status enter_or_line_up(girt_bulkhead *bulkhead, waiter *w,
                                    int64_t timeout_ns)
{
    uint64_t word = girt_load_relaxed(&bulkhead->word);
    for (;;) { /* a round fails only if another caller came or went */
        if (has_room(bulkhead, word)) {
            /* L2 <- L1; C1 -> C2 */
            if (girt_cas_acq_rel(&bulkhead->word, &word, word + ONE_INSIDE))
                return GIRT_OK;
            continue;
        }
        if (word & GIRT__BULKHEAD_LENDS) {
            /* Once: only the mutex's owner lends. */
            girt__bulkhead_gather(bulkhead);
            word = girt_load_relaxed(&bulkhead->word);
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

/* Nothing in the shard. */
static __attribute__((noinline)) girt_status enter_by_word(
    girt_bulkhead *bulkhead, int64_t timeout_ns)
{
    uint64_t word = girt_load_relaxed(&bulkhead->word);
    /* A round fails only if another caller came or went. */
    while (girt_likely(has_room(bulkhead, word))) {
        /* L2 <- L1, G1: what was done in this place before; C1 -> C2. */
        if (girt_likely(
                girt_cas_acq_rel(&bulkhead->word, &word, word + ONE_INSIDE)))
            return GIRT_OK;
    }
    if (word & GIRT__BULKHEAD_LENDS)
        return enter_slowly(bulkhead, timeout_ns);
    /* A refusal that is certain writes nothing. */
    if (girt__bulkhead_waiting(word) >= bulkhead->waiting_max) {
        girt_probe1(bulkhead_reject, bulkhead);
        return GIRT_REJECTED;
    }
    if (timeout_ns == GIRT_NOW)
        return GIRT_TIMEOUT;
    return enter_slowly(bulkhead, timeout_ns);
}

static inline uint64_t *own_shard(girt_bulkhead *bulkhead)
{
    return &bulkhead->shards[girt__thread_index() & bulkhead->shard_mask].word;
}

static inline __attribute__((always_inline)) girt_status enter(
    girt_bulkhead *bulkhead, int64_t timeout_ns)
{
    uint64_t *const shard = own_shard(bulkhead);
    uint64_t word = girt_load_relaxed(shard);
    /* Open, with free places.  A round fails only if a thread of the same
     * shard came or went, or somebody gathers. */
    while (girt_likely((int32_t)(uint32_t)word > 0)) {
        /* L2 <- L1; C1 -> C2 (bulkhead_shards.c) */
        if (girt_likely(girt_cas_acq_rel(
                shard, &word, word - GIRT__SHARD_FREE + GIRT__SHARD_CHANGE)))
            return GIRT_OK;
    }
    return enter_by_word(bulkhead, timeout_ns);
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
    if (w != NULL && girt__bulkhead_taken(girt_load_relaxed(&bulkhead->word)) <
                         bulkhead->inside_max) {
        unlink_waiter(bulkhead, w);
        /* L3 <- L1 */
        (void)girt_add_acquire(&bulkhead->word, ONE_INSIDE - ONE_WAITING);
        w->inside = true;
        girt__park_wake(&w->park, 1);
    }
    (void)pthread_mutex_unlock(&bulkhead->mutex);
}

/* The shard is closed or full. */
static __attribute__((noinline)) void leave_by_word(girt_bulkhead *bulkhead)
{
    /* L1 -> L2, L3; C1 -> C2 */
    uint64_t const word = girt_sub_release(&bulkhead->word, ONE_INSIDE);
    girt_require(girt__bulkhead_taken(word) != 0);
    if (girt_unlikely(girt__bulkhead_waiting(word) != 0)) {
        hand_over(bulkhead);
        return;
    }
    if ((word & GIRT__BULKHEAD_LENDS) || bulkhead->shard_max == 0 ||
        girt__bulkhead_taken(word) > bulkhead->inside_max / 2)
        return;
    /* Relaxed, and not in one instruction: a hint. */
    uint32_t const calm = girt_load_relaxed(&bulkhead->calm) + 1;
    girt_store_relaxed(&bulkhead->calm, calm);
    if (girt_unlikely(calm >= GIRT__BULKHEAD_CALM))
        girt__bulkhead_lend(bulkhead);
}

void girt_bulkhead_leave(girt_bulkhead *bulkhead)
{
    if (girt_unlikely(bulkhead == NULL))
        return;
    uint64_t *const shard = own_shard(bulkhead);
    uint64_t word = girt_load_relaxed(shard);
    /* Open, with room.  A round fails as in enter. */
    while (girt_likely((uint32_t)word < bulkhead->shard_max)) {
        /* L1 -> L2, G2; C1 -> C2 */
        if (girt_likely(girt_cas_release(
                shard, &word, word + GIRT__SHARD_FREE + GIRT__SHARD_CHANGE)))
            return;
    }
    leave_by_word(bulkhead);
}
