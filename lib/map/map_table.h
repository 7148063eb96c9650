/* SPDX-License-Identifier: MIT */
/* map_table.h - a table of groups: finding, placing and removing in it.
 *
 *   WIDE:  [ groups, 16 bytes each | header, 64 bytes | 11 slots a group ]
 *   LINE:  [ header, 64 bytes | group and its 6 slots, 64 bytes each ]
 *
 * A table's address is its header's, so that group and slots of a home are
 * found without its size; the groups of WIDE are numbered downwards.
 *
 * A key's home is the group that its hash names.  When that is full the key
 * lives in one of the home's seven alternatives, spread over the table, and
 * the home's `away` says which; as a last resort (many keys of one home: equal
 * hashes) in the table's spill chain.
 *
 * I1: a key is written by the holder of its home's lock only.
 * I2: a key that is present stays in its slot until it is removed or its table
 *     is replaced or split.
 * I3: a slot is filled under the lock of the group it is in, after that
 *     group's version moved.
 * I4: away has a bit set for every alternative that holds a key of this home,
 *     from before the key's tag is set until after it is cleared.
 * I5: tables and spills are not freed while their index lives.
 *
 * Reader, in one group: header (A1), hash and word of the slots whose tag
 * matches, fence, version again (V2).
 *   Found is true: the tag was set when the header was read, so at that
 *   instant the slot held some key with an element complete (T1 -> A1).  Had
 *   the slot been filled anew before hash and word were read, the filler's
 *   version (V1) would be seen at V2.  So hash and word belong to that key, and
 *   the word is the one it had when it was read, its tag having been set
 *   since: either the key is still there or it was removed after the header
 *   was read, within the call.
 *   Missing is true: by I2 a key present throughout the call is in one slot
 *   throughout, and by I4 the reader looks at that slot.  A key that moved by
 *   removal and insertion was absent in between: with t the removal and u the
 *   insertion, the reader looked at the new slot before u and at the old one
 *   after t, so some instant of [t, u] lies within the call.  For keys that
 *   left with a split, see map_index.h.
 * A reader repeats only because a fill of the group completed its first step;
 * it never waits for a lock, so a stopped writer stops no reader. */
#ifndef GIRT_MAP_TABLE_H
#define GIRT_MAP_TABLE_H

#include <girt/status.h>

#include "map/map_group.h"

/* A table has units of 2^2 groups, up to 64 of them: 2816 slots in 49216 bytes
 * when WIDE, 1536 in 16448 when LINE. tests/schedule has fewer and smaller
 * ones, so that they split after few keys. */
#ifndef GIRT__UNIT_SHIFT
#define GIRT__UNIT_SHIFT 2u
#endif
#ifndef GIRT__UNITS_MAX
#define GIRT__UNITS_MAX 64u
#endif
#define GIRT__GROUPS_MAX (GIRT__UNITS_MAX << GIRT__UNIT_SHIFT)
/* A whole table, one that is split and not replaced by a larger one, has this
 * many units or more. */
#ifndef GIRT__UNITS_WHOLE
#define GIRT__UNITS_WHOLE 36u
#endif
#define GIRT__GROUPS_WHOLE (GIRT__UNITS_WHOLE << GIRT__UNIT_SHIFT)

typedef struct girt__spill {
    girt__group group;
    uint64_t slots[2 * GIRT__GROUP_SLOTS]; /* enough for either shape */
    struct girt__spill *next;              /* written once */
} girt__spill;

typedef struct GIRT_ALIGNED(GIRT_CACHELINE) girt__table {
    struct girt__table *next; /* all tables of the index, under its lock */
    girt__spill *spill;       /* newest first; pushed under all group locks */
    uint32_t depth;           /* hash bits that are the same for all keys here;
                               * under all group locks */
    uint16_t groups;          /* how many, written once: whole units, and a
                               * power of two or GIRT__GROUPS_WHOLE to _MAX */
    uint16_t shape;           /* a girt__shape, written once */
    size_t bytes;             /* 0: part of the index's first block */
} girt__table;

_Static_assert(sizeof(girt__table) == GIRT_CACHELINE,
               "groups start on a line of their own");

/* How the directory names a table: its address, and its units less one in the
 * bits that alignment leaves, so that a reader need not load the table's
 * header. */
typedef uintptr_t girt__entry;

static inline girt__table *girt__entry_table(girt__entry entry)
{
    return (girt__table *)(entry & ~(uintptr_t)(GIRT_CACHELINE - 1));
}

static inline uint32_t girt__entry_units(girt__entry entry)
{
    return ((uint32_t)entry & (GIRT_CACHELINE - 1)) + 1;
}

static inline uint32_t girt__entry_groups(girt__entry entry)
{
    return girt__entry_units(entry) << GIRT__UNIT_SHIFT;
}

static inline girt__entry girt__table_entry(girt__table *table)
{
    return (girt__entry)table | ((table->groups >> GIRT__UNIT_SHIFT) - 1u);
}

GIRT__INLINE girt__group *girt__table_group(girt__entry entry,
                                            girt__shape shape, uint32_t group)
{
    girt__table *const table = girt__entry_table(entry);
    if (shape == GIRT__WIDE)
        return (girt__group *)(void *)table - 1 - group;
    return (girt__group *)(void *)(table + 1 + group);
}

/* The slots of a group. */
GIRT__INLINE uint64_t *girt__table_slots(girt__entry entry, girt__shape shape,
                                         uint32_t group)
{
    if (shape == GIRT__LINE)
        return (uint64_t *)(girt__table_group(entry, shape, group) + 1);
    return (uint64_t *)(void *)(girt__entry_table(entry) + 1) +
           (size_t)group * 2 * GIRT__GROUP_SLOTS;
}

/* By 16 bits of the hash, as a fraction; the low byte is the tag's, the top
 * bits are the directory's. */
static inline uint32_t girt__table_home(girt__entry entry, uint64_t hash)
{
    return (uint32_t)(uint16_t)(hash >> 8) * girt__entry_units(entry) >>
           (16 - GIRT__UNIT_SHIFT);
}

/* Triangular numbers times 5: distinct modulo every power of two that is
 * larger than the number of alternatives used, and modulo everything larger
 * than the last of them, 140. */
static inline uint32_t girt__table_alternative(girt__entry entry, uint32_t home,
                                               uint32_t i)
{
    return (home + 5 * (i * (i + 1) / 2)) % girt__entry_groups(entry);
}

static inline uint32_t girt__table_alternatives(girt__entry entry)
{
    const uint32_t others = girt__entry_groups(entry) - 1;
    return others < GIRT__ALTERNATIVES ? others : GIRT__ALTERNATIVES;
}

/* Says whether the entry of equal hash with this word is the key's. */
typedef bool (*girt__same)(const void *key, uint64_t word);

/* For keys that are their hash. */
GIRT__INLINE bool girt__same_always(const void *key, uint64_t word)
{
    (void)key;
    (void)word;
    return true;
}

typedef enum girt__found {
    GIRT__ABSENT,
    GIRT__FOUND,
    GIRT__CHANGED
} girt__found;

/* A reader's look at the slots of a group whose tags matched in *header. */
GIRT__INLINE girt__found girt__group_find_among(
    girt__group *group, uint64_t *slots, girt__shape shape,
    const girt__header *header, uint32_t match, uint64_t hash, girt__same same,
    const void *key, uint64_t *word)
{
    for (; match != 0; match &= match - 1) {
        uint64_t *const slot =
            girt__slot_at(slots, shape, (uint32_t)__builtin_ctz(match));
        if (shape == GIRT__WIDE && girt_load_relaxed(slot) != hash)
            continue;
        const uint64_t seen = girt_load_acquire(girt__slot_word(slot, shape));
        if (!same(key, seen))
            continue;
        girt_fence_acquire();
        const uint32_t now = girt_load_relaxed(&group->part.lock); /* V2 */
        if (girt_unlikely((now & ~1u) != girt__header_version(*header)))
            return GIRT__CHANGED;
        *word = seen;
        return GIRT__FOUND;
    }
    return GIRT__ABSENT;
}

/* A reader's look at one group; *header is what it saw. */
GIRT__INLINE girt__found girt__group_find(girt__group *group, uint64_t *slots,
                                          girt__shape shape, uint64_t hash,
                                          girt__same same, const void *key,
                                          uint64_t *word, girt__header *header)
{
    *header = girt__group_read(group); /* A1 */
    return girt__group_find_among(group, slots, shape, header,
                                  girt__header_match(*header, girt__tag(hash)),
                                  hash, same, key, word);
}

/* The alternatives and spills that `away` names. */
GIRT__INLINE girt__found girt__table_find_away(girt__entry entry,
                                               girt__shape shape, uint64_t hash,
                                               uint32_t away, girt__same same,
                                               const void *key, uint64_t *word)
{
    girt__header header;
    const uint32_t home = girt__table_home(entry, hash);
    for (; (away & ~GIRT__AWAY_SPILL) != 0; away &= away - 1) {
        const uint32_t i = (uint32_t)__builtin_ctz(away) + 1;
        const uint32_t at = girt__table_alternative(entry, home, i);
        const girt__found found =
            girt__group_find(girt__table_group(entry, shape, at),
                             girt__table_slots(entry, shape, at), shape, hash,
                             same, key, word, &header);
        if (found != GIRT__ABSENT)
            return found;
    }
    if (girt_likely(away == 0))
        return GIRT__ABSENT;
    girt__spill *spill = girt_load_acquire(&girt__entry_table(entry)->spill);
    for (; spill != NULL; spill = spill->next) {
        const girt__found found = girt__group_find(
            &spill->group, spill->slots, shape, hash, same, key, word, &header);
        if (found != GIRT__ABSENT)
            return found;
    }
    return GIRT__ABSENT;
}

GIRT__INLINE girt__found girt__table_find_home(girt__entry entry,
                                               girt__shape shape, uint64_t hash,
                                               girt__same same, const void *key,
                                               uint64_t *word,
                                               girt__header *header)
{
    const uint32_t home = girt__table_home(entry, hash);
    return girt__group_find(girt__table_group(entry, shape, home),
                            girt__table_slots(entry, shape, home), shape, hash,
                            same, key, word, header);
}

GIRT__INLINE girt__found girt__table_find(girt__entry entry, girt__shape shape,
                                          uint64_t hash, girt__same same,
                                          const void *key, uint64_t *word)
{
    girt__header header;
    const girt__found found =
        girt__table_find_home(entry, shape, hash, same, key, word, &header);
    const uint32_t away = girt__header_away(header);
    if (girt_likely(found != GIRT__ABSENT || away == 0))
        return found;
    return girt__table_find_away(entry, shape, hash, away, same, key, word);
}

/* A key's home, locked, and where the key is if it is there. */
typedef struct girt__place {
    girt__entry entry;
    girt__group *home;
    uint64_t hash;
    girt__shape shape;
    girt__group *group; /* where the key is */
    uint64_t *word;
    uint32_t slot;
    uint32_t away; /* the bit of home's away that led there; 0: at home */
} girt__place;

/* By the holder of home's lock: what it finds stays. */
GIRT__INLINE bool girt__place_find_in(girt__place *place, girt__group *group,
                                      uint64_t *slots, uint32_t away,
                                      girt__same same, const void *key)
{
    uint32_t match =
        girt__header_match(girt__group_read(group), girt__tag(place->hash));
    for (; match != 0; match &= match - 1) {
        const uint32_t i = (uint32_t)__builtin_ctz(match);
        uint64_t *const slot = girt__slot_at(slots, place->shape, i);
        uint64_t *const word = girt__slot_word(slot, place->shape);
        if (place->shape == GIRT__WIDE &&
            girt_load_relaxed(slot) != place->hash)
            continue;
        if (!same(key, girt_load_acquire(word)))
            continue;
        place->group = group;
        place->word = word;
        place->slot = i;
        place->away = away;
        return true;
    }
    return false;
}

GIRT__INLINE bool girt__place_find_away(girt__place *place, uint32_t away,
                                        girt__same same, const void *key)
{
    const girt__entry entry = place->entry;
    const uint32_t home = girt__table_home(entry, place->hash);
    for (uint32_t i = 1; i <= GIRT__ALTERNATIVES; i++) {
        if ((away >> (i - 1) & 1) == 0)
            continue;
        const uint32_t at = girt__table_alternative(entry, home, i);
        if (girt__place_find_in(place,
                                girt__table_group(entry, place->shape, at),
                                girt__table_slots(entry, place->shape, at),
                                1u << (i - 1), same, key))
            return true;
    }
    if (girt_likely((away & GIRT__AWAY_SPILL) == 0))
        return false;
    girt__spill *spill = girt_load_acquire(&girt__entry_table(entry)->spill);
    for (; spill != NULL; spill = spill->next)
        if (girt__place_find_in(place, &spill->group, spill->slots,
                                GIRT__AWAY_SPILL, same, key))
            return true;
    return false;
}

GIRT__INLINE bool girt__place_find(girt__place *place, girt__same same,
                                   const void *key)
{
    const uint32_t home = girt__table_home(place->entry, place->hash);
    if (girt__place_find_in(place, place->home,
                            girt__table_slots(place->entry, place->shape, home),
                            0, same, key))
        return true;
    const uint32_t away = girt_load_relaxed(&place->home->part.away);
    return girt_unlikely(away != 0) &&
           girt__place_find_away(place, away, same, key);
}

static inline uint64_t girt__place_word(const girt__place *place)
{
    return girt_load_relaxed(place->word);
}

/* Release: readers follow words that are pointers. */
static inline void girt__place_set(girt__place *place, uint64_t word)
{
    girt_store_release(place->word, word);
}

/* GIRT_OK, or GIRT_FULL, or GIRT_E_BUSY: another writer is in the only groups
 * with room; home stays locked in each case. */
girt_status girt__place_insert_away(girt__place *place, uint64_t word);

GIRT__INLINE girt_status girt__place_insert(girt__place *place, uint64_t word)
{
    const uint32_t free_slots =
        girt__header_free(girt__group_read(place->home), place->shape);
    if (girt_unlikely(free_slots == 0))
        return girt__place_insert_away(place, word);
    const uint32_t home = girt__table_home(place->entry, place->hash);
    girt__group_fill(
        place->home, girt__table_slots(place->entry, place->shape, home),
        place->shape, (uint32_t)__builtin_ctz(free_slots), place->hash, word);
    return GIRT_OK;
}

/* Clears the bit of `away` that led here unless another key needs it. */
void girt__place_forget_away(girt__place *place);

/* T2 -> A1 (whoever fills the slot): its last reader's word stays whole until
 * the filler moved the version.  Needs home's lock only: the group's own lock
 * guards against two that fill. */
GIRT__INLINE void girt__place_remove(girt__place *place)
{
    girt_store_release(&place->group->part.tags[place->slot], (uint8_t)0);
    if (girt_unlikely(place->away != 0))
        girt__place_forget_away(place);
}

static inline void girt__place_unlock(girt__place *place)
{
    girt__group_unlock(place->home);
}

/* For all groups of a table, in ascending order; single groups are locked
 * otherwise while holding none, or by trylock. */
void girt__table_lock(girt__table *table);
void girt__table_unlock(girt__table *table);

/* Slots in use, spills not counted; exact under the table's lock. */
size_t girt__table_used(girt__table *table);

/* Bytes before a table's address. */
static inline size_t girt__table_front(girt__shape shape, uint32_t groups)
{
    const size_t line = GIRT_CACHELINE - 1;
    return shape == GIRT__WIDE ? (groups * sizeof(girt__group) + line) & ~line
                               : 0;
}

/* Bytes up to the slots that are apart, then of those: a new table's first
 * part is zero, the other is not looked at before a tag says so. */
static inline size_t girt__table_begin_bytes(girt__shape shape, uint32_t groups)
{
    return sizeof(girt__table) +
           (shape == GIRT__WIDE ? girt__table_front(shape, groups)
                                : groups * girt__shape_group_bytes(GIRT__LINE));
}

static inline size_t girt__table_bytes(girt__shape shape, uint32_t groups)
{
    return girt__table_begin_bytes(shape, groups) +
           groups * girt__shape_apart_bytes(shape);
}

/* The table in a block of girt__table_bytes, and the block of a table. */
static inline girt__table *girt__table_in(void *block, girt__shape shape,
                                          uint32_t groups)
{
    char *const table = (char *)block + girt__table_front(shape, groups);
    return (girt__table *)(void *)table;
}

static inline void *girt__table_block(girt__table *table)
{
    return (char *)table -
           girt__table_front((girt__shape)table->shape, table->groups);
}

/* How many slots it has. */
static inline size_t girt__table_capacity(girt__shape shape, uint32_t groups)
{
    return (size_t)girt__shape_slots(shape) * groups;
}

#endif /* GIRT_MAP_TABLE_H */
