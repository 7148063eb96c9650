/* SPDX-License-Identifier: MIT */
/* history.h - what each thread asked of an object, and was answered, when.
 *
 *   operation *o = history_begin(&h, thread, KIND, argument);
 *   bool ok = girt_mpmc_pop(...);
 *   history_end(&h, o, result, value);
 *
 * Times are numbers of one counter: an operation that ended before another
 * began has the smaller ones. Each thread writes its own operations only. */
#ifndef GIRT_TESTS_HISTORY_H
#define GIRT_TESTS_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#define HISTORY_THREADS_MAX 16
#define HISTORY_PENDING     UINT64_MAX

typedef struct operation {
    uint32_t thread;
    uint32_t kind;     /* the specification's */
    uint64_t key;      /* which register of a map */
    uint64_t argument; /* what went in */
    uint64_t second;   /* exchange: desired */
    uint64_t result;   /* the status or the truth that came out */
    uint64_t value;    /* what came out besides */
    uint64_t begin, end;
} operation;

typedef struct history {
    size_t per_thread; /* room for so many operations of each thread */
    uint64_t clock;
    size_t counts[HISTORY_THREADS_MAX];
    operation *operations[HISTORY_THREADS_MAX];
} history;

void history_init(history *h, size_t threads, size_t per_thread);
void history_clear(history *h);
void history_free(history *h);

/* Not more than per_thread times; `end` is HISTORY_PENDING until it ends. */
operation *history_begin(history *h, size_t thread, uint32_t kind,
                         uint64_t argument);
void history_end(history *h, operation *o, uint64_t result, uint64_t value);

/* Of all threads. */
size_t history_count(const history *h);

#endif /* GIRT_TESTS_HISTORY_H */
