/* SPDX-License-Identifier: MIT */
/* report.h - how an object tells a registry of metrics what it does.
 *
 * Core owns the seam: objects know nothing of the registry that they report
 * to, and the registry nothing of its objects.
 *
 *   create   object   --> girt__report_create --> reporter->ops->attach
 *   scrape   registry --> source->collect(object, sink) --> girt__sink_counter
 *   destroy  object   --> girt__report_destroy --> reporter->ops->detach
 *
 * The object's side
 *  - girt__report_create comes last in create, when collect can run, and
 *    girt__report_destroy first in destroy, while it still can.
 *  - collect runs in any thread at any time between the two, under the
 *    registry's mutex, never twice at once for one source. It takes no lock
 *    that may be held while objects are made or ended or the process forks,
 *    allocates nothing, and gives each sample once: a series, and for a series
 *    with a label one value of it.
 *  - An object without metrics has a NULL report and pays the branch on it.
 *
 * The registry's side: see girt__reporter_ops. */
#ifndef GIRT_CORE_REPORT_H
#define GIRT_CORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

#include "core/options.h"
#include "core/tally.h"

struct girt_metrics; /* of metrics.h; begins with a girt__reporter */

typedef enum girt__series_kind {
    GIRT__SERIES_COUNTER,
    GIRT__SERIES_GAUGE,
    GIRT__SERIES_HISTOGRAM
} girt__series_kind;

/* A row of an object's static table: one metric family. */
typedef struct girt__series {
    /* As Prometheus text has it, in the metric grammar: "girt_queue_depth", a
     * counter's with its "_total". */
    const char *name;
    girt__series_kind kind;
    /* The name of the label that tells its samples apart, in the label grammar
     * and not "name" or "le"; NULL: one sample. */
    const char *label;
    const char *help;
} girt__series;

/* Counts by upper bounds, for a scrape; the arrays live until the call returns.
 */
typedef struct girt__histogram_view {
    size_t count;               /* of bounds */
    const uint64_t *bounds;     /* rising: values <= bounds[i] ... */
    const uint64_t *cumulative; /* ... were so many; never falling */
    uint64_t total;             /* values: +Inf's bucket, and _count */
    uint64_t sum;               /* of the values, in the unit of the name */
} girt__histogram_view;

/* Where collect writes to; the registry's own follows it in memory. */
typedef struct girt__sink {
    void (*counter)(struct girt__sink *sink, const girt__series *series,
                    const char *label_value, uint64_t value);
    void (*gauge)(struct girt__sink *sink, const girt__series *series,
                  const char *label_value, double value);
    void (*histogram)(struct girt__sink *sink, const girt__series *series,
                      const char *label_value,
                      const girt__histogram_view *view);
} girt__sink;

/* `series` is a row of the source's table. label_value: NULL where the series
 * has no label; else any bytes up to a zero, gone when the call returns. The
 * registry makes valid UTF-8 of it. */
static inline void girt__sink_counter(girt__sink *sink,
                                      const girt__series *series,
                                      const char *label_value, uint64_t value)
{
    sink->counter(sink, series, label_value, value);
}

static inline void girt__sink_gauge(girt__sink *sink,
                                    const girt__series *series,
                                    const char *label_value, double value)
{
    sink->gauge(sink, series, label_value, value);
}

static inline void girt__sink_histogram(girt__sink *sink,
                                        const girt__series *series,
                                        const char *label_value,
                                        const girt__histogram_view *view)
{
    sink->histogram(sink, series, label_value, view);
}

/* An object, as the registry sees it; lives in the object. */
typedef struct girt__source {
    /* Written once, before attach. */
    const char *part; /* "queue": with the name, who this is */
    /* Every sample has it as its label `name`; "": it has no such label. */
    char name[GIRT__NAME_MAX + 1];
    const girt__series *series;
    size_t series_count;
    void *object;
    void (*collect)(void *object, girt__sink *sink);
    /* The registry's. */
    struct girt__reporter *reporter;
    struct girt__source *next, *previous;
} girt__source;

/* What a registry offers to objects.
 *
 *  - attach: GIRT_OK, and from then on source->collect may be called.
 *    GIRT_E_INVALID: the name is not UTF-8, or a family of the table is there
 *    as another kind or with another label. GIRT_E_BUSY: an object of this
 *    part and name is attached. GIRT_E_NOMEM. It reads source->reporter and
 *    owns the two links.
 *  - detach: after it, collect neither runs nor will: it waits for a scrape
 *    that is under way. Cannot fail.
 *  - A scrape writes each family once, with the samples of all sources that
 *    have it: it may call collect once a family, and ignore the others.
 *  - A label's values are bounded by the registry's limit of series a metric;
 *    what is beyond it is the registry's to sum.
 *  - While a registry has a source, it also writes girt__process_source. */
typedef struct girt__reporter_ops {
    girt_status (*attach)(struct girt__reporter *reporter,
                          girt__source *source);
    void (*detach)(struct girt__reporter *reporter, girt__source *source);
} girt__reporter_ops;

/* The head of struct girt_metrics. */
typedef struct girt__reporter {
    const girt__reporter_ops *ops;
} girt__reporter;

/* metrics is not NULL. On failure the source is not attached. */
girt_status girt__report_attach(struct girt_metrics *metrics,
                                girt__source *source);
void girt__report_detach(girt__source *source);

/* What no object owns: girt_epoch_backlog. Part "process", no name; each
 * registry has one of its own, that it makes here and attaches itself. */
void girt__process_source(girt__source *source);

/* ---- for objects ------------------------------------------------------- */

/* What an object that reports itself has besides, in one block. */
typedef struct girt__report {
    girt__source source;
    girt__tally tally; /* of the object's events; none: all zero */
    struct girt__durations *durations; /* of waits or tasks; or NULL */
    size_t durations_count;
    girt_allocator allocator;
} girt__report;

typedef struct girt__report_plan {
    const girt_allocator *allocator; /* resolved */
    struct girt_metrics *metrics;    /* NULL: no report */
    const char *name;                /* girt__options_are_valid said so */
    const char *part;
    const girt__series *series;
    size_t series_count;
    size_t counters;  /* of the tally; 0: none */
    size_t durations; /* histograms of waits or tasks */
    void *object;
    void (*collect)(void *object, girt__sink *sink);
} girt__report_plan;

/* For a plan: a static table, and how many rows it has. */
#define GIRT__SERIES(table)                                                    \
    .series = (table), .series_count = sizeof(table) / sizeof((table)[0])

/* Attaches. *out is set before collect can run; to NULL, with GIRT_OK, where
 * there are no metrics; and to NULL on failure: the answer is attach's, or
 * GIRT_E_NOMEM. */
girt_status girt__report_create(girt__report **out,
                                const girt__report_plan *plan);
/* Detaches; NULL does nothing. */
void girt__report_destroy(girt__report *report);

/* Out of line, so that a caller without a report needs no registers for it: a
 * bulkhead's enter and leave took 11.7 ns with its count in line, 10.8 without
 * (2-core AMD EPYC VM, 2026-11). */
void girt__report_add(const girt__report *report, size_t which,
                      uint64_t amount);

/* Counts an event, where there is a report; nothing is read but the pointer
 * where there is none. */
static inline void girt__report_count(const girt__report *report, size_t which,
                                      uint64_t amount)
{
    if (girt_unlikely(report != NULL))
        girt__report_add(report, which, amount);
}

static inline uint64_t girt__report_sum(const girt__report *report,
                                        size_t which)
{
    return girt__tally_sum(&report->tally, which);
}

#endif /* GIRT_CORE_REPORT_H */
