/* SPDX-License-Identifier: MIT */
/* thread.h - which thread this is, and hearing of its end. */
#ifndef GIRT_CORE_THREAD_H
#define GIRT_CORE_THREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cacheline.h"

/* Threads that have an index at the same time, at most; a multiple of 64. */
#ifndef GIRT__THREADS_MAX
#define GIRT__THREADS_MAX 65536
#endif

/* A small dense number of the calling thread, 0 and up: the lowest that is
 * free at its first call, kept until it ends, then given to another.  A thread
 * beyond GIRT__THREADS_MAX at once shares the last index, and so does one whose
 * end was told (late destructors of its thread-local data).  A load: the call
 * that it was cost 1 ns of a breaker's record of 8. */
static inline uint32_t girt__thread_index(void);

/* thread.c's: this thread's number plus one; 0: none yet. */
extern _Thread_local uint32_t girt__thread_own;
uint32_t girt__thread_first_call(void);

static inline uint32_t girt__thread_index(void)
{
    uint32_t const own = girt__thread_own;
    return girt_likely(own != 0) ? own - 1 : girt__thread_first_call();
}

/* Told of each thread that ends, in that thread, before its index is free
 * again (of the last index: of each thread that shares it); and, in a fork's
 * child, of every thread that the fork left behind. */
typedef struct girt__thread_observer {
    void (*ended)(struct girt__thread_observer *self, uint32_t thread_index);
    /* Around a fork, where the observer has locks of its own to take first and
     * then give back, after `ended` was told of those left behind; or NULL.
     * They run under the list's mutex, as `ended` does, so that both take
     * locks in the same order. */
    void (*before_fork)(struct girt__thread_observer *self);
    void (*after_fork)(struct girt__thread_observer *self, bool in_child);
    struct girt__thread_observer *next, *previous; /* thread.c's */
} girt__thread_observer;

/* One mutex guards the list; `ended` runs under it, so it must not call these
 * two.  After unobserve returns, `ended` neither runs nor will. */
void girt__thread_observe(girt__thread_observer *observer);
void girt__thread_unobserve(girt__thread_observer *observer);

#endif /* GIRT_CORE_THREAD_H */
