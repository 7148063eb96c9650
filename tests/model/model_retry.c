/* SPDX-License-Identifier: MIT */
/* Goal: a retry budget admits exactly what the formula of retry.h says.
 * Method: random calls, takes and steps of time beside a twin that keeps the
 * time of every call and every retry and counts them anew each time. */
#include <girt/retry.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { EVENTS = 2000, SLICES = 10 };

typedef struct twin {
    int64_t calls[EVENTS], retries[EVENTS];
    size_t call_count, retry_count;
} twin;

static size_t since(const int64_t *times, size_t count, int64_t from)
{
    size_t found = 0;
    for (size_t i = 0; i < count; i++)
        found += times[i] >= from;
    return found;
}

static void one_budget(rng *r)
{
    int64_t const window_ns = (int64_t)(10 * (1 + rng_below(r, 1000)));
    int64_t now_ns = (int64_t)rng_below(r, 1000000), base_ns = now_ns;
    int64_t const slice_ns = window_ns / SLICES;
    double const ratio = (double)(1 + rng_below(r, 20)) / 10;
    unsigned const reserve = (unsigned)rng_below(r, 20);
    girt_retry_budget_options o = {
        .ratio = ratio,
        .floor_per_s =
            reserve == 0 ? -1 : (double)reserve * 1e9 / (double)window_ns,
        .window_ns = window_ns};
    girt_clock_manual(&o.clock, &now_ns);
    girt_retry_budget *budget;
    check_status(girt_retry_budget_create(&budget, &o), GIRT_OK);
    twin t = {.call_count = 0};
    while (t.call_count < EVENTS && t.retry_count < EVENTS) {
        int64_t const from =
            base_ns + ((now_ns - base_ns) / slice_ns - (SLICES - 1)) * slice_ns;
        double const allowed =
            ratio * (double)since(t.calls, t.call_count, from) + reserve;
        switch (rng_below(r, 4)) {
        case 0:
            now_ns += (int64_t)rng_below(r, (uint64_t)slice_ns * 2 + 1);
            if (rng_below(r, 50) == 0)
                now_ns += (int64_t)rng_below(r, (uint64_t)window_ns * 3);
            break;
        case 1:
            girt_retry_budget_call(budget);
            t.calls[t.call_count++] = now_ns;
            break;
        default: {
            size_t const used = since(t.retries, t.retry_count, from);
            bool const want = (double)used + 1 <= allowed + 1e-6;
            check_status(girt_retry_budget_take(budget),
                         want ? GIRT_OK : GIRT_LIMITED);
            if (want)
                t.retries[t.retry_count++] = now_ns;
        }
        }
    }
    girt_retry_budget_destroy(budget);
}

static void test_budget(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (size_t i = scaled(40); i > 0; i--)
        one_budget(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_budget)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
