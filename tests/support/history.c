/* SPDX-License-Identifier: MIT */
/* history.c - recording operations without a lock. */
#include "support/history.h"

#include <stdlib.h>
#include <string.h>

#include "support/check.h"

void history_init(history *h, size_t threads, size_t per_thread)
{
    assert_true(threads <= HISTORY_THREADS_MAX);
    *h = (history){.per_thread = per_thread};
    for (size_t i = 0; i < threads; i++) {
        h->operations[i] = calloc(per_thread, sizeof *h->operations[i]);
        assert_non_null(h->operations[i]);
    }
}

void history_clear(history *h)
{
    h->clock = 0;
    memset(h->counts, 0, sizeof h->counts);
}

void history_free(history *h)
{
    for (size_t i = 0; i < HISTORY_THREADS_MAX; i++)
        free(h->operations[i]);
    *h = (history){0};
}

static uint64_t tick(history *h)
{
    return __atomic_add_fetch(&h->clock, 1, __ATOMIC_SEQ_CST);
}

operation *history_begin(history *h, size_t thread, uint32_t kind,
                         uint64_t argument)
{
    if (h->counts[thread] == h->per_thread)
        abort(); /* the test recorded more than it made room for */
    operation *const o = &h->operations[thread][h->counts[thread]++];
    *o = (operation){.thread = (uint32_t)thread,
                     .kind = kind,
                     .argument = argument,
                     .end = HISTORY_PENDING};
    o->begin = tick(h);
    return o;
}

void history_end(history *h, operation *o, uint64_t result, uint64_t value)
{
    o->result = result;
    o->value = value;
    o->end = tick(h);
}

size_t history_count(const history *h)
{
    size_t count = 0;
    for (size_t i = 0; i < HISTORY_THREADS_MAX; i++)
        count += h->counts[i];
    return count;
}
