/* SPDX-License-Identifier: MIT */
/* limiter_internal.h - the limiter's layout, shared by its files.
 *
 *   word = origin of a side + mark          bit 0: which side
 *   sides[0], sides[1]: the rate in force, and the one before or after it
 *
 * One compare-and-swap of `word` is every admission, every give-back and every
 * change of rate.  A change fills the side that the word does not name, then
 * moves the word to it.
 *
 * I1: a side is written only while the word names the other one, under the
 *     mutex.
 * I2: words of a later generation lie ahead of all words of the earlier ones
 *     (origins are chosen so; `peak` remembers the words that give-backs left).
 *     Hence a word that still is what it was names the same generation, and a
 *     compare-and-swap that succeeds proves that the side was whole while it
 *     was read.  It would take a thread that stands still while 2^62 marks pass
 *     (at 2 marks a ns, 73 years) to break that. */
#ifndef GIRT_LIMITER_LIMITER_INTERNAL_H
#define GIRT_LIMITER_LIMITER_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include <girt/limiter.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/report.h"
#include "core/thread.h"
#include "limiter/gcra_internal.h"

enum {
    GIRT__LEASE_FIRST = 8,  /* leases in the first block of them */
    GIRT__LEASE_BLOCKS = 14 /* each twice the one before: 65536 and more */
};

/* A rate with its place on the circle of words.  Relaxed atomics: a reader may
 * meet the writer, and finds out by the word. */
typedef struct girt__side {
    girt__gcra gcra;
    uint64_t origin; /* the word of mark 0; bit 0 is the side's */
    GIRT_ALIGNED(GIRT_CACHELINE) uint64_t generation;
    int64_t floor; /* give-backs stop at this mark, for I2 */
} girt__side;
_Static_assert(offsetof(girt__side, generation) == GIRT_CACHELINE,
               "what a take reads is one line");

/* One thread's tokens; only that thread touches it, or whoever buries it. */
typedef struct girt__lease {
    uint64_t tokens;
    uint64_t epoch; /* the limiter's lease_epoch, else the tokens are void */
    uint64_t padding[6];
} girt__lease;
_Static_assert(sizeof(girt__lease) == GIRT_CACHELINE, "a lease owns its line");

/* The first half is the process's own.  The second, from `sides` on, may be in
 * memory that several processes share (limiter_shared.c). */
struct girt_limiter {
    /* Written at create. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt_clock clock;
    uint64_t lease;
    girt__report *report; /* or NULL */
    girt_allocator allocator;
    girt__thread_observer observer;
    size_t shared_bytes; /* of the second half's mapping; 0: not shared */
    void (*unmap)(void *block, size_t before, size_t bytes); /* of it */
    /* Read by leased calls; written under the mutex. */
    uint64_t lease_epoch; /* moves when all leases are called in */
    uint64_t leased;      /* tokens of burst that leases hold */
    girt__lease *leases[GIRT__LEASE_BLOCKS];
    pthread_mutex_t mutex; /* changes of rate and of leased */
    /* Read by every call, written by changes of rate. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__side sides[2];
    /* In the mutex's place where processes share. */
    uint64_t changing;
    /* Written by every admission. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t word;
    /* The furthest word that a give-back moved back from. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t peak;
    /* The furthest of those words that others had been promised time on. */
    uint64_t promised;
};

/* A word and the side it names, seen at one instant. */
typedef struct girt__sight {
    girt__gcra gcra;
    uint64_t origin;
    uint64_t generation;
    int64_t floor;
    uint64_t word;
    int64_t mark;
} girt__sight;

/* limiter.c */
void girt__limiter_look(const girt_limiter *limiter, girt__sight *sight);
/* Takes from the shared word at now_ns, or reserves up to max_wait_ns ahead.
 * OK, LIMITED or NEVER; *wait_ns says how far ahead, or when to come again.
 * *sight is what was decided on, after the take when it is OK. */
girt_status girt__limiter_acquire(girt_limiter *limiter, uint64_t tokens,
                                  int64_t now_ns, int64_t max_wait_ns,
                                  girt__sight *sight, int64_t *wait_ns);
/* The answer for `tokens` at now_ns if asked of the shared word. */
girt_status girt__limiter_peek_at(const girt_limiter *limiter, uint64_t tokens,
                                  int64_t now_ns, girt_decision *decision);

/* A limiter that takes tokens as `options` say; the second half is zero. */
girt_status girt__limiter_options_check(const girt_limiter_options *options,
                                        girt__gcra *gcra);
void girt__limiter_fill(girt_limiter *limiter, const girt__gcra *gcra,
                        int64_t now_ns);

/* limiter_shared.c: "under the mutex" is between these, whose ever it is. */
bool girt__limiter_try_lock(girt_limiter *limiter);
/* false: a process that is stopped has it. */
bool girt__limiter_lock(girt_limiter *limiter);
void girt__limiter_unlock(girt_limiter *limiter);
/* What a damaged block says is put in the place of by a limiter that refuses
 * all. */
void girt__sight_make_sane(girt__sight *sight);

/* limiter_rate.c; both under the mutex. */
/* Moves from what was seen to `gcra` with the bucket at `mark`; no give-back
 * will pass `floor`.  false: the word moved on, look again. */
bool girt__limiter_switch(girt_limiter *limiter, const girt__sight *seen,
                          const girt__gcra *gcra, int64_t mark, int64_t floor);
/* The same bucket from a base at now_ns, rounded the strict way.  false: what
 * is owed would not fit, now_ns is before the base. */
bool girt__sight_rebase(girt__sight *sight, int64_t now_ns);
/* Brings the base to now_ns if that is out of reach. false: could not, because
 * the mutex is taken or the time is far back. */
bool girt__limiter_rebase(girt_limiter *limiter, int64_t now_ns);

/* reserve.c: returns tokens of an acquire that left `word` behind in
 * `generation` and was to act at act_at_ns; `late` decides what an act_at_ns
 * in the past means. */
void girt__limiter_give_back(girt_limiter *limiter, uint64_t tokens,
                             uint64_t word, uint64_t generation,
                             int64_t act_at_ns, bool reserved);

/* The usual case of a take from the shared word, any case by way of
 * acquire; decision may be NULL. */
girt_status girt__limiter_take_shared(girt_limiter *limiter, uint64_t tokens,
                                      int64_t now_ns, girt_decision *decision);

/* limiter_report.c */
/* Sets limiter->report. */
girt_status girt__limiter_report(girt_limiter *limiter,
                                 const girt_limiter_options *options);
/* Counts an answer; the limiter has a report. */
void girt__limiter_count(const girt_limiter *limiter, uint64_t tokens,
                         girt_status status);

/* The same for one that may have none. */
static inline void girt__limiter_told(const girt_limiter *limiter,
                                      uint64_t tokens, girt_status status)
{
    if (girt_unlikely(limiter->report != NULL))
        girt__limiter_count(limiter, tokens, status);
}

/* Where a thread's lease is; NULL: its block was never needed. */
static inline girt__lease *girt__lease_find(const girt_limiter *limiter,
                                            uint32_t thread_index)
{
    uint32_t const number = thread_index + GIRT__LEASE_FIRST;
    uint32_t const block =
        31 - (uint32_t)__builtin_clz(number / GIRT__LEASE_FIRST);
    /* A4 <- R4 (lease.c): the block's zeros. */
    girt__lease *const leases = girt_load_acquire(&limiter->leases[block]);
    return leases == NULL
               ? NULL
               : &leases[number - ((uint32_t)GIRT__LEASE_FIRST << block)];
}

static inline bool girt__lease_is_open(const girt_limiter *limiter,
                                       const girt__lease *lease)
{
    /* Relaxed: a lease called in at this instant has been charged for. */
    return lease != NULL && girt_load_relaxed(&lease->epoch) ==
                                girt_load_relaxed(&limiter->lease_epoch);
}

/* Pays from what the calling thread holds. */
static inline bool girt__lease_spend(girt_limiter *limiter, uint64_t tokens)
{
    girt__lease *const lease = girt__lease_find(limiter, girt__thread_index());
    if (girt_unlikely(!girt__lease_is_open(limiter, lease)))
        return false;
    uint64_t const held = girt_load_relaxed(&lease->tokens);
    if (held < tokens)
        return false;
    girt_store_relaxed(&lease->tokens, held - tokens);
    return true;
}

/* lease.c */
girt_status girt__lease_take(girt_limiter *limiter, uint64_t tokens,
                             const int64_t *now_ns, girt_decision *decision);
/* Tokens that the calling thread holds. */
uint64_t girt__lease_held(const girt_limiter *limiter);
/* Calls in all leases, at now_ns. false: nothing is out, or the mutex is
 * taken. */
bool girt__lease_recall(girt_limiter *limiter, int64_t now_ns);
/* The same with the mutex held. */
void girt__lease_recall_locked(girt_limiter *limiter, int64_t now_ns);
void girt__lease_ended(girt__thread_observer *observer, uint32_t thread_index);

#endif /* GIRT_LIMITER_LIMITER_INTERNAL_H */
