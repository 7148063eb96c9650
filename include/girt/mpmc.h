/* SPDX-License-Identifier: MIT */
/* mpmc.h - a bounded FIFO between any number of producers and consumers,
 * lock-free in fact.
 *
 * A thread stopped, or dead, at any instruction of any call here stops nobody
 * else: there is no instant at which a slot is claimed and not yet filled, or
 * claimed and not yet emptied, and no call ever waits for another thread.  One
 * compare-and-swap of 16 bytes is the whole of a push or a pop.
 *
 * Items are pointers of any value, NULL too; the queue never looks behind them
 * and, when destroyed, leaves those still in it to the caller.  What happened
 * before an item's push happens before what follows its pop.
 *
 *               push push_n  pop pop_n  count capacity  destroy
 *   push push_n      -           -            -            X
 *   pop pop_n        -           -            -            X
 *   count capacity   -           -            -            X
 *   destroy          X           X            X            X
 *
 *   X: the caller must keep the two from overlapping.
 *
 * Linearizable, with both answers exact: push answers false only if capacity
 * items were in the queue, and pop only if none was, at an instant within the
 * call.  FIFO over all producers: of two pushes, one of which returned before
 * the other began, the first comes out first.
 *
 * Progress: lock-free; a call takes another turn only because another call
 * completed.  A single call can be overtaken any number of times (it is not
 * wait-free).  After a lost race it spins for 16 to 256 pause instructions;
 * before it answers full or empty for at most 64, under two microseconds, and
 * only where such pauses have lately brought an item every two of them.
 *
 * Thread exit and cancellation: nothing is kept per thread, and no call is a
 * cancellation point.  A thread that dies by other means inside a call has
 * either done it or not.  After fork the child has a copy of its own, whole
 * and usable whatever other threads were doing.  Signal handlers: push, pop,
 * push_n, pop_n, count and capacity are async-signal-safe, also for a queue
 * whose call was interrupted.
 *
 * Where lock-freedom is not needed, queue.h blocks, closes and is watchable.
 *
 * With GIRT_INLINE_FAST defined before the first girt header, push and pop are
 * inlined into the caller. */
#ifndef GIRT_MPMC_H
#define GIRT_MPMC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** The largest capacity. */
#define GIRT_MPMC_CAPACITY_MAX (UINT64_C(1) << 40)

/** A queue of any number of producers and consumers. */
typedef struct girt_mpmc girt_mpmc;

/**
 * Makes an empty queue.
 *
 * @param out        where its handle goes; written only on GIRT_OK.
 * @param capacity   how many items it holds, exactly: 1 to
 *                   GIRT_MPMC_CAPACITY_MAX, powers of two or not.  Takes 16
 *                   bytes for each item of the next power of two.
 * @param allocator  where memory comes from; NULL: the default.  Copied.
 * @return  GIRT_OK; GIRT_E_INVALID if out is NULL, capacity 0 or the allocator
 *          incomplete; GIRT_E_TOO_LARGE; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: that of the allocator.
 * Order: the handle must reach other threads by a synchronizing step.
 * Since: 0.1
 */
GIRT_API girt_status girt_mpmc_create(girt_mpmc **out, size_t capacity,
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
GIRT_API void girt_mpmc_destroy(girt_mpmc *queue);

/**
 * Appends one item.
 *
 * @param queue  the queue.
 * @param item   any pointer value.
 * @return  true; false: full, and nothing changed.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: what came before it is visible to who pops the item.
 * Since: 0.1
 */
GIRT_FAST bool girt_mpmc_push(girt_mpmc *queue, void *item);

/**
 * Takes the oldest item.
 *
 * @param queue  the queue.
 * @param item   where it goes; untouched if there is none.
 * @return  true; false: empty.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: what came before the item's push is visible after it.
 * Since: 0.1
 */
GIRT_FAST bool girt_mpmc_pop(girt_mpmc *queue, void **item);

/**
 * Appends as many of the items as fit, in their order, like so many pushes
 * that stop at the first false: items of other producers may come between
 * them.
 *
 * @param queue  the queue.
 * @param items  count pointers; may be NULL if count is 0.
 * @param count  how many.
 * @return  how many went in: the first so many of items; less than count only
 *          if the queue was full at an instant within the call.
 *
 * Threads: any.
 * Progress: lock-free, for each item.
 * Order: as girt_mpmc_push, for each item.
 * Since: 0.1
 */
GIRT_API size_t girt_mpmc_push_n(girt_mpmc *queue, void *const items[],
                                 size_t count);

/**
 * Takes up to count of the oldest items, like so many pops that stop at the
 * first false: other consumers may take items between them, and those that
 * this call gets are in the queue's order.
 *
 * @param queue  the queue.
 * @param items  where they go, oldest first; those past the returned number
 *               are untouched; may be NULL if count is 0.
 * @param count  how many at most.
 * @return  how many came; less than count only if the queue was empty at an
 *          instant within the call.
 *
 * Threads: any.
 * Progress: lock-free, for each item.
 * Order: as girt_mpmc_pop, for each item.
 * Since: 0.1
 */
GIRT_API size_t girt_mpmc_pop_n(girt_mpmc *queue, void *items[], size_t count);

/**
 * How many items are in the queue.
 *
 * @param queue  the queue.
 * @return  0 to the capacity; exact while nobody pushes or pops, else a value
 *          that may be stale.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_mpmc_count(const girt_mpmc *queue);

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
GIRT_API size_t girt_mpmc_capacity(const girt_mpmc *queue);

GIRT_END

#if defined(GIRT_FAST_INLINED) || defined(GIRT_EMIT_FAST)
#include <girt/fast/mpmc.h>
#endif

#endif /* GIRT_MPMC_H */
