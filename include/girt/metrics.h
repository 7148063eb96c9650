/* SPDX-License-Identifier: MIT */
/* metrics.h - counters, gauges and histograms that no two CPUs fight over, and
 * the text that Prometheus reads.
 *
 * A registry holds metrics; a metric is a name with a kind and a help text; a
 * series is a metric with one set of labels, and a handle stands for it. Asking
 * for a series that is there gives its handle again, whatever the order of the
 * labels. Handles belong to the registry and live as long as it does.
 *
 *                            add set  value    create_*  write  destroy
 *                            record   quantile
 *   counter_add gauge_*         -        -        -        -       X
 *   histogram_record merge      -        -        -        -       X
 *   values, quantile            -        -        -        -       X
 *   counter_ gauge_ histogram_create     -        -        -       X
 *   metrics_write               -        -        -        -       X
 *   metrics_destroy             X        X        X        X       X
 *
 *   X: the caller must keep the two from overlapping.
 *
 * Adding and recording never wait and never allocate: each thread has words of
 * its own, or shares them with few others and then adds atomically. Nothing is
 * lost when threads overlap, when a thread ends, or when one is stopped within
 * a call. A value read has every addition that happened before the reading
 * began, and never goes back as one thread sees it.
 *
 * Creating takes the registry's mutex; writing takes it to read what attached
 * objects say, and never while the text goes out: a reader that is slow holds
 * up nobody.
 *
 * After fork the child has a copy of the registry, which goes on from the same
 * values and is not the parent's any more. Thread exit: nothing is lost, since
 * nothing waits in the thread. Signal handlers: counter_add, gauge_set,
 * gauge_add and histogram_record may be called from one, and lose nothing, once
 * its thread has called one of them before.
 *
 * Bounds: a metric has 1000 series (girt_metrics_set_series_max); what is asked
 * for beyond them is one more series, labelled overflow="true". Names are 255
 * bytes at most, help texts and label values 4096, labels 32; a registry has
 * 4096 metrics.
 *
 * Text formats: Prometheus 0.0.4, OpenMetrics 1.0. */
#ifndef GIRT_METRICS_H
#define GIRT_METRICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** The most bytes of a metric's or a label's name. */
#define GIRT_METRICS_NAME_MAX       255
/** The most bytes of a help text, and of a label's value. */
#define GIRT_METRICS_TEXT_MAX       4096
/** The most labels of a series. */
#define GIRT_METRICS_LABELS_MAX     32
/** The most metrics of a registry. */
#define GIRT_METRICS_MAX            4096
/** How many series a metric has unless it is told otherwise. */
#define GIRT_METRICS_SERIES_DEFAULT 1000
/** The most that girt_metrics_set_series_max may set. */
#define GIRT_METRICS_SERIES_MAX     1000000
/** The largest value that a histogram tells apart: 2^42, in nanoseconds 73
 * minutes. */
#define GIRT_HISTOGRAM_MAX          (UINT64_C(1) << 42)

/** A registry of metrics. */
typedef struct girt_metrics girt_metrics;
/** A series that only grows: requests served, bytes sent. */
typedef struct girt_counter girt_counter;
/** A series that is set: a temperature, a size. */
typedef struct girt_gauge girt_gauge;
/** A series of how often which values came: waiting times, sizes. */
typedef struct girt_histogram girt_histogram;

/** What girt_metrics_write writes. */
typedef enum girt_metrics_format {
    /** Prometheus text 0.0.4: `text/plain; version=0.0.4; charset=utf-8`. */
    GIRT_PROMETHEUS_TEXT = 0,
    /** OpenMetrics 1.0: `application/openmetrics-text; version=1.0.0;
     * charset=utf-8`. */
    GIRT_OPENMETRICS_TEXT = 1
} girt_metrics_format;

/**
 * Makes an empty registry.
 *
 * @param out        where its handle goes; written only on GIRT_OK.
 * @param allocator  where memory comes from; NULL: the default.  Copied.
 * @return  GIRT_OK; GIRT_E_INVALID if out is NULL or the allocator incomplete;
 *          GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: that of the allocator.
 * Order: the handle must reach other threads by a synchronizing step.
 * Since: 0.1
 */
GIRT_API girt_status girt_metrics_create(girt_metrics **out,
                                         const girt_allocator *allocator);

/**
 * Frees a registry, its series and their handles.
 *
 * @param metrics  the registry, to which no object reports any more and whose
 *                 handles no thread uses any more; NULL does nothing.
 *
 * Threads: any, after all other calls, and after the destruction of every
 * object that had it as its option `metrics`.
 * Progress: that of the allocator.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_metrics_destroy(girt_metrics *metrics);

/**
 * Sets how many series each metric may have.  Series that are there stay.
 *
 * @param metrics  the registry.
 * @param count    1 to GIRT_METRICS_SERIES_MAX.  Without this call
 *                 GIRT_METRICS_SERIES_DEFAULT.
 * @return  GIRT_OK; GIRT_E_INVALID if metrics is NULL or count 0;
 *          GIRT_E_TOO_LARGE.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_metrics_set_series_max(girt_metrics *metrics,
                                                 size_t count);

/**
 * Gives the handle of a counter, made if it is not there.
 *
 * A counter is written as `<name>_total` in both formats, whether the name
 * given has that ending or not: "hits" and "hits_total" are one metric.
 *
 * A metric's first help text stays.  A name that would give two samples the
 * same name (a gauge "wait_ns_count" beside a histogram "wait_ns") is refused
 * like a name of another kind.
 *
 * @param out      where the handle goes; written only on GIRT_OK.
 * @param metrics  the registry.
 * @param name     `[a-zA-Z_:][a-zA-Z0-9_:]*`, units last: "wait_ns".
 * @param help     one line for people, UTF-8; NULL or "": none.
 * @param labels   NULL, or names and values by turns, then NULL: {"method",
 *                 "GET", NULL}.  Names `[a-zA-Z_][a-zA-Z0-9_]*`, each once,
 *                 none that begins with "__", and not "le" or "quantile";
 *                 values any UTF-8.
 * @return  GIRT_OK; GIRT_E_INVALID for NULL where it is not allowed, a name
 *          outside its grammar, text that is not UTF-8, a label twice or
 *          reserved, or a name that another kind of metric has;
 *          GIRT_E_TOO_LARGE beyond the bounds above; GIRT_E_NOMEM;
 *          GIRT_E_CORRUPT if the registry is in shared memory that another
 *          process destroyed.
 *
 * Threads: any.
 * Progress: blocking (the registry's mutex, the allocator).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_counter_create(girt_counter **out,
                                         girt_metrics *metrics,
                                         const char *name, const char *help,
                                         const char *const labels[]);

/**
 * Adds to a counter, modulo 2^64.
 *
 * @param counter  the counter.
 * @param amount   how much.
 *
 * Threads: any.
 * Progress: wait-free; the first call of a thread's life that needs its number
 * takes a mutex.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_counter_add(girt_counter *counter, uint64_t amount);

/**
 * What a counter has come to.
 *
 * @param counter  the counter.
 * @return  the sum of all that was added, modulo 2^64.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: has every addition that happened before.
 * Since: 0.1
 */
GIRT_API uint64_t girt_counter_value(const girt_counter *counter);

/**
 * Gives the handle of a gauge, made if it is not there: 0.  Names and labels
 * as for girt_counter_create.
 *
 * @param out      where the handle goes; written only on GIRT_OK.
 * @param metrics  the registry.
 * @param name     of the metric.
 * @param help     one line for people; NULL or "": none.
 * @param labels   NULL, or names and values by turns, then NULL.
 * @return  as girt_counter_create.
 *
 * Threads: any.
 * Progress: blocking (the registry's mutex, the allocator).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_gauge_create(girt_gauge **out, girt_metrics *metrics,
                                       const char *name, const char *help,
                                       const char *const labels[]);

/**
 * Sets a gauge.
 *
 * @param gauge  the gauge.
 * @param value  any, infinities and NaN too.
 *
 * Threads: any; the last one wins.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_gauge_set(girt_gauge *gauge, double value);

/**
 * Adds to a gauge, as one step: no addition is lost.
 *
 * @param gauge   the gauge.
 * @param amount  how much; may be negative.
 *
 * Threads: any.  They share one word: for what is counted often, count up and
 * count down in two counters.
 * Progress: lock-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_gauge_add(girt_gauge *gauge, double amount);

/**
 * What a gauge was last set to.
 *
 * @param gauge  the gauge.
 * @return  that, with what was added since.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API double girt_gauge_value(const girt_gauge *gauge);

/**
 * Gives the handle of a histogram, made if it is not there.  Names and labels
 * as for girt_counter_create.
 *
 * It counts integers, in the unit that its name says ("wait_ns", "size_bytes"),
 * in 1218 log-linear buckets: 0 to 64 exactly, and from there to
 * GIRT_HISTOGRAM_MAX 32 for each doubling, so that no value is further than
 * 1/64 of itself from its bucket's middle.  Larger values are told from smaller
 * ones only.  Memory is fixed: 9.6 KiB times four, or times eight on a machine
 * of more than two CPUs.
 *
 * It is written with the bounds `le` = 1, 2, 4, ... 2^42, which are edges of
 * its buckets, so that these counts are exact.
 *
 * @param out      where the handle goes; written only on GIRT_OK.
 * @param metrics  the registry.
 * @param name     of the metric.
 * @param help     one line for people; NULL or "": none.
 * @param labels   NULL, or names and values by turns, then NULL.
 * @return  as girt_counter_create.
 *
 * Threads: any.
 * Progress: blocking (the registry's mutex, the allocator).
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_histogram_create(girt_histogram **out,
                                           girt_metrics *metrics,
                                           const char *name, const char *help,
                                           const char *const labels[]);

/**
 * Counts a value.
 *
 * @param histogram  the histogram.
 * @param value      any.  One above GIRT_HISTOGRAM_MAX adds that much to the
 *                   sum.
 *
 * Threads: any.
 * Progress: wait-free, as girt_counter_add.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_histogram_record(girt_histogram *histogram, uint64_t value);

/**
 * The value that a share of all values does not exceed.
 *
 * @param histogram  the histogram.
 * @param q          the share: 0.99.  Below 0 and NaN are taken as 0, the
 *                   smallest value; above 1 as 1, the largest.
 * @return  within 1/64 of the value of rank ceil(q * count) among those
 *          recorded; GIRT_HISTOGRAM_MAX if that is larger; 0 if there is none.
 *
 * Threads: any.
 * Progress: wait-free; it reads all buckets.
 * Order: has every value that was recorded before.
 * Since: 0.1
 */
GIRT_API uint64_t girt_histogram_quantile(const girt_histogram *histogram,
                                          double q);

/**
 * How many values a histogram has.
 *
 * @param histogram  the histogram.
 * @return  their number.
 *
 * Threads: any.
 * Progress: wait-free; it reads all buckets.
 * Order: has every value that was recorded before.
 * Since: 0.1
 */
GIRT_API uint64_t girt_histogram_count(const girt_histogram *histogram);

/**
 * Adds all that one histogram has to another.
 *
 * @param into  what is added to.
 * @param from  what is added; may be of another registry.
 * @return  GIRT_OK; GIRT_E_INVALID if one is NULL or both are the same.
 *
 * Threads: any.  Values recorded in `from` meanwhile may or may not be in.
 * Progress: wait-free.
 * Order: has every value that was recorded before.
 * Since: 0.1
 */
GIRT_API girt_status girt_histogram_merge(girt_histogram *into,
                                          const girt_histogram *from);

/**
 * Writes all series, each metric once: what was made here, then what the
 * objects report that have this registry as their option `metrics`.
 *
 * @param metrics  the registry.
 * @param format   which text.
 * @param write    takes a piece of the text, 1 to 4096 bytes, not terminated;
 *                 false ends the writing.
 * @param context  passed to write.
 * @return  GIRT_OK; GIRT_E_IO: write answered false; GIRT_E_INVALID if metrics
 *          or write is NULL or there is no such format; GIRT_E_NOMEM: for what
 *          attached objects said, before anything was written; GIRT_E_CORRUPT
 *          as girt_counter_create.
 *
 * Within a histogram _count and the buckets agree; counters and histograms that
 * change meanwhile are otherwise each read at an instant of its own.
 *
 * Threads: any, several at once too.  `write` may use the registry, but not
 * destroy it.
 * Progress: blocking (the registry's mutex while objects are asked, `write`).
 * Order: has every addition that happened before.
 * Since: 0.1
 */
GIRT_API girt_status girt_metrics_write(
    girt_metrics *metrics, girt_metrics_format format,
    bool (*write)(void *context, const char *text, size_t size), void *context);

GIRT_END

#endif /* GIRT_METRICS_H */
