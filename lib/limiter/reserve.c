/* SPDX-License-Identifier: MIT */
/* reserve.c - turns taken ahead of time, giving them back, and waiting.
 *
 * What was admitted after a reservation was promised its time on top of it.
 * Taking the whole reservation away would let newcomers in beside those
 * promises, so cancel gives back n * cost less what the mark grew by since, as
 * golang.org/x/time/rate does: at the time of the last promise the bucket then
 * holds what the reservation held, and no more.  A give-back that leaves such a
 * rest moves the mark, but not the promises, back; so `promised` keeps how far
 * they reach, and the next one counts from there.
 *
 * This counts only if the mark grew by tokens, not by a rest (a bucket that was
 * full starts again at the present).  It did not while the time is before the
 * mark that the reservation left: for cancel because act_at_ns has not passed,
 * for take_all by looking.  The clock is read after the word for that.
 *
 * R6 (limiter.c, acquire and take_by) -> A6: takes by times that the clock has
 *     shown are in the word only when the clock is seen to be there.  Else a
 *     cancel that comes too late would think itself in time. */
#include <girt/limiter.h>

#include <time.h>

#include "core/atomic.h"
#include "core/clock_internal.h"
#include "limiter/limiter_internal.h"

enum { POLL_NS = 1000000, SECOND_NS = 1000000000 };

static girt_status reserve(girt_limiter *limiter, uint64_t tokens,
                           int64_t max_wait_ns, girt_reservation *reservation)
{
    girt__sight sight;
    int64_t wait_ns;
    int64_t const now_ns = girt__clock_now(&limiter->clock);
    girt_status const status = girt__limiter_acquire(
        limiter, tokens, now_ns, max_wait_ns < 0 ? 0 : max_wait_ns, &sight,
        &wait_ns);
    if (status != GIRT_OK)
        return status;
    if (__builtin_add_overflow(now_ns, wait_ns, &reservation->act_at_ns))
        reservation->act_at_ns = INT64_MAX;
    reservation->tokens = tokens;
    reservation->opaque[0] = sight.word;
    reservation->opaque[1] = sight.generation;
    return GIRT_OK;
}

girt_status girt_limiter_reserve(girt_limiter *limiter, uint64_t tokens,
                                 int64_t max_wait_ns,
                                 girt_reservation *reservation)
{
    if (limiter == NULL || reservation == NULL)
        return GIRT_E_INVALID;
    girt_status const status =
        reserve(limiter, tokens, max_wait_ns, reservation);
    girt__limiter_told(limiter, tokens, status);
    return status;
}

/* What was admitted after the mark that `word` stands for, in marks. */
static int64_t grown_since(const girt__sight *sight, uint64_t word,
                           uint64_t generation, int64_t act_at_ns, int64_t back)
{
    int64_t grown;
    if (sight->generation == generation)
        grown = (int64_t)(sight->word - word);
    else /* act_at_ns was rounded up: one less is on the strict side */
        grown = sight->mark - sight->gcra.room -
                girt__gcra_time(&sight->gcra, act_at_ns - 1);
    grown += back;
    return grown < 0 ? 0 : grown;
}

static void raise_to(uint64_t *furthest, uint64_t word)
{
    uint64_t seen = girt_load_relaxed(furthest);
    /* A round fails only if another give-back raised it. */
    while ((int64_t)(word - seen) > 0 &&
           !girt_cas_relaxed(furthest, &seen, word))
        ;
}

/* By how much the word was moved back behind what others were promised: an
 * earlier give-back did so, and what was promised then still stands. */
static int64_t moved_back(const girt_limiter *limiter, uint64_t word)
{
    /* A5 <- R5 (give_back): read after the word that the give-back left. */
    uint64_t const promised = girt_load_relaxed(&limiter->promised);
    int64_t const back = (int64_t)(promised - word);
    return back < 0 ? 0 : back;
}

void girt__limiter_give_back(girt_limiter *limiter, uint64_t tokens,
                             uint64_t word, uint64_t generation,
                             int64_t act_at_ns, bool reserved)
{
    /* A round fails only if another call moved the word. */
    for (;;) {
        girt__sight sight;
        girt__limiter_look(limiter, &sight); /* A6 <- R6, by A1's acquire */
        int64_t const now_ns = girt__clock_now(&limiter->clock);
        int64_t const back = moved_back(limiter, sight.word);
        int64_t const grown =
            grown_since(&sight, word, generation, act_at_ns, back);
        if (reserved) {
            if (act_at_ns < now_ns)
                return;
        } else if (sight.generation != generation ||
                   (grown > 0 && girt__gcra_time_up(&sight.gcra, now_ns) >
                                     sight.mark - grown)) {
            return;
        }
        uint64_t given;
        if (__builtin_mul_overflow(tokens, sight.gcra.cost, &given) ||
            given > (uint64_t)GIRT__MARK_SPAN)
            given = (uint64_t)GIRT__MARK_SPAN;
        if ((int64_t)given <= grown)
            return;
        int64_t to = sight.mark - ((int64_t)given - grown);
        if (to < sight.floor)
            to = sight.floor;
        if (to >= sight.mark)
            return;
        raise_to(&limiter->peak, sight.word);
        if (grown > 0)
            raise_to(&limiter->promised, sight.word);
        uint64_t seen = sight.word;
        /* R3 -> A3 (limiter_rate.c), R5 -> A5: these before the word goes
         * back. */
        if (girt_cas_release(&limiter->word, &seen,
                             sight.word - (uint64_t)(sight.mark - to)))
            return;
    }
}

void girt_limiter_cancel(girt_limiter *limiter, girt_reservation *reservation)
{
    if (limiter == NULL || reservation == NULL || reservation->tokens == 0)
        return;
    uint64_t const tokens = reservation->tokens;
    reservation->tokens = 0;
    girt__limiter_give_back(limiter, tokens, reservation->opaque[0],
                            reservation->opaque[1], reservation->act_at_ns,
                            true);
}

static void sleep_ns(int64_t span_ns)
{
    struct timespec const span = {.tv_sec = (time_t)(span_ns / SECOND_NS),
                                  .tv_nsec = (long)(span_ns % SECOND_NS)};
    /* A signal ends it early; the caller looks at its clock. */
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL);
}

/* Returns when the limiter's clock is at act_at_ns or later. */
static void sleep_until(const girt_clock *clock, int64_t act_at_ns)
{
    bool const real = clock->now_ns == girt_clock_monotonic.now_ns ||
                      clock->now_ns == girt_clock_coarse.now_ns;
    int64_t now_ns = girt__clock_now(clock);
    while (now_ns < act_at_ns) {
        uint64_t const left = (uint64_t)act_at_ns - (uint64_t)now_ns;
        int64_t const span = left > INT64_MAX ? INT64_MAX : (int64_t)left;
        sleep_ns(real || span < POLL_NS ? span : POLL_NS);
        now_ns = girt__clock_now(clock);
    }
}

girt_status girt_limiter_wait(girt_limiter *limiter, uint64_t tokens,
                              int64_t timeout_ns)
{
    if (limiter == NULL)
        return GIRT_E_INVALID;
    if (limiter->lease != 0) {
        girt_status const status =
            girt__lease_take(limiter, tokens, NULL, NULL);
        if (status != GIRT_LIMITED) {
            girt__limiter_told(limiter, tokens, status);
            return status;
        }
    }
    girt_reservation turn;
    girt_status const status = reserve(limiter, tokens, timeout_ns, &turn);
    girt__limiter_told(limiter, tokens, status);
    if (status == GIRT_LIMITED)
        return GIRT_TIMEOUT;
    if (status == GIRT_OK)
        sleep_until(&limiter->clock, turn.act_at_ns);
    return status;
}
