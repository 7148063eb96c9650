/* SPDX-License-Identifier: MIT */
/* breaker.c - what most calls meet: a closed breaker, or one that refuses.
 *
 * One word has the state and the generation, a number that no other state or
 * probe ever has.  In CLOSED enter reads the word and puts the generation on
 * the permit; leave compares it with the word, counts the call in the window's
 * era of that generation, and now and then adds the window up.
 *
 * I3 (of girt/breaker.h): a permit's generation is that of one CLOSED period,
 * or of one probe.  A leave whose generation is neither the word's nor that of
 * a probe on its way changes nothing.  A leave that read the word just before
 * it changed counts in the era of a state that is over, which nobody adds up.
 *
 * When to add up.  After a look that found `calls`, of which `failures`, it
 * takes at least
 *
 *     k = max(calls_min - calls, ceil((ratio * calls - failures) / (1 -
 * ratio)))
 *
 * more records, all of them failures, until I1 can hold; or calls must become
 * too old to count, which the first record of each slice looks for.  So with
 * one thread a look after k records misses nothing; with n threads each looks
 * after k / n; and after 64 at the latest, or 256 while that is a quarter of
 * them or less: a look takes the lines of all threads. */
#include "guard/breaker_internal.h"

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/probe.h"
#include "core/random.h"

#define OPEN_NS_DEFAULT     INT64_C(5000000000)
#define OPEN_MAX_NS_DEFAULT INT64_C(60000000000)
#define PERMIT_NS_DEFAULT   INT64_C(60000000000)
#define WINDOW_NS_DEFAULT   INT64_C(10000000000)

enum { RECORDS_MAX = 64, RECORDS_FAR = 256, FAILED = 1, SLOW = 2 };

static bool is_ratio(double ratio)
{
    return ratio >= 0 && ratio <= 1; /* not NaN */
}

static girt_status options_check(const girt_breaker_options *o)
{
    if (!girt__options_are_valid(o->name, o->metrics, o->reserved) ||
        !is_ratio(o->failure_ratio) || !is_ratio(o->slow_ratio) ||
        o->slow_ns < 0 || o->window_ns < 0 || o->open_ns < 0 ||
        o->open_max_ns < 0 || o->permit_timeout_ns < 0)
        return GIRT_E_INVALID;
    if (o->window_ns != 0 && o->window_ns < GIRT__WINDOW_NS_MIN)
        return GIRT_E_INVALID;
    int64_t const open_ns = o->open_ns == 0 ? OPEN_NS_DEFAULT : o->open_ns;
    if (o->open_max_ns != 0 && o->open_max_ns < open_ns)
        return GIRT_E_INVALID;
    if (o->probes > GIRT_BREAKER_PROBES_MAX)
        return GIRT_E_TOO_LARGE;
    return GIRT_OK;
}

static int64_t or_default(int64_t value, int64_t default_value)
{
    return value == 0 ? default_value : value;
}

static void take_options(girt_breaker *b, const girt_breaker_options *o)
{
    b->clock = girt__clock_resolve(&o->clock);
    b->failure_ratio = o->failure_ratio == 0 ? 0.5 : o->failure_ratio;
    b->slow_ratio = o->slow_ratio == 0 ? 1 : o->slow_ratio;
    b->slow_ns = o->slow_ns;
    b->calls_min = o->calls_min == 0 ? 100 : o->calls_min;
    b->open_ns = or_default(o->open_ns, OPEN_NS_DEFAULT);
    b->open_max_ns = or_default(o->open_max_ns, b->open_ns > OPEN_MAX_NS_DEFAULT
                                                    ? b->open_ns
                                                    : OPEN_MAX_NS_DEFAULT);
    b->permit_timeout_ns = or_default(o->permit_timeout_ns, PERMIT_NS_DEFAULT);
    b->on_change = o->on_change;
    b->context = o->context;
    int64_t const window_ns = or_default(o->window_ns, WINDOW_NS_DEFAULT);
    girt_clock const clock =
        girt__guard_clock(&o->clock, window_ns / GIRT__WINDOW_SLICES);
    girt__window_init(&b->window, &clock, window_ns);
}

girt_status girt_breaker_create(girt_breaker **out,
                                const girt_breaker_options *options)
{
    static const girt_breaker_options defaults;
    if (out == NULL)
        return GIRT_E_INVALID;
    if (options == NULL)
        options = &defaults;
    girt_allocator allocator;
    girt_status status = options_check(options);
    if (status == GIRT_OK)
        status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;
    girt_breaker *const b =
        girt__allocate_zeroed(&allocator, sizeof *b, _Alignof(girt_breaker));
    if (b == NULL)
        return GIRT_E_NOMEM;
    status = GIRT_E_NOMEM;
    b->allocator = allocator;
    b->probes = options->probes == 0 ? 1 : options->probes;
    b->places =
        girt__allocate_zeroed(&allocator, b->probes * sizeof *b->places, 0);
    if (b->places == NULL)
        goto fail_places;
    if (pthread_mutex_init(&b->mutex, NULL) != 0)
        goto fail_mutex;
    take_options(b, options);
    b->random = girt__random_seed();
    b->generation = 1;
    b->word = b->generation << GIRT__BREAKER_STATE_BITS | GIRT_BREAKER_CLOSED;
    status = girt__breaker_report(b, options);
    if (status != GIRT_OK)
        goto fail_report;
    *out = b;
    return GIRT_OK;

fail_report:
    (void)pthread_mutex_destroy(&b->mutex);
fail_mutex:
    girt__release(&allocator, b->places, b->probes * sizeof *b->places);
fail_places:
    girt__release(&allocator, b, sizeof *b);
    return status;
}

void girt_breaker_destroy(girt_breaker *breaker)
{
    if (breaker == NULL)
        return;
    girt__report_destroy(breaker->report);
    girt_allocator const allocator = breaker->allocator;
    (void)pthread_mutex_destroy(&breaker->mutex);
    girt__release(&allocator, breaker->places,
                  breaker->probes * sizeof *breaker->places);
    girt__release(&allocator, breaker, sizeof *breaker);
}

/* Refused for certain, without a lock? */
static bool refuses(const girt_breaker *breaker, girt_breaker_state state)
{
    if (state == GIRT_BREAKER_FORCED_OPEN)
        return true;
    /* Relaxed: S2 brought what stood there when the state began, and what came
     * later is as good. */
    int64_t const until_ns = state == GIRT_BREAKER_OPEN
                                 ? girt_load_relaxed(&breaker->open_until_ns)
                                 : girt_load_relaxed(&breaker->full_until_ns);
    return until_ns != INT64_MIN && girt__breaker_now(breaker) < until_ns;
}

girt_status girt_breaker_enter(girt_breaker *breaker, girt_permit *permit)
{
    if (girt_unlikely(breaker == NULL || permit == NULL))
        return GIRT_E_INVALID;
    /* S2 <- S1 (breaker_turn.c) */
    uint64_t const word = girt_load_acquire(&breaker->word);
    girt_breaker_state const state = girt__breaker_state(word);
    if (girt_likely(state == GIRT_BREAKER_CLOSED) ||
        state == GIRT_BREAKER_FORCED_CLOSED) {
        permit->generation = girt__breaker_generation(word);
        permit->start_ns =
            breaker->slow_ns == 0 ? 0 : girt__breaker_now(breaker);
        return GIRT_OK;
    }
    if (refuses(breaker, state)) {
        *permit = (girt_permit){0, 0};
        girt__report_count(breaker->report, GIRT__BREAKER_REJECTED, 1);
        girt_probe1(breaker_reject, breaker);
        return GIRT_REJECTED;
    }
    return girt__breaker_enter_locked(breaker, permit);
}

/* The least number of failures after which `ratio` of all have failed. */
static double failures_until(double ratio, uint64_t calls, uint64_t failures)
{
    double const missing = ratio * (double)calls - (double)failures;
    if (missing <= 0)
        return 0;
    return ratio < 1 ? missing / (1 - ratio) : 1e18;
}

/* 0.1 * 30 is 3.0000000000000004: a share that is reached counts as reached. */
static bool reaches(uint64_t part, double ratio, uint64_t calls)
{
    return (double)part + 1e-9 * (double)calls >= ratio * (double)calls;
}

static __attribute__((noinline)) void look(girt_breaker *breaker, uint64_t word,
                                           int64_t now_ns)
{
    uint64_t sums[GIRT__WINDOW_COUNTERS];
    girt__window_sum(&breaker->window, girt__breaker_generation(word), now_ns,
                     sums);
    uint64_t const calls = sums[0];
    bool const times = breaker->slow_ns != 0;
    if (calls >= breaker->calls_min &&
        (reaches(sums[FAILED], breaker->failure_ratio, calls) ||
         (times && reaches(sums[SLOW], breaker->slow_ratio, calls)))) {
        girt__breaker_trip(breaker, word);
        return;
    }
    double records =
        failures_until(breaker->failure_ratio, calls, sums[FAILED]);
    if (times) {
        double const slow =
            failures_until(breaker->slow_ratio, calls, sums[SLOW]);
        records = slow < records ? slow : records;
    }
    if (calls < breaker->calls_min &&
        (double)(breaker->calls_min - calls) > records)
        records = (double)(breaker->calls_min - calls);
    records /= girt__window_used(&breaker->window);
    double const most = records < 4 * RECORDS_FAR ? RECORDS_MAX : RECORDS_FAR;
    int64_t const left = (int64_t)(records < most ? records : most);
    girt__window_set_left(&breaker->window, left == 0 ? 1 : left);
}

/* A record that is a failure, timed, the first of its slice, or to be followed
 * by a look. */
static void record(girt_breaker *breaker, uint64_t word, int64_t start_ns,
                   girt_outcome outcome)
{
    unsigned mask = outcome == GIRT_FAILURE ? 1u << FAILED : 0;
    if (breaker->slow_ns != 0 &&
        girt__breaker_now(breaker) - start_ns >= breaker->slow_ns)
        mask |= 1u << SLOW;
    int64_t const now_ns = girt__window_now(&breaker->window);
    if (girt__window_add(&breaker->window, girt__breaker_generation(word),
                         now_ns, mask))
        look(breaker, word, now_ns);
}

/* Everything but the usual. */
static __attribute__((noinline)) void leave_otherwise(girt_breaker *breaker,
                                                      uint64_t word,
                                                      uint64_t generation,
                                                      int64_t start_ns,
                                                      girt_outcome outcome)
{
    if (generation == 0)
        return;
    girt__report_count(breaker->report,
                       GIRT__BREAKER_LEFT + girt__guard_outcome(outcome), 1);
    girt_breaker_state const state = girt__breaker_state(word);
    if (state == GIRT_BREAKER_HALF_OPEN)
        girt__breaker_leave_probe(breaker, generation, outcome);
    if (state == GIRT_BREAKER_CLOSED &&
        generation == girt__breaker_generation(word) &&
        (outcome == GIRT_SUCCESS || outcome == GIRT_FAILURE))
        record(breaker, word, start_ns, outcome);
}

static __attribute__((noinline)) void leave_by_clock(girt_breaker *breaker,
                                                     uint64_t generation)
{
    time_t const second = girt__window_second(&breaker->window);
    int64_t const now_ns = girt__window_now(&breaker->window);
    if (girt_unlikely(!girt__window_add_easily(&breaker->window, generation,
                                               second, now_ns)))
        leave_otherwise(breaker,
                        generation << GIRT__BREAKER_STATE_BITS |
                            GIRT_BREAKER_CLOSED,
                        generation, 0, GIRT_SUCCESS);
}

/* The fields of the permit one by one: enter has just stored them so, and a
 * load of both would wait for the stores (5 ns).  The usual leave, a success
 * that is not timed or counted, apart from all others: those need more
 * registers, and saving them cost 1 ns of 8. */
void girt_breaker_leave(girt_breaker *breaker, girt_permit *permit,
                        girt_outcome outcome)
{
    if (girt_unlikely(breaker == NULL || permit == NULL))
        return;
    uint64_t const generation = permit->generation;
    int64_t const start_ns = permit->start_ns;
    permit->generation = 0;
    permit->start_ns = 0;
    /* S2 <- S1 (breaker_turn.c); no generation is 0. */
    uint64_t const word = girt_load_acquire(&breaker->word);
    uint64_t const usual =
        generation << GIRT__BREAKER_STATE_BITS | GIRT_BREAKER_CLOSED;
    if (girt_unlikely(word != usual || outcome != GIRT_SUCCESS ||
                      breaker->slow_ns != 0 || breaker->report != NULL)) {
        leave_otherwise(breaker, word, generation, start_ns, outcome);
        return;
    }
    if (!girt__window_add_again(&breaker->window, generation))
        leave_by_clock(breaker, generation);
}

girt_breaker_state girt_breaker_state_now(const girt_breaker *breaker)
{
    if (breaker == NULL)
        return GIRT_BREAKER_CLOSED;
    /* S2 <- S1 (breaker_turn.c) */
    girt_breaker_state const state =
        girt__breaker_state(girt_load_acquire(&breaker->word));
    if (state == GIRT_BREAKER_OPEN && !refuses(breaker, state))
        return GIRT_BREAKER_HALF_OPEN;
    return state;
}
