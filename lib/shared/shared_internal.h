/* SPDX-License-Identifier: MIT */
/* shared_internal.h - the layout of a segment; see shared_segment.c.
 *
 *   [header | directory of parts]  [part 0] [part 1] ...   [not used yet]
 *   0                              parts_at, whole pages
 *
 * Everything is found by offsets.  What a process goes by - sizes, offsets,
 * kinds - it checks once and keeps a copy of in its own memory. */
#ifndef GIRT_SHARED_SHARED_INTERNAL_H
#define GIRT_SHARED_SHARED_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/shared.h>

#include "core/cacheline.h"

#define GIRT__SHARED_MAGIC UINT64_C(0x006d687374726967) /* "girtshm" */

enum {
    GIRT__SHARED_VERSION = 1,
    GIRT__SHARED_NAME_MAX = 255,
    GIRT__SHARED_BOOT_BYTES = 16
};

typedef enum girt__shared_kind {
    GIRT__SHARED_LIMITER = 1,
    GIRT__SHARED_KEYED_LIMITER = 2,
    GIRT__SHARED_CHANNEL = 3,
    GIRT__SHARED_LANE = 4, /* of a channel; its name no user can choose */
    GIRT__SHARED_METRICS = 5
} girt__shared_kind;

typedef enum girt__shared_state {
    GIRT__SHARED_FREE = 0,
    GIRT__SHARED_MAKING = 1, /* by who has `making`, or died with it */
    GIRT__SHARED_READY = 2   /* for good: parts are never removed */
} girt__shared_state;

/* A line of the directory; written under `making`, then for ever the same. */
typedef struct girt__shared_entry {
    uint32_t state;
    uint32_t kind;
    uint64_t offset; /* whole pages, from the segment's start */
    uint64_t bytes;
    uint64_t check; /* of kind, offset, bytes and name */
    uint32_t name_size;
    uint32_t unused;
    char name[GIRT__SHARED_NAME_MAX + 1];
} girt__shared_entry;
_Static_assert(sizeof(girt__shared_entry) == 296, "no hole in an entry");

/* Written once, before others can see the segment. */
typedef struct girt__shared_facts {
    uint64_t magic;
    uint32_t version;
    uint32_t page;     /* bytes; whole pages are in these */
    uint64_t layout;   /* of everything in a segment, as one hash */
    uint64_t bytes;    /* of the whole segment */
    uint64_t parts_at; /* where the first part begins */
    uint64_t creator;  /* core/process.h */
    uint64_t spaces;   /* in which a pid and a start mean this; 0: unknown */
    uint8_t boot[GIRT__SHARED_BOOT_BYTES]; /* zeros: unknown */
    uint64_t check;                        /* of all before it */
} girt__shared_facts;
_Static_assert(sizeof(girt__shared_facts) == 80, "no hole in the facts");

typedef struct girt__shared_header {
    girt__shared_facts facts;
    GIRT_ALIGNED(GIRT_CACHELINE) uint64_t making; /* lock: core/process.h */
    GIRT_ALIGNED(GIRT_CACHELINE) girt__shared_entry parts[GIRT_SHARED_PARTS];
} girt__shared_header;

struct girt_shared {
    /* Written at create and open. */
    girt__shared_header *header; /* the segment in this process's memory */
    size_t bytes;
    size_t parts_at;
    size_t page;
    int file;
    bool named;
    /* Channels keep their segment; the last to go closes it. */
    uint32_t uses;
};

/* A part that was found or made: checked, and the caller's own copy. */
typedef struct girt__shared_part {
    size_t offset;
    size_t bytes;
} girt__shared_part;

/* How a part is made where it is not there yet. */
typedef struct girt__shared_plan {
    girt__shared_kind kind;
    const void *name; /* 1 to GIRT__SHARED_NAME_MAX bytes */
    size_t name_size;
    size_t bytes;      /* that it needs */
    size_t bytes_most; /* that it takes if they are there; 0: as many */
    /* Fills bytes that are zero. */
    void (*make)(void *block, size_t bytes, const void *context);
    const void *context;
} girt__shared_plan;

/* shared_parts.c: GIRT_OK; GIRT_E_NOMEM: no room, or no entry;
 * GIRT_E_INVALID: the name is another kind's; GIRT_E_CORRUPT: the directory is
 * broken; GIRT_E_BUSY: a living process stood still in here for too long. */
girt_status girt__shared_find_or_make(girt_shared *shared,
                                      const girt__shared_plan *plan,
                                      girt__shared_part *part);
/* 0: not a part's name; else its bytes. */
size_t girt__shared_name_size(const char *name);

/* shared_segment.c */
static inline void *girt__shared_block(const girt_shared *shared,
                                       const girt__shared_part *part)
{
    return (char *)shared->header + part->offset;
}
void girt__shared_keep(girt_shared *shared);
/* Maps a part once more, behind at least `before` bytes of the caller's own
 * zeroed memory, which end where the part begins: an object can have its
 * private half and its shared half in one piece.  NULL: out of memory.  The
 * whole is unmapped with girt__shared_unmap_behind. */
void *girt__shared_map_behind(const girt_shared *shared,
                              const girt__shared_part *part, size_t before);
void girt__shared_unmap_behind(void *block, size_t before, size_t bytes);

/* shared_file.c: opens and makes files of the system's shared memory. */
/* 0: not a segment's name. */
size_t girt__shared_file_name_size(const char *name);
/* A file of `bytes` that has no name yet, or never will (name NULL). */
girt_status girt__shared_file_make(const char *name, size_t bytes,
                                   unsigned mode, int *file);
/* Names it once it is whole. GIRT_EXISTS: the name is taken. */
girt_status girt__shared_file_publish(const char *name, int file);
/* Its owner and kind checked; *bytes is its size. */
girt_status girt__shared_file_open(const char *name, int *file, size_t *bytes);

/* shared_facts.c */
void girt__shared_facts_fill(girt__shared_facts *facts, size_t bytes,
                             size_t page, size_t parts_at);
/* Whether a segment of a file of `bytes` can be used here. */
girt_status girt__shared_facts_check(const girt__shared_facts *facts,
                                     size_t bytes);

#endif /* GIRT_SHARED_SHARED_INTERNAL_H */
