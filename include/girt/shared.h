/* SPDX-License-Identifier: MIT */
/* shared.h - memory that several processes of a host share: limits, counters
 * and channels without a server between them.
 *
 * A segment is a piece of memory, made by one process and opened by name by
 * others, or without a name and handed down by fork.  It holds named parts:
 * girt_limiter_shared and the others find a part by its name, or make it.
 *
 *     girt_shared *shared;
 *     girt_shared_create(&shared, NULL, 1 << 20, 0);
 *     girt_limiter_shared(&limiter, shared, "logins", &options);
 *     fork();    both processes take from one limit
 *
 *            create  open  close  unlink  parts
 *   close      -      -      X      -      X     X: the caller excludes them,
 *   others     -      -      X      -      -        on one handle.
 *
 * Killed processes: a process may be killed at any instant (SIGKILL, the OOM
 * killer, a crash) and blocks nobody: what it was half-way through is finished
 * or undone by the next that comes by.  It is told from a living one by its
 * pid and start, zombies and pids that were given again included.  A process
 * that is stopped (SIGSTOP) in the middle of making a part keeps others from
 * making parts, which answers GIRT_E_BUSY after half a second, and from nothing
 * else.
 * Progress: everything here is blocking (system calls); the objects in a
 * segment say their own.
 * Fork: handles of a segment and of its parts stay good in the child; each
 * process closes its own.
 * Exec: files are close-on-exec.  A process that calls exec while another of
 * its threads makes a part keeps the right to make until it ends.
 * Signals: nothing here is async-signal-safe.
 *
 * Trust: whoever may write to a segment may lie to all who use it.  So a named
 * one has mode 0600 unless asked otherwise, is opened only if it belongs to
 * the caller or to root and is no symlink, and everything that is read from it
 * is bounded: nonsense gives wrong answers, GIRT_E_CORRUPT or GIRT_E_INVALID,
 * and no crash.
 * Truncation: an unnamed segment is sealed and cannot shrink.  A named one is a
 * file, and its owner could cut it short: those who have it mapped then die by
 * SIGBUS when they touch what is gone. Nothing of girt ever truncates one.
 * Processes of one pid and time namespace and one boot: others are refused. */
#ifndef GIRT_SHARED_H
#define GIRT_SHARED_H

#include <stddef.h>
#include <stdint.h>

#include <girt/export.h>
#include <girt/keyed_limiter.h>
#include <girt/limiter.h>
#include <girt/metrics.h>
#include <girt/status.h>

GIRT_BEGIN

/** The most parts of a segment; each producer of a channel but the first has
 * one too. */
#define GIRT_SHARED_PARTS 100

/** A segment, as one process has it. */
typedef struct girt_shared girt_shared;

/**
 * Makes a segment with room for parts.
 *
 * Parts begin on pages of their own: room for n parts of b bytes each is n
 * times b rounded up to 4096.  A limiter is one page, a keyed limiter 26 bytes
 * a key and a page, a channel says its own.  The pages of a named segment are
 * claimed at once, those of an unnamed one when they are first used.
 *
 * @param out  set on GIRT_OK only.
 * @param name  1 to 255 bytes without a slash, not "." or "..": as in
 * /dev/shm, where it stays until girt_shared_unlink or the next boot; NULL: no
 * name, for this process and those that it forks.
 * @param size  bytes for parts, 1 and up.
 * @param mode  who may open it, as in open(2), of 0666, with 0600 among them;
 * 0: 0600.  The umask does not change it.  Not used without a name.
 * @return  GIRT_OK; GIRT_EXISTS: the name is taken, open it; GIRT_E_INVALID: an
 * argument out of range; GIRT_E_TOO_LARGE: more than the machine or its shared
 * memory has; GIRT_E_NOMEM: more than is free; GIRT_E_SYSTEM: no /dev/shm or
 * /proc, no more files.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: what happened before it is seen by whoever opens it.
 * Since: 0.1
 */
GIRT_API girt_status girt_shared_create(girt_shared **out, const char *name,
                                        size_t size, unsigned mode);

/**
 * Opens a segment that a process of this host made.
 *
 * @param out  set on GIRT_OK only.
 * @param name  as it was made.
 * @return  GIRT_OK; GIRT_MISSING: no such name; GIRT_E_INVALID: an argument out
 * of range, a symlink, another user's (the caller's and root's are accepted), a
 * segment of another version of girt, of an earlier boot, or of another
 * pid or time namespace; GIRT_E_CORRUPT: not a segment, or damaged;
 * GIRT_E_NOMEM; GIRT_E_SYSTEM: no more files.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: what happened before its create is seen after it.
 * Since: 0.1
 */
GIRT_API girt_status girt_shared_open(girt_shared **out, const char *name);

/**
 * Gives the segment up in this process; parts that are open stay good until
 * they are destroyed or closed themselves.
 *
 * @param shared  gone afterwards; NULL does nothing.
 *
 * Threads: one, excluding all others on this handle.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_shared_close(girt_shared *shared);

/**
 * Takes the name away; who has the segment open keeps it, and the memory is
 * free when the last one closes it.
 *
 * @param name  the segment's.
 * @return  GIRT_OK; GIRT_MISSING: no such name; GIRT_E_INVALID: not a name, or
 * not the caller's to remove; GIRT_E_SYSTEM.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_shared_unlink(const char *name);

/**
 * Finds a limiter by name in a segment, or makes it: one bound over all
 * processes, I1 of limiter.h, at the price of a limiter within one.
 *
 * The first to come makes it by its options; from then on the rate is the
 * segment's, whatever rate later ones name, and girt_limiter_set_rate changes
 * it for all.  A killed process has taken its tokens or has not; one that is
 * killed in girt_limiter_take_all may have taken from some limiters.
 *
 * @param out  set on GIRT_OK only; girt_limiter_destroy gives it up in this
 * process, before or after the segment is closed.
 * @param shared  the segment.
 * @param name  1 to 255 bytes; options.name is for metrics, as ever.
 * @param options  as for girt_limiter_create.  The clock is this process's and
 * has to tell the same time in all of them, as the monotonic and coarse ones
 * do.  lease is 0: a killed process would keep its tokens.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, a field out of range, a lease, the
 * name of another kind of part; GIRT_E_NOMEM: no room in the segment, or out of
 * memory; GIRT_E_CORRUPT: the segment is damaged; GIRT_E_BUSY: a process that
 * is stopped keeps others from making it; as girt_limiter_create.
 *
 * Threads: any.
 * Progress: blocking; what is done with the limiter as limiter.h says.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_shared(girt_limiter **out,
                                         girt_shared *shared, const char *name,
                                         const girt_limiter_options *options);

/**
 * Finds a keyed limiter by name in a segment, or makes it: each key has one
 * bound over all processes, and they hold `keys` live keys together.
 *
 * The first to come makes it; the others must name the same rate and keys. Time
 * is counted from then.  A process that is killed in the first take of a key
 * may leave the key's place taken until that key comes again, and a limiter
 * that is full then has one place less.
 *
 * @param out  set on GIRT_OK only; girt_keyed_limiter_destroy gives it up in
 * this process, before or after the segment is closed.
 * @param shared  the segment.
 * @param name  1 to 255 bytes; options.name is for metrics, as ever.
 * @param options  as for girt_keyed_limiter_create.  The clock is this
 * process's and has to tell the same time in all of them.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, a field out of range, another rate
 * or number of keys than it was made with, the name of another kind of part;
 * GIRT_E_TOO_LARGE, GIRT_E_NOMEM: no room in the segment, or out of memory;
 * GIRT_E_CORRUPT: the segment is damaged; GIRT_E_BUSY: a process that is
 * stopped keeps others from making it; as girt_keyed_limiter_create.
 *
 * Threads: any.
 * Progress: blocking; what is done with the limiter as keyed_limiter.h says.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_keyed_limiter_shared(
    girt_keyed_limiter **out, girt_shared *shared, const char *name,
    const girt_keyed_limiter_options *options);

/**
 * Finds a registry of metrics by name in a segment, or makes it: what any
 * process counts, dead ones included, any of them can scrape.
 *
 * It takes half of the segment's room, or what is left if that is less, at
 * least 64 KiB: open it last.  Objects that report to it are this process's and
 * are in its own scrapes only.
 *
 * @param out  set on GIRT_OK only; girt_metrics_destroy gives it up in this
 * process, before or after the segment is closed.
 * @param shared  the segment.
 * @param name  1 to 255 bytes.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, a name out of range or of another
 * kind of part; GIRT_E_NOMEM: no room in the segment, or out of memory;
 * GIRT_E_CORRUPT: the segment is damaged; GIRT_E_BUSY: a process that is
 * stopped keeps others from making it.
 *
 * Threads: any.
 * Progress: blocking; what is done with the registry as metrics.h says.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_metrics_shared(girt_metrics **out,
                                         girt_shared *shared, const char *name);

GIRT_END

#endif /* GIRT_SHARED_H */
