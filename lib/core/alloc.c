/* SPDX-License-Identifier: MIT */
/* alloc.c - the default allocator and what objects build on it. */
#include "core/alloc_internal.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *default_allocate(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (alignment <= _Alignof(max_align_t))
        return malloc(size);
    void *block = NULL;
    return posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

static void default_release(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

static const girt_allocator default_allocator = {default_allocate,
                                                 default_release, NULL};

girt_status girt__allocator_resolve(girt_allocator *out,
                                    const girt_allocator *allocator)
{
    if (allocator == NULL ||
        (allocator->allocate == NULL && allocator->release == NULL)) {
        *out = default_allocator;
        return GIRT_OK;
    }
    if (allocator->allocate == NULL || allocator->release == NULL)
        return GIRT_E_INVALID;
    *out = *allocator;
    return GIRT_OK;
}

void *girt__allocate(const girt_allocator *allocator, size_t size,
                     size_t alignment)
{
    if (size > PTRDIFF_MAX)
        return NULL;
    return allocator->allocate(allocator->context, size == 0 ? 1 : size,
                               alignment == 0 ? _Alignof(max_align_t)
                                              : alignment);
}

void *girt__allocate_zeroed(const girt_allocator *allocator, size_t size,
                            size_t alignment)
{
    void *const block = girt__allocate(allocator, size, alignment);
    if (block != NULL)
        memset(block, 0, size);
    return block;
}

void girt__release(const girt_allocator *allocator, void *block, size_t size)
{
    if (block != NULL)
        allocator->release(allocator->context, block, size == 0 ? 1 : size);
}
