/* SPDX-License-Identifier: MIT */
/* gcra.c - rates as integers on a line of marks; see gcra_internal.h.
 *
 * With limit / period = l / p in lowest terms, half a mark is 1/l ns and also
 * 1/p token: everything that GCRA adds up is whole.  Where that line would be
 * too fine (l or p * burst too large for 64 bits) a token is cut into D parts
 * instead, as many as fit, and a nanosecond is D * l / p of them. */
#include "limiter/gcra_internal.h"

#include "core/assert.h"

__extension__ typedef __int128 wide;
__extension__ typedef unsigned __int128 uwide;

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) { /* Euclid: at most 92 rounds */
        uint64_t const rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Into how many parts a token is cut where the exact line does not fit; 0: not
 * even one, the rate is out of range. */
static uint64_t parts_that_fit(const girt_rate *rate, uint64_t halves_per_ns)
{
    uint64_t parts = (uint64_t)(GIRT__MARK_ROOM / 2) / rate->burst;
    uwide const fine =
        (uwide)halves_per_ns * (uint64_t)rate->period_ns / rate->limit;
    if (fine < parts)
        parts = (uint64_t)fine;
    return least(parts, GIRT_RATE_LIMIT_MAX / rate->limit);
}

girt_status girt__gcra_set(girt__gcra *g, const girt_rate *rate,
                           uint64_t marks_per_ns, int64_t time)
{
    if (rate->limit > GIRT_RATE_LIMIT_MAX || rate->burst == 0 ||
        rate->burst > GIRT_RATE_BURST_MAX || rate->period_ns <= 0)
        return GIRT_E_INVALID;
    g->burst = rate->burst;
    if (rate->limit == 0) {
        g->tick = 0;
        g->den = 1;
        g->cost = 2;
        g->room = (int64_t)(rate->burst * 2);
        g->reach_ns = INT64_MAX;
        return GIRT_OK;
    }
    uint64_t const period = (uint64_t)rate->period_ns;
    uint64_t const divisor = greatest_divisor(rate->limit, period);
    uint64_t parts = period / divisor; /* of a token */
    uint64_t num = rate->limit / divisor;
    uint64_t den = 1;
    if (num > marks_per_ns / 2 ||
        parts > (uint64_t)(GIRT__MARK_ROOM / 2) / rate->burst) {
        parts = parts_that_fit(rate, marks_per_ns / 2);
        if (parts == 0)
            return GIRT_E_INVALID;
        uint64_t const product = parts * rate->limit;
        uint64_t const common = greatest_divisor(product, period);
        num = product / common;
        den = period / common;
    }
    uwide const reach = (uwide)(uint64_t)(time / 2) * den / num;
    g->reach_ns = reach > INT64_MAX ? INT64_MAX : (uint64_t)reach;
    g->tick = den == 1 ? 2 * num : num;
    g->den = den;
    g->cost = 2 * parts;
    g->room = (int64_t)(g->cost * rate->burst);
    return GIRT_OK;
}

/* Division that rounds toward minus infinity. */
static wide floor_division(wide a, wide b)
{
    wide const q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

static int64_t clamped_mark(const girt__gcra *g, wide mark)
{
    wide const ahead =
        g->den == 1 ? (wide)g->reach_ns * (wide)g->tick
                    : (wide)g->reach_ns * (wide)g->tick / (wide)g->den * 2;
    if (mark > ahead)
        mark = ahead & ~(wide)1;
    return mark < -GIRT__MARK_SPAN ? -GIRT__MARK_SPAN : (int64_t)mark;
}

int64_t girt__gcra_time(const girt__gcra *g, int64_t now_ns)
{
    wide const after = (wide)now_ns - g->base_ns;
    if (g->den == 1)
        return clamped_mark(g, after * (wide)g->tick);
    return clamped_mark(
        g, 2 * floor_division(after * (wide)g->tick, (wide)g->den));
}

int64_t girt__gcra_time_up(const girt__gcra *g, int64_t now_ns)
{
    wide const after = (wide)now_ns - g->base_ns;
    if (g->den == 1)
        return clamped_mark(g, after * (wide)g->tick);
    return clamped_mark(
        g, -2 * floor_division(-after * (wide)g->tick, (wide)g->den));
}

static wide offset_of(const girt__gcra *g, int64_t mark)
{
    wide const halves = mark / 2; /* marks are even */
    if (g->tick == 0)
        return mark <= 0 ? INT64_MIN : INT64_MAX;
    wide const num = g->den == 1 ? (wide)(g->tick / 2) : (wide)g->tick;
    return -floor_division(-halves * (wide)g->den, num);
}

static int64_t saturated(wide value)
{
    if (value > INT64_MAX)
        return INT64_MAX;
    return value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

int64_t girt__gcra_offset(const girt__gcra *g, int64_t mark)
{
    return saturated(offset_of(g, mark));
}

int64_t girt__gcra_until(const girt__gcra *g, int64_t mark, int64_t now_ns)
{
    if (g->tick == 0)
        return mark <= 0 ? 0 : INT64_MAX;
    wide const wait = offset_of(g, mark) - ((wide)now_ns - g->base_ns);
    return wait <= 0 ? 0 : saturated(wait);
}

void girt__gcra_describe(const girt__gcra *g, int64_t mark, int64_t now_ns,
                         girt_decision *decision)
{
    int64_t const time = girt__gcra_time(g, now_ns);
    /* Without signs: where processes share the mark it may be anything. */
    uint64_t const owed = mark > time ? (uint64_t)mark - (uint64_t)time : 0;
    decision->remaining =
        owed >= (uint64_t)g->room ? 0 : ((uint64_t)g->room - owed) / g->cost;
    decision->reset_after_ns =
        owed == 0 ? 0 : girt__gcra_until(g, mark, now_ns);
}
