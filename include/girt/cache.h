/* SPDX-License-Identifier: MIT */
/* cache.h - byte strings to byte strings, bounded by bytes, expiring, filled
 * once however many ask.
 *
 * A cache never holds more than bytes_max: keys, values and what it needs to
 * find them.  When there is no room, its policy chooses who leaves.  A value
 * that get or load answers is pinned: it stays as it is, where it is, until
 * girt_cache_release, whatever happens to its key meanwhile.
 *
 *              create  get release put remove clear load save restore stats
 *              destroy
 *   all calls     X     -     -     -    -      -     -    -     -      -
 *
 * X: the caller must keep these apart; -: any number at once, in any threads.
 *
 * Bound: at every instant the entries, the bytes that they take from the
 * allocator and the index that grew with them are at most bytes_max together.
 * What create allocates is beside it (some 5 KiB a shard and 9 KiB), and so
 * are pinned values whose entries have left (a load that refreshes a stale
 * value has it pinned), and 64 KiB at most for loads, saves and restores that
 * run: three saves and restores at once, and some 180 loaders.  Loaders beyond
 * these take 88 bytes of bytes_max each, a quarter of it at most.  What a save
 * is writing stays in bytes_max until it is written, also if it leaves: an
 * entry, or several that take a sixteenth of bytes_max at most.
 * Order: all calls on one key are linearizable; a call that changes a key
 * happens before every call that sees the change.
 * Progress: get takes no lock and writes no memory that other threads write,
 * but for a counter in an entry that stops at three hits; with LRU and
 * W-TinyLFU it notes the hit in a line that a fourth of all threads share, and
 * one hit in 15 tries to take the shard's lock.  A get that finds an expired
 * entry takes the lock to remove it.  Calls that change lock one shard for
 * some hundred nanoseconds (clear: for all of its entries), never while they
 * allocate or run the caller's functions.  A thread that stops inside such a
 * call stops those who change the same shard; a thread that stops with pins
 * stops nobody.
 * Time: an entry expires when the clock reaches its put plus its ttl; for
 * stale_ns more it is answered as stale.  Expired entries go when they are
 * asked for or when their turn to leave comes; no thread sweeps.
 * Callbacks: on_evict and loaders run in the calling thread with no lock held.
 * Fork: the child may use the cache if no other thread was inside a call at
 * that moment; what other threads had pinned is then never freed.
 * Thread exit: nothing to do; pins stay and any thread may release them.
 * Cancellation: a thread may be cancelled inside its loader, or end there with
 * pthread_exit; those who wait for it get GIRT_E_SYSTEM with errno ECANCELED.
 * No other call is a cancellation point of its own.
 * Signals: no call is async-signal-safe.
 *
 * The hash is keyed, random for each cache unless a seed is given. */
#ifndef GIRT_CACHE_H
#define GIRT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** A cache. */
typedef struct girt_cache girt_cache;

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** Which entry leaves when there is no room. */
typedef enum girt_cache_policy {
    /** S3-FIFO, but LRU where entries_max is below 100. */
    GIRT_CACHE_DEFAULT,
    /** Three queues; scans pass by, and hits write next to nothing [Yang and
     * others, SOSP 2023]. */
    GIRT_CACHE_S3FIFO,
    /** One queue and a hand [Zhang and others, NSDI 2024]; poor where keys
     * come a second time late, as in scans and loops. */
    GIRT_CACHE_SIEVE,
    /** The one not used for longest. */
    GIRT_CACHE_LRU,
    /** A window and a sketch of frequencies [Einziger and others, ACM TOS
     * 2017]; good where popularity is steady. */
    GIRT_CACHE_TINYLFU
} girt_cache_policy;

/** What a cache is made of; zero in a field means its default. */
typedef struct girt_cache_options {
    /** Keys, values and overhead together, never exceeded; 0: 64 MiB.  An
     * entry takes 51 bytes, its key, its value and up to 15 to align it, and
     * 20 to 60 bytes of index. */
    size_t bytes_max;
    /** Entries at most; 0: bytes_max alone rules. */
    size_t entries_max;
    /** How long entries live, in nanoseconds; 0: they do not expire. */
    int64_t ttl_ns;
    /** This long after its expiry a reader may have the old value while one
     * refreshes it; 0: no time at all. */
    int64_t stale_ns;
    /** How long load remembers that a loader answered GIRT_MISSING; 0: not. */
    int64_t missing_ttl_ns;
    /** Which entry leaves. */
    girt_cache_policy policy;
    /** Parts with a lock each, up to 65536, rounded up to a power of two; 0:
     * one for each 256 KiB of bytes_max and 1024 of entries_max, at most 64. */
    size_t shards;
    /** Called once for each entry that leaves by policy, expiry, replacement,
     * remove or clear, after it has left, with no lock held; not at destroy.
     * Key and value are valid until it returns.  It may call the cache, but a
     * put there may evict, and so call it again; and where all that fills the
     * cache is on its way out in the same thread, as in clear, it waits a
     * second in vain and answers GIRT_E_NOMEM.  NULL: nobody is told. */
    void (*on_evict)(void *context, const void *key, size_t key_size,
                     const void *value, size_t value_size);
    /** Passed to on_evict. */
    void *context;
    /** For ttl_ns and its kin; zero: girt_clock_monotonic.  Read only where
     * an entry expires. */
    girt_clock clock;
    /** Of the keyed hash; 0: random. */
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
} girt_cache_options;

/** A value that is held. */
typedef struct girt_cached {
    /** The value, aligned for any type, until it is released. */
    const void *data;
    /** Its bytes. */
    size_t size;
    /** It has expired; somebody may be refreshing it. */
    bool stale;
    /** The cache's. */
    void *pin;
} girt_cached;

/** What a loader brings. */
typedef struct girt_loaded {
    /** The value; copied, then given to `release`. NULL only with size 0. */
    void *data;
    /** Its bytes. */
    size_t size;
    /** How long it lives; 0: as the cache says; below 0: GIRT_E_INVALID. */
    int64_t ttl_ns;
    /** Frees `data`, after a loader's GIRT_OK only; may be NULL. */
    void (*release)(void *data);
} girt_loaded;

/** Fetches what belongs to a key.  Answers GIRT_OK with *loaded (zeroed
 * before) filled in, GIRT_MISSING, or a failure, which all who wait get.  It
 * may use the cache, and load other keys; loaders that wait for each other's
 * keys in a circle wait until their timeouts.  It must not leave by longjmp or
 * a C++ exception: those who wait would wait on. */
typedef girt_status (*girt_cache_loader)(void *context, const void *key,
                                         size_t key_size, girt_loaded *loaded);

/** What happened so far, and what there is. */
typedef struct girt_cache_stats {
    /** Values answered from the cache, stale ones too. */
    uint64_t hits;
    /** Times a key was not there, or known to be missing. */
    uint64_t misses;
    /** Hits that were stale. */
    uint64_t stale_hits;
    /** Loaders that ran. */
    uint64_t loads;
    /** Loaders that failed, or were cancelled; GIRT_MISSING is no failure. */
    uint64_t load_failures;
    /** Calls of load that waited for another's loader. */
    uint64_t joined;
    /** Entries that left by policy. */
    uint64_t evictions;
    /** Entries that were found expired, and removed. */
    uint64_t expirations;
    /** Entries now, keys that are known to be missing too. */
    uint64_t entries;
    /** Bytes now, of bytes_max. */
    uint64_t bytes;
    /** Zero. */
    uint64_t reserved[6];
} girt_cache_stats;

/**
 * Makes an empty cache.
 *
 * @param out  where the cache goes, on GIRT_OK only.
 * @param options  what it is made of; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID: `out` is NULL, a time is negative or a
 *     field outside its range; GIRT_E_TOO_LARGE: over 65536 shards;
 *     GIRT_E_NOMEM.
 *     With metrics also GIRT_E_INVALID: no name, or one that is not UTF-8;
 *     GIRT_E_BUSY: another cache reports there by this name.
 *
 * Threads: any.
 * Progress: blocking where the allocator is.
 * Order: the cache must reach other threads by something that synchronizes.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_create(girt_cache **out,
                                       const girt_cache_options *options);

/**
 * Frees a cache and all it holds, without telling on_evict.
 *
 * @param cache  the cache, which nobody uses any more and nothing of which is
 *     pinned; NULL does nothing.
 *
 * Threads: one, after all other calls on the cache have returned.
 * Progress: blocking where the allocator is.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_cache_destroy(girt_cache *cache);

/**
 * Finds the value of a key and pins it.
 *
 * @param cache  the cache.
 * @param key  its bytes; NULL only with size 0.
 * @param key_size  0 to 2^32 - 1.
 * @param cached  the value, written on GIRT_OK only; give it back with
 *     girt_cache_release.
 * @return  GIRT_OK, also for a value in its stale time; GIRT_MISSING: not
 *     there, expired, or known to be missing; GIRT_E_INVALID: a NULL where
 *     none is allowed.
 *
 * Threads: any.
 * Progress: lock-free, unless the entry has expired for good.
 * Order: acquire, from the call that stored the value.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_get(girt_cache *cache, const void *key,
                                    size_t key_size, girt_cached *cached);

/**
 * Gives back a value that get or load answered, and zeroes *cached.
 *
 * @param cache  the cache; NULL does nothing.
 * @param cached  what was answered; NULL, or zeroed already: does nothing.
 *
 * Threads: any, not only the one that got it; once for each value.
 * Progress: wait-free but for the allocator: the last who holds a value that
 *     has left the cache frees it.
 * Order: release.
 * Since: 0.1
 */
GIRT_API void girt_cache_release(girt_cache *cache, girt_cached *cached);

/**
 * Stores a value, whether the key is there or not.  Others leave for it.
 *
 * @param cache  the cache.
 * @param key  its bytes, copied; NULL only with size 0.
 * @param key_size  0 to 2^32 - 1.
 * @param value  its bytes, copied; NULL only with size 0.
 * @param value_size  any; an entry of up to bytes_max / 4 with its overhead
 *     is accepted, and any whose key and value take up to bytes_max / 64.
 * @param ttl_ns  how long it lives; 0: as the cache's options say.
 * @return  GIRT_OK; GIRT_E_TOO_LARGE: nothing changed, an old value stays;
 *     GIRT_E_INVALID: a NULL where none is allowed, or ttl_ns is negative;
 *     GIRT_E_NOMEM: the key is as it was, others may have left.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same shard.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_put(girt_cache *cache, const void *key,
                                    size_t key_size, const void *value,
                                    size_t value_size, int64_t ttl_ns);

/**
 * Finds the value of a key, or has it loaded: of all who ask for a key that is
 * not there exactly one runs its loader, the others wait for what it brings.
 * In the stale time exactly one runs its loader, and the others get the old
 * value at once; when the refresh fails before the stale time ends, the one
 * gets the old value too, and the next caller tries again.  A loader that
 * answers GIRT_MISSING ends the old value's time.
 *
 * put, remove or clear of the key while it is loaded win: what the loader
 * brings is handed to its waiters but not stored, and later callers load anew.
 * So is a value that is too large for the cache.
 *
 * @param cache  the cache.
 * @param key  its bytes, which stay until the call returns; NULL only with
 *     size 0.
 * @param key_size  0 to 2^32 - 1.
 * @param loader  fetches the value; runs with no lock held.
 * @param context  passed to `loader`.
 * @param timeout_ns  how long to wait for another's loader, GIRT_NOW to
 *     GIRT_FOREVER; the own one is not bounded.
 * @param cached  the value, written on GIRT_OK only; give it back with
 *     girt_cache_release.
 * @return  GIRT_OK; GIRT_MISSING: the loader said so, now or within
 *     missing_ttl_ns; GIRT_TIMEOUT; GIRT_E_BUSY: called for the same key by
 *     its own loader; GIRT_E_SYSTEM: the thread that loaded was cancelled
 *     (errno ECANCELED); GIRT_E_INVALID: a NULL where none is allowed, or the
 *     loader brought what is not valid; GIRT_E_TOO_LARGE: the key is;
 *     GIRT_E_NOMEM, also where as many loaders run as the bound above allows;
 *     or what the loader answered.
 *
 * Threads: any.
 * Progress: lock-free on a hit; else blocking, on the loader.
 * Order: acquire, from the call that stored the value.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_load(girt_cache *cache, const void *key,
                                     size_t key_size, girt_cache_loader loader,
                                     void *context, int64_t timeout_ns,
                                     girt_cached *cached);

/**
 * Removes a key, and what is known of its missing.
 *
 * @param cache  the cache.
 * @param key  its bytes; NULL only with size 0.
 * @param key_size  0 to 2^32 - 1.
 * @return  GIRT_OK: there was a value; GIRT_MISSING: none, or it had expired;
 *     GIRT_E_INVALID: a NULL where none is allowed.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same shard.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_remove(girt_cache *cache, const void *key,
                                       size_t key_size);

/**
 * Removes every entry that is there when it comes to its shard.
 *
 * @param cache  the cache; NULL does nothing.
 *
 * Threads: any.
 * Progress: blocking, among calls that change the same shard.
 * Order: acquire and release.
 * Since: 0.1
 */
GIRT_API void girt_cache_clear(girt_cache *cache);

/**
 * Shortens times to live by chance, so that a batch that was stored at once
 * does not expire at once: from now on an entry gets its ttl less a random
 * part of up to `fraction` of it, and never more than its ttl.
 *
 * @param cache  the cache.
 * @param fraction  0 (as a new cache) to 1.
 * @return  GIRT_OK; GIRT_E_INVALID: `cache` is NULL, or the fraction outside
 *     its range.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_set_jitter(girt_cache *cache, double fraction);

/**
 * Reads the counts: exact while nobody calls, else sums of parts that were
 * read one after the other.
 *
 * @param cache  the cache; NULL: all zero.
 * @param stats  where they go; NULL does nothing.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_cache_read_stats(const girt_cache *cache,
                                    girt_cache_stats *stats);

/**
 * Writes the entries to a file, for girt_cache_restore of the same or another
 * process: values, keys, and how long each has still to live.  What changes
 * meanwhile may be in it or not.
 *
 * @param cache  the cache.
 * @param fd  open for writing; written from where it stands, not closed.
 * @return  GIRT_OK; GIRT_E_INVALID: `cache` is NULL or `fd` negative;
 *     GIRT_E_BUSY: three saves and restores of this cache run, and nothing was
 *     written; GIRT_E_SYSTEM: a write failed, errno says why; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: blocking, on the file.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_save(girt_cache *cache, int fd);

/**
 * Stores the entries of a file that girt_cache_save wrote; keys that are
 * there, or known to be missing, stay as they are, and what does not fit leaves
 * by policy, as ever.
 * The file is checked from end to end before the first entry is stored, so it
 * must be one that can be read twice (not a pipe), and nobody may write to it
 * meanwhile.
 *
 * @param cache  the cache.
 * @param fd  open for reading; read from where it stands, not closed.
 * @return  GIRT_OK; GIRT_E_CORRUPT: torn, damaged, or no such file or
 *     version, and nothing changed; GIRT_E_INVALID: `cache` is NULL or `fd`
 *     negative; GIRT_E_BUSY: three saves and restores of this cache run, and
 *     nothing changed; GIRT_E_SYSTEM: a read or seek failed, errno says why;
 *     GIRT_E_NOMEM: some entries may have been stored.
 *
 * Threads: any.
 * Progress: blocking, on the file.
 * Order: release, towards those who find the entries.
 * Since: 0.1
 */
GIRT_API girt_status girt_cache_restore(girt_cache *cache, int fd);

GIRT_END

#endif /* GIRT_CACHE_H */
