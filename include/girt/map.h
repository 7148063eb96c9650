/* SPDX-License-Identifier: MIT */
/* map.h - a concurrent map from byte strings to values of one fixed size.
 *
 * Keys have 0 to 65536 bytes, and NULL with size 0 is a key like any other.
 * The map grows while it is used, one table of 1536 slots at a time, so that
 * no call waits for the whole map.  An entry is immutable: a change makes a
 * new one and puts it in the old one's place, so that a value read is always
 * one that was stored whole.
 *
 *                     create  get   put add        each  count
 *                     destroy view  remove update        bytes
 *   get, view           X      -       -            -     -
 *   put add             X      -       -            -     -
 *   remove update       X      -       -            -     -
 *   each                X      -       -            -     -
 *   count, bytes        X      -       -            -     -
 *
 * X: the caller must keep these apart; -: any number at once, in any threads.
 *
 * Order: all calls on one key are linearizable; a call that changes a key
 * happens before every call that sees the change.
 * Progress: get and view take no lock and write no memory that threads share;
 * they look again only when another thread filled a slot of the same six,
 * or split the table, meanwhile.  A thread that stops or dies at any
 * instruction never stops them.  Calls that change lock the key's group of
 * six slots for some tens of nanoseconds, never while they allocate or run
 * the caller's function; a call that must grow the map locks one table for
 * some tens of microseconds.  A thread that stops there stops those who change
 * the same group, or table, until it goes on.
 * Memory: what an entry was before a change is freed once no thread is inside
 * a call that began before (girt/epoch.h); a callback that never returns keeps
 * all such memory.
 * Fork: the child may use the map if no other thread was inside a changing
 * call, or each, at that moment; get and view in any case.
 * Thread exit: nothing to do; threads register themselves and leave.
 * Signals: no call is async-signal-safe.
 *
 * The hash is keyed with 64 bits, random for each map unless a seed is given.
 * Extendible hashing is from Fagin, Nievergelt, Pippenger and Strong, ACM TODS
 * 4 (1979). */
#ifndef GIRT_MAP_H
#define GIRT_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** A map from byte strings to values of one size. */
typedef struct girt_map girt_map;

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** What a map is made of; zero in a field means its default. */
typedef struct girt_map_options {
    /** Bytes of every value, 1 to 65536; has no default. */
    size_t value_size;
    /** Entries that it should hold without growing, at most 2^40; 0: few. It
     * grows in any case, in steps. */
    size_t expected;
    /** Parts that it begins with at least, up to 65536, rounded up to a power
     * of two: writers of different parts never meet. 0: one, and more as it
     * grows. */
    size_t shards;
    /** Of the keyed hash; 0: random. Whoever knows it can choose keys that
     * make the map slow. */
    uint64_t seed;
    /** Labels its metrics: 1 to 255 bytes, copied, of UTF-8 where there are
     * metrics; NULL: none. */
    const char *name;
    /** Where it reports itself under its name, which must be there; outlives
     * it. NULL: nowhere. */
    girt_metrics *metrics;
    /** Where memory comes from; NULL: the default. Copied. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_map_options;

/** What a girt_map_update_fn asks for. */
typedef enum girt_map_action {
    /** Leave the entry as it was, whatever the function wrote. */
    GIRT_MAP_KEEP,
    /** Store the value as the function left it. */
    GIRT_MAP_STORE,
    /** Remove the entry. */
    GIRT_MAP_REMOVE
} girt_map_action;

/** Decides about one key: `value` is a private copy of its value, aligned for
 * any type, zeros if the key is not `present`. It must not call the map, and
 * may run more than once: only its last run counts. */
typedef girt_map_action (*girt_map_update_fn)(void *context, void *value,
                                              bool present);

/**
 * Makes an empty map.
 *
 * @param out  where the map goes, on GIRT_OK only.
 * @param options  what it is made of; not NULL, for value_size has no default.
 * @return  GIRT_OK; GIRT_E_INVALID: a pointer is NULL or a field outside its
 *     range; GIRT_E_TOO_LARGE: `expected` is over 2^40; GIRT_E_NOMEM.
 *     With metrics also GIRT_E_INVALID: no name, or one that is not UTF-8;
 *     GIRT_E_BUSY: another map reports there by this name.
 *
 * Threads: any.
 * Progress: blocking where the allocator is.
 * Order: the map must reach other threads by something that synchronizes.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_create(girt_map **out,
                                     const girt_map_options *options);

/**
 * Frees a map and all it holds; waits for epoch sections that are open, as
 * girt_epoch_barrier does, and like it must not be called inside one.
 *
 * @param map  the map, which nobody uses any more; NULL does nothing.
 *
 * Threads: one, after all other calls on the map have returned.
 * Progress: blocking, on all threads' epoch sections.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_map_destroy(girt_map *map);

/**
 * Copies the value of a key.
 *
 * @param map  the map.
 * @param key  its bytes; NULL only with size 0.
 * @param key_size  0 to 65536.
 * @param value  value_size bytes, written on GIRT_OK only.
 * @return  GIRT_OK; GIRT_MISSING: at an instant within the call the key was
 *     not there; GIRT_E_INVALID: a NULL where none is allowed;
 *     GIRT_E_TOO_LARGE: the key is over 65536 bytes.
 *
 * Threads: any.
 * Progress: lock-free; never waits for a thread that changes the map.
 * Order: acquire, from the call that stored the value.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_get(girt_map *map, const void *key,
                                  size_t key_size, void *value);

/**
 * Shows the value of a key without copying it.
 *
 * @param map  the map.
 * @param key  its bytes; NULL only with size 0.
 * @param key_size  0 to 65536.
 * @param see  called once on GIRT_OK; `value` is aligned for any type, stays
 *     as it is until `see` returns, and not longer. It must not call girt.
 * @param context  passed to `see`.
 * @return  GIRT_OK; GIRT_MISSING: at an instant within the call the key was
 *     not there; GIRT_E_INVALID: a NULL where none is allowed;
 *     GIRT_E_TOO_LARGE: the key is over 65536 bytes.
 *
 * Threads: any.
 * Progress: lock-free; never waits for a thread that changes the map.
 * Order: acquire, from the call that stored the value.
 * Since: 0.1
 */
GIRT_API girt_status
girt_map_view(girt_map *map, const void *key, size_t key_size,
              void (*see)(void *context, const void *value), void *context);

/**
 * Stores a value, whether the key is there or not.
 *
 * @param map  the map.
 * @param key  its bytes, copied; NULL only with size 0.
 * @param key_size  0 to 65536.
 * @param value  value_size bytes, copied.
 * @return  GIRT_OK; GIRT_E_NOMEM: nothing changed; GIRT_E_INVALID: a NULL
 *     where none is allowed; GIRT_E_TOO_LARGE: the key is over 65536 bytes.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_put(girt_map *map, const void *key,
                                  size_t key_size, const void *value);

/**
 * Stores a value if the key is not there.
 *
 * @param map  the map.
 * @param key  its bytes, copied; NULL only with size 0.
 * @param key_size  0 to 65536.
 * @param value  value_size bytes, copied.
 * @return  GIRT_OK; GIRT_EXISTS: the key is there, its value stays;
 *     GIRT_E_NOMEM: nothing changed; GIRT_E_INVALID: a NULL where none is
 *     allowed; GIRT_E_TOO_LARGE: the key is over 65536 bytes.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_add(girt_map *map, const void *key,
                                  size_t key_size, const void *value);

/**
 * Removes a key.
 *
 * @param map  the map.
 * @param key  its bytes; NULL only with size 0.
 * @param key_size  0 to 65536.
 * @param old_value  value_size bytes for its last value, written on GIRT_OK
 *     only; may be NULL.
 * @return  GIRT_OK; GIRT_MISSING; GIRT_E_INVALID: a NULL where none is
 *     allowed; GIRT_E_TOO_LARGE: the key is over 65536 bytes.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_remove(girt_map *map, const void *key,
                                     size_t key_size, void *old_value);

/**
 * Reads a key, asks a function, and does what it says, in one atomic step: if
 * another call changed the key meanwhile, the function is asked again.
 *
 * @param map  the map.
 * @param key  its bytes, copied; NULL only with size 0.
 * @param key_size  0 to 65536.
 * @param update  decides; runs with no lock held.
 * @param context  passed to `update`.
 * @return  GIRT_OK: kept, stored or removed; GIRT_MISSING: the key is not there
 *     and `update` said keep or remove; GIRT_E_NOMEM: nothing changed, and
 *     `update` may have run; GIRT_E_INVALID: a NULL where none is allowed;
 *     GIRT_E_TOO_LARGE: the key is over 65536 bytes.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table; of
 *     several updates of one key, one succeeds in each round.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_update(girt_map *map, const void *key,
                                     size_t key_size, girt_map_update_fn update,
                                     void *context);

/**
 * The number of entries: exact while nobody changes the map, else the sum of
 * parts that were read one after the other.
 *
 * @param map  the map; NULL: 0.
 * @return  the number.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_map_count(const girt_map *map);

/**
 * The memory that the map holds, as it asked the allocator for it: entries,
 * those that wait for readers too, and tables.
 *
 * @param map  the map; NULL: 0.
 * @return  bytes.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_map_bytes(const girt_map *map);

/**
 * Shows every entry. One that stays throughout is shown once, one that comes
 * or goes meanwhile at most once. A few thousand entries at a time are noted
 * at one instant, then shown with no lock held.
 *
 * @param map  the map.
 * @param see  called for each; false stops. `key` and `value` are valid until
 *     it returns. It may read the map, not change it.
 * @param context  passed to `see`.
 * @return  GIRT_OK, also when stopped; GIRT_E_NOMEM: no memory for the notes,
 *     some entries may have been shown; GIRT_E_INVALID: `map` or `see` is NULL.
 *
 * Threads: any.
 * Progress: blocking, like a call that grows the map.
 * Order: acquire, from the calls that stored what is shown.
 * Since: 0.1
 */
GIRT_API girt_status girt_map_each(girt_map *map,
                                   bool (*see)(void *context, const void *key,
                                               size_t key_size,
                                               const void *value),
                                   void *context);

GIRT_END

#endif /* GIRT_MAP_H */
