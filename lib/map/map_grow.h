/* SPDX-License-Identifier: MIT */
/* map_grow.h - what growing and walking an index share. */
#ifndef GIRT_MAP_GROW_H
#define GIRT_MAP_GROW_H

#include "map/map_index.h"

/* 2^depth entries, not filled in; NULL: out of memory.  Counted. */
girt__directory *girt__directory_create(girt__index *index, uint32_t depth,
                                        girt__directory *older);
size_t girt__directory_bytes(uint32_t depth);

/* Every used slot of a table whose groups the caller has locked, then of its
 * spill chain. */
typedef struct girt__walk {
    girt__table *table;
    girt__group *group; /* of the slot */
    uint64_t *slot;
    uint32_t number;    /* of the slot in its group */
    girt__spill *spill; /* where the slot is; NULL: in the table */
    uint32_t at;        /* the group's number, when in the table */
    uint32_t left;      /* slots of the group that come yet, as bits */
} girt__walk;

girt__walk girt__walk_begin(girt__table *table);
bool girt__walk_next(girt__walk *walk);

uint64_t girt__walk_hash(const girt__walk *walk);

/* The bit of its home's away that leads to the slot: 0 at home. */
uint8_t girt__walk_away(const girt__walk *walk, uint64_t hash);

#endif /* GIRT_MAP_GROW_H */
