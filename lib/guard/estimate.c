/* SPDX-License-Identifier: MIT */
/* estimate.c - the three ways of girt/concurrency.h, as the field's library
 * has them, but for drops: their times are not sampled, and Gradient2, which
 * ignores drops there, falls by a tenth.
 *
 * I1: min <= limit <= max after every sample. */
#include "guard/estimate.h"

#include "core/assert.h"
#include "guard/guard_internal.h"

enum { LONG_WINDOW = 600, WARM_UPS = 10, QUEUE = 4, PROBE_EACH = 30 };

/* The next look at the least time, in limits of samples: 15 to 30. */
static void plan_probe(girt__estimate *e)
{
    double const jitter =
        (double)(girt__guard_random(&e->random) >> 11) / (double)(1ull << 53);
    e->samples = 0;
    e->samples_max = PROBE_EACH * (0.5 + jitter / 2) * e->limit;
}

void girt__estimate_init(girt__estimate *e, girt_concurrency_kind kind,
                         uint64_t initial, uint64_t min, uint64_t max,
                         uint64_t random)
{
    *e = (girt__estimate){.kind = kind,
                          .limit = (double)initial,
                          .min = (double)min,
                          .max = (double)max,
                          .smoothing = 1,
                          .random = random};
    plan_probe(e);
}

static double within(const girt__estimate *e, double limit)
{
    return limit < e->min ? e->min : limit > e->max ? e->max : limit;
}

/* max(1, floor(log10 n)) */
static double whole_log10(double n)
{
    double log = 0;
    for (double ten = 10; ten <= n; ten *= 10)
        log++;
    return log < 1 ? 1 : log;
}

/* Rounded up; x is small enough for an integer. */
static double up(double x)
{
    double const whole = (double)(int64_t)x;
    return whole < x ? whole + 1 : whole;
}

static double vegas_wish(const girt__estimate *e, const girt__sample *s)
{
    double const log = whole_log10(e->limit);
    double const less = e->halves ? e->limit / 2 : e->limit - log;
    if (s->dropped)
        return less;
    if ((double)s->on_the_way * 2 < e->limit)
        return e->limit;
    double const queue = up(e->limit * (1 - e->least_ns / s->took_ns));
    if (queue <= log)
        return e->limit + 6 * log;
    if (queue < 3 * log)
        return e->limit + log;
    return queue > 6 * log ? less : e->limit;
}

static void add_vegas(girt__estimate *e, const girt__sample *s)
{
    if (!s->dropped) {
        e->samples++;
        bool const probes = e->samples >= e->samples_max;
        if (probes || e->least_ns == 0 || s->took_ns < e->least_ns) {
            if (probes)
                plan_probe(e);
            e->least_ns = s->took_ns;
            return;
        }
    }
    double const wish = within(e, vegas_wish(e, s));
    e->limit += e->smoothing * (wish - e->limit);
}

static void add_gradient(girt__estimate *e, const girt__sample *s)
{
    if (s->dropped) {
        e->limit = within(e, 0.9 * e->limit);
        return;
    }
    if (e->warm_ups < WARM_UPS)
        e->long_ns += (s->took_ns - e->long_ns) / ++e->warm_ups;
    else
        e->long_ns += (s->took_ns - e->long_ns) * 2 / (LONG_WINDOW + 1);
    double const long_ns = e->long_ns;
    /* Back from a slow time: the mean must not take 600 samples to see it. */
    if (long_ns > 2 * s->took_ns)
        e->long_ns *= 0.95;
    if ((double)s->on_the_way * 2 < e->limit)
        return;
    double gradient = 1.5 * long_ns / s->took_ns;
    gradient = gradient < 0.5 ? 0.5 : gradient > 1 ? 1 : gradient;
    e->limit = within(e, 0.8 * e->limit + 0.2 * (e->limit * gradient + QUEUE));
}

static void add_aimd(girt__estimate *e, const girt__sample *s)
{
    if (s->dropped)
        e->limit = (double)(uint64_t)(e->limit * 0.9);
    else if ((double)s->on_the_way * 2 >= e->limit)
        e->limit++;
    e->limit = within(e, e->limit);
}

void girt__estimate_add(girt__estimate *e, const girt__sample *sample)
{
    switch (e->kind) {
    case GIRT_CONCURRENCY_VEGAS:
        add_vegas(e, sample);
        break;
    case GIRT_CONCURRENCY_AIMD:
        add_aimd(e, sample);
        break;
    case GIRT_CONCURRENCY_GRADIENT2:
        add_gradient(e, sample);
        break;
    }
    girt_assert(e->limit >= e->min);
    girt_assert(e->limit <= e->max);
}
