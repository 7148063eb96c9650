/* SPDX-License-Identifier: MIT */
/* metrics_internal.h - the registry, for this module, for what puts one into
 * shared memory, and for tests.
 *
 * girt__metrics_attach makes a registry over a block that processes share. Its
 * names, labels and counts are in the block, by offset; handles, the mutex and
 * attached objects are the process' own. Zeros are an empty registry, so that
 * whoever makes the block only has to zero it. Nothing in it is ever locked:
 * lists grow by one compare-and-swap, pieces are taken by one, and every count
 * is one atomic addition, so a process that is killed at any instruction
 * leaves nothing that others wait for. See docs/design/metrics.md. */
#ifndef GIRT_METRICS_METRICS_INTERNAL_H
#define GIRT_METRICS_METRICS_INTERNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <girt/metrics.h>

#include "core/report.h"
#include "core/tally.h"
#include "core/thread.h"
#include "metrics/metrics_arena.h"
#include "metrics/histogram_buckets.h"
#include "metrics/metrics_series.h"
#include "metrics/metrics_text.h"

/* The head of every handle: one a series and process. Written once. */
typedef struct girt__handle {
    struct girt__handle *next; /* of its bucket; under the mutex */
    girt__metric_kind kind;
    girt__family_view family;
    girt__series_view series;
} girt__handle;

struct girt_counter {
    girt__tally tally; /* which is 0; the words are the arena's */
    bool shared;
    uint32_t turn; /* of a shared one: see girt__shared_cell */
    girt__handle handle;
};

struct girt_gauge {
    uint64_t *bits;
    girt__handle handle;
};

struct girt_histogram {
    uint64_t *words; /* shards times GIRT__SHARD_WORDS */
    /* Shards below own have one writer each, a thread of that index; the
     * others are shared by mask and added to atomically. */
    uint32_t own, mask, turn;
    uint32_t shards;
    girt__handle handle;
};

enum { GIRT__FEW_BUCKETS = 16 };

/* A metric that attached objects have: how many of them. */
typedef struct girt__source_family {
    struct girt__source_family *next;
    const girt__series *series;
    size_t sources;
} girt__source_family;

struct girt_metrics {
    girt__reporter reporter; /* first: see core/report.h */
    girt_allocator allocator;
    girt__arena arena;
    uint32_t turn;
    /* Called at the end of girt_metrics_destroy; or NULL. */
    void (*closed)(void *context);
    void *closed_context;

    /* Guards all below, and who takes from a private arena. Held for a bounded
     * time, and around a fork. */
    pthread_mutex_t mutex;
    girt__thread_observer observer;
    girt__handle **buckets; /* few, or the allocator's */
    girt__handle *few[GIRT__FEW_BUCKETS];
    size_t bucket_count, handle_count;
    girt__source *first_source, *last_source;
    girt__source_family *families, *last_family;
    size_t family_count;
    girt__source process;
};

/* Over shared memory: `block` is zeros, or was attached before; aligned to 128,
 * at most 4 GiB, and there until girt_metrics_destroy, which calls
 * closed(context). The allocator serves what is the process' own.
 * GIRT_E_INVALID, GIRT_E_NOMEM; GIRT_E_CORRUPT: neither zeros nor a registry of
 * this version and size. */
girt_status girt__metrics_attach(girt_metrics **out, void *block, size_t size,
                                 const girt_allocator *allocator,
                                 void (*closed)(void *context), void *context);

/* The object of the series' handle, as girt_counter_create and the like. */
girt_status girt__metrics_find_or_make(girt_metrics *metrics,
                                       girt__metric_kind kind, const char *name,
                                       const char *help,
                                       const char *const pairs[], void **out);
uint64_t girt__metrics_series_max(const girt_metrics *metrics);
double girt__gauge_of(const uint64_t *cell);

/* The kind and the base name of a row of an object's table. */
static inline girt__metric_kind girt__source_kind(const girt__series *series)
{
    return series->kind == GIRT__SERIES_COUNTER ? GIRT__METRIC_COUNTER
           : series->kind == GIRT__SERIES_GAUGE ? GIRT__METRIC_GAUGE
                                                : GIRT__METRIC_HISTOGRAM;
}

static inline size_t girt__source_base(const girt__series *series)
{
    return girt__metric_base(girt__source_kind(series), series->name,
                             strlen(series->name));
}

/* metrics_source.c: what objects see of a registry. */
extern const girt__reporter_ops girt__metrics_reporter;
/* GIRT_E_INVALID: attached objects have a metric that clashes with this. Under
 * the mutex. */
girt_status girt__sources_clash(const girt_metrics *metrics,
                                girt__metric_kind kind, const char *name,
                                size_t name_size);
/* metrics_collect.c: the text of all samples that attached objects have, a
 * metric at a time. GIRT_E_NOMEM: nothing was written. */
typedef struct girt__source_texts girt__source_texts;
girt_status girt__sources_collect(girt_metrics *metrics,
                                  girt_metrics_format format,
                                  girt__source_texts **out);
void girt__sources_write(const girt__source_texts *texts, girt__text *out);
void girt__sources_release(girt__source_texts *texts);

/* metrics_write.c: lines. The name is a metric's base; labels are as they
 * stand between braces. */
void girt__write_head(girt__text *text, girt_metrics_format format,
                      girt__metric_kind kind, const char *name,
                      size_t name_size, const char *help, size_t help_size);
void girt__write_sample(girt__text *text, const char *name, size_t name_size,
                        const char *ending, const char *labels,
                        size_t labels_size);
void girt__write_bucket(girt__text *text, girt_metrics_format format,
                        const char *name, size_t name_size, const char *labels,
                        size_t labels_size, uint64_t bound,
                        uint64_t cumulative);
/* +Inf, _sum and _count. */
void girt__write_histogram_end(girt__text *text, const char *name,
                               size_t name_size, const char *labels,
                               size_t labels_size, uint64_t total,
                               uint64_t sum);

/* histogram.c */
void girt__histogram_bind(girt_histogram *histogram,
                          const girt_metrics *metrics);
/* A reading of all shards. */
typedef struct girt__histogram_read {
    uint64_t cumulative[GIRT__BOUNDS];
    uint64_t total, sum;
} girt__histogram_read;
void girt__histogram_read_cells(const girt__series_view *series,
                                girt__histogram_read *read);

/* The cell of a thread where processes meet, each with a turn of its own: their
 * threads of index 0 do not meet in one line. */
static inline uint32_t girt__shared_cell(uint32_t thread_index, uint32_t turn,
                                         uint32_t mask)
{
    return (thread_index + turn) & mask;
}

/* The arena's lists are sound, while nobody creates. */
bool girt__metrics_is_valid(girt_metrics *metrics);

#endif /* GIRT_METRICS_METRICS_INTERNAL_H */
