/* SPDX-License-Identifier: MIT */
/* take_all.c - tokens from several limiters, all or nothing.
 *
 * There is no instant at which several words change together, so: look at all,
 * then take from each in turn, and give back if one refuses after all.  A token
 * that is taken and given back was never admitted, so no bound is broken; what
 * it costs is a refusal that somebody else may meet between. */
#include <girt/limiter.h>

#include "core/clock_internal.h"
#include "limiter/limiter_internal.h"

typedef struct part {
    uint64_t word;
    uint64_t generation;
    int64_t now_ns;
} part;

static girt_status arguments_check(girt_limiter *const limiters[], size_t count)
{
    if (limiters == NULL || count == 0)
        return GIRT_E_INVALID;
    if (count > GIRT_TAKE_ALL_MAX)
        return GIRT_E_TOO_LARGE;
    for (size_t i = 0; i < count; i++) {
        if (limiters[i] == NULL)
            return GIRT_E_INVALID;
        for (size_t k = 0; k < i; k++)
            if (limiters[k] == limiters[i])
                return GIRT_E_INVALID;
    }
    return GIRT_OK;
}

/* One reading serves all limiters with the same clock. */
static void read_clocks(girt_limiter *const limiters[], size_t count,
                        part *parts)
{
    for (size_t i = 0; i < count; i++) {
        const girt_clock *const clock = &limiters[i]->clock;
        const girt_clock *const first = &limiters[0]->clock;
        bool const same = i != 0 && clock->now_ns == first->now_ns &&
                          clock->context == first->context;
        parts[i].now_ns = same ? parts[0].now_ns : girt__clock_now(clock);
    }
}

/* The answer that counts: on refusal the longest wait, else the least left. */
static size_t look_at_all(girt_limiter *const limiters[], size_t count,
                          uint64_t tokens, const part *parts,
                          girt_decision *worst)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        girt_decision d;
        (void)girt__limiter_peek_at(limiters[i], tokens, parts[i].now_ns, &d);
        bool const worse =
            d.status != GIRT_OK
                ? worst->status == GIRT_OK ||
                      d.retry_after_ns > worst->retry_after_ns
                : worst->status == GIRT_OK && d.remaining < worst->remaining;
        if (i == 0 || worse) {
            *worst = d;
            at = i;
        }
    }
    return at;
}

static girt_status refuse(girt_limiter *const limiters[], uint64_t tokens,
                          const girt_decision *worst, size_t at,
                          size_t *refused_by, girt_decision *decision)
{
    girt__limiter_told(limiters[at], tokens, worst->status);
    if (refused_by != NULL)
        *refused_by = at;
    if (decision != NULL)
        *decision = *worst;
    return worst->status;
}

/* Takes from each in turn; the index of the one that refused, or count. */
static size_t take_each(girt_limiter *const limiters[], size_t count,
                        uint64_t tokens, part *parts, girt_decision *worst)
{
    for (size_t i = 0; i < count; i++) {
        girt__sight sight;
        int64_t wait_ns;
        int64_t const now_ns = parts[i].now_ns;
        girt_decision d;
        d.status = girt__limiter_acquire(limiters[i], tokens, now_ns, 0, &sight,
                                         &wait_ns);
        d.retry_after_ns = d.status == GIRT_OK ? 0 : wait_ns;
        girt__gcra_describe(&sight.gcra, sight.mark, now_ns, &d);
        if (i == 0 || d.status != GIRT_OK || d.remaining < worst->remaining)
            *worst = d;
        if (d.status != GIRT_OK)
            return i;
        parts[i].word = sight.word;
        parts[i].generation = sight.generation;
    }
    return count;
}

girt_status girt_limiter_take_all(girt_limiter *const limiters[], size_t count,
                                  uint64_t tokens, size_t *refused_by,
                                  girt_decision *decision)
{
    girt_status const status = arguments_check(limiters, count);
    if (status != GIRT_OK)
        return status;
    part parts[GIRT_TAKE_ALL_MAX];
    read_clocks(limiters, count, parts);
    girt_decision worst = {.status = GIRT_OK};
    size_t at = look_at_all(limiters, count, tokens, parts, &worst);
    if (worst.status != GIRT_OK)
        return refuse(limiters, tokens, &worst, at, refused_by, decision);
    at = take_each(limiters, count, tokens, parts, &worst);
    if (at == count) {
        for (size_t i = 0; i < count; i++)
            girt__limiter_told(limiters[i], tokens, GIRT_OK);
        if (decision != NULL)
            *decision = worst;
        return GIRT_OK;
    }
    for (size_t i = at; i-- > 0;)
        girt__limiter_give_back(limiters[i], tokens, parts[i].word,
                                parts[i].generation, parts[i].now_ns, false);
    girt_decision again = {.status = GIRT_OK};
    size_t const again_at = look_at_all(limiters, count, tokens, parts, &again);
    if (again.status != GIRT_OK && again.retry_after_ns > worst.retry_after_ns)
        return refuse(limiters, tokens, &again, again_at, refused_by, decision);
    return refuse(limiters, tokens, &worst, at, refused_by, decision);
}
