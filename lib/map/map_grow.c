/* SPDX-License-Identifier: MIT */
/* map_grow.c - making room: small tables are replaced by larger ones, whole
 * ones are split, and a table that neither helps gets a spill.
 *
 * A step takes all locks of one table, so that its writers wait for as long as
 * it takes to copy at most 2816 entries, and its readers for nothing.  The new
 * table is allocated and touched before that.
 *
 * A split that leaves everything on one side makes the directory double in
 * vain, and keys that share one home fill a table's 88 reachable slots and
 * leave the rest empty.  Both happen only to hashes that somebody chose, so
 * both end in a spill chain, slow and bounded: when the directory has
 * DEPTH_SLACK bits more than the number of tables calls for, or when less than
 * a quarter of the table is used. */
#include "map/map_grow.h"

#include <sched.h>
#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/probe.h"

/* A small table is replaced by one of this many times its groups. */
#define ENLARGE     4u
#define DEPTH_SLACK 6u
/* Depth never reaches the bits that name the group. */
#define DEPTH_MAX   40u

size_t girt__directory_bytes(uint32_t depth)
{
    return sizeof(girt__directory) + (sizeof(girt__entry) << depth);
}

girt__directory *girt__directory_create(girt__index *index, uint32_t depth,
                                        girt__directory *older)
{
    girt__directory *const directory = girt__allocate(
        &index->allocator, girt__directory_bytes(depth), GIRT_CACHELINE);
    if (directory == NULL)
        return NULL;
    directory->older = older;
    directory->depth = depth;
    directory->shift = 64 - depth;
    (void)girt_add_relaxed(&index->tables_bytes, girt__directory_bytes(depth));
    return directory;
}

static girt__shape shape_of(const girt__walk *walk)
{
    return (girt__shape)walk->table->shape;
}

static void walk_begin_group(girt__walk *walk, girt__group *group)
{
    walk->group = group;
    walk->left = ~girt__header_match(girt__group_read(group), 0) &
                 girt__shape_all(shape_of(walk));
}

girt__walk girt__walk_begin(girt__table *table)
{
    girt__walk walk = {.table = table};
    walk_begin_group(
        &walk, girt__table_group(girt__table_entry(table), shape_of(&walk), 0));
    return walk;
}

/* The next group of the table, then of the spill chain. */
static bool walk_group(girt__walk *walk)
{
    const girt__entry entry = girt__table_entry(walk->table);
    if (walk->spill == NULL && walk->at + 1 < girt__entry_groups(entry)) {
        walk_begin_group(walk,
                         girt__table_group(entry, shape_of(walk), ++walk->at));
        return true;
    }
    walk->spill = walk->spill == NULL ? walk->table->spill : walk->spill->next;
    if (walk->spill == NULL)
        return false;
    walk_begin_group(walk, &walk->spill->group);
    return true;
}

bool girt__walk_next(girt__walk *walk)
{
    while (walk->left == 0)
        if (!walk_group(walk))
            return false;
    walk->number = (uint32_t)__builtin_ctz(walk->left);
    walk->left &= walk->left - 1;
    uint64_t *const slots =
        walk->spill != NULL ? walk->spill->slots
                            : girt__table_slots(girt__table_entry(walk->table),
                                                shape_of(walk), walk->at);
    walk->slot = girt__slot_at(slots, shape_of(walk), walk->number);
    return true;
}

uint64_t girt__walk_hash(const girt__walk *walk)
{
    return girt__slot_hash(walk->slot, shape_of(walk));
}

uint8_t girt__walk_away(const girt__walk *walk, uint64_t hash)
{
    if (walk->spill != NULL)
        return GIRT__AWAY_SPILL;
    const girt__entry entry = girt__table_entry(walk->table);
    const uint32_t home = girt__table_home(entry, hash);
    uint8_t away = 0;
    if (home != walk->at)
        for (uint32_t i = 1; i <= girt__table_alternatives(entry); i++)
            if (girt__table_alternative(entry, home, i) == walk->at)
                away = (uint8_t)(1u << (i - 1));
    return away;
}

static girt__table *table_create(girt__index *index, uint32_t groups,
                                 uint32_t depth)
{
    const size_t bytes = girt__table_bytes(index->shape, groups);
    /* Zeroed whole: the pages are there before anybody waits for them. */
    void *const block =
        girt__allocate_zeroed(&index->allocator, bytes, GIRT_CACHELINE);
    if (block == NULL)
        return NULL;
    girt__table *const table = girt__table_in(block, index->shape, groups);
    table->bytes = bytes;
    table->groups = (uint16_t)groups;
    table->shape = (uint16_t)index->shape;
    table->depth = depth;
    (void)girt_add_relaxed(&index->tables_bytes, bytes);
    return table;
}

/* One that no reader ever saw. */
static void table_free(girt__index *index, girt__table *table)
{
    while (table->spill != NULL) {
        girt__spill *const spill = table->spill;
        table->spill = spill->next;
        girt__release(&index->allocator, spill, sizeof *spill);
        (void)girt_sub_relaxed(&index->tables_bytes, sizeof *spill);
    }
    (void)girt_sub_relaxed(&index->tables_bytes, table->bytes);
    girt__release(&index->allocator, girt__table_block(table), table->bytes);
}

/* By the holder of all group locks, or of a table nobody else sees. */
static girt_status add_spill(girt__index *index, girt__table *table)
{
    girt__spill *const spill =
        girt__allocate_zeroed(&index->allocator, sizeof *spill, GIRT_CACHELINE);
    if (spill == NULL)
        return GIRT_E_NOMEM;
    spill->next = table->spill;
    girt_store_release(&table->spill, spill); /* -> load of find_away */
    (void)girt_add_relaxed(&index->tables_bytes, sizeof *spill);
    return GIRT_OK;
}

/* Puts an entry into a table that nobody else sees. */
static girt_status adopt(girt__index *index, girt__table *table, uint64_t hash,
                         uint64_t word)
{
    const girt__entry entry = girt__table_entry(table);
    girt__place place = {.entry = entry, .hash = hash, .shape = index->shape};
    place.home =
        girt__table_group(entry, index->shape, girt__table_home(entry, hash));
    if (girt__place_insert(&place, word) == GIRT_OK)
        return GIRT_OK;
    const girt_status status = add_spill(index, table);
    return status == GIRT_OK ? girt__place_insert(&place, word) : status;
}

/* Copies to `to` the entries of `from` whose hash has a one at the bit after
 * the first `depth`; all when depth is 64. */
static girt_status copy_entries(girt__index *index, girt__table *from,
                                girt__table *to, uint32_t depth)
{
    girt__walk walk = girt__walk_begin(from);
    while (girt__walk_next(&walk)) {
        const uint64_t hash = girt__walk_hash(&walk);
        if (depth != 64 && (hash << depth) >> 63 == 0)
            continue;
        const girt_status status =
            adopt(index, to, hash,
                  girt_load_relaxed(girt__slot_word(walk.slot, index->shape)));
        if (status != GIRT_OK)
            return status;
    }
    return GIRT_OK;
}

/* After a split: empties the slots of what left and rebuilds every away from
 * what stayed.  Bits are cleared, never set: the set ones were right. */
static void drop_moved(girt__table *table, uint32_t depth)
{
    const girt__entry entry = girt__table_entry(table);
    const girt__shape shape = (girt__shape)table->shape;
    uint8_t away[GIRT__GROUPS_MAX] = {0};
    girt__walk walk = girt__walk_begin(table);
    while (girt__walk_next(&walk)) {
        const uint64_t hash = girt__walk_hash(&walk);
        if ((hash << depth) >> 63 != 0) /* T2 -> A1: D1 is visible before */
            girt_store_release(&walk.group->part.tags[walk.number], (uint8_t)0);
        else
            away[girt__table_home(entry, hash)] |= girt__walk_away(&walk, hash);
    }
    for (uint32_t g = 0; g < girt__entry_groups(entry); g++)
        girt_store_release(&girt__table_group(entry, shape, g)->part.away,
                           away[g]);
}

static void index_lock(girt__index *index)
{
    uint32_t unlocked = 0;
    /* Held while a directory is copied; its holder waits for nobody. */
    while (!girt_cas_acquire(&index->lock, &unlocked, 1u)) {
        unlocked = 0;
        (void)sched_yield();
    }
}

static void index_unlock(girt__index *index)
{
    girt_store_release(&index->lock, 0u);
}

/* Under the index lock. */
static girt_status double_directory(girt__index *index)
{
    girt__directory *const old = girt_load_relaxed(&index->directory);
    girt__directory *const new =
        girt__directory_create(index, old->depth + 1, old);
    if (new == NULL)
        return GIRT_E_NOMEM;
    for (size_t i = 0; i < (size_t)1 << old->depth; i++) {
        const girt__entry entry = girt_load_relaxed(&old->entries[i]);
        new->entries[2 * i] = entry;
        new->entries[2 * i + 1] = entry;
    }
    girt_store_release(&index->directory, new); /* D1 -> D2, D3 */
    return GIRT_OK;
}

/* Makes the directory name `table` for the hashes that begin with the first
 * `table->depth` bits of `prefix`. */
static girt_status publish(girt__index *index, girt__table *table,
                           uint64_t prefix, bool additional)
{
    girt_status status = GIRT_OK;
    const uint32_t depth = table->depth;
    index_lock(index);
    if (girt_load_relaxed(&index->directory)->depth < depth)
        status = double_directory(index);
    if (status == GIRT_OK) {
        girt__directory *const directory = girt_load_relaxed(&index->directory);
        const uint32_t span = directory->depth - depth;
        const size_t first =
            depth == 0 ? 0 : (size_t)(prefix >> (64 - depth)) << span;
        for (size_t i = 0; i < (size_t)1 << span; i++)
            girt_store_release(&directory->entries[first + i],
                               girt__table_entry(table)); /* D1 -> D2, D3 */
        table->next = index->all;
        index->all = table;
        girt_store_relaxed(&index->tables, index->tables + additional);
    }
    index_unlock(index);
    return status;
}

/* The table is locked and owns the hash. */
static girt_status split(girt__index *index, girt__table *table,
                         girt__table *new, uint64_t hash)
{
    const uint32_t depth = new->depth - 1;
    girt_status status = copy_entries(index, table, new, depth);
    if (status != GIRT_OK)
        return status;
    const uint64_t one = (uint64_t)1 << (63 - depth);
    status = publish(index, new, hash | one, true);
    if (status != GIRT_OK)
        return status;
    girt_store_relaxed(&table->depth, depth + 1);
    drop_moved(table, depth);
    return GIRT_OK;
}

static girt_status replace(girt__index *index, girt__table *table,
                           girt__table *new, uint64_t hash)
{
    const girt_status status = copy_entries(index, table, new, 64);
    return status == GIRT_OK ? publish(index, new, hash, false) : status;
}

typedef enum step {
    STEP_REPLACE = GIRT__GROWTH_ENLARGE,
    STEP_SPLIT = GIRT__GROWTH_SPLIT,
    STEP_SPILL = GIRT__GROWTH_SPILL
} step;

static step choose(const girt__index *index, girt__table *table, uint32_t depth)
{
    if (girt__table_used(table) <
        girt__table_capacity(index->shape, table->groups) / 4)
        return STEP_SPILL;
    if (table->groups < GIRT__GROUPS_WHOLE)
        return STEP_REPLACE;
    const uint32_t tables = girt_load_relaxed(&index->tables);
    const uint32_t called_for = 31 - (uint32_t)__builtin_clz(tables);
    const bool deep = depth >= called_for + DEPTH_SLACK || depth >= DEPTH_MAX;
    return deep ? STEP_SPILL : STEP_SPLIT;
}

/* Groups of the table that replaces a small one: GIRT__GROUPS_MAX when four
 * times as many would make a whole one. */
static uint32_t larger(uint32_t groups)
{
    return groups * ENLARGE < GIRT__GROUPS_WHOLE ? groups * ENLARGE
                                                 : GIRT__GROUPS_MAX;
}

/* Groups of the table that takes half of another: spread evenly from
 * GIRT__GROUPS_WHOLE to GIRT__GROUPS_MAX, each next to the last one's golden
 * section [Knuth, vol. 3, 6.4], so that tables that were split together are not
 * full together the next time. */
static uint32_t fresh(uint32_t tables)
{
    const uint32_t fraction = tables * 2654435769u; /* 2^32 / 1.618 */
    const uint64_t sizes = GIRT__UNITS_MAX - GIRT__UNITS_WHOLE + 1;
    const uint32_t units =
        GIRT__UNITS_WHOLE + (uint32_t)(fraction * sizes >> 32);
    return units << GIRT__UNIT_SHIFT;
}

girt_status girt__index_grow(girt__index *index, girt__entry entry,
                             uint64_t hash)
{
    girt__table *const table = girt__entry_table(entry);
    const uint32_t depth = girt_load_relaxed(&table->depth);
    const step todo = choose(index, table, depth);
    girt__table *new = NULL;
    if (todo == STEP_SPLIT)
        new = table_create(index, fresh(girt_load_relaxed(&index->tables)),
                           depth + 1);
    else if (todo == STEP_REPLACE)
        new = table_create(index, larger(table->groups), depth);
    if (new == NULL && todo != STEP_SPILL)
        return GIRT_E_NOMEM;

    girt_status status = GIRT_OK;
    bool used = false;
    girt__table_lock(table);
    if (girt__index_entry(index, hash) == entry &&
        girt_load_relaxed(&table->depth) == depth) {
        if (todo == STEP_SPLIT)
            status = split(index, table, new, hash);
        else if (todo == STEP_REPLACE)
            status = replace(index, table, new, hash);
        else
            status = add_spill(index, table);
        used = status == GIRT_OK;
    }
    girt__table_unlock(table);
    if (used) {
        (void)girt_add_relaxed(&index->grown[todo], 1);
        girt_probe3(map_grow, index, todo, depth);
    } else if (new != NULL)
        table_free(index, new);
    return status;
}

girt_status girt__index_make_room(girt__index *index, girt__place *place,
                                  girt_status status)
{
    girt__place_unlock(place);
    if (status != GIRT_E_BUSY)
        return girt__index_grow(index, place->entry, place->hash);
    girt_pause(); /* the one who is in there is about to leave */
    return GIRT_OK;
}
