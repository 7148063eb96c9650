/* SPDX-License-Identifier: MIT */
/* map64.h - a concurrent map from 64-bit keys to 64-bit values.
 *
 * Every key and every value is allowed.  The map grows while it is used, one
 * table of 2816 slots at a time, so that no call waits for the whole map.
 *
 *                    create  get    put add  exchange  each  count  destroy
 *                    destroy get_n  remove   increase        bytes
 *   get, get_n         X      -        -         -       -     -       X
 *   put add remove     X      -        -         -       -     -       X
 *   exchange increase  X      -        -         -       -     -       X
 *   each               X      -        -         -       -     -       X
 *   count, bytes       X      -        -         -       -     -       X
 *
 * X: the caller must keep these apart; -: any number at once, in any threads.
 *
 * Order: all calls on one key are linearizable; a call that changes a key
 * happens before every call that sees the change, so a value may be the
 * address of something written before it was stored.
 * Progress: get and get_n take no lock, write nothing shared and need no
 * registration; they look again only when another thread filled a slot of the
 * same eleven, or split the table, meanwhile.  A thread that stops or dies at
 * any instruction never stops them.  Calls that change lock the key's group
 * of eleven slots for some tens of nanoseconds, and a call that must grow the
 * map locks one table for some tens of microseconds; a thread that stops there
 * stops those who change the same group, or table, until it goes on.
 * Fork: the child may use the map if no other thread was inside a changing
 * call, or each, at that moment; get and get_n in any case.
 * Thread exit: nothing to do.
 * Signals: get and get_n are async-signal-safe; the others are not.
 *
 * The hash is a bijection keyed with 64 random bits of each map, so that
 * nobody can choose keys that collide.  Extendible hashing is from Fagin,
 * Nievergelt, Pippenger and Strong, ACM TODS 4 (1979). */
#ifndef GIRT_MAP64_H
#define GIRT_MAP64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** A map from 64-bit keys to 64-bit values. */
typedef struct girt_map64 girt_map64;

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/**
 * Makes an empty map.
 *
 * @param out  where the map goes, on GIRT_OK only.
 * @param expected  entries that it should hold without growing, at most 2^40;
 *     0: it starts with room for 44. It grows in any case; memory for
 *     `expected` is taken at once, in one block, and 8 % of it is touched.
 * @param allocator  where memory comes from; NULL: the default. Copied.
 * @return  GIRT_OK; GIRT_E_INVALID: `out` is NULL or the allocator has only
 *     one of its functions; GIRT_E_TOO_LARGE: `expected` is over 2^40;
 *     GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: blocking where the allocator is.
 * Order: the map must reach other threads by something that synchronizes.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_create(girt_map64 **out, size_t expected,
                                       const girt_allocator *allocator);

/**
 * Makes a map report itself, from now until it is destroyed.
 *
 * @param map  the map; others may use it already.
 * @param metrics  where it reports to; outlives the map.
 * @param name  labels its metrics: 1 to 255 bytes of UTF-8; copied.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, or no such name; GIRT_E_BUSY: it
 *     reports itself already, or another girt_map64 reports there by this
 *     name; GIRT_E_NOMEM.
 *
 * Threads: one at a time on this map.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_report(girt_map64 *map, girt_metrics *metrics,
                                       const char *name);

/**
 * Frees a map and all it holds.
 *
 * @param map  the map, which nobody uses any more; NULL does nothing.
 *
 * Threads: one, after all other calls on the map have returned.
 * Progress: blocking where the allocator is.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_map64_destroy(girt_map64 *map);

/**
 * Reads the value of a key.
 *
 * @param map  the map.
 * @param key  any number.
 * @param value  where the value goes, on GIRT_OK only.
 * @return  GIRT_OK; GIRT_MISSING: at an instant within the call the key was
 *     not there; GIRT_E_INVALID: an argument is NULL.
 *
 * Threads: any; async-signal-safe.
 * Progress: lock-free; never waits for a thread that changes the map.
 * Order: acquire, from the call that stored the value.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_get(girt_map64 *map, uint64_t key,
                                    uint64_t *value);

/**
 * Stores a value, whether the key is there or not.
 *
 * @param map  the map.
 * @param key  any number.
 * @param value  any number.
 * @return  GIRT_OK; GIRT_E_NOMEM: the key is new, the map must grow and cannot,
 *     nothing changed; GIRT_E_INVALID: `map` is NULL.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_put(girt_map64 *map, uint64_t key,
                                    uint64_t value);

/**
 * Stores a value if the key is not there.
 *
 * @param map  the map.
 * @param key  any number.
 * @param value  any number.
 * @return  GIRT_OK; GIRT_EXISTS: the key is there, its value stays;
 *     GIRT_E_NOMEM: the map must grow and cannot, nothing changed;
 *     GIRT_E_INVALID: `map` is NULL.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_add(girt_map64 *map, uint64_t key,
                                    uint64_t value);

/**
 * Removes a key.
 *
 * @param map  the map.
 * @param key  any number.
 * @param old_value  where its last value goes, on GIRT_OK only; may be NULL.
 * @return  GIRT_OK; GIRT_MISSING; GIRT_E_INVALID: `map` is NULL. The slot is
 *     reused; the map does not shrink.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_remove(girt_map64 *map, uint64_t key,
                                       uint64_t *old_value);

/**
 * Replaces a value if it is the one expected: compare and swap.
 *
 * @param map  the map.
 * @param key  any number.
 * @param expected  what the value must be.
 * @param desired  what it becomes then.
 * @return  GIRT_OK: replaced; GIRT_EXISTS: the key is there with another
 *     value; GIRT_MISSING: it is not; GIRT_E_INVALID: `map` is NULL.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_exchange(girt_map64 *map, uint64_t key,
                                         uint64_t expected, uint64_t desired);

/**
 * Adds to a value, modulo 2^64; a key that is not there counts as 0 and is
 * there afterwards.
 *
 * @param map  the map.
 * @param key  any number.
 * @param by  what to add; 0 - n takes n away.
 * @param sum  where the new value goes, on GIRT_OK only; may be NULL.
 * @return  GIRT_OK; GIRT_E_NOMEM: the key is new, the map must grow and cannot,
 *     nothing changed; GIRT_E_INVALID: `map` is NULL.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same group or table.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_increase(girt_map64 *map, uint64_t key,
                                         uint64_t by, uint64_t *sum);

/**
 * Reads the values of many keys; twice as fast as one by one, for their loads
 * overlap. Each key is read as by girt_map64_get, not all at one instant.
 *
 * @param map  the map.
 * @param keys  `count` keys.
 * @param values  `count` places; only those of keys that are there are written.
 * @param found  `count` places, each written: whether the key is there.
 * @param count  any number; 32 and more at a time are fastest.
 * @return  how many are there; 0, and nothing written, when a pointer is NULL.
 *
 * Threads: any; async-signal-safe.
 * Progress: lock-free; never waits for a thread that changes the map.
 * Order: acquire, from the calls that stored the values.
 * Since: 0.1
 */
GIRT_API size_t girt_map64_get_n(girt_map64 *map, const uint64_t keys[],
                                 uint64_t values[], bool found[], size_t count);

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
GIRT_API size_t girt_map64_count(const girt_map64 *map);

/**
 * The memory that the map holds, as it asked the allocator for it.
 *
 * @param map  the map; NULL: 0.
 * @return  bytes.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_map64_bytes(const girt_map64 *map);

/**
 * Shows every entry. One that stays throughout is shown once, one that comes
 * or goes meanwhile at most once. A few thousand entries at a time are copied
 * at one instant, then shown with no lock held.
 *
 * @param map  the map.
 * @param see  called for each; false stops. It may read the map, not change it.
 * @param context  passed to `see`.
 * @return  GIRT_OK, also when stopped; GIRT_E_NOMEM: no memory for the copy,
 *     some entries may have been shown; GIRT_E_INVALID: `map` or `see` is NULL.
 *
 * Threads: any.
 * Progress: blocking, like a call that grows the map.
 * Order: acquire, from the calls that stored what is shown.
 * Since: 0.1
 */
GIRT_API girt_status girt_map64_each(girt_map64 *map,
                                     bool (*see)(void *context, uint64_t key,
                                                 uint64_t value),
                                     void *context);

GIRT_END

#endif /* GIRT_MAP64_H */
