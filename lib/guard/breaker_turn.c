/* SPDX-License-Identifier: MIT */
/* breaker_turn.c - changes of state, probes, and telling of changes.
 *
 * All of it is rare and under the breaker's mutex, but for on_change, which is
 * called between an unlock and a lock: whoever finds changes untold and nobody
 * telling tells all there are, and what comes meanwhile.  So they are told one
 * at a time, in order, and the mutex is not held.  Cancellation is off, or the
 * changes that follow would never be told, and the caller's places be lost.
 *
 * I2 (of girt/breaker.h): on_their_way + succeeded <= probes.  A probe is let
 * through, under the mutex, only where the sum is less; what ends it (a result,
 * the time limit) lowers on_their_way, and only a success raises the other.
 * I4: on_their_way is the number of places whose generation is not 0; each of
 *     these is on one permit only.
 * I5: full_until_ns is INT64_MIN exactly while there is room, else the instant
 *     at which the oldest probe is lost: before it an enter is refused without
 *     the mutex, and none is refused in vain. */
#include "guard/breaker_internal.h"

#include "core/assert.h"
#include "core/probe.h"

static girt_breaker_state state_of(const girt_breaker *b)
{
    /* Relaxed: under the mutex. */
    return girt__breaker_state(girt_load_relaxed(&b->word));
}

static void note_change(girt_breaker *b, girt_breaker_state from,
                        girt_breaker_state to)
{
    if (b->on_change == NULL || from == to)
        return;
    if (b->change_count == GIRT__BREAKER_CHANGES) {
        girt__change *const last =
            &b->changes[(b->change_first + b->change_count - 1) %
                        GIRT__BREAKER_CHANGES];
        last->to = to;
        if (last->from == to)
            b->change_count--;
        return;
    }
    b->changes[(b->change_first + b->change_count++) % GIRT__BREAKER_CHANGES] =
        (girt__change){from, to};
}

static void unlock_and_tell(girt_breaker *b)
{
    if (b->change_count == 0 || b->telling) {
        (void)pthread_mutex_unlock(&b->mutex);
        return;
    }
    b->telling = true;
    int cancelable;
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelable);
    /* Each turn tells one; those that others make meanwhile are told too. */
    while (b->change_count != 0) {
        girt__change const change = b->changes[b->change_first];
        b->change_first = (b->change_first + 1) % GIRT__BREAKER_CHANGES;
        b->change_count--;
        (void)pthread_mutex_unlock(&b->mutex);
        b->on_change(b->context, change.from, change.to);
        (void)pthread_mutex_lock(&b->mutex);
    }
    b->telling = false;
    (void)pthread_mutex_unlock(&b->mutex);
    (void)pthread_setcancelstate(cancelable, NULL);
}

static void change_to(girt_breaker *b, girt_breaker_state to)
{
    girt_breaker_state const from = state_of(b);
    b->generation++;
    /* S1 -> S2 (breaker.c): open_until_ns, full_until_ns, and what the caller
     * did before the change. */
    girt_store_release(&b->word, b->generation << GIRT__BREAKER_STATE_BITS |
                                     (uint64_t)to);
    if (from != to) {
        girt_store_relaxed(&b->transitions[to], b->transitions[to] + 1);
        girt_probe3(breaker_change, b, from, to);
    }
    note_change(b, from, to);
}

/* How long the next opening lasts. */
static int64_t opening_ns(girt_breaker *b)
{
    int64_t ns = b->open_max_ns;
    if (b->openings < 63 && b->open_ns <= b->open_max_ns >> b->openings)
        ns = b->open_ns << b->openings;
    if (b->openings == 0)
        return ns;
    __extension__ typedef unsigned __int128 wide;
    return ns - (int64_t)((wide)girt__guard_random(&b->random) *
                              ((uint64_t)ns / 10 + 1) >>
                          64);
}

static void open_now(girt_breaker *b)
{
    int64_t const until_ns =
        girt__guard_later(girt__breaker_now(b), opening_ns(b));
    if (b->openings < UINT32_MAX)
        b->openings++;
    girt_store_relaxed(&b->open_until_ns, until_ns); /* S1 */
    change_to(b, GIRT_BREAKER_OPEN);
}

static void close_now(girt_breaker *b)
{
    b->openings = 0;
    change_to(b, GIRT_BREAKER_CLOSED);
}

static void half_open_now(girt_breaker *b)
{
    for (uint64_t i = 0; i < b->probes; i++)
        b->places[i] = (girt__probe){0, 0};
    b->on_their_way = 0;
    b->succeeded = 0;
    b->slow = 0;
    girt_store_relaxed(&b->full_until_ns, INT64_MIN); /* S1 */
    change_to(b, GIRT_BREAKER_HALF_OPEN);
}

/* I5, after any of its parts changed. */
static void set_full_until(girt_breaker *b)
{
    int64_t until_ns = INT64_MIN;
    if (b->on_their_way + b->succeeded >= b->probes) {
        until_ns = INT64_MAX;
        for (uint64_t i = 0; i < b->probes; i++) {
            const girt__probe *const p = &b->places[i];
            int64_t const lost_ns =
                girt__guard_later(p->start_ns, b->permit_timeout_ns);
            if (p->generation != 0 && lost_ns < until_ns)
                until_ns = lost_ns;
        }
    }
    girt_store_relaxed(&b->full_until_ns, until_ns);
}

static void forget_lost(girt_breaker *b, int64_t now_ns)
{
    for (uint64_t i = 0; i < b->probes; i++) {
        girt__probe *const p = &b->places[i];
        if (p->generation == 0 ||
            now_ns < girt__guard_later(p->start_ns, b->permit_timeout_ns))
            continue;
        p->generation = 0;
        b->on_their_way--;
    }
}

static girt_status let_probe(girt_breaker *b, int64_t now_ns,
                             girt_permit *permit)
{
    forget_lost(b, now_ns);
    girt_assert(b->on_their_way + b->succeeded <= b->probes);
    girt_status status = GIRT_REJECTED;
    if (b->on_their_way + b->succeeded < b->probes) {
        uint64_t i = 0;
        while (b->places[i].generation != 0)
            i++; /* ends: on_their_way < probes, and I4 */
        b->places[i] = (girt__probe){++b->generation, now_ns};
        b->on_their_way++;
        *permit = (girt_permit){b->generation, now_ns};
        status = GIRT_OK;
    }
    set_full_until(b);
    return status;
}

girt_status girt__breaker_enter_locked(girt_breaker *breaker,
                                       girt_permit *permit)
{
    girt_breaker *const b = breaker;
    girt_status status = GIRT_REJECTED;
    (void)pthread_mutex_lock(&b->mutex);
    int64_t const now_ns = girt__breaker_now(b);
    *permit = (girt_permit){0, 0};
    switch (state_of(b)) {
    case GIRT_BREAKER_OPEN:
        if (now_ns < b->open_until_ns)
            break;
        half_open_now(b);
        status = let_probe(b, now_ns, permit);
        break;
    case GIRT_BREAKER_HALF_OPEN:
        status = let_probe(b, now_ns, permit);
        break;
    case GIRT_BREAKER_CLOSED:
    case GIRT_BREAKER_FORCED_CLOSED:
        *permit = (girt_permit){
            girt__breaker_generation(girt_load_relaxed(&b->word)), now_ns};
        status = GIRT_OK;
        break;
    case GIRT_BREAKER_FORCED_OPEN:
        break;
    }
    unlock_and_tell(b);
    if (status != GIRT_OK) {
        girt__report_count(b->report, GIRT__BREAKER_REJECTED, 1);
        girt_probe1(breaker_reject, b);
    }
    return status;
}

/* The place of a permit; NULL: it is of no probe on its way. */
static girt__probe *find_probe(girt_breaker *b, uint64_t generation)
{
    for (uint64_t i = 0; i < b->probes; i++)
        if (b->places[i].generation == generation)
            return &b->places[i];
    return NULL;
}

static void end_probe(girt_breaker *b, girt__probe *probe, girt_outcome outcome)
{
    int64_t const start_ns = probe->start_ns;
    probe->generation = 0;
    b->on_their_way--;
    if (outcome == GIRT_FAILURE) {
        open_now(b);
        return;
    }
    if (outcome == GIRT_SUCCESS) {
        b->succeeded++;
        if (b->slow_ns != 0 && girt__breaker_now(b) - start_ns >= b->slow_ns)
            b->slow++;
    }
    if (b->succeeded < b->probes)
        set_full_until(b);
    else if (b->slow != 0 &&
             (double)b->slow + 1e-9 >= b->slow_ratio * (double)b->probes)
        open_now(b);
    else
        close_now(b);
}

void girt__breaker_leave_probe(girt_breaker *breaker, uint64_t generation,
                               girt_outcome outcome)
{
    girt_breaker *const b = breaker;
    (void)pthread_mutex_lock(&b->mutex);
    if (state_of(b) == GIRT_BREAKER_HALF_OPEN) {
        /* One that came too late is lost, whether or not another enter has
         * noticed. */
        forget_lost(b, girt__breaker_now(b));
        girt__probe *const probe = find_probe(b, generation);
        if (probe != NULL)
            end_probe(b, probe, outcome);
        else
            set_full_until(b);
    }
    unlock_and_tell(b);
}

void girt__breaker_trip(girt_breaker *breaker, uint64_t word)
{
    (void)pthread_mutex_lock(&breaker->mutex);
    if (girt_load_relaxed(&breaker->word) == word)
        open_now(breaker);
    unlock_and_tell(breaker);
}

void girt_breaker_force(girt_breaker *breaker, girt_breaker_state state)
{
    if (breaker == NULL)
        return;
    (void)pthread_mutex_lock(&breaker->mutex);
    switch (state) {
    case GIRT_BREAKER_CLOSED:
        close_now(breaker);
        break;
    case GIRT_BREAKER_OPEN:
        open_now(breaker);
        break;
    case GIRT_BREAKER_HALF_OPEN:
        half_open_now(breaker);
        break;
    case GIRT_BREAKER_FORCED_OPEN:
    case GIRT_BREAKER_FORCED_CLOSED:
        change_to(breaker, state);
        break;
    }
    unlock_and_tell(breaker);
}
