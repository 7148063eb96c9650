/* SPDX-License-Identifier: MIT */
/* park.h - sleeping until another thread says so: an event count on a futex.
 *
 * The sleeper:                        The waker:
 *   key = girt__park_prepare(&park);    make the condition true;
 *   if (condition) cancel;              girt__park_wake(&park, n);
 *   else girt__park_wait(..., key, deadline);
 *   look again.
 *
 * A wake after prepare is never lost; a wait never ends before its deadline
 * unless woken, and a signal does not end it. Wake with nobody prepared is one
 * fence and one load, no system call. */
#ifndef GIRT_CORE_PARK_H
#define GIRT_CORE_PARK_H

#include <stdbool.h>
#include <stdint.h>

typedef struct girt__park {
    uint32_t epoch;   /* the futex: moves with every wake that finds waiters */
    uint32_t waiters; /* prepared or asleep */
} girt__park;

/* Says that the caller is about to look at the condition one last time. */
uint32_t girt__park_prepare(girt__park *park);
/* Takes it back: the condition held. */
void girt__park_cancel(girt__park *park);
/* Sleeps until a wake after prepare gave `key`, or until the monotonic clock
 * reaches deadline_ns (GIRT_FOREVER: no limit). false: the deadline passed.
 * Ends what prepare began. */
bool girt__park_wait(girt__park *park, uint32_t key, int64_t deadline_ns);
/* Wakes up to `count` of those asleep; the caller has made the condition true
 * with a store or read-modify-write of any order. One that has prepared but
 * not fallen asleep yet does not sleep, and is not counted. */
void girt__park_wake(girt__park *park, uint32_t count);

/* now + timeout on the monotonic clock, saturating; GIRT_FOREVER stays. */
int64_t girt__deadline(int64_t timeout_ns);

#endif /* GIRT_CORE_PARK_H */
