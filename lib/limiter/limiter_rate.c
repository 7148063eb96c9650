/* SPDX-License-Identifier: MIT */
/* limiter_rate.c - changing the rate under a limiter that is in use.
 *
 * The word names one of two sides.  A change fills the other and swaps the
 * word for one that names it; every take decided by then is in the word that
 * was swapped, every later one reads the new side.  A take that read the old
 * side meanwhile fails its swap and decides again (I2 of limiter_internal.h).
 *
 * R1 -> A1 (limiter.c, look and take_now): the side's fields are visible with
 *     the word that names it.
 *
 * R2 -> A2 (limiter.c, look and take_by): the fence before the fields.  Who
 *     sees a field of this change sees the word of the change before it, which
 *     named the other side; so he cannot mistake these fields for those of his
 *     older word. */
#include <girt/limiter.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/clock_internal.h"
#include "limiter/limiter_internal.h"

__extension__ typedef __int128 wide;

bool girt__limiter_switch(girt_limiter *limiter, const girt__sight *seen,
                          const girt__gcra *gcra, int64_t mark, int64_t floor)
{
    girt_assert(floor <= mark);
    uint64_t const name = ~seen->word & 1;
    girt__side *const side = &limiter->sides[name];
    /* A3 <- R3 (reserve.c): read after the word that the give-back left. */
    uint64_t const peak = girt_load_relaxed(&limiter->peak);
    uint64_t const top = (int64_t)(peak - seen->word) > 0 ? peak : seen->word;
    uint64_t const origin =
        (((top | 1) + 1 - (uint64_t)floor) & ~UINT64_C(1)) | name;
    girt_fence_release(); /* R2 -> A2 */
    girt_store_relaxed(&side->gcra.base_ns, gcra->base_ns);
    girt_store_relaxed(&side->gcra.tick, gcra->tick);
    girt_store_relaxed(&side->gcra.den, gcra->den);
    girt_store_relaxed(&side->gcra.cost, gcra->cost);
    girt_store_relaxed(&side->gcra.room, gcra->room);
    girt_store_relaxed(&side->gcra.reach_ns, gcra->reach_ns);
    girt_store_relaxed(&side->gcra.burst, gcra->burst);
    girt_store_relaxed(&side->origin, origin);
    girt_store_relaxed(&side->generation, seen->generation + 1);
    girt_store_relaxed(&side->floor, floor);
    uint64_t word = seen->word;
    return girt_cas_acq_rel(&limiter->word, &word,
                            origin + (uint64_t)mark); /* R1 -> A1 */
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

bool girt__sight_rebase(girt__sight *sight, int64_t now_ns)
{
    girt__gcra *const g = &sight->gcra;
    if (sight->mark != GIRT__MARK_FRESH) {
        if (now_ns < g->base_ns)
            return false;
        wide const after = (wide)now_ns - g->base_ns;
        wide const time = g->den == 1
                              ? after * (wide)g->tick
                              : after * (wide)g->tick / (wide)g->den * 2;
        wide const moved = (wide)sight->mark - time;
        sight->mark =
            moved < -GIRT__MARK_TIME ? -GIRT__MARK_TIME : (int64_t)moved;
    }
    g->base_ns = now_ns;
    return true;
}

bool girt__limiter_rebase(girt_limiter *limiter, int64_t now_ns)
{
    if (!girt__limiter_try_lock(limiter))
        return false;
    bool done = false;
    /* A round fails only if another call moved the word. */
    for (;;) {
        girt__sight seen;
        girt__limiter_look(limiter, &seen);
        if (girt__gcra_near(seen.gcra.base_ns, seen.gcra.reach_ns, now_ns)) {
            done = true; /* somebody else did */
            break;
        }
        girt__sight next = seen;
        if (!girt__sight_rebase(&next, now_ns))
            break;
        if (girt__limiter_switch(limiter, &seen, &next.gcra, next.mark,
                                 smaller(next.mark, 0))) {
            done = true;
            break;
        }
    }
    girt__limiter_unlock(limiter);
    return done;
}

/* Where the bucket stands under the new rate, whose base is now_ns.  false: too
 * far ahead to be written down. */
static bool translate(const girt__sight *seen, const girt__gcra *to,
                      int64_t now_ns, int64_t *mark)
{
    const girt__gcra *const from = &seen->gcra;
    int64_t const time = girt__gcra_time(from, now_ns);
    int64_t const owed = seen->mark > time ? seen->mark - time : 0;
    /* What can be taken, in marks; less than 0: reserved ahead. */
    wide const there = (wide)(from->room - owed) * (wide)to->cost;
    wide kept = there / (wide)from->cost;
    if (there % (wide)from->cost != 0)
        kept = (kept - (there < 0)) & ~(wide)1;
    else
        kept &= ~(wide)1;
    if (kept < to->room) {
        wide const moved = to->room - kept;
        if (moved > GIRT__MARK_SPAN)
            return false;
        *mark = (int64_t)moved;
        return true;
    }
    /* Full before and after: since when, stays. */
    *mark = GIRT__MARK_FRESH;
    if (seen->mark == GIRT__MARK_FRESH || from->tick == 0)
        return true;
    wide const full_at =
        (wide)from->base_ns + girt__gcra_offset(from, seen->mark);
    if (full_at >= now_ns)
        *mark = 0;
    else if (full_at >= INT64_MIN)
        *mark = girt__gcra_time_up(to, (int64_t)full_at);
    if (*mark < -GIRT__MARK_TIME)
        *mark = -GIRT__MARK_TIME;
    return true;
}

girt_status girt_limiter_set_rate(girt_limiter *limiter, girt_rate rate)
{
    if (limiter == NULL)
        return GIRT_E_INVALID;
    girt__gcra gcra;
    girt_status status =
        girt__gcra_set(&gcra, &rate, (uint64_t)1 << 27, GIRT__MARK_TIME);
    if (status != GIRT_OK)
        return status;
    int64_t const whole = gcra.room;
    if (!girt__limiter_lock(limiter))
        return GIRT_E_BUSY;
    /* A round fails only if another call moved the word. */
    for (;;) {
        girt__sight seen;
        girt__limiter_look(limiter, &seen);
        int64_t const now_ns = girt__clock_now(&limiter->clock);
        if (limiter->leased > rate.burst / 2)
            girt__lease_recall_locked(limiter, now_ns);
        girt__limiter_look(limiter, &seen);
        gcra.base_ns = now_ns;
        gcra.room = whole - (int64_t)(limiter->leased * gcra.cost);
        int64_t mark;
        if (!translate(&seen, &gcra, now_ns, &mark)) {
            status = GIRT_E_TOO_LARGE;
            break;
        }
        if (girt__limiter_switch(limiter, &seen, &gcra, mark, smaller(mark, 0)))
            break;
    }
    girt__limiter_unlock(limiter);
    return status;
}
