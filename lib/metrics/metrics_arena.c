/* SPDX-License-Identifier: MIT */
/* metrics_arena.c - pieces of memory, by offset; see the header. */
#include "metrics/metrics_arena.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/cacheline.h"

enum { BLOCK_SHIFT = 32, ALIGNMENT_MAX = GIRT_DESTRUCTIVE };

_Static_assert(sizeof(girt__metrics_block) == GIRT_DESTRUCTIVE,
               "what comes after the head is aligned like it");

static uint64_t offset_of(uint32_t block, size_t place)
{
    return (uint64_t)block << BLOCK_SHIFT | place;
}

static size_t round_up(size_t size, size_t alignment)
{
    return (size + alignment - 1) & ~(alignment - 1);
}

/* ---- private ------------------------------------------------------------ */

/* A third of what is there, so that no more than about that is unused. */
static size_t next_size(const girt__arena *arena)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < arena->count; i++)
        sum += arena->blocks[i].size;
    size_t const wanted = round_up(sum / 2, GIRT__ARENA_FIRST);
    return wanted < GIRT__ARENA_FIRST     ? GIRT__ARENA_FIRST
           : wanted > GIRT__ARENA_LARGEST ? GIRT__ARENA_LARGEST
                                          : wanted;
}

static girt_status add_block(girt__arena *arena, size_t least)
{
    if (arena->count == GIRT__ARENA_BLOCKS || least > GIRT__ARENA_LARGEST)
        return GIRT_E_NOMEM;
    size_t const usual = next_size(arena);
    size_t const size = least > usual ? least : usual;
    char *const base = girt__allocate(&arena->allocator, size, ALIGNMENT_MAX);
    if (base == NULL)
        return GIRT_E_NOMEM;
    arena->blocks[arena->count].base = base;
    arena->blocks[arena->count].size = size;
    arena->count++;
    arena->used = 0;
    return GIRT_OK;
}

static girt_status take_private(girt__arena *arena, size_t size,
                                size_t alignment, uint64_t *offset)
{
    size_t place = round_up(arena->used, alignment);
    if (size > arena->blocks[arena->count - 1].size ||
        place > arena->blocks[arena->count - 1].size - size) {
        girt_status const status = add_block(arena, size);
        if (status != GIRT_OK)
            return status;
        place = 0;
    }
    /* Zeroed piece by piece: untouched memory stays so. */
    memset(arena->blocks[arena->count - 1].base + place, 0, size);
    arena->used = place + size;
    *offset = offset_of(arena->count - 1, place);
    return GIRT_OK;
}

girt_status girt__arena_init(girt__arena *arena,
                             const girt_allocator *allocator)
{
    memset(arena, 0, sizeof *arena);
    arena->allocator = *allocator;
    girt_status const status = add_block(arena, GIRT__ARENA_FIRST);
    if (status != GIRT_OK)
        return status;
    girt__metrics_block *const head = girt__arena_head(arena);
    memset(head, 0, sizeof *head);
    head->magic = GIRT__METRICS_MAGIC;
    arena->used = sizeof *head;
    return GIRT_OK;
}

void girt__arena_destroy(girt__arena *arena)
{
    for (uint32_t i = 0; i < arena->count && !arena->shared; i++)
        girt__release(&arena->allocator, arena->blocks[i].base,
                      arena->blocks[i].size);
}

/* ---- shared ------------------------------------------------------------- */

/* Whoever comes first writes it; all others must find it. */
static bool agree(uint64_t *word, uint64_t value)
{
    uint64_t seen = 0;
    return girt_cas_relaxed(word, &seen, value) || seen == value;
}

girt_status girt__arena_attach(girt__arena *arena, void *block, size_t size)
{
    if ((uintptr_t)block % ALIGNMENT_MAX != 0 ||
        size < sizeof(girt__metrics_block) || size > UINT32_MAX)
        return GIRT_E_INVALID;
    memset(arena, 0, sizeof *arena);
    arena->shared = true;
    arena->count = 1;
    arena->blocks[0].base = block;
    arena->blocks[0].size = size;
    girt__metrics_block *const head = girt__arena_head(arena);
    if (!agree(&head->magic, GIRT__METRICS_MAGIC) || !agree(&head->size, size))
        return GIRT_E_CORRUPT;
    return GIRT_OK;
}

/* Loses only to another that took a piece: lock-free. */
static girt_status take_shared(girt__arena *arena, size_t size,
                               size_t alignment, uint64_t *offset)
{
    girt__metrics_block *const head = girt__arena_head(arena);
    size_t const whole = arena->blocks[0].size;
    /* Relaxed: the piece is told to others by who links it. */
    uint64_t used = girt_load_relaxed(&head->used);
    for (;;) {
        if (used > whole)
            return GIRT_E_CORRUPT;
        size_t const place =
            round_up(used < sizeof *head ? sizeof *head : used, alignment);
        if (size > whole || place > whole - size)
            return GIRT_E_NOMEM;
        if (girt_cas_relaxed(&head->used, &used, (uint64_t)(place + size))) {
            *offset = offset_of(0, place);
            return GIRT_OK;
        }
    }
}

/* ---- both --------------------------------------------------------------- */

girt_status girt__arena_take(girt__arena *arena, size_t size, size_t alignment,
                             uint64_t *offset)
{
    girt_assert(alignment <= ALIGNMENT_MAX && alignment >= sizeof(uint64_t));
    return arena->shared ? take_shared(arena, size, alignment, offset)
                         : take_private(arena, size, alignment, offset);
}

void *girt__arena_at(const girt__arena *arena, uint64_t offset, size_t size)
{
    uint64_t const block = offset >> BLOCK_SHIFT;
    size_t const place = offset & UINT32_MAX;
    if (block >= GIRT__ARENA_BLOCKS || place % sizeof(uint64_t) != 0 ||
        arena->blocks[block].base == NULL || size > arena->blocks[block].size ||
        place > arena->blocks[block].size - size)
        return NULL;
    return arena->blocks[block].base + place;
}

girt__arena_mark girt__arena_here(const girt__arena *arena)
{
    return (girt__arena_mark){arena->count, arena->used};
}

void girt__arena_undo(girt__arena *arena, girt__arena_mark mark)
{
    if (arena->shared)
        return;
    while (arena->count > mark.count) {
        arena->count--;
        girt__release(&arena->allocator, arena->blocks[arena->count].base,
                      arena->blocks[arena->count].size);
        arena->blocks[arena->count].base = NULL;
    }
    arena->used = mark.used;
}
