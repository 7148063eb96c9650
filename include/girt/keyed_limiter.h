/* SPDX-License-Identifier: MIT */
/* keyed_limiter.h - one limit for each of millions of keys, in fixed memory.
 *
 * Every key (a client's address, a token, a URL) has the same rate and a bucket
 * of its own, for which the promise of limiter.h holds: in any window of w ns
 *
 *     burst + w * limit / period_ns                                      (I1)
 *
 * tokens at most are admitted.  A key is live until its bucket is full again;
 * then it costs nothing, is forgotten and needs no sweep.  `keys` live keys are
 * held, all of them, whichever they are.
 *
 * Precision: tokens may come up to 2 ns later than the rate says, never
 * earlier; girt_limiter is finer.
 * Memory: 26 bytes a key, allocated at create, none later.
 *
 *                take  destroy
 *   take          -      X        X: the caller excludes them; take stands for
 *   destroy       X      X        all calls of that name: _at, _keys, _n,
 * _n_at.
 *
 * Empty and full: LIMITED only if at an instant within the call the key had
 * fewer tokens than asked for, or its bucket was not held and `keys` other keys
 * were live, or would be by a first take under way; however many threads take
 * from one key at once, it counts once.  They are counted one by one: a key
 * that is forgotten and comes back meanwhile may count twice.
 * Progress: lock-free; a refusal of a live key writes nothing (with metrics:
 * its thread's count), and a thread that stops anywhere stops nobody.  The
 * first call that finds `keys` keys live looks at every slot; the next does so
 * when the soonest of them may be idle.
 * Time: as in limiter.h; the time is counted from the first call, for 18 years
 * before or after it. The algorithm is GCRA as there (ITU-T I.371).
 * Keys: kept as 64-bit hashes with a secret random seed.  Two keys with the
 * same hash share a bucket: with a million live keys that happens to one
 * pair in 36 million limiters.
 * Fork: the child has a copy, whole at every instant.
 * Signals: take_at and take_n_at are async-signal-safe; take, take_n and
 * take_keys if the limiter's clock is; with metrics, in a thread that has used
 * a girt object before. */
#ifndef GIRT_KEYED_LIMITER_H
#define GIRT_KEYED_LIMITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/keys.h>
#include <girt/limiter.h>
#include <girt/status.h>

GIRT_BEGIN

/** The largest key, in bytes. */
#define GIRT_KEYED_LIMITER_KEY_MAX 65536

/** A limit for each key. */
typedef struct girt_keyed_limiter girt_keyed_limiter;

/** How a keyed limiter is made. Rate and keys have no default. */
typedef struct girt_keyed_limiter_options {
    /** Of each key; at most 2 tokens a ns. */
    girt_rate rate;
    /** The clock of girt_keyed_limiter_take; zero: monotonic. */
    girt_clock clock;
    /** Live keys that it holds, 1 and up. */
    size_t keys;
    /** What a key over `keys` live ones is answered: GIRT_LIMITED, and zero
     * means that; retry_after_ns says when a key may be idle, and I1 holds for
     * every key.  Nothing else is valid. */
    girt_status when_full;
    /** Such a key is admitted instead, and not counted: GIRT_OK.  I1 then holds
     * for the keys that are held.  Not together with GIRT_LIMITED above. */
    bool admit_when_full;
    /** Labels its metrics: 1 to 255 bytes, copied, of UTF-8 where there are
     * metrics; NULL: none. */
    const char *name;
    /** Where it reports itself under its name, which must be there; outlives
     * it. NULL: nowhere. */
    girt_metrics *metrics;
    /** NULL: the default. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_keyed_limiter_options;

/**
 * Makes a keyed limiter with all of its memory.
 *
 * @param out  set on GIRT_OK only.
 * @param options  copied; its allocator must outlive the limiter.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, a field out of range;
 * GIRT_E_TOO_LARGE: keys over 2^33 or more than can be addressed;
 * GIRT_E_NOMEM.
 * With metrics also GIRT_E_INVALID: no name, or one that is not UTF-8;
 * GIRT_E_BUSY: another limiter reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: what happened before it is seen by whoever is handed the limiter.
 * Since: 0.1
 */
GIRT_API girt_status girt_keyed_limiter_create(
    girt_keyed_limiter **out, const girt_keyed_limiter_options *options);

/**
 * Frees a keyed limiter that no other call is in or will be; NULL does nothing.
 *
 * @param limiter  gone afterwards.
 *
 * Threads: one, excluding all others on this limiter.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_keyed_limiter_destroy(girt_keyed_limiter *limiter);

/**
 * Takes tokens of a key now, by the limiter's clock, all of them or none.
 *
 * @param limiter  the limiter.
 * @param key  key_size bytes, any; may be NULL when key_size is 0, which is a
 * key too.
 * @param key_size  0 to GIRT_KEYED_LIMITER_KEY_MAX.
 * @param tokens  how many; 0 asks whether the key may take at all, and makes
 * no key live.
 * @param decision  NULL, or filled on GIRT_OK, GIRT_LIMITED and GIRT_NEVER.
 * @return  GIRT_OK: taken; GIRT_LIMITED: too soon; GIRT_NEVER: more than the
 * burst; GIRT_E_INVALID: a NULL; GIRT_E_TOO_LARGE: key_size.
 *
 * Threads: any.
 * Progress: lock-free: a retry means that another call changed the slot.
 * Order: none: it orders no other memory.
 * Since: 0.1
 */
GIRT_API girt_status girt_keyed_limiter_take(girt_keyed_limiter *limiter,
                                             const void *key, size_t key_size,
                                             uint64_t tokens,
                                             girt_decision *decision);

/**
 * The same at a time that the caller has read already.
 *
 * @param limiter  the limiter.
 * @param key  key_size bytes.
 * @param key_size  0 to GIRT_KEYED_LIMITER_KEY_MAX.
 * @param tokens  how many.
 * @param now_ns  the time of the limiter's clock; a stale one is safe.
 * @param decision  NULL, or filled as by girt_keyed_limiter_take.
 * @return  as girt_keyed_limiter_take.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_keyed_limiter_take_at(girt_keyed_limiter *limiter,
                                                const void *key,
                                                size_t key_size,
                                                uint64_t tokens, int64_t now_ns,
                                                girt_decision *decision);

/**
 * Takes tokens of each of many keys, as that many calls of
 * girt_keyed_limiter_take would that read the clock at one instant.
 *
 * @param limiter  the limiter.
 * @param keys  the keys; one that is there twice takes twice.
 * @param tokens  how many of each key.
 * @param taken  NULL, or room for keys->count answers: whether they were taken.
 * @param retry_after_ns  NULL, or room for keys->count numbers: 0 where they
 * were taken, else as in girt_decision.
 * @return  GIRT_OK: each key was decided; GIRT_E_INVALID: a NULL, or keys does
 * not say what is true; GIRT_E_TOO_LARGE: a key is over
 * GIRT_KEYED_LIMITER_KEY_MAX. Nothing was done but on GIRT_OK.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_keyed_limiter_take_keys(girt_keyed_limiter *limiter,
                                                  const girt_keys *keys,
                                                  uint64_t tokens, bool taken[],
                                                  int64_t retry_after_ns[]);

/** One of many requests: what is asked, and the answer. */
typedef struct girt_keyed_request {
    /** key_size bytes; may be NULL when key_size is 0. */
    const void *key;
    /** 0 to GIRT_KEYED_LIMITER_KEY_MAX. */
    size_t key_size;
    /** How many, all or none. */
    uint64_t tokens;
    /** Set by the call, to what girt_keyed_limiter_take would have returned. */
    girt_status status;
} girt_keyed_request;

/**
 * Decides many requests in their order, each by itself, with one reading of the
 * limiter's clock: in less than half the time where the keys are many, for
 * their buckets are fetched from memory together.
 *
 * @param limiter  the limiter.
 * @param requests  count of them; their status is set.
 * @param count  any number; 16 and more at a time are fastest.
 * @return  how many were admitted; 0, and no status set, when a pointer is
 * NULL.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_keyed_limiter_take_n(girt_keyed_limiter *limiter,
                                          girt_keyed_request requests[],
                                          size_t count);

/**
 * The same at a time that the caller has read already.
 *
 * @param limiter  the limiter.
 * @param requests  count of them; their status is set.
 * @param count  any number.
 * @param now_ns  the time of the limiter's clock; a stale one is safe.
 * @return  as girt_keyed_limiter_take_n.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_keyed_limiter_take_n_at(girt_keyed_limiter *limiter,
                                             girt_keyed_request requests[],
                                             size_t count, int64_t now_ns);

GIRT_END

#endif /* GIRT_KEYED_LIMITER_H */
