/* SPDX-License-Identifier: MIT */
/* gcra_internal.h - the arithmetic of a rate, on a line of integer marks.
 *
 * Time and tokens share one line.  A token costs `cost` marks and a nanosecond
 * passes `tick / den` of them, so that cost / (tick / den) is period / limit
 * exactly, whatever the rate: no rate is ever rounded.  A bucket is one mark,
 * the theoretical arrival time: at or before the time's mark it is full, and
 * `room` marks after it it is empty.
 *
 * Marks are even; the bit below belongs to whoever stores them.
 *
 * den is 1 for every usual rate, and then the marks of a whole nanosecond are
 * whole.  Otherwise a bucket that was full starts again at a mark rounded up,
 * less than 1 / (cost / 2) of a token late; comparisons stay exact, because
 * mark + cost <= the real time and mark + cost <= its floor say the same. */
#ifndef GIRT_LIMITER_GCRA_INTERNAL_H
#define GIRT_LIMITER_GCRA_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include <girt/limiter.h>

/* A bucket that nobody ever took from: before all times. */
#define GIRT__MARK_FRESH (-(INT64_C(1) << 62))
/* The most that a bucket may owe beyond `room`, by reservations. */
#define GIRT__MARK_SPAN  (INT64_C(1) << 61)
/* The most marks of a whole burst. */
#define GIRT__MARK_ROOM  (INT64_C(1) << 60)
/* Times lie within +- this of the base in a limiter, which can move its base,
 * and within twice that in a keyed limiter, which cannot. */
#define GIRT__MARK_TIME  (INT64_C(1) << 60)

typedef struct girt__gcra {
    int64_t base_ns; /* the time whose mark is 0 */
    uint64_t tick;   /* den 1: marks a ns, even; else half marks per den ns */
    uint64_t den;    /* nanoseconds for which tick holds */
    uint64_t cost;   /* marks a token, even */
    int64_t room;    /* marks that may be owed: the burst less what is leased */
    uint64_t reach_ns; /* times within +- this of the base need no more care */
    uint64_t burst;    /* tokens; who asks for more is told NEVER */
} girt__gcra;

/* Fills all but base_ns.  `marks_per_ns` bounds how fine the line is, `time`
 * how far it goes.  GIRT_E_INVALID: out of the ranges in girt/limiter.h. */
girt_status girt__gcra_set(girt__gcra *g, const girt_rate *rate,
                           uint64_t marks_per_ns, int64_t time);

/* The mark of now_ns, rounded down and up; out of reach it is clamped so that
 * nobody gets more (2^61 marks back, the end of the reach forward). */
int64_t girt__gcra_time(const girt__gcra *g, int64_t now_ns);
int64_t girt__gcra_time_up(const girt__gcra *g, int64_t now_ns);

/* How long after now_ns the time's mark is `mark` or more: 0 when it is,
 * INT64_MAX when that is never or more than an int64_t away. Exact. */
int64_t girt__gcra_until(const girt__gcra *g, int64_t mark, int64_t now_ns);

/* The first instant, as nanoseconds after the base, whose mark is `mark` or
 * more; INT64_MIN and INT64_MAX stand for beyond. */
int64_t girt__gcra_offset(const girt__gcra *g, int64_t mark);

/* Answers for a bucket at `mark` as seen at now_ns: remaining and
 * reset_after_ns. */
void girt__gcra_describe(const girt__gcra *g, int64_t mark, int64_t now_ns,
                         girt_decision *decision);

/* What girt__gcra_describe says of a bucket that owes `owed` marks, for the
 * usual rates: den is 1, tick not 0. */
static inline void girt__gcra_describe_whole(girt_decision *decision,
                                             int64_t owed, int64_t room,
                                             uint64_t cost, uint64_t tick)
{
    if (owed < 0)
        owed = 0;
    decision->remaining = owed >= room ? 0 : (uint64_t)(room - owed) / cost;
    decision->reset_after_ns = (int64_t)(((uint64_t)owed + tick - 1) / tick);
}

/* Whether now_ns is near enough to the base for the short way. */
static inline bool girt__gcra_near(int64_t base_ns, uint64_t reach_ns,
                                   int64_t now_ns)
{
    int64_t after;
    if (__builtin_sub_overflow(now_ns, base_ns, &after))
        return false;
    return (uint64_t)after + reach_ns <= 2 * reach_ns;
}

#endif /* GIRT_LIMITER_GCRA_INTERNAL_H */
