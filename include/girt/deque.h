/* SPDX-License-Identifier: MIT */
/* deque.h - a work-stealing deque: its owner pushes and pops at one end, any
 * thread steals at the other.
 *
 *            push  pop  steal  destroy
 *   push      X     X     -       X     X: the caller excludes them; push and
 *   pop       X     X     -       X     pop are the owner's, one thread at a
 *   steal     -     -     -       X     time.
 *   destroy   X     X     X       X
 *
 * The owner gets what it pushed last, thieves what it pushed first.  Capacity
 * is exact; NULL is an item like any other.
 *
 * Empty and full.  pop answers false only if the deque was empty at an instant
 * within the call.  push answers false only if `capacity` items were inside at
 * one.  steal answers false when it was empty or when another thread took the
 * oldest item at that moment: false is no proof of emptiness.
 *
 * Progress: push and pop are wait-free, steal is wait-free because it gives up
 * when it loses; a thread that stalls or dies at any point stops nobody.
 * There is no close and nothing waits: girt/workers.h and girt/queue.h do.
 * After fork the child has a copy that it may use if only the forking thread
 * was in a call.  Thread exit: nothing is kept for a thread.  steal is
 * async-signal-safe; push and pop are where they do not interrupt the owner in
 * push or pop.
 *
 * Source: D. Chase and Y. Lev, Dynamic Circular Work-Stealing Deque, SPAA 2005,
 * with the orders of N. M. Le, A. Pop, A. Cohen and F. Zappella Nardelli,
 * Correct and Efficient Work-Stealing for Weak Memory Models, PPoPP 2013. */
#ifndef GIRT_DEQUE_H
#define GIRT_DEQUE_H

#include <stdbool.h>
#include <stddef.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** A bounded work-stealing deque of pointers. */
typedef struct girt_deque girt_deque;

/**
 * Makes an empty deque.
 *
 * @param out  receives the deque; untouched unless GIRT_OK.
 * @param capacity  items at most, 1 .. 2^32.
 * @param allocator  NULL: the default.
 * @return  GIRT_OK; GIRT_E_INVALID for a NULL out, capacity 0 or half an
 *          allocator; GIRT_E_TOO_LARGE for more than 2^32; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_deque_create(girt_deque **out, size_t capacity,
                                       const girt_allocator *allocator);

/**
 * Frees the deque; items inside are forgotten, they are the caller's.
 *
 * @param deque  NULL: nothing happens.
 *
 * Threads: one, excluding every other call on the deque.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_deque_destroy(girt_deque *deque);

/**
 * Pushes an item at the owner's end.
 *
 * @param deque  the deque, not NULL.
 * @param item  any value, NULL too.
 * @return  false: full, nothing changed.
 *
 * Threads: the owner.
 * Progress: wait-free.
 * Order: what happened before the push happened before the pop or steal that
 *        brings the item returns.
 * Since: 0.1
 */
GIRT_API bool girt_deque_push(girt_deque *deque, void *item);

/**
 * Pops the item that was pushed last.
 *
 * @param deque  the deque, not NULL.
 * @param item  receives it; untouched when there is none.  Not NULL.
 * @return  false: empty.
 *
 * Threads: the owner.
 * Progress: wait-free.
 * Order: see girt_deque_push.
 * Since: 0.1
 */
GIRT_API bool girt_deque_pop(girt_deque *deque, void **item);

/**
 * Takes the item that was pushed first.
 *
 * @param deque  the deque, not NULL.
 * @param item  receives it; untouched when false.  Not NULL.
 * @return  false: empty, or another thread was quicker.
 *
 * Threads: any, the owner too.
 * Progress: wait-free.
 * Order: see girt_deque_push.
 * Since: 0.1
 */
GIRT_API bool girt_deque_steal(girt_deque *deque, void **item);

GIRT_END

#endif /* GIRT_DEQUE_H */
