/* SPDX-License-Identifier: MIT */
/* limiter.h - admit at most a burst, and a rate after that.
 *
 * In any window of w ns, whatever the threads and however stale their `now`,
 * the tokens admitted are at most
 *
 *     burst + w * limit / period_ns                                      (I1)
 *
 * and a caller who always asks gets limit tokens a period in the long run: the
 * three integers of a rate are used as they are, nothing is rounded to
 * nanoseconds.  (A reservation counts at its act_at_ns.  Where set_rate falls
 * into the window, the larger of both rates bounds it.)
 *
 * The algorithm is GCRA, the generic cell rate algorithm (ITU-T I.371; Turner,
 * "New directions in communications", 1986): one 64-bit word keeps the
 * theoretical arrival time of the next token.
 *
 *                take  peek  reserve  cancel  wait  set_rate  take_all destroy
 *   take          -     -      -        -      -       -         -        X
 *   peek          -     -      -        -      -       -         -        X
 *   reserve       -     -      -        -      -       -         -        X
 *   cancel        -     -      -        X*     -       -         -        X
 *   wait          -     -      -        -      -       -         -        X
 *   set_rate      -     -      -        -      -       -         -        X
 *   take_all      -     -      -        -      -       -         -        X
 *   destroy       X     X      X        X      X       X         X        X
 *
 * X: the caller excludes them; X*: of the same reservation.
 *
 * Empty and full: LIMITED only if at an instant within the call fewer than the
 * tokens asked for were there.  Not so while take_all takes back what it took
 * (see there), nor for tokens that other threads hold on lease.
 * Progress: take, take_at, peek, reserve, cancel and take_all are lock-free, a
 * refusal writes nothing (with metrics: its thread's count), and a thread that
 * stops anywhere in them stops nobody.  set_rate, and in a limiter with leases a thread's first take and
 * its end, run under a mutex that no take waits for.  wait sleeps.
 * Time: now_ns is the limiter's clock's time.  A clock that goes back adds no
 * tokens: a call with an older now_ns is decided as of then, on top of all that
 * was admitted since.  A time that is far from that of create or the last
 * set_rate (18 years where limit / period_ns is 1 / n in lowest terms, 8.6 s at
 * the finest rates) moves the limiter's base, under the mutex, by trylock.
 * Fork: the child has a copy; leases of the threads that it does not have are
 * given back there.  Create limiters before fork, or do not fork while another
 * thread is inside set_rate or its first leased take.
 * Signals: take, take_at and peek on a limiter without leases are
 * async-signal-safe if its clock is (the monotonic one is); with metrics, in a
 * thread that has used a girt object before. */
#ifndef GIRT_LIMITER_H
#define GIRT_LIMITER_H

#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Where objects report to: metrics.h. */
typedef struct girt_metrics girt_metrics;

/** The largest limit of a girt_rate. */
#define GIRT_RATE_LIMIT_MAX (UINT64_C(1) << 62)
/** The largest burst of a girt_rate. */
#define GIRT_RATE_BURST_MAX (UINT64_C(1) << 59)
/** The most limiters that one girt_limiter_take_all takes. */
#define GIRT_TAKE_ALL_MAX   32

/** A rate in exact integers: 3 tokens per 7 s is {3, 7000000000, burst}. */
typedef struct girt_rate {
    /** Tokens a period, 0 to GIRT_RATE_LIMIT_MAX, and at most 2^26 a ns;
     * 0: the burst once, and nothing after it. */
    uint64_t limit;
    /** Nanoseconds, 1 to INT64_MAX. */
    int64_t period_ns;
    /** Tokens that can be taken at once after a rest, 1 to
     * GIRT_RATE_BURST_MAX. */
    uint64_t burst;
} girt_rate;

/** What a limiter answers, with what a client wants to know. */
typedef struct girt_decision {
    /** GIRT_OK, GIRT_LIMITED: later, or GIRT_NEVER: more than the burst. */
    girt_status status;
    /** Tokens that could be taken right now, after this call. */
    uint64_t remaining;
    /** 0 when OK; else the same call will pass that much later and not a
     * nanosecond earlier, if nobody else takes; INT64_MAX: never. */
    int64_t retry_after_ns;
    /** Nanoseconds until the burst is whole, if nobody takes; INT64_MAX: never
     * (limit 0). */
    int64_t reset_after_ns;
} girt_decision;

/** One limit for whoever shares it. */
typedef struct girt_limiter girt_limiter;

/** How a limiter is made. Zero is the default of every field but rate. */
typedef struct girt_limiter_options {
    /** The rate to begin with; the burst is there at once. */
    girt_rate rate;
    /** The clock of take, wait and the others; zero: monotonic. */
    girt_clock clock;
    /** Tokens that a thread takes off the shared word at a time and then hands
     * out to itself, without reading a clock; 0 to rate.burst, 0: none.
     *
     * I1 holds, because a lease is a piece of the burst: what threads hold, or
     * held before a rest, is missing from what others can take at once.  At
     * most half of the burst is out, so that a lease of more than half is
     * none; a request for more than the rest calls all leases in, and what
     * they held is lost.  A thread's times must not go back, and take_all,
     * reserve and another thread's peek see the shared part only. */
    uint64_t lease;
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
} girt_limiter_options;

/**
 * Makes a limiter whose burst is there.
 *
 * @param out  set on GIRT_OK only.
 * @param options  copied; its allocator must outlive the limiter.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, a field out of range; GIRT_E_NOMEM.
 *          With metrics also GIRT_E_INVALID: no name, or one that is not UTF-8;
 *          GIRT_E_BUSY: another limiter reports there by this name.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: what happened before it is seen by whoever is handed the limiter.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_create(girt_limiter **out,
                                         const girt_limiter_options *options);

/**
 * Frees a limiter that no other call is in or will be; NULL does nothing.
 *
 * @param limiter  gone afterwards.
 *
 * Threads: one, excluding all others on this limiter.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_limiter_destroy(girt_limiter *limiter);

/**
 * Takes tokens now, by the limiter's clock, all of them or none.
 *
 * @param limiter  the limiter.
 * @param tokens  how many; 0 asks whether the limiter is not in debt.
 * @param decision  NULL, or filled on GIRT_OK, GIRT_LIMITED and GIRT_NEVER.
 * With leases it costs the clock that a lease saves.
 * @return  GIRT_OK: taken; GIRT_LIMITED: too soon, nothing written;
 * GIRT_NEVER: more than the burst; GIRT_E_INVALID: limiter is NULL.
 *
 * Threads: any.
 * Progress: lock-free: a retry means that another call succeeded.
 * Order: none: it orders no other memory.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_take(girt_limiter *limiter, uint64_t tokens,
                                       girt_decision *decision);

/**
 * The same at a time that the caller has read already: a clock costs more than
 * the decision.
 *
 * @param limiter  the limiter.
 * @param tokens  how many.
 * @param now_ns  the time of the limiter's clock; a stale one is safe.
 * @param decision  NULL, or filled as by girt_limiter_take.
 * @return  as girt_limiter_take.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_take_at(girt_limiter *limiter,
                                          uint64_t tokens, int64_t now_ns,
                                          girt_decision *decision);

/**
 * What girt_limiter_take would answer now; takes nothing, writes nothing.
 *
 * With leases, remaining is what the calling thread could take: its own lease
 * and what is shared.
 *
 * @param limiter  the limiter.
 * @param tokens  how many.
 * @param decision  NULL, or filled; remaining counts the tokens asked for too.
 * @return  as girt_limiter_take.
 *
 * Threads: any.
 * Progress: lock-free: a retry means that another call succeeded.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_peek(const girt_limiter *limiter,
                                       uint64_t tokens,
                                       girt_decision *decision);

/**
 * Takes tokens, waiting for its turn.
 *
 * The turn is decided at once: a caller whose turn would come after the time
 * limit is told so without waiting, and nothing is taken.  Turns are first
 * come, first served.  The wait ends when the limiter's clock says so, never
 * before: with the monotonic and coarse clocks the thread sleeps until then;
 * any other clock is read again after sleeps of at most 1 ms, so a manual
 * clock that another thread moves ends it, and one that stands still does not.
 *
 * @param limiter  the limiter.
 * @param tokens  how many.
 * @param timeout_ns  on the limiter's clock; GIRT_NOW or less: no wait;
 * GIRT_FOREVER: as long as it takes.
 * @return  GIRT_OK: taken, and the time has come; GIRT_TIMEOUT: it would not
 * come in time (nor ever, when limit is 0 and the burst is spent); GIRT_NEVER:
 * more than the burst; GIRT_E_INVALID: limiter is NULL.
 *
 * Threads: any.
 * Progress: blocking.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_wait(girt_limiter *limiter, uint64_t tokens,
                                       int64_t timeout_ns);

/** A turn taken ahead of time; see girt_limiter_reserve. */
typedef struct girt_reservation {
    /** When to act, on the limiter's clock. */
    int64_t act_at_ns;
    /** What was reserved; 0 once cancelled. */
    uint64_t tokens;
    /** The limiter's. */
    uint64_t opaque[2];
} girt_reservation;

/**
 * Takes tokens that will be there later, and says when.
 *
 * @param limiter  the limiter.
 * @param tokens  how many.
 * @param max_wait_ns  the longest wait to accept, 0 and up; less is taken as 0,
 * INT64_MAX accepts any.
 * @param reservation  filled on GIRT_OK, else untouched.
 * @return  GIRT_OK; GIRT_LIMITED: the wait would be longer, nothing taken;
 * GIRT_NEVER: more than the burst; GIRT_E_INVALID: a NULL.
 *
 * Threads: any.
 * Progress: lock-free: a retry means that another call succeeded.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_reserve(girt_limiter *limiter,
                                          uint64_t tokens, int64_t max_wait_ns,
                                          girt_reservation *reservation);

/**
 * Gives a reservation back that was not used.
 *
 * Gives back its tokens less those that were taken or reserved after it, which
 * were promised their times on top of it; nothing when act_at_ns has passed,
 * and nothing the second time.
 *
 * @param limiter  the limiter that made it; NULL does nothing.
 * @param reservation  its tokens become 0; NULL does nothing.
 *
 * Threads: any; one at a time for one reservation.
 * Progress: lock-free: a retry means that another call succeeded.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_limiter_cancel(girt_limiter *limiter,
                                  girt_reservation *reservation);

/**
 * Changes the rate while the limiter is in use.
 *
 * The tokens that are there stay, clipped to the new burst; debts by
 * reservations stay, in tokens, and times already promised stand.  With the
 * clock standing still no token comes into being.  Each concurrent call is
 * decided by the old rate or by the new one, whole.
 *
 * @param limiter  the limiter.
 * @param rate  the new rate; if its burst is less than twice what is out on
 * lease, leases are called in and what they held is lost.
 * @return  GIRT_OK; GIRT_E_INVALID: NULL or a field out of range;
 * GIRT_E_TOO_LARGE: the reservations outstanding do not fit the new rate (they
 * are over 2^59 ns and twice the burst ahead); GIRT_E_BUSY: of a limiter that
 * processes share, one that is stopped in a change keeps others from changing
 * it. Nothing changed but on GIRT_OK.
 *
 * Threads: any.
 * Progress: blocking among calls of set_rate; nobody else waits for it.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_set_rate(girt_limiter *limiter,
                                           girt_rate rate);

/**
 * Takes tokens from several limiters, from all or from none: user AND tenant
 * AND global.
 *
 * Looks at all before it takes from any, so a refusal usually writes nothing.
 * If one refuses after all, what was taken is given back by the rule of
 * girt_limiter_cancel; between, others may be refused for it, and tokens that
 * cannot be given back strictly within I1 are lost.
 *
 * @param limiters  `count` different limiters.
 * @param count  1 to GIRT_TAKE_ALL_MAX.
 * @param tokens  how many from each.
 * @param refused_by  NULL, or set unless GIRT_OK to the index of the limiter
 * with the largest retry_after_ns; the first of them.
 * @param decision  NULL, or filled: that limiter's, or on GIRT_OK that of the
 * limiter with the fewest tokens left.
 * @return  GIRT_OK; GIRT_LIMITED or GIRT_NEVER: that limiter's answer;
 * GIRT_E_INVALID: a NULL, count 0, the same limiter twice; GIRT_E_TOO_LARGE:
 * count is over the maximum.
 *
 * Threads: any.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_limiter_take_all(girt_limiter *const limiters[],
                                           size_t count, uint64_t tokens,
                                           size_t *refused_by,
                                           girt_decision *decision);

/**
 * Writes a decision as HTTP header lines, each ended by CR LF.
 *
 *     RateLimit-Policy: "default";q=100;w=60;girt-burst=20
 *     RateLimit: "default";r=0;t=3
 *     Retry-After: 3
 *
 * RateLimit-Policy and RateLimit are those of the IETF draft "RateLimit header
 * fields for HTTP", revision 11 (draft-ietf-httpapi-ratelimit-headers-11).
 * w is the period in whole seconds, rounded up, and q what the limit allows in
 * them, rounded down.  t is the time until the limiter is full or, in a
 * refusal, until the request may be repeated; seconds are rounded up.  t and
 * Retry-After are left out where they would be "never"; Retry-After stands in
 * refusals only.  Integers stop at 999999999999999 (RFC 8941).
 *
 * @param decision  the answer of a call with `rate` in force.
 * @param rate  that rate.
 * @param buffer  size bytes; may be NULL when size is 0.
 * @param size  bytes in buffer; what fits is written, ended by NUL if size > 0.
 * @return  bytes of the whole text without its NUL, as snprintf; 0 when an
 * argument is NULL or rate->period_ns is not positive.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API size_t girt_decision_headers(const girt_decision *decision,
                                      const girt_rate *rate, char *buffer,
                                      size_t size);

GIRT_END

#endif /* GIRT_LIMITER_H */
