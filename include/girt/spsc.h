/* SPDX-License-Identifier: MIT */
/* spsc.h - a bounded FIFO from one producer thread to one consumer thread.
 *
 * Wait-free: every call ends after a fixed number of steps, whatever the other
 * side does, be it stopped or dead.  Items are pointers of any value, NULL
 * too; the queue never looks behind them and, when destroyed, leaves those
 * still in it to the caller.  What happened before an item's push happens
 * before what follows its pop: a pushed object needs no further
 * synchronization.
 *
 *               push push_n  pop pop_n  count capacity  destroy
 *   push push_n      X           -            -            X
 *   pop pop_n        -           X            -            X
 *   count capacity   -           -            -            X
 *   destroy          X           X            X            X
 *
 *   X: the caller must keep the two from overlapping.  One producer at a time
 *   and one consumer at a time; either may be another thread later on, if its
 *   first call happens after the last call of the one before.
 *
 * Empty is exact: pop answers false only if no item was in the queue at an
 * instant within the call.  Full: push answers false only if, at such an
 * instant, the items and those that a pop under way is taking filled the
 * capacity.  A batch pop gives its slots back at its end.  Before either answer
 * a call may spin for up to 64 pause instructions, under two microseconds,
 * where such pauses have lately brought an item, or a place, every two of them.
 *
 * Thread exit and cancellation: nothing is kept per thread, and no call is a
 * cancellation point.  After fork the child has a copy of its own; it may use
 * it if no other thread was inside push or pop at the fork, else only destroy
 * it.  Signal handlers: push, pop, push_n, pop_n, count and capacity neither
 * allocate nor lock, so a handler may be the producer or the consumer, but
 * not of a side that it interrupted.
 *
 * With GIRT_INLINE_FAST defined before the first girt header, push and pop are
 * inlined into the caller. */
#ifndef GIRT_SPSC_H
#define GIRT_SPSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** The largest capacity. */
#define GIRT_SPSC_CAPACITY_MAX (UINT64_C(1) << 40)

/** A queue of one producer and one consumer. */
typedef struct girt_spsc girt_spsc;

/**
 * Makes an empty queue.
 *
 * @param out        where its handle goes; written only on GIRT_OK.
 * @param capacity   how many items it holds, exactly: 1 to
 *                   GIRT_SPSC_CAPACITY_MAX, powers of two or not.  Takes 64
 *                   bytes for each seven items.
 * @param allocator  where memory comes from; NULL: the default.  Copied.
 * @return  GIRT_OK; GIRT_E_INVALID if out is NULL, capacity 0 or the allocator
 *          incomplete; GIRT_E_TOO_LARGE; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: that of the allocator.
 * Order: the handle must reach other threads by a synchronizing step.
 * Since: 0.1
 */
GIRT_API girt_status girt_spsc_create(girt_spsc **out, size_t capacity,
                                      const girt_allocator *allocator);

/**
 * Frees a queue; the items still in it stay the caller's.
 *
 * @param queue  the queue, which no thread uses any more; NULL does nothing.
 *
 * Threads: any, after all other calls.
 * Progress: that of the allocator.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_spsc_destroy(girt_spsc *queue);

/**
 * Appends one item.
 *
 * @param queue  the queue.
 * @param item   any pointer value.
 * @return  true; false: full, and nothing changed.
 *
 * Threads: the producer.
 * Progress: wait-free.
 * Order: what came before it is visible to who pops the item.
 * Since: 0.1
 */
GIRT_FAST bool girt_spsc_push(girt_spsc *queue, void *item);

/**
 * Takes the oldest item.
 *
 * @param queue  the queue.
 * @param item   where it goes; untouched if there is none.
 * @return  true; false: empty.
 *
 * Threads: the consumer.
 * Progress: wait-free.
 * Order: what came before the item's push is visible after it.
 * Since: 0.1
 */
GIRT_FAST bool girt_spsc_pop(girt_spsc *queue, void **item);

/**
 * Appends as many of the items as fit, in their order.
 *
 * @param queue  the queue.
 * @param items  count pointers; may be NULL if count is 0.
 * @param count  how many.
 * @return  how many went in: the first so many of items; less than count only
 *          if the queue was full.
 *
 * Threads: the producer.
 * Progress: wait-free, a fixed number of steps for each item.
 * Order: as girt_spsc_push.  The items become visible at the end, all at once.
 * Since: 0.1
 */
GIRT_API size_t girt_spsc_push_n(girt_spsc *queue, void *const items[],
                                 size_t count);

/**
 * Takes up to count of the oldest items.
 *
 * @param queue  the queue.
 * @param items  where they go, oldest first; those past the returned number
 *               are untouched; may be NULL if count is 0.
 * @param count  how many at most.
 * @return  how many came; less than count only if the queue was empty then.
 *
 * Threads: the consumer.
 * Progress: wait-free, a fixed number of steps for each item.
 * Order: as girt_spsc_pop.  Room for the producer appears at the end, all at
 * once.
 * Since: 0.1
 */
GIRT_API size_t girt_spsc_pop_n(girt_spsc *queue, void *items[], size_t count);

/**
 * How many items are in the queue.
 *
 * @param queue  the queue.
 * @return  0 to the capacity; exact while nobody pushes or pops, else a value
 *          that may be stale.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_spsc_count(const girt_spsc *queue);

/**
 * The capacity asked for at create.
 *
 * @param queue  the queue.
 * @return  that number.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_spsc_capacity(const girt_spsc *queue);

GIRT_END

#if defined(GIRT_FAST_INLINED) || defined(GIRT_EMIT_FAST)
#include <girt/fast/spsc.h>
#endif

#endif /* GIRT_SPSC_H */
