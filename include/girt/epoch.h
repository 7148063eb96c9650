/* SPDX-License-Identifier: MIT */
/* epoch.h - read sections, and freeing what a reader may still hold.
 *
 * Readers of a shared structure put what they do between enter and exit, and
 * take no lock.  Who unlinks a block from it retires the block instead of
 * freeing it; the block is released once every section has ended that was open
 * at that time [Fraser 2004].
 *
 *   girt_epoch_enter();                  old = swap_in(&config, new_config);
 *   c = load_acquire(&config);           girt_epoch_retire(old, free);
 *   use(c);
 *   girt_epoch_exit();
 *
 * There is one set of sections for the whole process, shared with girt's maps
 * and rings, which use it themselves.  Threads register at their first call.
 *
 * Who may call at the same time (X: not possible within one thread, either):
 *            enter exit retire barrier
 *   enter      -    -     -      -      Any threads, any time.
 *   exit       -    -     -      -
 *   retire     -    -     -      -      A block is retired once.
 *   barrier    -    -     -      -      Never inside a section of the caller.
 *
 * Where release functions run: in whichever thread calls retire outside a
 * section, exit of its outermost section, or barrier, at most after each 64
 * blocks it has retired.  So hold no lock there that a release function takes.
 * A release function may open sections, retire and call barrier.
 *
 * How much may wait: while no section stays open, a thread has at most some
 * 200 blocks pending; they stay until it retires more, ends, or someone calls
 * barrier.  A section that stays open (a stalled reader) holds back every
 * block retired since it began, in every thread: the pending blocks grow by
 * all that is retired inside sections, without bound, while a thread that
 * retires outside sections waits at 4096.
 *
 * At a thread's end what it has pending passes to the next thread that
 * retires or waits; a section it left open ends.  (A thread whose first call
 * into girt comes from a pthread key's destructor, when it is ending already,
 * may end unheard: its registration, some 320 bytes, then stays.)  In a fork's
 * child only the caller's sections are still open, and all that was pending is
 * released there, too, once, by the child; a block that another thread was just
 * retiring or releasing may be leaked in the child.
 *
 * None of the calls is async-signal-safe, nor a cancellation point. */
#ifndef GIRT_EPOCH_H
#define GIRT_EPOCH_H

#include <girt/export.h>

GIRT_BEGIN

/**
 * Begins a read section: what it finds in a shared structure is not released
 * before it ends.  Sections nest; the outermost counts.
 *
 * Keep sections short, and do not wait for other threads inside: an open one
 * holds back every block of the process.
 *
 * Threads: any; not async-signal-safe.
 * Progress: wait-free after the thread's first call, which allocates some
 *   300 bytes and registers.  When there is no memory for that, the thread
 *   shares a registration under a mutex: slower, and right.
 * Order: what the section reads is read after its beginning is visible to
 *   those who retire (a full fence).
 * Since: 0.1
 */
GIRT_API void girt_epoch_enter(void);

/**
 * Ends the read section that the thread began last.  Without one it is misuse
 * (an assertion).
 *
 * At the end of the outermost section it may run release functions of blocks
 * that this thread, or threads that have ended, retired.
 *
 * Threads: any; not async-signal-safe.
 * Progress: wait-free but for release functions; it never waits for readers.
 * Order: release: what the section did comes before the release functions
 *   that waited for it.
 * Since: 0.1
 */
GIRT_API void girt_epoch_exit(void);

/**
 * Has a block released once no section that could see it is open.
 *
 * The block must be unlinked already, so that no section that begins later
 * finds it.  Best called inside the section that unlinked it: then it neither
 * waits nor runs release functions.
 *
 * @param block    passed to release; never looked at, may be NULL.
 * @param release  runs once, in some thread (see above); not NULL.  It must
 *                 return: to leave its thread from inside is to end it there.
 *
 * Threads: any; not async-signal-safe.
 * Progress: lock-free inside a section, and outside it but for release
 *   functions, until the thread has 4096 blocks pending: then it waits for
 *   the sections open now.  A block costs 32 bytes until it is released.
 *   When there is no memory for them, the call draws on a small reserve, then
 *   waits for open sections and releases the block itself or, inside a
 *   section, waits for memory: it cannot fail.
 * Order: what the caller did before comes before release.
 * Since: 0.1
 */
GIRT_API void girt_epoch_retire(void *block, void (*release)(void *block));

/**
 * Waits until all blocks that any thread retired before the call are released,
 * including those of ended threads.  Inside a section it is misuse (an
 * assertion).
 *
 * Called from a release function, it does not wait for release functions that
 * other threads are running at that moment, nor for the one that calls it.
 *
 * Threads: any; not async-signal-safe.
 * Progress: blocking: it waits for every section open at the call, so for
 *   ever if a thread stalls or stops inside one.
 * Order: release functions' effects are visible after it.
 * Since: 0.1
 */
GIRT_API void girt_epoch_barrier(void);

GIRT_END

#endif /* GIRT_EPOCH_H */
