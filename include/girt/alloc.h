/* SPDX-License-Identifier: MIT */
/* alloc.h - where objects take their memory from. */
#ifndef GIRT_ALLOC_H
#define GIRT_ALLOC_H

#include <stddef.h>

#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/**
 * A source of memory; every options struct can carry one.  Zeroed, or NULL in
 * its place, means the default: libc's malloc, or jemalloc's mallocx where
 * jemalloc is the program's malloc.
 */
typedef struct girt_allocator {
    /** size bytes aligned to alignment (a power of two), or NULL. */
    void *(*allocate)(void *context, size_t size, size_t alignment);
    /** Gives a block back; size is what was asked for. */
    void (*release)(void *context, void *block, size_t size);
    /** Passed to both. */
    void *context;
} girt_allocator;

GIRT_API girt_status girt_allocator_jemalloc_arena(girt_allocator *allocator);
GIRT_API girt_status girt_allocator_bytes(const girt_allocator *allocator,
                                          size_t *bytes);

GIRT_END

#endif /* GIRT_ALLOC_H */
