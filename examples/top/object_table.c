/* SPDX-License-Identifier: MIT */
/* object_table.c - what one scrape says about each named girt object.
 *
 * I1: count <= OBJECTS_MAX, so half of the slots are free and a search ends.
 * I2: a histogram's bounds rise, or it is damaged and has no quantile. */
#include "object_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <girt/hash.h>

#include "prometheus_text.h"

enum { SLOTS_MASK = 2 * OBJECTS_MAX - 1, SERIES_MAX = 11 };
_Static_assert((SLOTS_MASK & (SLOTS_MASK + 1)) == 0, "a mask");
_Static_assert((int)SERIES_MAX <= (int)OBJECT_VALUES, "a slot for each");

/* All samples of the name, or those with label="value" alone. */
typedef struct series {
    const char *name; /* behind "girt_" and the part's */
    const char *label, *value;
} series;

static const struct {
    const char *name;
    series series[SERIES_MAX];
    const char *histograms[OBJECT_HISTOGRAMS];
} parts[PART_COUNT] = {
    [PART_QUEUE] = {"queue",
                    {[QUEUE_DEPTH] = {"depth", NULL, NULL},
                     [QUEUE_CAPACITY] = {"capacity", NULL, NULL},
                     [QUEUE_PUSHES] = {"pushes_total", NULL, NULL},
                     [QUEUE_POPS] = {"pops_total", NULL, NULL},
                     [QUEUE_FULL] = {"full_total", NULL, NULL},
                     [QUEUE_DROPPED] = {"dropped_total", NULL, NULL}},
                    {[QUEUE_PUSH_WAIT] = "push_wait_ns",
                     [QUEUE_POP_WAIT] = "pop_wait_ns"}},
    [PART_WORKERS] = {"workers",
                      {[WORKERS_THREADS] = {"threads", NULL, NULL},
                       [WORKERS_BUSY] = {"busy", NULL, NULL},
                       [WORKERS_QUEUED] = {"queued", NULL, NULL},
                       [WORKERS_CAPACITY] = {"queue_capacity", NULL, NULL},
                       [WORKERS_FULL] = {"full_total", NULL, NULL}},
                      {[WORKERS_TASK] = "task_ns"}},
    [PART_CACHE] = {"cache",
                    {[CACHE_HITS] = {"hits_total", NULL, NULL},
                     [CACHE_MISSES] = {"misses_total", NULL, NULL},
                     [CACHE_STALE] = {"stale_hits_total", NULL, NULL},
                     [CACHE_LOADS] = {"loads_total", NULL, NULL},
                     [CACHE_FAILURES] = {"load_failures_total", NULL, NULL},
                     [CACHE_JOINED] = {"joined_total", NULL, NULL},
                     [CACHE_EVICTIONS] = {"evictions_total", NULL, NULL},
                     [CACHE_EXPIRATIONS] = {"expirations_total", NULL, NULL},
                     [CACHE_ENTRIES] = {"entries", NULL, NULL},
                     [CACHE_BYTES] = {"bytes", NULL, NULL},
                     [CACHE_BYTES_MAX] = {"bytes_max", NULL, NULL}},
                    {NULL}},
    [PART_MAP] = {"map",
                  {[MAP_ENTRIES] = {"entries", NULL, NULL},
                   [MAP_BYTES] = {"bytes", NULL, NULL},
                   [MAP_TABLES] = {"tables", NULL, NULL},
                   [MAP_GROWTHS] = {"growths_total", NULL, NULL}},
                  {NULL}},
    [PART_MAP64] = {"map64",
                    {[MAP_ENTRIES] = {"entries", NULL, NULL},
                     [MAP_BYTES] = {"bytes", NULL, NULL},
                     [MAP_TABLES] = {"tables", NULL, NULL},
                     [MAP_GROWTHS] = {"growths_total", NULL, NULL}},
                    {NULL}},
    [PART_LIMITER] = {"limiter",
                      {[LIMITER_ALLOWED] = {"allowed_total", NULL, NULL},
                       [LIMITER_LIMITED] = {"limited_total", NULL, NULL},
                       [LIMITER_TAKEN] = {"taken_total", NULL, NULL},
                       [LIMITER_TOKENS] = {"tokens", NULL, NULL}},
                      {NULL}},
    [PART_KEYED_LIMITER] = {"keyed_limiter",
                            {[KEYED_ALLOWED] = {"allowed_total", NULL, NULL},
                             [KEYED_LIMITED] = {"limited_total", NULL, NULL},
                             [KEYED_FULL] = {"full_total", NULL, NULL},
                             [KEYED_KEYS] = {"keys", NULL, NULL},
                             [KEYED_KEYS_MAX] = {"keys_max", NULL, NULL}},
                            {NULL}},
    [PART_BREAKER] =
        {"breaker",
         {[BREAKER_STATE] = {"state", NULL, NULL},
          [BREAKER_TRANSITIONS] = {"transitions_total", NULL, NULL},
          [BREAKER_REJECTED] = {"rejected_total", NULL, NULL},
          [BREAKER_CALLS] = {"calls_total", NULL, NULL},
          [BREAKER_FAILURES] = {"calls_total", "outcome", "failure"}},
         {NULL}},
    [PART_BULKHEAD] = {"bulkhead",
                       {[BULKHEAD_INSIDE] = {"inside", NULL, NULL},
                        [BULKHEAD_INSIDE_MAX] = {"inside_max", NULL, NULL},
                        [BULKHEAD_WAITING] = {"waiting", NULL, NULL},
                        [BULKHEAD_WAITING_MAX] = {"waiting_max", NULL, NULL},
                        [BULKHEAD_ENTERED] = {"entered_total", NULL, NULL},
                        [BULKHEAD_REJECTED] = {"rejected_total", NULL, NULL},
                        [BULKHEAD_TIMEOUTS] = {"timeouts_total", NULL, NULL}},
                       {[BULKHEAD_WAIT] = "wait_ns"}},
    [PART_CONCURRENCY] =
        {"concurrency",
         {[CONCURRENCY_LIMIT] = {"limit", NULL, NULL},
          [CONCURRENCY_INSIDE] = {"inside", NULL, NULL},
          [CONCURRENCY_REJECTED] = {"rejected_total", NULL, NULL},
          [CONCURRENCY_CALLS] = {"calls_total", NULL, NULL},
          [CONCURRENCY_FAILURES] = {"calls_total", "outcome", "failure"}},
         {NULL}},
    [PART_SHED] = {"shed",
                   {[SHED_LEVEL] = {"level", NULL, NULL},
                    [SHED_REQUESTS] = {"requests_total", NULL, NULL},
                    [SHED_ADMITTED] = {"admitted_total", NULL, NULL},
                    [SHED_REJECTED] = {"rejected_total", NULL, NULL}},
                   {NULL}},
    [PART_RETRY_BUDGET] = {"retry_budget",
                           {[RETRY_CALLS] = {"calls_total", NULL, NULL},
                            [RETRY_RETRIES] = {"retries_total", NULL, NULL},
                            [RETRY_LIMITED] = {"limited_total", NULL, NULL},
                            [RETRY_LEFT] = {"left", NULL, NULL}},
                           {NULL}},
    [PART_RING] = {"ring",
                   {[RING_NODES] = {"nodes", NULL, NULL},
                    [RING_LOOKUPS] = {"lookups_total", NULL, NULL},
                    [RING_LOAD] = {"load", NULL, NULL},
                    [RING_CHANGES] = {"changes_total", NULL, NULL},
                    [RING_MOVED] = {"moved_ratio", NULL, NULL}},
                   {NULL}},
};

static const char prefix[] = "girt_";
static const char backlog_series[] = "girt_epoch_backlog";

/* ---- names of series ---- */

/* What is left of a series' name behind its part's; NULL: no part's. */
static const char *take_part(const char *name, object_part *part)
{
    if (strncmp(name, prefix, sizeof prefix - 1) != 0)
        return NULL;
    name += sizeof prefix - 1;
    for (unsigned p = 0; p < PART_COUNT; p++) {
        const size_t size = strlen(parts[p].name);
        if (strncmp(name, parts[p].name, size) == 0 && name[size] == '_') {
            *part = (object_part)p;
            return name + size + 1;
        }
    }
    return NULL;
}

/* Which of the part's histograms `what` is a series of: its name, then suffix.
 * OBJECT_HISTOGRAMS: of none. */
static size_t histogram_of(object_part part, const char *what,
                           const char *suffix)
{
    size_t h = 0;
    for (; h < OBJECT_HISTOGRAMS; h++) {
        const char *const name = parts[part].histograms[h];
        if (name != NULL && strncmp(what, name, strlen(name)) == 0 &&
            strcmp(what + strlen(name), suffix) == 0)
            break;
    }
    return h;
}

static bool is_slot(object_part part, size_t i, const char *what)
{
    const char *const name = parts[part].series[i].name;
    return name != NULL && strcmp(name, what) == 0;
}

bool object_series_known(const char *name)
{
    object_part part;
    const char *const what = take_part(name, &part);
    if (what == NULL)
        return strcmp(name, backlog_series) == 0;
    for (size_t i = 0; i < SERIES_MAX; i++)
        if (is_slot(part, i, what))
            return true;
    return histogram_of(part, what, "") < OBJECT_HISTOGRAMS;
}

const char *object_part_name(object_part part)
{
    return parts[part].name;
}

/* ---- objects ---- */

/* The slot that has the object, or is free for it. */
static size_t slot_of(const object_table *t, object_part part, const char *name)
{
    size_t slot = girt_hash(name, strlen(name), t->seed + part) & SLOTS_MASK;
    for (; t->slots[slot] != 0; slot = (slot + 1) & SLOTS_MASK) { /* I1 */
        const object *const o = &t->objects[t->slots[slot] - 1];
        if (o->part == part && strcmp(o->name, name) == 0)
            break;
    }
    return slot;
}

const object *object_table_find(const object_table *table, object_part part,
                                const char *name)
{
    const size_t slot = slot_of(table, part, name);
    return table->slots[slot] == 0 ? NULL
                                   : &table->objects[table->slots[slot] - 1];
}

/* NULL: there are too many already. */
static object *find_or_add(object_table *t, object_part part, const char *name)
{
    const size_t slot = slot_of(t, part, name);
    if (t->slots[slot] == 0) {
        if (t->count == OBJECTS_MAX)
            return NULL;
        object *const o = &t->objects[t->count++];
        memset(o, 0, sizeof *o);
        o->part = part;
        memcpy(o->name, name, strlen(name) + 1);
        t->slots[slot] = (uint16_t)t->count;
    }
    return &t->objects[t->slots[slot] - 1];
}

static void add_bucket(object_histogram *h, const prometheus_sample *s)
{
    const char *const le = prometheus_label_value(s, "le");
    double bound;
    if (le == NULL || !prometheus_number(le, &bound) || isnan(bound) ||
        h->buckets == OBJECT_BUCKETS_MAX ||
        (h->buckets > 0 && !(bound > h->bound[h->buckets - 1]))) {
        h->damaged = true;
        return;
    }
    h->bound[h->buckets] = bound;
    h->count[h->buckets++] = s->value;
}

static void add_value(object *o, size_t i, double value)
{
    o->value[i] = (o->known >> i & 1) != 0 ? o->value[i] + value : value;
    o->known |= 1u << i;
}

static void note_state(object *o, const prometheus_sample *s)
{
    const char *const state = prometheus_label_value(s, "state");
    if (state != NULL && s->value == 1 && strlen(state) <= OBJECT_STATE_MAX)
        memcpy(o->state, state, strlen(state) + 1);
}

static void add_to_object(object *o, const char *what,
                          const prometheus_sample *s)
{
    const size_t h = histogram_of(o->part, what, "_bucket");
    if (h < OBJECT_HISTOGRAMS)
        add_bucket(&o->histogram[h], s);
    for (size_t i = 0; i < SERIES_MAX; i++) {
        if (!is_slot(o->part, i, what))
            continue;
        const series *const one = &parts[o->part].series[i];
        if (one->label != NULL) {
            const char *const v = prometheus_label_value(s, one->label);
            if (v == NULL || strcmp(v, one->value) != 0)
                continue;
        }
        add_value(o, i, s->value);
    }
    if (o->part == PART_BREAKER && is_slot(PART_BREAKER, BREAKER_STATE, what))
        note_state(o, s);
}

static void add_sample(object_table *t, const prometheus_sample *s)
{
    object_part part;
    const char *const what = take_part(s->name, &part);
    const char *const name = prometheus_label_value(s, "name");
    if (what == NULL || name == NULL || strlen(name) > OBJECT_NAME_MAX) {
        if (strcmp(s->name, backlog_series) == 0)
            t->epoch_backlog = s->value;
        else
            t->others++;
        return;
    }
    object *const o = find_or_add(t, part, name);
    if (o == NULL)
        t->left_out++;
    else
        add_to_object(o, what, s);
}

/* ---- the table ---- */

bool object_table_create(object_table *table, uint64_t seed)
{
    memset(table, 0, sizeof *table);
    table->seed = seed;
    table->epoch_backlog = NAN;
    table->objects = calloc(OBJECTS_MAX, sizeof *table->objects);
    return table->objects != NULL;
}

void object_table_destroy(object_table *table)
{
    free(table->objects);
    table->objects = NULL;
}

bool object_table_read(object_table *table, const char *text, size_t size,
                       size_t *line, const char **why)
{
    prometheus_reader reader;
    prometheus_sample sample;
    memset(table->slots, 0, sizeof table->slots);
    table->count = table->left_out = table->others = 0;
    table->epoch_backlog = NAN;
    prometheus_begin(&reader, text, size);
    while (prometheus_next(&reader, &sample))
        add_sample(table, &sample);
    *line = reader.line;
    *why = reader.error;
    return reader.error == NULL;
}
