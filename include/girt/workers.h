/* SPDX-License-Identifier: MIT */
/* workers.h - a fixed pool of threads that run tasks from a bounded queue.
 *
 *            submit  drain  destroy
 *   submit      -      -       X     X: the caller excludes them.
 *   drain       -      -       X
 *   destroy     X      X       X
 *
 * One pool is one bulkhead: its threads and its queue are all that its tasks
 * can take.  Tasks start in the order of their submits, whichever thread runs
 * them; a pool of one thread runs them one after another.
 *
 * Full is exact: submit answers GIRT_FULL only if queue_capacity tasks were
 * accepted and not yet taken up by a thread, or another submit or take-up was
 * under way on the last place; running tasks do not count.
 *
 * From inside a task of the same pool: drain answers GIRT_E_BUSY; destroy is
 * misuse; submit never waits for room, for if every thread did, no room would
 * ever come: without room GIRT_NOW answers GIRT_FULL, and any other timeout
 * runs the new task at once, inside the call (mind the stack: a chain of such
 * tasks nests).
 *
 * Progress is blocking, as girt/queue.h says; a task that does not return keeps
 * its thread.  A task must return: pthread_exit and longjmp out of it are
 * misuse.  Idle threads sleep and cost no CPU.
 *
 * Threads are named after `name` (15 bytes of it, or "girt-worker") and have
 * all signals blocked but those of faults, so that the program's handlers do
 * not run on them.  After fork the child has no worker threads: it must not
 * touch the pool, not even to destroy it.  Nothing here is async-signal-safe
 * or a cancellation point. */
#ifndef GIRT_WORKERS_H
#define GIRT_WORKERS_H

#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** A pool of threads. */
typedef struct girt_workers girt_workers;

/** What a pool is like; zero in any field is the default. */
typedef struct girt_workers_options {
    /** 1 .. 4096; 0: one per CPU that the process may use. */
    size_t threads;
    /** Tasks that wait at most, 1 .. 2^32; 0: 1024.  Over 2^32:
     * GIRT_E_TOO_LARGE. */
    size_t queue_capacity;
    /** Of the threads, and labels its metrics: 1 to 255 bytes, copied, of UTF-8
     * where there are metrics; NULL: none. */
    const char *name;
    /** Where it reports itself under its name, which must be there; outlives
     * it. NULL: nowhere. */
    girt_metrics *metrics;
    /** NULL: the default. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_workers_options;

/**
 * Makes a pool and starts its threads.
 *
 * @param out  receives the pool; untouched unless GIRT_OK.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID for an option outside its range;
 *          GIRT_E_TOO_LARGE for a queue_capacity over 2^32; GIRT_E_NOMEM;
 *          GIRT_E_SYSTEM: a thread could not be made, errno says why, and those
 *          already made have ended.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not
 *          UTF-8; GIRT_E_BUSY: another pool reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates, makes threads).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_workers_create(girt_workers **out,
                                         const girt_workers_options *options);

/**
 * Has a thread of the pool call task(argument).
 *
 * @param workers  the pool.
 * @param task  what to call; not NULL.
 * @param argument  passed to it; may be NULL.
 * @param timeout_ns  how long to wait for room, in ns; GIRT_NOW, GIRT_FOREVER.
 * @return  GIRT_OK: it will run, or has run, see the head of this file;
 *          GIRT_FULL (only with GIRT_NOW); GIRT_TIMEOUT; GIRT_CLOSED: the
 *          pool is being destroyed (only from inside a task); GIRT_E_INVALID
 *          for a NULL or a negative timeout.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: what happened before the submit happened before the task starts.
 * Since: 0.1
 */
GIRT_API girt_status girt_workers_submit(girt_workers *workers,
                                         void (*task)(void *argument),
                                         void *argument, int64_t timeout_ns);

/**
 * Waits until every task that was accepted before the call has returned, and
 * every task that these submitted, and so on.  Tasks that others submit
 * meanwhile are not waited for, but for those that come while an earlier drain
 * is still waiting.  The pool stays usable.
 *
 * @param workers  the pool.
 * @param timeout_ns  how long to wait, in ns; GIRT_NOW, GIRT_FOREVER.
 * @return  GIRT_OK; GIRT_TIMEOUT: some have not returned, with GIRT_NOW too;
 *          GIRT_E_BUSY: called from inside a task of this pool;
 *          GIRT_E_INVALID for a NULL or a negative timeout.
 *
 * Threads: any but the pool's own.
 * Progress: blocking.
 * Order: the tasks waited for happened before the return of GIRT_OK.
 * Since: 0.1
 */
GIRT_API girt_status girt_workers_drain(girt_workers *workers,
                                        int64_t timeout_ns);

/**
 * Finishes what was accepted, ends the threads and frees the pool.  A task that
 * submits meanwhile is answered GIRT_CLOSED where there is room, and as always
 * where there is none.
 *
 * @param workers  NULL: nothing happens.
 *
 * Threads: one, excluding every other call but those of the pool's own tasks;
 *          not the pool's own.
 * Progress: blocking: waits for the tasks.
 * Order: the tasks happened before the return.
 * Since: 0.1
 */
GIRT_API void girt_workers_destroy(girt_workers *workers);

GIRT_END

#endif /* GIRT_WORKERS_H */
