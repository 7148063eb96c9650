/* SPDX-License-Identifier: MIT */
/* retry.c - a budget for retries, and how long to wait before one.
 *
 * Calls, which are many, are counted in a window that threads do not share.
 * Retries must not be over-admitted, so they are one word, the number of all
 * that were ever admitted, and for each slice of time what that word was when
 * the slice's first retry came:
 *
 *     total: 7012        firsts[slice % 10]: [ tag: 32 | total then: 32 ]
 *
 * The retries of the window are total less the least first of its entries; if
 * it has none, none.  (Not of its oldest entry: a thread that is late may enter
 * its slice after a newer one has its entry, with a larger total.)
 *
 * I1: retries <= ratio * calls + reserve, see retry.h.  A take computes both
 *     sides for a total that it loaded (R1), sees to it that the slice has its
 *     entry, and adds itself by a compare-and-swap from that total: had another
 *     retry been admitted meanwhile, the swap fails.
 * I2: an entry's total is at most what total was when the first retry of that
 *     slice was admitted: it is entered before.  A thread that is late counts
 *     in a later slice than its own, so longer, never shorter.
 * I3: entries of newer slices are not replaced by older ones. */
#include "guard/retry_internal.h"

#include <math.h>

#include "core/alloc_internal.h"
#include "core/assert.h"

#define WINDOW_NS_DEFAULT INT64_C(10000000000)
/* Retries of a window are compared as 32-bit differences. */
#define ALLOWED_MAX       2e9

enum {
    SLICES = GIRT__WINDOW_SLICES,
    ERA = 1,
    /* Slices that a thread may be behind.  More would take an entry for newer
     * that is from before a very long rest. */
    LATE_MAX = 1 << 24
};

static girt_status options_check(const girt_retry_budget_options *options)
{
    if (!girt__options_are_valid(options->name, options->metrics,
                                 options->reserved))
        return GIRT_E_INVALID;
    if (!(options->ratio >= 0 && options->ratio <= 1000) ||
        !isfinite(options->floor_per_s))
        return GIRT_E_INVALID;
    if (options->window_ns != 0 && options->window_ns < GIRT__WINDOW_NS_MIN)
        return GIRT_E_INVALID;
    return GIRT_OK;
}

girt_status girt_retry_budget_create(girt_retry_budget **out,
                                     const girt_retry_budget_options *options)
{
    static const girt_retry_budget_options defaults;
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
    girt_retry_budget *const budget = girt__allocate_zeroed(
        &allocator, sizeof *budget, _Alignof(girt_retry_budget));
    if (budget == NULL)
        return GIRT_E_NOMEM;
    int64_t const window_ns =
        options->window_ns == 0 ? WINDOW_NS_DEFAULT : options->window_ns;
    double const per_s = options->floor_per_s == 0  ? 10
                         : options->floor_per_s < 0 ? 0
                                                    : options->floor_per_s;
    girt_clock const clock =
        girt__guard_clock(&options->clock, window_ns / SLICES);
    budget->allocator = allocator;
    budget->ratio = options->ratio == 0 ? 0.2 : options->ratio;
    budget->reserve = per_s * ((double)window_ns / 1e9);
    girt__window_init(&budget->calls, &clock, window_ns);
    status = girt__retry_report(budget, options);
    if (status != GIRT_OK) {
        girt__release(&allocator, budget, sizeof *budget);
        return status;
    }
    *out = budget;
    return GIRT_OK;
}

void girt_retry_budget_destroy(girt_retry_budget *budget)
{
    if (budget == NULL)
        return;
    girt__report_destroy(budget->report);
    girt_allocator const allocator = budget->allocator;
    girt__release(&allocator, budget, sizeof *budget);
}

void girt_retry_budget_call(girt_retry_budget *budget)
{
    if (budget == NULL)
        return;
    (void)girt__window_add(&budget->calls, ERA,
                           girt__window_now(&budget->calls), 0);
    girt__report_count(budget->report, GIRT__RETRY_CALLS, 1);
}

/* Retries of the window of `slice`, of which `total` is the last. */
static uint32_t retries_in_window(const girt_retry_budget *budget,
                                  uint64_t slice, uint64_t total)
{
    uint32_t const oldest = girt__window_tag(slice, ERA) - (SLICES - 1);
    int32_t most = 0;
    for (unsigned i = 0; i < SLICES; i++) {
        /* Relaxed: those that belong to `total` came before R2. */
        uint64_t const entry = girt_load_relaxed(&budget->firsts[i]);
        uint32_t const age = (uint32_t)(entry >> 32) - oldest;
        /* Negative: of a later total; our swap will fail. */
        int32_t const since = (int32_t)((uint32_t)total - (uint32_t)entry);
        if (age <= SLICES && since > most)
            most = since;
    }
    return (uint32_t)most;
}

static double allowed_in_window(const girt_retry_budget *budget, int64_t now_ns)
{
    uint64_t sums[GIRT__WINDOW_COUNTERS];
    girt__window_sum(&budget->calls, ERA, now_ns, sums);
    /* 0.29 * 100 is 28.999999999999996: a millionth of a retry is given. */
    double const allowed =
        budget->ratio * (double)sums[0] + budget->reserve + 1e-6;
    return allowed < ALLOWED_MAX ? allowed : ALLOWED_MAX;
}

double girt__retry_left(const girt_retry_budget *budget)
{
    int64_t const now_ns = girt__window_now(&budget->calls);
    uint64_t const slice = girt__window_slice(&budget->calls, now_ns);
    /* R2 <- R1 */
    uint64_t const total = girt_load_acquire(&budget->total);
    double const left = allowed_in_window(budget, now_ns) -
                        retries_in_window(budget, slice, total);
    return left > 0 ? left : 0;
}

/* Enters `total` as the first of the slice, unless it has one. */
static void enter_first(girt_retry_budget *budget, uint64_t slice,
                        uint64_t total)
{
    uint32_t const tag = girt__window_tag(slice, ERA);
    uint64_t *const place = &budget->firsts[slice % SLICES];
    uint64_t entry = girt_load_relaxed(place);
    uint64_t const mine = (uint64_t)tag << 32 | (uint32_t)total;
    /* A round fails only if another thread entered this slice or a newer one.
     */
    while ((uint32_t)(entry >> 32) - tag > LATE_MAX &&
           !girt_cas_relaxed(place, &entry, mine))
        continue;
}

girt_status girt_retry_budget_take(girt_retry_budget *budget)
{
    if (budget == NULL)
        return GIRT_E_INVALID;
    int64_t const now_ns = girt__window_now(&budget->calls);
    uint64_t const slice = girt__window_slice(&budget->calls, now_ns);
    for (;;) { /* a round fails only if another retry was admitted */
        /* R2 <- R1: with a total come the entries of all that it counts. */
        uint64_t total = girt_load_acquire(&budget->total);
        uint32_t const used = retries_in_window(budget, slice, total);
        if ((double)used + 1 > allowed_in_window(budget, now_ns)) {
            girt__report_count(budget->report, GIRT__RETRY_LIMITED, 1);
            return GIRT_LIMITED;
        }
        enter_first(budget, slice, total);
        /* R1 -> R2 */
        if (girt_cas_release(&budget->total, &total, total + 1))
            return GIRT_OK;
    }
}

int64_t girt_backoff_ns(int64_t base_ns, int64_t max_ns, unsigned attempt,
                        uint64_t *random_state)
{
    if (base_ns <= 0 || max_ns <= 0)
        return 0;
    int64_t end = max_ns;
    /* base << attempt < max, without shifting out a bit. */
    if (attempt < 63 && base_ns <= INT64_MAX >> attempt &&
        base_ns << attempt < max_ns)
        end = base_ns << attempt;
    if (random_state == NULL)
        return end;
    __extension__ typedef unsigned __int128 wide;
    return (int64_t)((wide)girt__guard_random(random_state) *
                         ((uint64_t)end + 1) >>
                     64);
}
