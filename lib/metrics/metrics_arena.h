/* SPDX-License-Identifier: MIT */
/* metrics_arena.h - where names, labels and counts lie: in blocks, by offset.
 *
 * An offset is a block's number (upper half) and a place in it (lower half).
 * A registry in shared memory has one block, given by the caller, and takes
 * from it with a compare-and-swap; a private one takes block after block from
 * its allocator, under the registry's mutex. Nothing is given back before the
 * end, and nothing moves.
 *
 * A block's beginning is girt__metrics_block; zeros are an empty registry, so
 * that there is no step of making one in which a killed process could stop.
 *
 * I1: a piece is given once, is zero, and lies within its block.
 * I2: girt__arena_at answers only what lies within a block, whatever it is
 *     asked: offsets in shared memory are not trusted. */
#ifndef GIRT_METRICS_METRICS_ARENA_H
#define GIRT_METRICS_METRICS_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

enum {
    GIRT__ARENA_BLOCKS = 256,
    /* Of a private registry's blocks: the first, and the most. */
    GIRT__ARENA_FIRST = 32 << 10,
    GIRT__ARENA_LARGEST = 16 << 20,
};

/* The head of block 0: what processes share of a registry. */
typedef struct girt__metrics_block {
    uint64_t magic;      /* 0, or GIRT__METRICS_MAGIC */
    uint64_t size;       /* 0, or the block's */
    uint64_t used;       /* 0, or how far pieces have been given */
    uint64_t families;   /* offset of the first; 0: none */
    uint64_t slab;       /* of counters: see metrics_series.c */
    uint64_t series_max; /* 0: the default */
    uint64_t processes;  /* that attached, so far */
    uint64_t reserved[9];
} girt__metrics_block;

/* "girtmet" and the layout's number. */
#define GIRT__METRICS_MAGIC UINT64_C(0x676972746d657401)

typedef struct girt__arena {
    girt_allocator allocator; /* of private blocks */
    bool shared;              /* one block, the caller's */
    uint32_t count;
    size_t used; /* of a private one's last block */
    /* base is written before an offset into the block is published. */
    struct {
        char *base;
        size_t size;
    } blocks[GIRT__ARENA_BLOCKS];
} girt__arena;

/* What takes from a private arena may be undone, as long as nothing of it was
 * published. */
typedef struct girt__arena_mark {
    uint32_t count;
    size_t used;
} girt__arena_mark;

/* GIRT_E_NOMEM. */
girt_status girt__arena_init(girt__arena *arena,
                             const girt_allocator *allocator);
/* Of a block of shared memory, aligned to 128: zeros, or one in use.
 * GIRT_E_INVALID: too small or not aligned; GIRT_E_CORRUPT: neither. */
girt_status girt__arena_attach(girt__arena *arena, void *block, size_t size);
void girt__arena_destroy(girt__arena *arena);

static inline girt__metrics_block *girt__arena_head(const girt__arena *arena)
{
    return (girt__metrics_block *)(void *)arena->blocks[0].base;
}

/* A zeroed piece; alignment: a power of two up to 128. GIRT_E_NOMEM. */
girt_status girt__arena_take(girt__arena *arena, size_t size, size_t alignment,
                             uint64_t *offset);
/* The bytes at an offset; NULL: not so many are there, or it is no multiple of
 * eight. */
void *girt__arena_at(const girt__arena *arena, uint64_t offset, size_t size);

girt__arena_mark girt__arena_here(const girt__arena *arena);
/* Does nothing to a shared one: what was taken there is lost. */
void girt__arena_undo(girt__arena *arena, girt__arena_mark mark);

#endif /* GIRT_METRICS_METRICS_ARENA_H */
