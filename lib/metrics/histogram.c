/* SPDX-License-Identifier: MIT */
/* histogram.c - counting values in log-linear buckets, in a few shards.
 *
 *   shard 0     | sum | 1218 buckets |
 *   shard 1     | sum | 1218 buckets |   the first 3 of 4, or 4 of 8: one
 *   ...                                  writer each, the thread of that index
 *   shard n - 1 | sum | 1218 buckets |   the others: all other threads
 *
 * I1: a value is counted in one bucket of one shard, and adds to that shard's
 *     sum; both stay if the thread is stopped in between, so that _sum may lag
 *     by what is under way.
 * I2: a shard below `own` has one writer at a time (core/thread.h).
 *
 * Counting takes two additions to lines that no other CPU writes, unless there
 * are more threads than shards: these add atomically. */
#include <girt/metrics.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "metrics/metrics_internal.h"

_Static_assert(GIRT_HISTOGRAM_MAX == UINT64_C(1) << (GIRT__BOUNDS - 1),
               "the last bound is the last edge");

void girt__histogram_bind(girt_histogram *histogram,
                          const girt_metrics *metrics)
{
    uint32_t const shards = histogram->handle.series.shards;
    histogram->words = histogram->handle.series.cells;
    histogram->shards = shards;
    /* Where processes meet, no shard has one writer. Four shards are those of
     * two CPUs: a third one has its writer, since the thread that made the
     * histogram, often the first, may not be one that records. */
    uint32_t const common = metrics->arena.shared ? shards
                            : shards <= 4         ? 1
                                                  : shards / 2;
    histogram->own = shards - common;
    histogram->mask = common - 1;
    histogram->turn = metrics->turn;
}

girt_status girt_histogram_create(girt_histogram **out, girt_metrics *metrics,
                                  const char *name, const char *help,
                                  const char *const labels[])
{
    void *object;
    if (out == NULL)
        return GIRT_E_INVALID;
    girt_status const status = girt__metrics_find_or_make(
        metrics, GIRT__METRIC_HISTOGRAM, name, help, labels, &object);
    if (status == GIRT_OK)
        *out = object;
    return status;
}

/* Relaxed throughout: counts order nothing. */
static void add(const girt_histogram *histogram, size_t bucket, uint64_t count,
                uint64_t sum)
{
    uint32_t const index = girt__thread_index();
    if (girt_likely(index < histogram->own)) {
        uint64_t *const shard =
            histogram->words + (size_t)index * GIRT__SHARD_WORDS;
        girt_bump_relaxed(&shard[1 + bucket], count);
        girt_bump_relaxed(&shard[0], sum);
        return;
    }
    uint32_t const cell =
        histogram->own +
        girt__shared_cell(index, histogram->turn, histogram->mask);
    uint64_t *const shard = histogram->words + (size_t)cell * GIRT__SHARD_WORDS;
    (void)girt_add_relaxed(&shard[1 + bucket], count);
    (void)girt_add_relaxed(&shard[0], sum);
}

void girt_histogram_record(girt_histogram *histogram, uint64_t value)
{
    add(histogram, girt__bucket_of(value), 1,
        value < GIRT_HISTOGRAM_MAX ? value : GIRT_HISTOGRAM_MAX);
}

/* ---- reading ------------------------------------------------------------ */

static uint64_t sum_word(const uint64_t *words, uint32_t shards, size_t word)
{
    uint64_t sum = 0;
    for (uint32_t shard = 0; shard < shards; shard++)
        sum += girt_load_relaxed(&words[shard * GIRT__SHARD_WORDS + word]);
    return sum;
}

void girt__histogram_read_cells(const girt__series_view *series,
                                girt__histogram_read *read)
{
    read->sum = sum_word(series->cells, series->shards, 0);
    read->total = 0;
    size_t bound = 0;
    for (size_t bucket = 0; bucket < GIRT__BUCKETS; bucket++) {
        read->total += sum_word(series->cells, series->shards, 1 + bucket);
        if (bound < GIRT__BOUNDS && girt__bucket_high(bucket) == UINT64_C(1)
                                                                     << bound)
            read->cumulative[bound++] = read->total;
    }
    girt_assert(bound == GIRT__BOUNDS);
}

static uint64_t rank_of(double q, uint64_t total)
{
    if (!(q > 0))
        return 1;
    if (q >= 1)
        return total;
    double const exact = q * (double)total;
    uint64_t const whole = exact < (double)total ? (uint64_t)exact : total;
    uint64_t const rank = whole + ((double)whole < exact);
    return rank < total ? rank : total;
}

uint64_t girt_histogram_quantile(const girt_histogram *histogram, double q)
{
    /* Read once, so that the rank lies within what is walked. */
    uint64_t counts[GIRT__BUCKETS];
    uint64_t total = 0;
    for (size_t bucket = 0; bucket < GIRT__BUCKETS; bucket++) {
        counts[bucket] =
            sum_word(histogram->words, histogram->shards, 1 + bucket);
        total += counts[bucket];
    }
    if (total == 0)
        return 0;
    uint64_t left = rank_of(q, total);
    size_t bucket = 0;
    while (counts[bucket] < left)
        left -= counts[bucket++];
    return girt__bucket_middle(bucket);
}

uint64_t girt_histogram_count(const girt_histogram *histogram)
{
    uint64_t total = 0;
    for (size_t bucket = 0; bucket < GIRT__BUCKETS; bucket++)
        total += sum_word(histogram->words, histogram->shards, 1 + bucket);
    return total;
}

girt_status girt_histogram_merge(girt_histogram *into,
                                 const girt_histogram *from)
{
    if (into == NULL || from == NULL || into->words == from->words)
        return GIRT_E_INVALID;
    for (size_t bucket = 0; bucket < GIRT__BUCKETS; bucket++) {
        uint64_t const count = sum_word(from->words, from->shards, 1 + bucket);
        if (count != 0)
            add(into, bucket, count, 0);
    }
    add(into, 0, 0, sum_word(from->words, from->shards, 0));
    return GIRT_OK;
}
