/* SPDX-License-Identifier: MIT */
/* reporting.h - every kind of object that reports itself, for tests that treat
 * them alike. */
#ifndef GIRT_TESTS_REPORTING_H
#define GIRT_TESTS_REPORTING_H

#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

struct girt_metrics;

typedef struct reporting_kind {
    const char *part; /* as its source says */
    /* The public create, where only these three are given. */
    girt_status (*create)(void **out, const char *name,
                          struct girt_metrics *metrics,
                          const girt_allocator *allocator);
    void (*destroy)(void *object);
    /* Some dozen operations, by any thread, that move every series there is
     * when `turn` takes all numbers. */
    void (*use)(void *object, uint64_t turn);
} reporting_kind;

extern const reporting_kind reporting_kinds[];
extern const size_t reporting_count;

#endif /* GIRT_TESTS_REPORTING_H */
