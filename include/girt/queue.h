/* SPDX-License-Identifier: MIT */
/* queue.h - the queue that most programs want: bounded, blocking, closable,
 * watchable by an event loop, with batches, priorities and dropping.
 *
 *            push  pop  count  close  fd  destroy
 *   push      -     -     -      -     -     X     X: the caller excludes them.
 *   pop       -     -     -      -     -     X     With single_producer, push
 *   count     -     -     -      -     -     X     excludes push; with
 *   close     -     -     -      -     -     X     single_consumer, pop pop.
 *   fd        -     -     -      -     -     X
 *   destroy   X     X     X      X     X     X
 *
 * Capacity is exact: 1 and any other number.  NULL is an item like any other.
 *
 * Empty and full.  A queue without per_producer_order and bands is one
 * linearizable FIFO: GIRT_EMPTY only if it was empty at an instant within the
 * call, GIRT_FULL only if it was full at one.  With either of the two, a
 * queue that another thread is pushing to at that moment may be called full
 * while up to a few hundred places are in that thread's hands, and empty when
 * items came to a lane already looked at; what is at rest is seen exactly.
 *
 * Progress is blocking.  A push or pop claims its place with one atomic step
 * and completes it a few instructions later; a thread that stalls in between
 * holds up those who reach that place, GIRT_NOW included: they spin, then
 * yield.  A thread that is killed in between stops the queue.  girt/mpmc.h is
 * lock-free instead.  A call that finds nothing, GIRT_NOW included, may spin
 * for up to 64 pause instructions, under two microseconds, where such pauses
 * have lately brought an item, or a place, every two of them.  A thread that
 * waits sleeps after some 10 microseconds, costs no CPU, and is woken alone.
 *
 * Close: pushes answer GIRT_CLOSED from then on; pops bring what was accepted
 * and then answer GIRT_CLOSED; every waiter wakes.  A push that races with
 * close is accepted and delivered, or answers GIRT_CLOSED: never lost.
 *
 * Timeouts: a wait never ends early; GIRT_TIMEOUT means that the monotonic
 * clock passed the limit and a last look brought nothing.
 *
 * fork: the child has a copy; it may use it if no other thread was in a call on
 * it at the fork, and if girt_queue_fd was never called (the two processes
 * would share one eventfd).  Thread exit: nothing is kept for a thread.
 * Cancellation: no call is a cancellation point, so a thread cancelled in the
 * deferred way finishes its call first; one that waits forever is to be
 * released by girt_queue_close.  Asynchronous cancellation breaks the queue.
 * Signals: nothing here is async-signal-safe; a handler does not end a wait.
 *
 * Engine: sequence slots [D. Vyukov, bounded MPMC queue, 2010], packed four to
 * a cache line, with exact capacity, exact empty and full, and wake-ups that
 * cost nothing while nobody sleeps: docs/design/queue_blocking.md.  With both
 * single_producer and single_consumer, one band and no drop_oldest: girt/spsc.h
 * inside, which membarrier(2) lets meet sleepers and close without a fence;
 * where that is refused (an old kernel, a filter), the slots serve.
 *
 * With GIRT_INLINE_FAST defined before the first girt header, push and pop try
 * once in the caller; what does not succeed at once is a call.  What succeeds
 * there passes no probe. */
#ifndef GIRT_QUEUE_H
#define GIRT_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** A bounded queue of pointers. */
typedef struct girt_queue girt_queue;

/** What a queue promises; zero in any field is the default. */
typedef struct girt_queue_options {
    /** Items at most, 1 .. 2^32; 0: 1024.  Over 2^32: GIRT_E_TOO_LARGE. */
    size_t capacity;
    /** Only one thread at a time pushes: a promise, which the queue relies on.
     * Together with single_consumer, one band and no drop_oldest it selects an
     * engine that takes 0.4 to 0.7 of the time a single item and ten bytes an
     * item; two threads that push at once then lose items.  Alone it saves the
     * lanes of per_producer_order and changes nothing else.  Where nobody has
     * to wait girt/spsc.h is faster still. */
    bool single_producer;
    /** Only one thread at a time pops: likewise.  Alone it changes nothing. */
    bool single_consumer;
    /** What one thread pushes stays in order; what several push need not.
     * Producers are spread over lanes, which takes up to 8 times the memory. */
    bool per_producer_order;
    /** Priorities, 1 .. 8; 0: 1.  Of every 2^bands - 1 pops of a thread, band b
     * is served first in 2^(bands - 1 - b), so 8 4 2 1 with four; when it is
     * empty the first band with an item is.  So an item with j others before
     * it in its band waits for at most (j + 1) * (2^bands - 1) pops where one
     * thread pops.  Each band takes its own memory for `capacity` items. */
    unsigned bands;
    /** A full queue makes room: its oldest item goes to `dropped`, and is
     * forgotten where that is NULL.  With bands: the oldest of the last band
     * that has any; with per_producer_order: of the pushing thread's lane, if
     * it has any. */
    bool drop_oldest;
    /** Told of items that leave otherwise than by a pop: dropped ones, in the
     * pushing thread, with no lock held, so it may use the queue; and those
     * left at destroy, when it must not.  NULL: such items are forgotten. */
    void (*dropped)(void *context, void *item);
    /** Passed to dropped. */
    void *context;
    /** Each item carries the trace context that its pusher had (girt/trace.h),
     * for girt_trace_received.  Costs an allocation an item: a push without
     * memory answers GIRT_E_NOMEM, and has pushed nothing. */
    bool traced;
    /** Labels its metrics: 1 to 255 bytes, copied, of UTF-8 where there are
     * metrics; NULL: none. */
    const char *name;
    /** Where it reports itself under its name, which must be there; outlives
     * it. NULL: nowhere. */
    girt_metrics *metrics;
    /** NULL: the default. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_queue_options;

/**
 * Makes an empty queue.  The first with both promises registers the process
 * for membarrier(2), some milliseconds if it has threads already.
 *
 * @param out  receives the queue; untouched unless GIRT_OK.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID for an option outside its range;
 *          GIRT_E_TOO_LARGE for a capacity over 2^32; GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another queue reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_queue_create(girt_queue **out,
                                       const girt_queue_options *options);

/**
 * Frees the queue; items inside go to `dropped` if it is set, and are forgotten
 * otherwise.  No thread may be in a call or enter one: close the queue and
 * join its users first.  The eventfd is closed.
 *
 * @param queue  NULL: nothing happens.
 *
 * Threads: one, excluding every other call on the queue.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_queue_destroy(girt_queue *queue);

/**
 * Pushes one item, into band 0.
 *
 * @param queue  the queue.
 * @param item  any value, NULL too; the queue does not look at it.
 * @param timeout_ns  how long to wait for room, in ns; GIRT_NOW, GIRT_FOREVER.
 * @return  GIRT_OK; GIRT_FULL (only with GIRT_NOW); GIRT_TIMEOUT; GIRT_CLOSED;
 *          GIRT_E_INVALID for a NULL queue or a negative timeout.  With
 *          drop_oldest never GIRT_FULL or GIRT_TIMEOUT.
 *
 * Threads: any, but one at a time with single_producer.
 * Progress: blocking, see the head of this file.
 * Order: what happened before the push happened before the pop that brings the
 *        item returns.
 * Since: 0.1
 */
GIRT_FAST girt_status girt_queue_push(girt_queue *queue, void *item,
                                      int64_t timeout_ns);

/**
 * Pops the oldest item.
 *
 * @param queue  the queue.
 * @param item  receives it; untouched unless GIRT_OK.
 * @param timeout_ns  how long to wait for an item, in ns; GIRT_NOW,
 *        GIRT_FOREVER.
 * @return  GIRT_OK; GIRT_EMPTY (only with GIRT_NOW); GIRT_TIMEOUT; GIRT_CLOSED:
 *          closed, and no item is left or can come; GIRT_E_INVALID for a NULL
 *          argument or a negative timeout.
 *
 * Threads: any, but one at a time with single_consumer.
 * Progress: blocking, see the head of this file.
 * Order: see girt_queue_push.
 * Since: 0.1
 */
GIRT_FAST girt_status girt_queue_pop(girt_queue *queue, void **item,
                                     int64_t timeout_ns);

/**
 * Pushes one item into a band.
 *
 * @param queue  the queue.
 * @param band  0 .. bands - 1, 0 being the most urgent.
 * @param item  any value.
 * @param timeout_ns  how long to wait for room, in ns; GIRT_NOW, GIRT_FOREVER.
 * @return  as girt_queue_push; GIRT_E_INVALID also for a band out of range.
 *
 * Threads: any, but one at a time with single_producer.
 * Progress: blocking, see the head of this file.
 * Order: see girt_queue_push.
 * Since: 0.1
 */
GIRT_API girt_status girt_queue_push_band(girt_queue *queue, unsigned band,
                                          void *item, int64_t timeout_ns);

/**
 * Pushes several items into band 0, in order; claims as many places as it can
 * with one atomic step, which is several times cheaper than single pushes.
 *
 * @param queue  the queue.
 * @param items  the items; may be NULL when count is 0.
 * @param count  how many, any number: more than the capacity too.
 * @param timeout_ns  how long to wait for room altogether, in ns; GIRT_NOW,
 *        GIRT_FOREVER.
 * @param pushed  receives how many of the first items went in; untouched on
 *        GIRT_E_INVALID.
 * @return  GIRT_OK: all of them; else GIRT_FULL, GIRT_TIMEOUT or GIRT_CLOSED,
 *          as girt_queue_push; GIRT_E_INVALID for a NULL or a negative timeout.
 *
 * Threads: any, but one at a time with single_producer.  Other producers'
 *          items may come between those of one call.
 * Progress: blocking, see the head of this file.
 * Order: see girt_queue_push.
 * Since: 0.1
 */
GIRT_API girt_status girt_queue_push_n(girt_queue *queue, void *const items[],
                                       size_t count, int64_t timeout_ns,
                                       size_t *pushed);

/**
 * Pops up to count items; waits for the first only.
 *
 * @param queue  the queue.
 * @param items  room for count items; may be NULL when count is 0.
 * @param count  how many at most; 0 answers GIRT_OK at once.
 * @param timeout_ns  how long to wait for the first item, in ns; GIRT_NOW,
 *        GIRT_FOREVER.
 * @param popped  receives how many came: at least 1 with GIRT_OK and a count
 *        that is not 0, else 0; untouched on GIRT_E_INVALID.
 * @return  as girt_queue_pop; GIRT_OK when there is at least one.
 *
 * Threads: any, but one at a time with single_consumer.
 * Progress: blocking, see the head of this file.
 * Order: see girt_queue_push.
 * Since: 0.1
 */
GIRT_API girt_status girt_queue_pop_n(girt_queue *queue, void *items[],
                                      size_t count, int64_t timeout_ns,
                                      size_t *popped);

/**
 * Closes the queue for good: pushes answer GIRT_CLOSED at once, pops bring the
 * rest and then answer GIRT_CLOSED, every waiter wakes, the eventfd stays
 * readable.  Closing again does nothing.
 *
 * @param queue  NULL: nothing happens.
 *
 * Threads: any.
 * Progress: blocking (system calls).
 * Order: what happened before close happened before a call that answers
 *        GIRT_CLOSED returns.
 * Since: 0.1
 */
GIRT_API void girt_queue_close(girt_queue *queue);

/**
 * How many items are inside; pushes and pops under way may be counted.
 *
 * @param queue  NULL: 0.
 * @return  0 .. capacity; exact while no call is under way.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_queue_count(const girt_queue *queue);

/**
 * The capacity that was asked for.
 *
 * @param queue  NULL: 0.
 * @return  items at most.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_queue_capacity(const girt_queue *queue);

/**
 * An eventfd for epoll, poll or any event loop: readable while items wait or
 * the queue is closed, and not after a pop that answered GIRT_EMPTY.  On
 * readable, pop with GIRT_NOW until GIRT_EMPTY; that also works edge-triggered.
 * Pushes and pops pay for it only when the queue goes from empty to not empty.
 *
 * @param queue  the queue.
 * @param fd  receives the descriptor, the same at every call; it belongs to
 *        the queue: do not read, write or close it.  It is close-on-exec and
 *        non-blocking, and is not to be used after fork by the child.
 * @return  GIRT_OK; GIRT_E_INVALID for a NULL; GIRT_E_SYSTEM: no descriptor,
 *          errno says why.
 *
 * Threads: any.
 * Progress: blocking (a mutex, a system call).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_queue_fd(girt_queue *queue, int *fd);

GIRT_END

#if defined(GIRT_FAST_INLINED)
#include <girt/fast/queue.h>
#endif

#endif /* GIRT_QUEUE_H */
