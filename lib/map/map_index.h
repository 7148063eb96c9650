/* SPDX-License-Identifier: MIT */
/* map_index.h - from 64-bit hashes to 64-bit words, growing table by table.
 *
 * Both maps are this: map64 turns its key into a hash by a bijection and back,
 * map keeps a pointer to a node in the word.
 *
 *   directory: [ t0 | t0 | t1 | t2 ]     indexed by the top bits of the hash
 *
 * Extendible hashing [Fagin, Nievergelt, Pippenger, Strong 1979]: a table that
 * is full is split in two by the next bit of its keys' hashes, and the
 * directory doubles when a table would need more bits than it has.  No other
 * table is touched, nothing is ever migrated twice, and nothing is freed while
 * the index lives, so that readers need no registration.
 *
 * I6: the current directory names, for every hash, the table that owns it.
 * I7: an entry changes only while all groups of the table it named are locked
 *     (D1), and what it names then is complete.  A table once replaced never
 *     returns to an entry.
 * I8: the old table's copies are emptied after the entry changed (D1 before
 *     T2), or never, when the whole table was replaced.
 *
 * Reader: entry (D2), look in the table; found: done; missing: entry again
 * (D3), done when it is the same.
 *   Found in a table that no longer owns the hash: the call read the entry
 *   before D1, so the instant before D1 lies within the call, and the word
 *   found is the key's at that instant: no writer was in between, for D1
 *   happens under all locks of the old table.
 *   Missing because the slot was emptied by a split (T2 -> A1): then D1 is
 *   visible at D3, and the reader looks again.  A directory that was doubled
 *   changes no more; D3 starts from the current one.
 * Writer: entry, lock home, entry again; while it holds home, I7 keeps it. */
#ifndef GIRT_MAP_INDEX_H
#define GIRT_MAP_INDEX_H

#include <girt/alloc.h>

#include "core/report.h"
#include "map/map_stripes.h"
#include "map/map_table.h"

/* Entries that an index can be made for; also bounds what it may grow to in
 * one step. */
#define GIRT__INDEX_EXPECTED_MAX ((size_t)1 << 40)
/* Tables that an index can be asked to begin with. */
#define GIRT__INDEX_TABLES_MAX   ((size_t)1 << 16)

/* The steps by which an index grows: map_grow.c. */
enum {
    GIRT__GROWTH_ENLARGE,
    GIRT__GROWTH_SPLIT,
    GIRT__GROWTH_SPILL,
    GIRT__GROWTHS
};

typedef struct girt__directory {
    struct girt__directory *older; /* freed with the index */
    uint32_t depth;                /* hash bits used, 1 and up */
    uint32_t shift;                /* 64 - depth */
    girt__entry entries[];         /* 2^depth */
} girt__directory;

typedef struct girt__index {
    girt__directory *directory; /* the current one */
    girt_allocator allocator;   /* written once */
    girt__shape shape;          /* written once */
    girt__table *first; /* of the tables it began with, which are one block */
    size_t first_bytes;
    girt__stripes stripes;
    /* Growth only, apart from what every reader loads. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE)
    uint32_t lock;       /* of the four below and of directory's changes */
    uint32_t tables;     /* how many own some hash */
    girt__table *all;    /* those outside `first`, retired ones too */
    size_t tables_bytes; /* of tables, spills and directories */
    uint64_t grown[GIRT__GROWTHS]; /* steps of each kind */
    girt__report *report;          /* the map's, which sets it; or NULL */
} girt__index;

/* `tables`: 0 or the number to begin with at least.  GIRT_E_NOMEM, or
 * GIRT_E_TOO_LARGE; nothing to destroy then.  Calls below that take a shape
 * take the same, as a constant. */
girt_status girt__index_init(girt__index *index, girt__shape shape,
                             size_t expected, size_t tables,
                             const girt_allocator *allocator);
void girt__index_destroy(girt__index *index);

static inline girt__entry girt__index_entry(girt__index *index, uint64_t hash)
{
    /* D2, D3: pairs with D1 of map_grow.c. */
    girt__directory *const directory = girt_load_acquire(&index->directory);
    return girt_load_acquire(&directory->entries[hash >> directory->shift]);
}

/* By any number of readers. */
GIRT__INLINE bool girt__index_find(girt__index *index, girt__shape shape,
                                   uint64_t hash, girt__same same,
                                   const void *key, uint64_t *word)
{
    for (;;) {
        const girt__entry entry = girt__index_entry(index, hash);
        const girt__found found =
            girt__table_find(entry, shape, hash, same, key, word);
        if (girt_likely(found == GIRT__FOUND))
            return true;
        if (found == GIRT__ABSENT && girt__index_entry(index, hash) == entry)
            return false;
        /* Somebody filled a slot of the group or split the table. */
    }
}

/* The same for the calls that end in the home group at once, which are nearly
 * all; false in *done: ask girt__index_find. */
GIRT__INLINE bool girt__index_find_home(girt__index *index, girt__shape shape,
                                        uint64_t hash, girt__same same,
                                        const void *key, uint64_t *word,
                                        bool *done)
{
    girt__header header;
    const girt__entry entry = girt__index_entry(index, hash);
    const girt__found found =
        girt__table_find_home(entry, shape, hash, same, key, word, &header);
    *done = girt_likely(found == GIRT__FOUND) ||
            (found == GIRT__ABSENT && girt__header_away(header) == 0 &&
             girt__index_entry(index, hash) == entry);
    return found == GIRT__FOUND;
}

/* The home of a hash in a WIDE index, for the calls that need no more than one
 * look at it, which are nearly all. */
typedef struct girt__guess {
    girt__entry entry;
    girt__group *home;
    uint64_t *slots;
    girt__header header;
    uint32_t match; /* slots of home whose tag is the hash's */
} girt__guess;

/* The word of slot i. */
GIRT__INLINE uint64_t *girt__guess_word(const girt__guess *guess, uint32_t i)
{
    return girt__slot_word(girt__slot_at(guess->slots, GIRT__WIDE, i),
                           GIRT__WIDE);
}

GIRT__INLINE girt__guess girt__index_guess(girt__index *index, uint64_t hash)
{
    girt__guess guess;
    guess.entry = girt__index_entry(index, hash);
    const uint32_t home = girt__table_home(guess.entry, hash);
    guess.home = girt__table_group(guess.entry, GIRT__WIDE, home);
    guess.slots = girt__table_slots(guess.entry, GIRT__WIDE, home);
    guess.header = girt__group_read(guess.home); /* A1 of map_table.h */
    guess.match = girt__header_match(guess.header, girt__tag(hash));
    return guess;
}

/* The word of the key if it is in the first slot that matches; false: nothing
 * is known.  The reader of map_table.h. */
GIRT__INLINE bool girt__guess_read(const girt__guess *guess, uint64_t hash,
                                   uint64_t *word)
{
    if (guess->match == 0)
        return false;
    uint64_t *const slot = girt__slot_at(guess->slots, GIRT__WIDE,
                                         (uint32_t)__builtin_ctz(guess->match));
    if (girt_unlikely(girt_load_relaxed(slot) != hash))
        return false;
    const uint64_t seen = girt_load_acquire(girt__slot_word(slot, GIRT__WIDE));
    girt_fence_acquire();
    const uint32_t now = girt_load_relaxed(&guess->home->part.lock); /* V2 */
    if (girt_unlikely((now & ~1u) != girt__header_version(guess->header)))
        return false;
    *word = seen;
    return true;
}

/* The key is absent; false: nothing is known. */
GIRT__INLINE bool girt__guess_absent(const girt__guess *guess,
                                     girt__index *index, uint64_t hash)
{
    return guess->match == 0 && girt__header_away(guess->header) == 0 &&
           girt__index_entry(index, hash) == guess->entry;
}

/* For a writer: true, home is locked and its slot i has the key; false: nothing
 * is known and nothing locked. */
GIRT__INLINE bool girt__guess_lock(const girt__guess *guess, girt__index *index,
                                   uint64_t hash, uint32_t *i)
{
    if (guess->match == 0)
        return false;
    *i = (uint32_t)__builtin_ctz(guess->match);
    uint64_t *const slot = girt__slot_at(guess->slots, GIRT__WIDE, *i);
    __builtin_prefetch(slot, 1); /* the lock is a fence */
    girt__group *const home = guess->home;
    if (girt_unlikely(
            !girt__group_trylock_as(home, (uint32_t)guess->header.low)))
        return false;
    /* Since the look the key may have left, with its tag, or the table. */
    if (girt_likely(girt__index_entry(index, hash) == guess->entry &&
                    girt_load_relaxed(&home->part.tags[*i]) != 0 &&
                    girt_load_relaxed(slot) == hash))
        return true;
    girt__group_unlock(home);
    return false;
}

/* The same for a key that is absent: true, home is locked and its free slot i
 * may be filled. */
GIRT__INLINE bool girt__guess_lock_free(const girt__guess *guess,
                                        girt__index *index, uint64_t hash,
                                        uint32_t *i)
{
    const uint32_t free_slots = girt__header_free(guess->header, GIRT__WIDE);
    if (guess->match != 0 || girt__header_away(guess->header) != 0 ||
        free_slots == 0)
        return false;
    *i = (uint32_t)__builtin_ctz(free_slots);
    __builtin_prefetch(girt__slot_at(guess->slots, GIRT__WIDE, *i), 1);
    girt__group *const home = guess->home;
    if (girt_unlikely(
            !girt__group_trylock_as(home, (uint32_t)guess->header.low)))
        return false;
    /* As it was at the look, but for the lock: the key is absent. */
    const girt__header now = girt__group_read(home);
    if (girt_likely(girt__index_entry(index, hash) == guess->entry &&
                    now.low == (guess->header.low | 1) &&
                    now.high == guess->header.high))
        return true;
    girt__group_unlock(home);
    return false;
}

/* Starts the loads of what a writer will touch: its lock is a fence that they
 * would else wait behind one after the other. */
GIRT__INLINE void girt__index_prefetch(girt__index *index, girt__shape shape,
                                       uint64_t hash)
{
    const girt__entry entry = girt__index_entry(index, hash);
    const uint32_t home = girt__table_home(entry, hash);
    girt__group *const group = girt__table_group(entry, shape, home);
    __builtin_prefetch(group, 1);
    if (shape == GIRT__LINE)
        return;
    /* The slot that matches, or the first free one, or the last: cheaper than
     * branches. */
    const girt__header header = girt__group_read(group);
    const uint32_t match = girt__header_match(header, girt__tag(hash));
    const uint32_t wanted =
        match != 0 ? match : girt__header_free(header, shape);
    const uint32_t i =
        (uint32_t)__builtin_ctz(wanted | 1u << (GIRT__GROUP_SLOTS - 1));
    __builtin_prefetch(
        girt__slot_at(girt__table_slots(entry, shape, home), shape, i), 1);
}

/* Locks the home of `hash` in the table that owns it. */
GIRT__INLINE girt__place girt__index_lock(girt__index *index, girt__shape shape,
                                          uint64_t hash)
{
    girt__place place = {.hash = hash, .shape = shape};
    for (;;) {
        place.entry = girt__index_entry(index, hash);
        place.home = girt__table_group(place.entry, shape,
                                       girt__table_home(place.entry, hash));
        girt__group_lock(place.home);
        if (girt_likely(girt__index_entry(index, hash) == place.entry))
            return place;
        girt__group_unlock(place.home); /* the table was split */
    }
}

/* Makes the table of `entry` have room for `hash`, unless another thread did
 * so meanwhile.  The caller holds no lock and tries again after GIRT_OK. */
girt_status girt__index_grow(girt__index *index, girt__entry entry,
                             uint64_t hash);

/* Where the hashes of the next table begin, 0 after the last; `prefix` is
 * where this one's do.  Tables are split, never joined, so that a table begins
 * there at any later time too. */
static inline uint64_t girt__table_next_prefix(girt__table *table,
                                               uint64_t prefix)
{
    const uint32_t depth = girt_load_relaxed(&table->depth);
    return depth == 0 ? 0 : prefix + ((uint64_t)1 << (64 - depth));
}

/* What to do after girt__place_insert answered `status`, which is not
 * GIRT_OK.  Unlocks the place.  GIRT_OK: try again. */
girt_status girt__index_make_room(girt__index *index, girt__place *place,
                                  girt_status status);

/* What a slot holds; the hash is 0 when the shape is LINE. */
typedef struct girt__element {
    uint64_t hash;
    uint64_t word;
} girt__element;

/* The entries of one table, as they all were at one instant. */
typedef struct girt__snapshot {
    uint64_t prefix; /* the first hash of the table that comes next */
    bool last;       /* there is none */
    girt__element *elements;
    size_t count;    /* of elements that are valid */
    size_t capacity; /* of elements that were allocated */
} girt__snapshot;

/* Fills a zeroed snapshot with the first table, later ones with the next;
 * false: it was the last one. */
girt_status girt__snapshot_next(girt__index *index, girt__snapshot *snapshot);
void girt__snapshot_free(girt__index *index, girt__snapshot *snapshot);

/* Adds what `change` keys came or went. */
static inline void girt__index_count_add(girt__index *index, int64_t change)
{
    girt__stripes_add(&index->stripes, GIRT__STRIPE_COUNT, change);
}

size_t girt__index_count(const girt__index *index);
size_t girt__index_bytes(const girt__index *index);

/* Walks everything with all tables locked: I2, I4, I6, tags and homes. */
bool girt__index_is_valid(girt__index *index);

#endif /* GIRT_MAP_INDEX_H */
