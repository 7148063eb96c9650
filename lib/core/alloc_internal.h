/* SPDX-License-Identifier: MIT */
/* alloc_internal.h - allocation inside the library.
 *
 * Objects resolve the allocator they are given once, at create, keep the
 * result by value, and pass it to every call here. */
#ifndef GIRT_CORE_ALLOC_INTERNAL_H
#define GIRT_CORE_ALLOC_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <girt/alloc.h>
#include <girt/status.h>

/* What jemalloc is to this process; found once. */
typedef enum girt__jemalloc_state {
    GIRT__JEMALLOC_ABSENT,
    GIRT__JEMALLOC_PRESENT, /* but malloc is not its */
    GIRT__JEMALLOC_ACTIVE   /* malloc is its */
} girt__jemalloc_state;

girt__jemalloc_state girt__jemalloc(void);

/* NULL or all zero: the default.  One of two functions missing:
 * GIRT_E_INVALID, *out untouched. */
girt_status girt__allocator_resolve(girt_allocator *out,
                                    const girt_allocator *allocator);
/* What NULL resolves to. */
girt_allocator girt__allocator_default(void);

/* The memory of the machine; SIZE_MAX when it does not tell. */
size_t girt__machine_bytes(void);
/* Whether `count` times `size` bytes are not more.  More is promised by
 * jemalloc, and by libc's malloc where the kernel overcommits; touching it
 * then kills the process. */
bool girt__machine_holds(size_t count, size_t size);

/* `alignment` is a power of two; 0 means that of max_align_t.  NULL when out
 * of memory, without asking the allocator when size is more than the machine
 * has.  size 0 is taken as 1. */
void *girt__allocate(const girt_allocator *allocator, size_t size,
                     size_t alignment);
void *girt__allocate_zeroed(const girt_allocator *allocator, size_t size,
                            size_t alignment);
/* `size` is what was asked for; NULL does nothing. */
void girt__release(const girt_allocator *allocator, void *block, size_t size);

/* false: does not fit a size_t, *out untouched. */
static inline bool girt__size_multiply(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

static inline bool girt__size_add(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

#endif /* GIRT_CORE_ALLOC_INTERNAL_H */
