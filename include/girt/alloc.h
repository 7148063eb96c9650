/* SPDX-License-Identifier: MIT */
/* alloc.h - where objects take their memory from. */
#ifndef GIRT_ALLOC_H
#define GIRT_ALLOC_H

#include <stddef.h>

#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/**
 * A source of memory; every options struct can carry one.
 *
 * Zeroed, or NULL in its place, means the default: libc's malloc, or
 * jemalloc's mallocx where jemalloc is the program's malloc.  One function
 * without the other is GIRT_E_INVALID.  An object copies it at create, so the
 * struct need not live on, but context must until the object is destroyed.
 *
 * Both functions may be called by several threads at once, and in a fork's
 * child.  They must not call the object that calls them.
 */
typedef struct girt_allocator {
    /**
     * Gives size bytes aligned to alignment, or NULL when it has none, on
     * which the call that wanted them answers GIRT_E_NOMEM.  size is at least
     * 1 and at most the memory of the machine: a call that wants more answers
     * GIRT_E_NOMEM without asking.  alignment is a power of two, at least that
     * of a pointer.  The bytes need not be zero.
     */
    void *(*allocate)(void *context, size_t size, size_t alignment);
    /**
     * Takes back a block, in any thread.  block is never NULL; size is what
     * was asked for.
     */
    void (*release)(void *context, void *block, size_t size);
    /** Passed to both. */
    void *context;
} girt_allocator;

/**
 * Makes an allocator that has a jemalloc arena to itself: what objects given
 * it hold is then apart from all else in the heap, and is counted.
 *
 * An arena costs about 130 KB and lives to the end of the process, since
 * objects may hold its memory that long: make one for a purpose, not one for
 * each object.  Its blocks pass by the threads' caches, so a call costs about
 * 70 ns where malloc costs 25.
 *
 * @param[out] allocator  set on GIRT_OK only; copies of it share the arena.
 * @return  GIRT_OK; GIRT_MISSING where jemalloc is not the program's malloc
 *          (not there, or there beside another malloc); GIRT_E_INVALID for
 *          NULL; GIRT_E_NOMEM when jemalloc has no more arenas (some
 *          thousand).
 *
 * Threads: any; not async-signal-safe.  After a fork the child has a copy of
 *   the arena and may go on using the allocator.
 * Progress: blocking (jemalloc's locks).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_allocator_jemalloc_arena(girt_allocator *allocator);

/**
 * How many bytes of an arena are in use now.
 *
 * Counted are whole blocks as jemalloc rounds them up: 100 bytes asked for
 * count 112.  Exact when no other thread allocates from the arena during the
 * call; 0 once everything was given back.
 *
 * @param allocator   one that girt_allocator_jemalloc_arena made, or a copy.
 * @param[out] bytes  set on GIRT_OK only.
 * @return  GIRT_OK; GIRT_E_INVALID for NULL or any other allocator;
 *          GIRT_E_SYSTEM where jemalloc keeps no statistics.
 *
 * Threads: any; not async-signal-safe.
 * Progress: blocking (jemalloc's locks); it reads the statistics of every
 *   arena: for a reading now and then, not for each operation.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_allocator_bytes(const girt_allocator *allocator,
                                          size_t *bytes);

GIRT_END

#endif /* GIRT_ALLOC_H */
