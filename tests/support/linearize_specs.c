/* SPDX-License-Identifier: MIT */
/* linearize_specs.c - what the objects do when one thread uses them. */
#include <string.h>

#include <girt/status.h>

#include "support/linearize.h"

/* Oldest first; what is not used is zero, so that equal states are equal. */
typedef struct items {
    uint64_t count;
    uint64_t item[64];
} items;

static bool push(items *q, uint64_t item, uint64_t capacity)
{
    if (q->count >= capacity)
        return false;
    q->item[q->count++] = item;
    return true;
}

static bool take_oldest(items *q, uint64_t *item)
{
    if (q->count == 0)
        return false;
    *item = q->item[0];
    q->count--;
    memmove(q->item, q->item + 1, q->count * sizeof *q->item);
    q->item[q->count] = 0;
    return true;
}

static bool take_newest(items *q, uint64_t *item)
{
    if (q->count == 0)
        return false;
    *item = q->item[--q->count];
    q->item[q->count] = 0;
    return true;
}

static bool push_step(const specification *s, items *q, const operation *o,
                      bool known, size_t under_way)
{
    if (known && o->result == 0)
        return q->count + under_way + o->second >= s->capacity;
    return push(q, o->argument, s->capacity) || !known;
}

static bool taken(bool some, uint64_t item, const operation *o, bool known)
{
    return !known || (o->result == 0 ? !some : some && item == o->value);
}

static bool queue_step(const specification *s, void *state, const operation *o,
                       bool known, size_t under_way)
{
    items *const q = state;
    if (o->kind == QUEUE_PUSH)
        return push_step(s, q, o, known, under_way);
    uint64_t item = 0;
    bool const some = take_oldest(q, &item);
    return taken(some, item, o, known);
}

static bool deque_step(const specification *s, void *state, const operation *o,
                       bool known, size_t under_way)
{
    items *const q = state;
    uint64_t item = 0;
    bool some = false;
    if (o->kind == DEQUE_PUSH)
        return push_step(s, q, o, known, under_way);
    if (o->kind == DEQUE_POP) {
        some = take_newest(q, &item);
        return taken(some, item, o, known);
    }
    if (known && o->result == 0)
        return true; /* a steal may lose a race without one in sight */
    some = take_oldest(q, &item);
    return taken(some, item, o, known);
}

static specification of_items(uint64_t capacity)
{
    return (specification){.capacity = capacity,
                           .state_size = 8 * (1 + (size_t)capacity)};
}

specification specification_queue(uint64_t capacity)
{
    specification s = of_items(capacity);
    s.step = queue_step;
    s.under_way_kinds = 1u << QUEUE_POP;
    return s;
}

specification specification_strict_queue(uint64_t capacity)
{
    specification s = of_items(capacity);
    s.step = queue_step;
    return s;
}

specification specification_deque(uint64_t capacity)
{
    specification s = of_items(capacity);
    s.step = deque_step;
    s.under_way_kinds = 1u << DEQUE_STEAL;
    return s;
}

/* ---- one key of a map -------------------------------------------------- */

typedef struct cell {
    uint64_t present, value; /* value 0 when absent */
} cell;

static girt_status change(cell *c, const operation *o, uint64_t *out)
{
    girt_status const missing = c->present ? GIRT_OK : GIRT_MISSING;
    *out = c->value;
    switch (o->kind) {
    case MAP_GET:
        return missing;
    case MAP_PUT:
        *c = (cell){1, o->argument};
        return GIRT_OK;
    case MAP_ADD:
        if (c->present)
            return GIRT_EXISTS;
        *c = (cell){1, o->argument};
        return GIRT_OK;
    case MAP_REMOVE:
        *c = (cell){0, 0};
        return missing;
    case MAP_EXCHANGE:
        if (!c->present)
            return GIRT_MISSING;
        if (c->value != o->argument)
            return GIRT_EXISTS;
        c->value = o->second;
        return GIRT_OK;
    default: /* MAP_INCREASE */
        *c = (cell){1, c->value + o->argument};
        *out = c->value;
        return GIRT_OK;
    }
}

static bool register_step(const specification *s, void *state,
                          const operation *o, bool known, size_t under_way)
{
    (void)s;
    (void)under_way;
    uint64_t out;
    girt_status const status = change(state, o, &out);
    if (!known)
        return true;
    bool const tells =
        o->kind == MAP_GET || o->kind == MAP_REMOVE || o->kind == MAP_INCREASE;
    return o->result == (uint64_t)status &&
           (status != GIRT_OK || !tells || out == o->value);
}

specification specification_register(void)
{
    return (specification){.state_size = sizeof(cell), .step = register_step};
}
