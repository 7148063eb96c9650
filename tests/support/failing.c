/* SPDX-License-Identifier: MIT */
/* failing.c - the allocator of failing.h, over aligned_alloc. */
#include "support/failing.h"

#include <stdlib.h>
#include <string.h>

static void *failing_allocate(void *context, size_t size, size_t alignment)
{
    failing *const f = context;
    size_t const call = __atomic_add_fetch(&f->calls, 1, __ATOMIC_RELAXED);
    if (f->fail_at != 0 &&
        (call == f->fail_at || (f->fail_all_after && call > f->fail_at)))
        return NULL;
    void *block = NULL;
    if (posix_memalign(&block, alignment < sizeof(void *) ? sizeof(void *)
                                                          : alignment,
                       size == 0 ? 1 : size) != 0)
        return NULL;
    memset(block, 0xa5, size); /* nobody may count on zeros */
    __atomic_add_fetch(&f->live_blocks, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&f->live_bytes, size, __ATOMIC_RELAXED);
    return block;
}

static void failing_release(void *context, void *block, size_t size)
{
    failing *const f = context;
    __atomic_sub_fetch(&f->live_blocks, 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&f->live_bytes, size, __ATOMIC_RELAXED);
    free(block);
}

void failing_init(failing *f)
{
    *f = (failing){.allocator = {failing_allocate, failing_release, f}};
}
