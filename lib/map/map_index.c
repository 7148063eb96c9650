/* SPDX-License-Identifier: MIT */
/* map_index.c - making, measuring and walking an index; map_index.h has the
 * idea and the proof, map_grow.c how it grows. */
#include "map/map_grow.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"

/* A table that begins small has this many groups: 832 bytes, 44 keys.
 * tests/schedule begins smaller. */
#define FIRST_GROUPS (1u << GIRT__UNIT_SHIFT)
/* Hundredths of its slots that a table is planned to use. Tables are full at 89
 * and 85; but from 75 on there are so many keys away from home that misses slow
 * down. */
#define PLANNED_WIDE 70u
#define PLANNED_LINE 65u

typedef struct plan {
    uint32_t depth; /* of the directory; 2^tables_depth tables */
    uint32_t tables_depth;
    uint32_t groups; /* of each table */
    size_t bytes;    /* of all tables */
} plan;

/* The groups of each of 2^depth tables that share `groups`: what a table can
 * have, or more than GIRT__GROUPS_MAX. */
static size_t groups_each(size_t groups, uint32_t depth)
{
    const size_t unit = FIRST_GROUPS;
    const size_t each = (groups + ((size_t)1 << depth) - 1) >> depth;
    if (each > GIRT__GROUPS_WHOLE)
        return (each + unit - 1) / unit * unit;
    size_t power = unit;
    while (power < each)
        power *= 2;
    return power < GIRT__GROUPS_WHOLE ? power : GIRT__GROUPS_WHOLE;
}

/* The fewest tables that hold `expected` keys at the planned load, and no
 * fewer than `tables`; as large as they need be.  GIRT_E_NOMEM for more than
 * the machine has: before the directory is allocated, which is large then,
 * too. */
static girt_status plan_for(plan *p, girt__shape shape, size_t expected,
                            size_t tables)
{
    const size_t planned = girt__shape_slots(shape) *
                           (shape == GIRT__WIDE ? PLANNED_WIDE : PLANNED_LINE);
    const size_t groups = (expected * 100 + planned - 1) / planned;
    *p = (plan){.depth = 1};
    while (((size_t)1 << p->tables_depth) < tables ||
           groups_each(groups, p->tables_depth) > GIRT__GROUPS_MAX)
        p->tables_depth++;
    p->groups = (uint32_t)groups_each(groups, p->tables_depth);
    if (p->depth < p->tables_depth)
        p->depth = p->tables_depth;
    if (!girt__size_multiply((size_t)1 << p->tables_depth,
                             girt__table_bytes(shape, p->groups), &p->bytes))
        return GIRT_E_TOO_LARGE;
    return girt__machine_holds(p->bytes, 1) ? GIRT_OK : GIRT_E_NOMEM;
}

/* All first tables in one block, so that a number that cannot be had is
 * refused by one allocation before any memory is touched. */
static girt_status make_first(girt__index *index, girt__directory *directory,
                              const plan *p)
{
    const size_t count = (size_t)1 << p->tables_depth;
    char *const block =
        girt__allocate(&index->allocator, p->bytes, GIRT_CACHELINE);
    if (block == NULL)
        return GIRT_E_NOMEM;
    const size_t bytes = girt__table_bytes(index->shape, p->groups);
    index->first = girt__table_in(block, index->shape, p->groups);
    for (size_t i = 0; i < count; i++) {
        girt__table *const table = (void *)((char *)index->first + i * bytes);
        memset(block + i * bytes, 0,
               girt__table_begin_bytes(index->shape, p->groups));
        table->depth = p->tables_depth;
        table->groups = (uint16_t)p->groups;
        table->shape = (uint16_t)index->shape;
        const uint32_t span = p->depth - p->tables_depth;
        for (size_t e = i << span; e < (i + 1) << span; e++)
            directory->entries[e] = girt__table_entry(table);
    }
    index->first_bytes = p->bytes;
    index->tables = (uint32_t)count;
    index->tables_bytes += p->bytes;
    return GIRT_OK;
}

girt_status girt__index_init(girt__index *index, girt__shape shape,
                             size_t expected, size_t tables,
                             const girt_allocator *allocator)
{
    if (expected > GIRT__INDEX_EXPECTED_MAX || tables > GIRT__INDEX_TABLES_MAX)
        return GIRT_E_TOO_LARGE;
    plan p;
    girt_status status = plan_for(&p, shape, expected, tables);
    if (status != GIRT_OK)
        return status;
    memset(index, 0, sizeof *index);
    index->allocator = *allocator;
    index->shape = shape;
    status = girt__stripes_init(&index->stripes, allocator);
    if (status != GIRT_OK)
        return status;
    status = GIRT_E_NOMEM;
    girt__directory *const directory =
        girt__directory_create(index, p.depth, NULL);
    if (directory == NULL)
        goto fail_directory;
    status = make_first(index, directory, &p);
    if (status != GIRT_OK)
        goto fail_first;
    index->directory = directory;
    return GIRT_OK;

fail_first:
    girt__release(allocator, directory, girt__directory_bytes(p.depth));
fail_directory:
    girt__stripes_destroy(&index->stripes, allocator);
    return status;
}

static void free_spills(girt__index *index, girt__table *table)
{
    girt__spill *spill = table->spill;
    while (spill != NULL) {
        girt__spill *const next = spill->next;
        girt__release(&index->allocator, spill, sizeof *spill);
        spill = next;
    }
}

void girt__index_destroy(girt__index *index)
{
    /* The first tables, whatever replaced them. */
    char *const first = (char *)index->first;
    for (size_t at = 0; at < index->first_bytes;) {
        girt__table *const table = (void *)(first + at);
        at += girt__table_bytes(index->shape, table->groups);
        free_spills(index, table);
    }
    girt__table *table = index->all;
    while (table != NULL) {
        girt__table *const next = table->next;
        free_spills(index, table);
        girt__release(&index->allocator, girt__table_block(table),
                      table->bytes);
        table = next;
    }
    girt__release(&index->allocator, girt__table_block(index->first),
                  index->first_bytes);
    girt__directory *directory = index->directory;
    while (directory != NULL) {
        girt__directory *const older = directory->older;
        girt__release(&index->allocator, directory,
                      girt__directory_bytes(directory->depth));
        directory = older;
    }
    girt__stripes_destroy(&index->stripes, &index->allocator);
}

size_t girt__index_count(const girt__index *index)
{
    return girt__stripes_sum(&index->stripes, GIRT__STRIPE_COUNT);
}

size_t girt__index_bytes(const girt__index *index)
{
    return girt_load_relaxed(&index->tables_bytes) +
           girt__stripes_bytes(&index->stripes) +
           girt__stripes_sum(&index->stripes, GIRT__STRIPE_BYTES);
}

/* Copies a table that is locked; false: the buffer is too small. */
static bool copy_table(girt__table *table, girt__snapshot *snapshot)
{
    const girt__shape shape = (girt__shape)table->shape;
    girt__walk walk = girt__walk_begin(table);
    snapshot->count = 0;
    while (girt__walk_next(&walk)) {
        if (snapshot->count == snapshot->capacity)
            return false;
        girt__element *const to = &snapshot->elements[snapshot->count++];
        to->hash = shape == GIRT__WIDE ? girt_load_relaxed(walk.slot) : 0;
        to->word = girt_load_relaxed(girt__slot_word(walk.slot, shape));
    }
    return true;
}

static girt_status enlarge(girt__index *index, girt__snapshot *snapshot)
{
    const size_t capacity =
        snapshot->capacity == 0
            ? girt__table_capacity(index->shape, GIRT__GROUPS_MAX)
            : snapshot->capacity * 2;
    girt__element *const elements =
        girt__allocate(&index->allocator, capacity * sizeof(girt__element), 0);
    if (elements == NULL)
        return GIRT_E_NOMEM;
    girt__snapshot_free(index, snapshot);
    snapshot->elements = elements;
    snapshot->capacity = capacity;
    return GIRT_OK;
}

girt_status girt__snapshot_next(girt__index *index, girt__snapshot *snapshot)
{
    /* Repeats when a table was split under us, which made room for others, or
     * when the buffer had to grow, which is bounded by what is there. */
    for (;;) {
        const girt__entry entry = girt__index_entry(index, snapshot->prefix);
        girt__table *const table = girt__entry_table(entry);
        bool copied = false;
        girt__table_lock(table);
        const bool owns = girt__index_entry(index, snapshot->prefix) == entry;
        const uint64_t next = girt__table_next_prefix(table, snapshot->prefix);
        if (owns)
            copied = copy_table(table, snapshot);
        girt__table_unlock(table);
        if (copied) {
            snapshot->prefix = next;
            snapshot->last = next == 0;
            return GIRT_OK;
        }
        if (owns) {
            const girt_status status = enlarge(index, snapshot);
            if (status != GIRT_OK)
                return status;
        }
    }
}

void girt__snapshot_free(girt__index *index, girt__snapshot *snapshot)
{
    girt__release(&index->allocator, snapshot->elements,
                  snapshot->capacity * sizeof(girt__element));
    snapshot->elements = NULL;
    snapshot->capacity = 0;
}

/* One table, locked; its prefix is the top `depth` bits of `prefix`. */
static bool table_is_valid(girt__table *table, uint64_t prefix, size_t *count)
{
    const girt__entry entry = girt__table_entry(table);
    girt__walk walk = girt__walk_begin(table);
    while (girt__walk_next(&walk)) {
        const uint64_t hash = girt__walk_hash(&walk);
        if (table->depth != 0 && (hash ^ prefix) >> (64 - table->depth) != 0)
            return false;
        if (girt_load_relaxed(&walk.group->part.tags[walk.number]) !=
            girt__tag(hash))
            return false;
        const uint32_t home = girt__table_home(entry, hash);
        girt__group *const group =
            girt__table_group(entry, (girt__shape)table->shape, home);
        const uint8_t away = girt__walk_away(&walk, hash);
        if ((away == 0) != (group == walk.group))
            return false;
        if ((girt_load_relaxed(&group->part.away) & away) != away)
            return false; /* I4 */
        ++*count;
    }
    return true;
}

bool girt__index_is_valid(girt__index *index)
{
    uint64_t prefix = 0;
    size_t count = 0;
    bool valid = true;
    do {
        const girt__entry entry = girt__index_entry(index, prefix);
        girt__table *const table = girt__entry_table(entry);
        girt__table_lock(table);
        if (girt__index_entry(index, prefix) == entry) {
            valid = table_is_valid(table, prefix, &count);
            prefix = girt__table_next_prefix(table, prefix);
            /* I6: its last entry names it too. */
            valid = valid && girt__index_entry(index, prefix - 1) == entry;
        }
        girt__table_unlock(table);
    } while (valid && prefix != 0);
    return valid;
}
