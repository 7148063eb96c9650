/* SPDX-License-Identifier: MIT */
/* part_columns.c - which columns a section has, and what stands in them.
 *
 * What matters most stands left: a narrow terminal shows what fits. */
#include "part_columns.h"

#include <math.h>
#include <string.h>

#include "histogram_quantile.h"

static const struct {
    const char *title;
    part_column columns[VIEW_COLUMNS_MAX];
} sections[PART_COUNT] = {
    [PART_QUEUE] = {"QUEUE",
                    {{"DEPTH", COLUMN_GAUGE, QUEUE_DEPTH, QUEUE_CAPACITY,
                      ALARM_FULL},
                     {"CAPACITY", COLUMN_GAUGE, QUEUE_CAPACITY, 0, ALARM_NEVER},
                     {"PUSH/S", COLUMN_RATE, QUEUE_PUSHES, 0, ALARM_NEVER},
                     {"POP/S", COLUMN_RATE, QUEUE_POPS, 0, ALARM_NEVER},
                     {"FULL/S", COLUMN_RATE, QUEUE_FULL, 0, ALARM_ANY},
                     {"PUSH P99", COLUMN_P99, QUEUE_PUSH_WAIT, 0, ALARM_NEVER},
                     {"POP P99", COLUMN_P99, QUEUE_POP_WAIT, 0, ALARM_NEVER},
                     {"DROP/S", COLUMN_RATE, QUEUE_DROPPED, 0, ALARM_ANY}}},
    [PART_WORKERS] =
        {"WORKERS",
         {{"BUSY", COLUMN_GAUGE, WORKERS_BUSY, 0, ALARM_NEVER},
          {"THREADS", COLUMN_GAUGE, WORKERS_THREADS, 0, ALARM_NEVER},
          {"QUEUED", COLUMN_GAUGE, WORKERS_QUEUED, WORKERS_CAPACITY,
           ALARM_FULL},
          {"CAPACITY", COLUMN_GAUGE, WORKERS_CAPACITY, 0, ALARM_NEVER},
          {"TASK/S", COLUMN_EVENTS, WORKERS_TASK, 0, ALARM_NEVER},
          {"TASK P99", COLUMN_P99, WORKERS_TASK, 0, ALARM_NEVER},
          {"FULL/S", COLUMN_RATE, WORKERS_FULL, 0, ALARM_ANY}}},
    [PART_CACHE] =
        {"CACHE",
         {{"HIT %", COLUMN_RATIO, CACHE_HITS, CACHE_MISSES, ALARM_NEVER},
          {"HIT/S", COLUMN_RATE, CACHE_HITS, 0, ALARM_NEVER},
          {"MISS/S", COLUMN_RATE, CACHE_MISSES, 0, ALARM_NEVER},
          {"EVICT/S", COLUMN_RATE, CACHE_EVICTIONS, 0, ALARM_NEVER},
          {"ENTRIES", COLUMN_GAUGE, CACHE_ENTRIES, 0, ALARM_NEVER},
          {"BYTES", COLUMN_BYTES, CACHE_BYTES, 0, ALARM_NEVER},
          {"MAX", COLUMN_BYTES, CACHE_BYTES_MAX, 0, ALARM_NEVER},
          {"LOAD/S", COLUMN_RATE, CACHE_LOADS, 0, ALARM_NEVER},
          {"FAIL/S", COLUMN_RATE, CACHE_FAILURES, 0, ALARM_ANY},
          {"JOIN/S", COLUMN_RATE, CACHE_JOINED, 0, ALARM_NEVER},
          {"STALE/S", COLUMN_RATE, CACHE_STALE, 0, ALARM_NEVER},
          {"EXPIRE/S", COLUMN_RATE, CACHE_EXPIRATIONS, 0, ALARM_NEVER}}},
    [PART_MAP] = {"MAP",
                  {{"ENTRIES", COLUMN_GAUGE, MAP_ENTRIES, 0, ALARM_NEVER},
                   {"CHANGE/S", COLUMN_CHANGE, MAP_ENTRIES, 0, ALARM_NEVER},
                   {"BYTES", COLUMN_BYTES, MAP_BYTES, 0, ALARM_NEVER},
                   {"TABLES", COLUMN_GAUGE, MAP_TABLES, 0, ALARM_NEVER},
                   {"GROW/S", COLUMN_RATE, MAP_GROWTHS, 0, ALARM_NEVER}}},
    [PART_MAP64] = {"MAP64",
                    {{"ENTRIES", COLUMN_GAUGE, MAP_ENTRIES, 0, ALARM_NEVER},
                     {"CHANGE/S", COLUMN_CHANGE, MAP_ENTRIES, 0, ALARM_NEVER},
                     {"BYTES", COLUMN_BYTES, MAP_BYTES, 0, ALARM_NEVER},
                     {"TABLES", COLUMN_GAUGE, MAP_TABLES, 0, ALARM_NEVER},
                     {"GROW/S", COLUMN_RATE, MAP_GROWTHS, 0, ALARM_NEVER}}},
    [PART_LIMITER] =
        {"LIMITER",
         {{"ALLOW/S", COLUMN_RATE, LIMITER_ALLOWED, 0, ALARM_NEVER},
          {"LIMIT/S", COLUMN_RATE, LIMITER_LIMITED, 0, ALARM_ANY},
          {"TAKEN/S", COLUMN_RATE, LIMITER_TAKEN, 0, ALARM_NEVER},
          {"TOKENS", COLUMN_GAUGE, LIMITER_TOKENS, 0, ALARM_NEVER}}},
    [PART_KEYED_LIMITER] =
        {"KEYED LIMITER",
         {{"ALLOW/S", COLUMN_RATE, KEYED_ALLOWED, 0, ALARM_NEVER},
          {"LIMIT/S", COLUMN_RATE, KEYED_LIMITED, 0, ALARM_ANY},
          {"FULL/S", COLUMN_RATE, KEYED_FULL, 0, ALARM_ANY},
          {"KEYS", COLUMN_GAUGE, KEYED_KEYS, KEYED_KEYS_MAX, ALARM_FULL},
          {"KEYS MAX", COLUMN_GAUGE, KEYED_KEYS_MAX, 0, ALARM_NEVER}}},
    [PART_BREAKER] =
        {"BREAKER",
         {{"STATE", COLUMN_STATE, 0, 0, ALARM_NEVER},
          {"REJECT/S", COLUMN_RATE, BREAKER_REJECTED, 0, ALARM_ANY},
          {"CALL/S", COLUMN_RATE, BREAKER_CALLS, 0, ALARM_NEVER},
          {"FAIL/S", COLUMN_RATE, BREAKER_FAILURES, 0, ALARM_ANY},
          {"TURN/S", COLUMN_RATE, BREAKER_TRANSITIONS, 0, ALARM_NEVER}}},
    [PART_BULKHEAD] =
        {"BULKHEAD",
         {{"INSIDE", COLUMN_GAUGE, BULKHEAD_INSIDE, BULKHEAD_INSIDE_MAX,
           ALARM_FULL},
          {"MAX", COLUMN_GAUGE, BULKHEAD_INSIDE_MAX, 0, ALARM_NEVER},
          {"WAITING", COLUMN_GAUGE, BULKHEAD_WAITING, BULKHEAD_WAITING_MAX,
           ALARM_FULL},
          {"LINE MAX", COLUMN_GAUGE, BULKHEAD_WAITING_MAX, 0, ALARM_NEVER},
          {"REJECT/S", COLUMN_RATE, BULKHEAD_REJECTED, 0, ALARM_ANY},
          {"ENTER/S", COLUMN_RATE, BULKHEAD_ENTERED, 0, ALARM_NEVER},
          {"WAIT P99", COLUMN_P99, BULKHEAD_WAIT, 0, ALARM_NEVER},
          {"LATE/S", COLUMN_RATE, BULKHEAD_TIMEOUTS, 0, ALARM_ANY}}},
    [PART_CONCURRENCY] =
        {"CONCURRENCY",
         {{"INSIDE", COLUMN_GAUGE, CONCURRENCY_INSIDE, CONCURRENCY_LIMIT,
           ALARM_FULL},
          {"LIMIT", COLUMN_GAUGE, CONCURRENCY_LIMIT, 0, ALARM_NEVER},
          {"REJECT/S", COLUMN_RATE, CONCURRENCY_REJECTED, 0, ALARM_ANY},
          {"CALL/S", COLUMN_RATE, CONCURRENCY_CALLS, 0, ALARM_NEVER},
          {"FAIL/S", COLUMN_RATE, CONCURRENCY_FAILURES, 0, ALARM_ANY}}},
    [PART_SHED] = {"SHED",
                   {{"LEVEL", COLUMN_GAUGE, SHED_LEVEL, 0, ALARM_NEVER},
                    {"ASK/S", COLUMN_RATE, SHED_REQUESTS, 0, ALARM_NEVER},
                    {"ADMIT/S", COLUMN_RATE, SHED_ADMITTED, 0, ALARM_NEVER},
                    {"REJECT/S", COLUMN_RATE, SHED_REJECTED, 0, ALARM_ANY}}},
    [PART_RETRY_BUDGET] =
        {"RETRY BUDGET",
         {{"CALL/S", COLUMN_RATE, RETRY_CALLS, 0, ALARM_NEVER},
          {"RETRY/S", COLUMN_RATE, RETRY_RETRIES, 0, ALARM_NEVER},
          {"LIMIT/S", COLUMN_RATE, RETRY_LIMITED, 0, ALARM_ANY},
          {"LEFT", COLUMN_GAUGE, RETRY_LEFT, 0, ALARM_NEVER}}},
    [PART_RING] = {"RING",
                   {{"NODES", COLUMN_GAUGE, RING_NODES, 0, ALARM_NEVER},
                    {"LOOKUP/S", COLUMN_RATE, RING_LOOKUPS, 0, ALARM_NEVER},
                    {"LOAD", COLUMN_GAUGE, RING_LOAD, 0, ALARM_NEVER},
                    {"CHANGES", COLUMN_GAUGE, RING_CHANGES, 0, ALARM_NEVER},
                    {"MOVED %", COLUMN_SHARE, RING_MOVED, 0, ALARM_NEVER}}},
};

/* From well to bad; what stands not here is worse. */
static const struct {
    const char *name;
    view_tone tone;
} states[] = {{"closed", TONE_GOOD},
              {"forced_closed", TONE_WARN},
              {"half_open", TONE_WARN},
              {"open", TONE_BAD},
              {"forced_open", TONE_BAD}};

const char *part_title(object_part part)
{
    return sections[part].title;
}

const part_column *part_column_at(object_part part, size_t i)
{
    return i < VIEW_COLUMNS_MAX && sections[part].columns[i].title != NULL
               ? &sections[part].columns[i]
               : NULL;
}

size_t part_column_width(const part_column *column)
{
    return column->kind == COLUMN_STATE ? COLUMN_STATE_WIDTH
                                        : COLUMN_NUMBER_WIDTH;
}

/* ---- numbers ---- */

static double value_of(const object *o, size_t slot)
{
    return o != NULL && (o->known >> slot & 1) != 0 ? o->value[slot] : NAN;
}

static double change(const object *now, const object *before, size_t slot)
{
    return value_of(now, slot) - value_of(before, slot);
}

/* A counter that fell began anew: nothing is known of the time between. */
static double growth(const object *now, const object *before, size_t slot)
{
    const double grown = change(now, before, slot);
    return grown >= 0 ? grown : NAN;
}

static double ratio(const object *now, const object *before, uint8_t a,
                    uint8_t b)
{
    const double hits =
        before == NULL ? value_of(now, a) : growth(now, before, a);
    const double misses =
        before == NULL ? value_of(now, b) : growth(now, before, b);
    return hits + misses > 0 ? hits / (hits + misses) : NAN;
}

static double number_of(const part_column *c, const object *now,
                        const object *before, double seconds)
{
    const object_histogram *const earlier =
        before == NULL ? NULL : &before->histogram[c->a % OBJECT_HISTOGRAMS];
    const object_histogram *const histogram =
        &now->histogram[c->a % OBJECT_HISTOGRAMS];
    switch (c->kind) {
    case COLUMN_RATE:
        return growth(now, before, c->a) / seconds;
    case COLUMN_CHANGE:
        return change(now, before, c->a) / seconds;
    case COLUMN_RATIO:
        return ratio(now, before, c->a, c->b);
    case COLUMN_P99:
        return histogram_quantile(histogram, earlier, 0.99);
    case COLUMN_EVENTS:
        return before == NULL ? NAN
                              : histogram_events(histogram, earlier) / seconds;
    case COLUMN_GAUGE:
    case COLUMN_BYTES:
    case COLUMN_SHARE:
        return value_of(now, c->a);
    case COLUMN_STATE:
    case COLUMN_NONE:
        break;
    }
    return NAN;
}

static view_tone tone_of(const part_column *c, const object *now, double x)
{
    if (c->alarm == ALARM_ANY)
        return x > 0 ? TONE_WARN : TONE_PLAIN;
    if (c->alarm != ALARM_FULL)
        return TONE_PLAIN;
    const double most = value_of(now, c->b);
    if (!(most > 0 && x >= 0.9 * most))
        return TONE_PLAIN;
    return x >= most ? TONE_BAD : TONE_WARN;
}

static void state_cell(const object *o, column_cell *cell)
{
    const size_t count = sizeof states / sizeof *states;
    size_t i = 0;
    while (i < count && strcmp(states[i].name, o->state) != 0)
        i++;
    cell->key = o->state[0] == '\0' ? NAN : (double)i;
    cell->tone = i < count ? states[i].tone : TONE_PLAIN;
    /* A state of nobody's making may be any text. */
    strcpy(cell->text, i < count ? o->state : "-");
}

void part_column_cell(const part_column *column, const object *now,
                      const object *before, double seconds, column_cell *cell)
{
    if (column->kind == COLUMN_STATE) {
        state_cell(now, cell);
        return;
    }
    const double x = number_of(column, now, before, seconds);
    cell->key = x;
    cell->tone = tone_of(column, now, x);
    switch (column->kind) {
    case COLUMN_BYTES:
        display_bytes(cell->text, x);
        break;
    case COLUMN_SHARE:
    case COLUMN_RATIO:
        display_percent(cell->text, x);
        break;
    case COLUMN_P99:
        display_duration(cell->text, x);
        break;
    case COLUMN_GAUGE:
    case COLUMN_RATE:
    case COLUMN_CHANGE:
    case COLUMN_EVENTS:
    case COLUMN_STATE:
    case COLUMN_NONE:
        display_number(cell->text, x);
        break;
    }
}
