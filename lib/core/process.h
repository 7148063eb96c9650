/* SPDX-License-Identifier: MIT */
/* process.h - which process this is, whether another is gone, and a lock that
 * a killed process does not keep.
 *
 * A process is one word: its pid in the low 22 bits, which hold every pid that
 * Linux gives, and its start in clock ticks since boot above them, so that a
 * pid that is given again is another process.  0 is nobody. */
#ifndef GIRT_CORE_PROCESS_H
#define GIRT_CORE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* The calling process: a system call and a file of /proc each time, some 10 us,
 * so that a fork's child never takes itself for its parent.  Without /proc its
 * start is 0. */
uint64_t girt__process_self(void);

/* Whether the process has ended, be it as a zombie.  Where that cannot be
 * told (no /proc, another user's process hidden) it is taken for alive. The
 * word may come from anywhere: any value is safe. */
bool girt__process_is_gone(uint64_t process);

/* Takes a lock word, from a process that is gone too; false: a living one has
 * it, this one included.  What the dead one left half-done is the caller's to
 * put right. */
bool girt__process_try_lock(uint64_t *word);
/* The same, trying until timeout_ns has passed, with sleeps between. */
bool girt__process_lock(uint64_t *word, int64_t timeout_ns);
void girt__process_unlock(uint64_t *word);

#endif /* GIRT_CORE_PROCESS_H */
