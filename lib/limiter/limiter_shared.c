/* SPDX-License-Identifier: MIT */
/* limiter_shared.c - a limiter over several processes, any of which may be
 * killed at any instruction.
 *
 * Admissions and give-backs are one compare-and-swap of the word, so a killed
 * process has taken its tokens or has not.  A change of rate fills the side
 * that the word does not name and then swaps the word; killed in between it
 * leaves a side that nobody reads, and `changing`, which the next one takes
 * from the dead.
 *
 * Whatever stands in the block, a call must end and not crash: the sight that
 * the slow ways go by is replaced by one that refuses everything if it is
 * nonsense, and the usual way computes without signs and divides by nothing
 * that was not looked at. */
#include "limiter/limiter_shared.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/clock_internal.h"
#include "core/process.h"
#include "limiter/limiter_internal.h"

__extension__ typedef __int128 wide;

/* A change of rate takes microseconds. */
#define PATIENCE_NS INT64_C(500000000)

bool girt__limiter_try_lock(girt_limiter *limiter)
{
    return limiter->shared_bytes != 0
               ? girt__process_try_lock(&limiter->changing)
               : pthread_mutex_trylock(&limiter->mutex) == 0;
}

bool girt__limiter_lock(girt_limiter *limiter)
{
    if (limiter->shared_bytes != 0)
        return girt__process_lock(&limiter->changing, PATIENCE_NS);
    return pthread_mutex_lock(&limiter->mutex) == 0;
}

void girt__limiter_unlock(girt_limiter *limiter)
{
    if (limiter->shared_bytes != 0)
        girt__process_unlock(&limiter->changing);
    else
        (void)pthread_mutex_unlock(&limiter->mutex);
}

/* Whether girt__gcra_set could have given this; no lease is out. */
static bool is_gcra(const girt__gcra *g)
{
    if (g->den == 0 || g->den > INT64_MAX || g->tick > GIRT_RATE_LIMIT_MAX ||
        g->cost < 2 || g->cost % 2 != 0 || g->burst == 0 ||
        g->burst > GIRT_RATE_BURST_MAX || g->room < 0 ||
        g->room > GIRT__MARK_ROOM || g->reach_ns > INT64_MAX)
        return false;
    if ((wide)g->cost * (wide)g->burst != (wide)g->room)
        return false;
    if (g->tick == 0)
        return g->den == 1;
    if (g->den == 1 && g->tick % 2 != 0) /* half of it is divided by */
        return false;
    return (wide)g->reach_ns * (wide)g->tick / (wide)g->den <=
           (wide)GIRT__MARK_TIME;
}

static bool is_sane(const girt__sight *sight)
{
    return is_gcra(&sight->gcra) && sight->mark % 2 == 0 &&
           sight->mark >= GIRT__MARK_FRESH && sight->mark <= -GIRT__MARK_FRESH;
}

void girt__sight_make_sane(girt__sight *sight)
{
    if (girt_likely(is_sane(sight)))
        return;
    sight->gcra = (girt__gcra){
        .tick = 0, .den = 1, .cost = 2, .room = 0, .reach_ns = INT64_MAX};
    sight->mark = GIRT__MARK_FRESH;
}

size_t girt__limiter_before(void)
{
    return offsetof(girt_limiter, sides);
}

size_t girt__limiter_bytes(void)
{
    return sizeof(girt_limiter) - offsetof(girt_limiter, sides);
}

static girt_limiter *limiter_of(void *block)
{
    return (girt_limiter *)(void *)((char *)block -
                                    offsetof(girt_limiter, sides));
}

girt_status girt__limiter_shared_check(const girt_limiter_options *options)
{
    girt__gcra gcra;
    return options->lease != 0 ? GIRT_E_INVALID
                               : girt__limiter_options_check(options, &gcra);
}

/* The block alone is written: before it may be anything. */
void girt__limiter_make(void *block, const girt_limiter_options *options)
{
    girt_limiter limiter;
    girt__gcra gcra;
    girt_status const status = girt__limiter_options_check(options, &gcra);
    girt_assert(status == GIRT_OK);
    (void)status;
    memset(&limiter, 0, sizeof limiter);
    girt_clock const clock = girt__clock_resolve(&options->clock);
    girt__limiter_fill(&limiter, &gcra, girt__clock_now(&clock));
    memcpy(block, &limiter.sides, girt__limiter_bytes());
}

girt_status girt__limiter_attach(girt_limiter **out,
                                 const girt__limiter_place *place,
                                 const girt_limiter_options *options)
{
    girt_limiter *const limiter = limiter_of(place->block);
    girt__sight sight;
    limiter->shared_bytes = place->bytes;
    girt__limiter_look(limiter, &sight);
    if (sight.gcra.burst == 0) /* what nonsense was replaced by */
        return GIRT_E_CORRUPT;
    girt_status status =
        girt__allocator_resolve(&limiter->allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    if (pthread_mutex_init(&limiter->mutex, NULL) != 0)
        return GIRT_E_NOMEM;
    limiter->clock = girt__clock_resolve(&options->clock);
    limiter->lease_epoch = 1;
    limiter->unmap = place->unmap;
    status = girt__limiter_report(limiter, options);
    if (status != GIRT_OK) {
        (void)pthread_mutex_destroy(&limiter->mutex);
        return status;
    }
    *out = limiter;
    return GIRT_OK;
}
