/* SPDX-License-Identifier: MIT */
/* shared_segment.c - a piece of memory that several processes have, and its
 * parts.
 *
 * Each process maps the segment where there is room in its own memory, so
 * nothing in it is a pointer.  The layout is in shared_internal.h, the file
 * under it in shared_file.c, finding and making parts in shared_parts.c.
 *
 * I1: whoever can find a segment by name finds it whole: its facts and the
 *     empty directory are written before it has the name.
 * I2: what is read from a segment and then used as a size, an offset or an
 *     index was copied and checked first; the copy is what is used. */
#include <girt/shared.h>

#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "shared/shared_internal.h"

static bool round_up(size_t size, size_t page, size_t *out)
{
    if (!girt__size_add(size, page - 1, out))
        return false;
    *out &= ~(page - 1);
    return true;
}

static void free_handle(girt_shared *shared)
{
    girt_allocator const allocator = girt__allocator_default();
    girt__release(&allocator, shared, sizeof *shared);
}

/* Maps an open file. On failure the file stays the caller's. */
static girt_status map(girt_shared **out, int file, size_t bytes)
{
    girt_allocator const allocator = girt__allocator_default();
    girt_shared *const shared = girt__allocate_zeroed(
        &allocator, sizeof *shared, _Alignof(girt_shared));
    if (shared == NULL)
        return GIRT_E_NOMEM;
    void *const memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED) {
        girt__release(&allocator, shared, sizeof *shared);
        return GIRT_E_NOMEM;
    }
    shared->header = memory;
    shared->bytes = bytes;
    shared->file = file;
    shared->uses = 1;
    *out = shared;
    return GIRT_OK;
}

static void close_file(int file)
{
    int state; /* a cancellation point, our callers are not */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    (void)close(file);
    (void)pthread_setcancelstate(state, NULL);
}

girt_status girt_shared_create(girt_shared **out, const char *name, size_t size,
                               unsigned mode)
{
    if (mode == 0)
        mode = 0600;
    if (out == NULL || size == 0 || (mode & ~0666u) != 0 ||
        (mode & 0600) != 0600 ||
        (name != NULL && girt__shared_file_name_size(name) == 0))
        return GIRT_E_INVALID;
    size_t const page = (size_t)sysconf(_SC_PAGESIZE);
    size_t parts_at, parts, bytes;
    if (!round_up(sizeof(girt__shared_header), page, &parts_at) ||
        !round_up(size, page, &parts) ||
        !girt__size_add(parts_at, parts, &bytes))
        return GIRT_E_TOO_LARGE;
    int file;
    girt_status status = girt__shared_file_make(name, bytes, mode, &file);
    if (status != GIRT_OK)
        return status;
    girt_shared *shared;
    status = map(&shared, file, bytes);
    if (status != GIRT_OK) {
        close_file(file);
        return status;
    }
    shared->page = page;
    shared->parts_at = parts_at;
    shared->named = name != NULL;
    /* The rest of a new file is zero: nobody has `making`, no part is there. */
    girt__shared_facts_fill(&shared->header->facts, bytes, page, parts_at);
    if (name != NULL)
        status = girt__shared_file_publish(name, file);
    if (status != GIRT_OK) {
        girt_shared_close(shared);
        return status;
    }
    *out = shared;
    return GIRT_OK;
}

girt_status girt_shared_open(girt_shared **out, const char *name)
{
    if (out == NULL || girt__shared_file_name_size(name) == 0)
        return GIRT_E_INVALID;
    int file;
    size_t bytes;
    girt_status status = girt__shared_file_open(name, &file, &bytes);
    if (status != GIRT_OK)
        return status;
    /* By a copy: what was checked is what is used. */
    girt__shared_facts facts;
    if (pread(file, &facts, sizeof facts, 0) != (ssize_t)sizeof facts)
        status = GIRT_E_CORRUPT;
    else
        status = girt__shared_facts_check(&facts, bytes);
    girt_shared *shared = NULL;
    if (status == GIRT_OK)
        status = map(&shared, file, bytes);
    if (status != GIRT_OK) {
        close_file(file);
        return status;
    }
    shared->page = facts.page;
    shared->parts_at = (size_t)facts.parts_at;
    shared->named = true;
    *out = shared;
    return GIRT_OK;
}

void girt__shared_keep(girt_shared *shared)
{
    uint32_t const before = girt_add_relaxed(&shared->uses, 1);
    girt_assert(before != 0);
    (void)before;
}

void girt_shared_close(girt_shared *shared)
{
    /* Acquire and release: what others did with it is before its end. */
    if (shared == NULL || girt_sub_acq_rel(&shared->uses, 1) != 1)
        return;
    (void)munmap(shared->header, shared->bytes);
    close_file(shared->file);
    free_handle(shared);
}

static size_t whole_pages(size_t size)
{
    size_t const page = (size_t)sysconf(_SC_PAGESIZE);
    return (size + page - 1) & ~(page - 1);
}

void *girt__shared_map_behind(const girt_shared *shared,
                              const girt__shared_part *part, size_t before)
{
    size_t const private_bytes = whole_pages(before);
    size_t all;
    if (!girt__size_add(private_bytes, part->bytes, &all))
        return NULL;
    char *const memory = mmap(NULL, all, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    void *const block =
        mmap(memory + private_bytes, part->bytes, PROT_READ | PROT_WRITE,
             MAP_SHARED | MAP_FIXED, shared->file, (off_t)part->offset);
    if (block == MAP_FAILED) {
        (void)munmap(memory, all);
        return NULL;
    }
    return block;
}

void girt__shared_unmap_behind(void *block, size_t before, size_t bytes)
{
    size_t const private_bytes = whole_pages(before);
    (void)munmap((char *)block - private_bytes, private_bytes + bytes);
}
