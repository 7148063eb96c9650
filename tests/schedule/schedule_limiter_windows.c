/* SPDX-License-Identifier: MIT */
/* Goal: a limiter answers like one bucket used by one thread at a time, its
 * bound holds in every window of time with leases, reservations and changes of
 * rate, take_all takes all or nothing, and a thread stopped in a take stops
 * nobody. Method: random calls under many schedules with a clock of the test's;
 * histories against a sequential bucket, and sums over all windows. */
#include <stdlib.h>

#include <girt/clock.h>
#include <girt/limiter.h>

#include "core/atomic.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"
#include "support/linearize.h"

#define TOKEN_NS  10
#define BURST     4
#define CALLS_MAX 24
#define LIMITERS  3

enum { TAKE, SET_RATE };

typedef struct game {
    girt_limiter *limiters[LIMITERS];
    size_t count, calls;
    uint64_t lease;
    bool moves;    /* time does */
    bool reserves; /* and cancels */
    bool setter;   /* thread 0 changes the rate and does nothing else */
    int64_t now;
    uint64_t admitted[LIMITERS];
    history h;
} game;

static girt_rate rate_of(uint64_t burst)
{
    return (girt_rate){.limit = 1, .period_ns = TOKEN_NS, .burst = burst};
}

static void setup(void *context)
{
    game *const g = context;
    history_clear(&g->h);
    g->now = 1000;
    for (size_t i = 0; i < g->count; i++) {
        girt_limiter_options options = {.rate = rate_of(BURST + i),
                                        .lease = g->lease};
        girt_clock_manual(&options.clock, &g->now);
        if (girt_limiter_create(&g->limiters[i], &options) != GIRT_OK)
            abort();
        g->admitted[i] = 0;
    }
}

static void destroy(game *g)
{
    for (size_t i = 0; i < g->count; i++)
        girt_limiter_destroy(g->limiters[i]);
}

static int64_t some_time(game *g)
{
    if (g->moves && schedule_random(3) == 0)
        (void)girt_add_relaxed(&g->now, 1 + (int64_t)schedule_random(15));
    return girt_load_relaxed(&g->now);
}

/* ---- one bucket ---------------------------------------------------------- */

/* The state: the theoretical arrival time and the burst, both as differences
 * from what they begin with, zero. */
typedef struct bucket {
    int64_t tat; /* 0: before all times */
    int64_t burst;
} bucket;

static bool take_step(bucket *b, const operation *o, bool known)
{
    int64_t const now = (int64_t)o->second;
    int64_t const room = (BURST + b->burst) * TOKEN_NS;
    int64_t const need = (int64_t)o->argument * TOKEN_NS;
    bool const full = b->tat <= now;
    bool const ok = full ? need <= room : b->tat + need - room <= now;
    int64_t const retry = ok ? 0 : b->tat + need - room - now;
    if (ok)
        b->tat = (full ? now : b->tat) + need;
    int64_t const owed = b->tat > now ? b->tat - now : 0;
    uint64_t const remaining =
        owed >= room ? 0 : (uint64_t)((room - owed) / TOKEN_NS);
    return !known || (o->result == (uint64_t)(ok ? GIRT_OK : GIRT_LIMITED) &&
                      o->value == remaining && o->key == (uint64_t)retry);
}

/* With the clock standing still: what is there stays, but for what the new
 * burst cannot hold. */
static bool rate_step(bucket *b, const operation *o)
{
    int64_t const now = (int64_t)o->second;
    int64_t const owed = b->tat > now ? b->tat - now : 0;
    int64_t left = (BURST + b->burst) * TOKEN_NS - owed;
    b->burst = (int64_t)o->argument - BURST;
    int64_t const room = (BURST + b->burst) * TOKEN_NS;
    if (left > room)
        left = room;
    b->tat = left == room ? 0 : now + room - left;
    return true;
}

static bool bucket_step(const specification *s, void *state, const operation *o,
                        bool known, size_t under_way)
{
    (void)s;
    (void)under_way;
    return o->kind == TAKE ? take_step(state, o, known) : rate_step(state, o);
}

static void take_one(game *g, size_t thread)
{
    int64_t const now = some_time(g);
    operation *const o =
        history_begin(&g->h, thread, TAKE, 1 + schedule_random(BURST));
    o->second = (uint64_t)now;
    girt_decision d = {0};
    girt_status const status =
        girt_limiter_take_at(g->limiters[0], o->argument, now, &d);
    schedule_check(d.status == status, "two answers");
    o->key = (uint64_t)d.retry_after_ns;
    history_end(&g->h, o, (uint64_t)status, d.remaining);
}

static void one_bucket_body(void *context, size_t thread)
{
    game *const g = context;
    for (size_t i = 0; i < g->calls; i++) {
        if (!g->setter || thread != 0) {
            take_one(g, thread);
            continue;
        }
        operation *const o =
            history_begin(&g->h, thread, SET_RATE, BURST + schedule_random(4));
        o->second = (uint64_t)g->now;
        schedule_check(girt_limiter_set_rate(g->limiters[0],
                                             rate_of(o->argument)) == GIRT_OK,
                       "rate");
        history_end(&g->h, o, 0, 0);
    }
}

static void one_bucket_check(void *context)
{
    game *const g = context;
    specification const s = {.state_size = sizeof(bucket), .step = bucket_step};
    destroy(g);
    linearize_answer const answer = linearize(&s, &g->h);
    if (answer == NOT_LINEARIZABLE && !schedule_failed())
        history_print(&g->h);
    schedule_check(answer == LINEARIZABLE, "not one bucket");
}

static void one_bucket(const char *name, size_t threads, size_t calls,
                       bool moves, bool setter)
{
    game g = {.count = 1, .calls = calls, .moves = moves, .setter = setter};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 15000,
                        .stopped_threads = setter ? 1 : threads,
                        .context = &g,
                        .setup = setup,
                        .body = one_bucket_body,
                        .check = one_bucket_check,
                        .steps_max = 5000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

static void takes_are_those_of_one_bucket(void **state)
{
    (void)state;
    one_bucket("still", 3, 3, false, false);
    one_bucket("moves_two", 2, 5, true, false);
    one_bucket("moves_three", 3, 4, true, false);
}

static void changes_of_rate_keep_the_tokens(void **state)
{
    (void)state;
    one_bucket("rates", 3, 4, false, true);
}

/* ---- windows --------------------------------------------------------------
 */

static void count_in_windows(const game *g, uint64_t limiter)
{
    const operation *admitted[SCHEDULE_THREADS_MAX * CALLS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        for (size_t j = 0; j < g->h.counts[i]; j++) {
            const operation *const o = &g->h.operations[i][j];
            if (o->key == limiter && o->result == GIRT_OK)
                admitted[count++] = o;
        }
    for (size_t from = 0; from < count; from++)
        for (size_t to = 0; to < count; to++) {
            int64_t const a = (int64_t)admitted[from]->second;
            int64_t const b = (int64_t)admitted[to]->second;
            uint64_t tokens = 0;
            for (size_t i = 0; i < count && b >= a; i++)
                if ((int64_t)admitted[i]->second >= a &&
                    (int64_t)admitted[i]->second <= b)
                    tokens += admitted[i]->argument;
            uint64_t const bound =
                BURST + limiter + (uint64_t)(b - a) / TOKEN_NS;
            schedule_check(
                b < a || tokens <= bound, "%llu tokens in [%lld, %lld]",
                (unsigned long long)tokens, (long long)a, (long long)b);
        }
}

/* A reservation counts when it may act; one that is cancelled in time, not. */
static void reserve_one(game *g, size_t thread)
{
    girt_reservation r = {0};
    (void)some_time(g);
    operation *const o =
        history_begin(&g->h, thread, TAKE, 1 + schedule_random(BURST));
    girt_status status =
        girt_limiter_reserve(g->limiters[0], o->argument, 100 * TOKEN_NS, &r);
    if (status == GIRT_OK && schedule_random(2) == 0) {
        (void)some_time(g);
        bool const in_time = girt_load_relaxed(&g->now) <= r.act_at_ns;
        girt_limiter_cancel(g->limiters[0], &r);
        if (in_time)
            status = GIRT_LIMITED; /* not used */
    }
    o->second = (uint64_t)r.act_at_ns;
    history_end(&g->h, o, (uint64_t)status, 0);
}

static void windows_body(void *context, size_t thread)
{
    game *const g = context;
    for (size_t i = 0; i < g->calls; i++) {
        if (g->reserves && schedule_random(2) == 0) {
            reserve_one(g, thread);
            continue;
        }
        int64_t const now = some_time(g);
        operation *const o =
            history_begin(&g->h, thread, TAKE, 1 + schedule_random(3));
        o->second = (uint64_t)now;
        history_end(&g->h, o,
                    (uint64_t)girt_limiter_take_at(g->limiters[0], o->argument,
                                                   now, NULL),
                    0);
    }
}

static void windows_check(void *context)
{
    game *const g = context;
    uint64_t admitted = 0;
    for (size_t i = 0; i < SCHEDULE_THREADS_MAX; i++)
        for (size_t j = 0; j < g->h.counts[i]; j++)
            if (g->h.operations[i][j].result == GIRT_OK)
                admitted += g->h.operations[i][j].argument;
    girt_decision d = {0};
    (void)girt_limiter_peek(g->limiters[0], 0, &d);
    /* Whoever ended gave its tokens back, or lost them to a recall. */
    schedule_check(g->moves || g->reserves || admitted + d.remaining <= BURST,
                   "%llu admitted, %llu remain", (unsigned long long)admitted,
                   (unsigned long long)d.remaining);
    count_in_windows(g, 0);
    if (schedule_failed())
        history_print(&g->h);
    destroy(g);
}

static void windows(const char *name, game g, size_t threads)
{
    g.count = 1;
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 8000,
                        .context = &g,
                        .setup = setup,
                        .body = windows_body,
                        .check = windows_check,
                        .steps_max = 20000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

static void leases_stay_within_the_bound(void **state)
{
    (void)state;
    windows("lease_still", (game){.calls = 4, .lease = 1}, 3);
    windows("lease_two", (game){.calls = 4, .lease = 2}, 3);
    windows("lease_moves", (game){.calls = 5, .lease = 1, .moves = true}, 3);
    windows("lease_moves_two", (game){.calls = 5, .lease = 2, .moves = true},
            3);
}

static void reservations_stay_within_the_bound(void **state)
{
    (void)state;
    windows("reserve_still", (game){.calls = 4, .reserves = true}, 3);
    windows("reserve_moves",
            (game){.calls = 4, .reserves = true, .moves = true}, 3);
}

/* A reservation is cancelled while another thread takes at a later time: when
 * that is in the mark the clock must be seen to have moved. */
static void late_body(void *context, size_t thread)
{
    game *const g = context;
    girt_limiter *const limiter = g->limiters[0];
    girt_reservation r = {0};
    if (thread == 0) {
        if (girt_limiter_reserve(limiter, 3, 0, &r) == GIRT_OK)
            girt_limiter_cancel(limiter, &r);
        return;
    }
    int64_t const now = girt_add_relaxed(&g->now, 15) + 15;
    for (uint64_t i = 0; i < 2; i++) {
        operation *const o = history_begin(&g->h, thread, TAKE, 1 + 2 * i);
        o->second = (uint64_t)now;
        history_end(
            &g->h, o,
            (uint64_t)girt_limiter_take_at(limiter, o->argument, now, NULL), 0);
    }
    operation *const o = history_begin(&g->h, thread, TAKE, 2);
    girt_status const status =
        girt_limiter_reserve(limiter, o->argument, 100 * TOKEN_NS, &r);
    o->second = (uint64_t)r.act_at_ns;
    history_end(&g->h, o, (uint64_t)status, 0);
}

static void cancels_come_too_late(void **state)
{
    (void)state;
    game g = {.count = 1, .moves = true};
    history_init(&g.h, SCHEDULE_THREADS_MAX, CALLS_MAX);
    schedule const s = {.name = "late",
                        .threads = 2,
                        .runs = 15000,
                        .context = &g,
                        .setup = setup,
                        .body = late_body,
                        .check = windows_check,
                        .steps_max = 5000};
    schedule_must_pass(&s);
    history_free(&g.h);
}

/* ---- all or nothing -------------------------------------------------------
 */

static void all_body(void *context, size_t thread)
{
    game *const g = context;
    for (size_t i = 0; i < g->calls; i++) {
        uint64_t const tokens = 1 + schedule_random(2);
        if (thread == 0 && schedule_random(2) == 0) {
            size_t const at = (size_t)schedule_random(g->count);
            if (girt_limiter_take_at(g->limiters[at], tokens, g->now, NULL) ==
                GIRT_OK)
                (void)girt_add_relaxed(&g->admitted[at], tokens);
            continue;
        }
        girt_limiter *some[LIMITERS];
        size_t const from = (size_t)schedule_random(2), count = g->count - from;
        for (size_t k = 0; k < count; k++) /* in either order */
            some[k] =
                g->limiters[thread % 2 == 0 ? from + k : g->count - 1 - k];
        size_t refused = 99;
        girt_status const status =
            girt_limiter_take_all(some, count, tokens, &refused, NULL);
        schedule_check(status == GIRT_OK || refused < count, "refused_by");
        for (size_t k = 0; k < count && status == GIRT_OK; k++)
            (void)girt_add_relaxed(&g->admitted[from + k], tokens);
    }
}

static void all_check(void *context)
{
    game *const g = context;
    for (size_t i = 0; i < g->count; i++) {
        girt_decision d = {0};
        (void)girt_limiter_peek(g->limiters[i], 0, &d);
        /* Less where something could not be given back. */
        schedule_check(g->admitted[i] + d.remaining <= BURST + i,
                       "limiter %zu: %llu admitted, %llu remain", i,
                       (unsigned long long)g->admitted[i],
                       (unsigned long long)d.remaining);
    }
    destroy(g);
}

static void take_all_is_all_or_nothing(void **state)
{
    (void)state;
    game g = {.count = LIMITERS, .calls = 3};
    schedule const s = {.name = "all",
                        .threads = 3,
                        .runs = 15000,
                        .stopped_threads = 3,
                        .context = &g,
                        .setup = setup,
                        .body = all_body,
                        .check = all_check,
                        .steps_max = 10000};
    schedule_must_pass(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_are_those_of_one_bucket),
        cmocka_unit_test(changes_of_rate_keep_the_tokens),
        cmocka_unit_test(leases_stay_within_the_bound),
        cmocka_unit_test(reservations_stay_within_the_bound),
        cmocka_unit_test(cancels_come_too_late),
        cmocka_unit_test(take_all_is_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
