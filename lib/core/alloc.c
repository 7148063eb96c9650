/* SPDX-License-Identifier: MIT */
/* alloc.c - the default allocator, and jemalloc where it is the program's.
 *
 * girt never links jemalloc: a libgirt that needed it could not be dlopened,
 * for jemalloc's block of static thread-local storage.  Weak references find
 * it where the program or LD_PRELOAD brought it.  Three cases:
 *   absent   the references are null;
 *   present  they are not, but malloc is another's (jemalloc was built with a
 *            prefix, or came by dlopen, or a sanitizer's malloc is in front);
 *   active   malloc moves jemalloc's count of what this thread allocated.
 * mallocx is used when active only: with two heaps in a process, memory that
 * the one has cached is lost to the other.
 *
 * The case is found once and the functions chosen by it are kept by value in
 * every object, so a block always goes back to the heap it came from.  Blocks
 * are returned with dallocx, not sdallocx: this wants the alignment too, which
 * girt_allocator.release does not get, and frees into the wrong size class
 * without it. */
#include "core/alloc_internal.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/assert.h"
#include "core/atomic.h"

/* jemalloc's interface, from its manual: no header of its is included. */
extern void *mallocx(size_t size, int flags) __attribute__((weak));
extern void dallocx(void *block, int flags) __attribute__((weak));
extern int mallctl(const char *name, void *old, size_t *old_size, void *new,
                   size_t new_size) __attribute__((weak));

enum {
    MALLOCX_TCACHE_NONE = 1 << 8,
    MALLOCX_ARENA_SHIFT = 20,
    ARENAS_MAX = (1 << 12) - 2 /* what a flag can name */
};

/* Blocks up to this size are asked for without a look at the machine's. */
#define CERTAINLY_THERE ((size_t)1 << 24)

/* ---- libc's malloc ------------------------------------------------------ */

static void *libc_allocate(void *context, size_t size, size_t alignment)
{
    (void)context;
    if (alignment <= _Alignof(max_align_t))
        return malloc(size);
    void *block = NULL;
    return posix_memalign(&block, alignment, size) == 0 ? block : NULL;
}

static void libc_release(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    free(block);
}

/* ---- jemalloc's --------------------------------------------------------- */

static void *jemalloc_allocate(size_t size, size_t alignment, int flags)
{
    /* Undefined where rounding up to a size class would overflow. */
    if (size > PTRDIFF_MAX / 2 || alignment > PTRDIFF_MAX / 2)
        return NULL;
    return mallocx(size, flags | __builtin_ctzll(alignment));
}

static void *mallocx_allocate(void *context, size_t size, size_t alignment)
{
    (void)context;
    return jemalloc_allocate(size, alignment, 0);
}

static void mallocx_release(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    dallocx(block, 0);
}

/* The context is the arena's number.  Past the thread's cache: that holds
 * blocks of any arena, and would hold back those freed. */
static void *arena_allocate(void *context, size_t size, size_t alignment)
{
    unsigned const arena = (unsigned)(uintptr_t)context;
    int const flags = (int)((arena + 1) << MALLOCX_ARENA_SHIFT);
    return jemalloc_allocate(size, alignment, flags | MALLOCX_TCACHE_NONE);
}

static void arena_release(void *context, void *block, size_t size)
{
    (void)context;
    (void)size;
    dallocx(block, MALLOCX_TCACHE_NONE);
}

/* ---- which -------------------------------------------------------------- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static girt__jemalloc_state state;

static girt__jemalloc_state probe(void)
{
    if (mallocx == NULL || dallocx == NULL || mallctl == NULL)
        return GIRT__JEMALLOC_ABSENT;
    uint64_t *allocated = NULL;
    size_t size = sizeof allocated;
    if (mallctl("thread.allocatedp", &allocated, &size, NULL, 0) != 0 ||
        size != sizeof allocated || allocated == NULL)
        return GIRT__JEMALLOC_PRESENT;
    uint64_t const before = girt_load_relaxed(allocated);
    /* Shown to the world, or the compiler drops the pair. */
    static void *shown;
    void *const block = malloc(64);
    girt_store_relaxed(&shown, block);
    bool const moved = girt_load_relaxed(allocated) != before;
    free(block);
    girt_store_relaxed(&shown, NULL);
    return moved ? GIRT__JEMALLOC_ACTIVE : GIRT__JEMALLOC_PRESENT;
}

static void find_state(void)
{
    state = probe();
}

girt__jemalloc_state girt__jemalloc(void)
{
    (void)pthread_once(&once, find_state);
    return state;
}

girt_allocator girt__allocator_default(void)
{
    static const girt_allocator libc = {libc_allocate, libc_release, NULL};
    static const girt_allocator jemalloc = {mallocx_allocate, mallocx_release,
                                            NULL};
    return girt__jemalloc() == GIRT__JEMALLOC_ACTIVE ? jemalloc : libc;
}

girt_status girt__allocator_resolve(girt_allocator *out,
                                    const girt_allocator *allocator)
{
    if (allocator == NULL ||
        (allocator->allocate == NULL && allocator->release == NULL)) {
        *out = girt__allocator_default();
        return GIRT_OK;
    }
    if (allocator->allocate == NULL || allocator->release == NULL)
        return GIRT_E_INVALID;
    *out = *allocator;
    return GIRT_OK;
}

/* ---- inside the library ------------------------------------------------- */

size_t girt__machine_bytes(void)
{
    long const pages = sysconf(_SC_PHYS_PAGES);
    long const page = sysconf(_SC_PAGESIZE);
    return pages <= 0 || page <= 0 ? SIZE_MAX : (size_t)pages * (size_t)page;
}

bool girt__machine_holds(size_t count, size_t size)
{
    size_t bytes;
    return girt__size_multiply(count, size, &bytes) &&
           bytes <= girt__machine_bytes();
}

void *girt__allocate(const girt_allocator *allocator, size_t size,
                     size_t alignment)
{
    girt_assert((alignment & (alignment - 1)) == 0);
    if (size > PTRDIFF_MAX ||
        (size > CERTAINLY_THERE && !girt__machine_holds(size, 1)))
        return NULL;
    size_t const at_least =
        alignment > sizeof(void *) ? alignment : sizeof(void *);
    return allocator->allocate(allocator->context, size == 0 ? 1 : size,
                               alignment == 0 ? _Alignof(max_align_t)
                                              : at_least);
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

/* ---- arenas ------------------------------------------------------------- */

girt_status girt_allocator_jemalloc_arena(girt_allocator *allocator)
{
    if (allocator == NULL)
        return GIRT_E_INVALID;
    if (girt__jemalloc() != GIRT__JEMALLOC_ACTIVE)
        return GIRT_MISSING;
    unsigned arena = 0;
    size_t size = sizeof arena;
    if (mallctl("arenas.create", &arena, &size, NULL, 0) != 0 ||
        arena > ARENAS_MAX)
        return GIRT_E_NOMEM;
    *allocator = (girt_allocator){arena_allocate, arena_release,
                                  (void *)(uintptr_t)arena};
    return GIRT_OK;
}

static bool read_stat(unsigned arena, const char *kind, size_t *value)
{
    char name[64];
    size_t size = sizeof *value;
    (void)snprintf(name, sizeof name, "stats.arenas.%u.%s.allocated", arena,
                   kind);
    return mallctl(name, value, &size, NULL, 0) == 0;
}

girt_status girt_allocator_bytes(const girt_allocator *allocator, size_t *bytes)
{
    if (allocator == NULL || bytes == NULL ||
        allocator->allocate != arena_allocate)
        return GIRT_E_INVALID;
    unsigned const arena = (unsigned)(uintptr_t)allocator->context;
    uint64_t refresh = 1;
    size_t small = 0, large = 0;
    if (mallctl("epoch", NULL, NULL, &refresh, sizeof refresh) != 0 ||
        !read_stat(arena, "small", &small) ||
        !read_stat(arena, "large", &large))
        return GIRT_E_SYSTEM;
    *bytes = small + large;
    return GIRT_OK;
}
