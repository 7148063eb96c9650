/* SPDX-License-Identifier: MIT */
/* histogram_buckets.h - which bucket a value is in, and what a bucket spans.
 *
 *   bucket  0 .. 64      the value itself
 *           65 .. 1216   32 for each of (64, 128], (128, 256], ... (2^41, 2^42]
 *           1217         all above
 *
 * Each bucket beyond 64 is (low, low + low's octave / 32], so that every power
 * of two is an upper edge, and no value is further from the middle than a 64th
 * of itself. Log-linear buckets: G. Tene's HdrHistogram. */
#ifndef GIRT_METRICS_HISTOGRAM_BUCKETS_H
#define GIRT_METRICS_HISTOGRAM_BUCKETS_H

#include <stddef.h>
#include <stdint.h>

#include <girt/metrics.h>

#include "core/cacheline.h"

enum {
    GIRT__EXACT_MAX = 64,
    GIRT__SUB_SHIFT = 5, /* 32 an octave */
    GIRT__LAST_OCTAVE = 41,
    GIRT__OVERFLOW_BUCKET = 1217,
    GIRT__BUCKETS = 1218,
    /* The bounds that are written: 2^0 .. 2^42. */
    GIRT__BOUNDS = 43,
    /* A shard: the sum, then the buckets, in whole lines. */
    GIRT__SHARD_WORDS = (1 + GIRT__BUCKETS + 15) / 16 * 16,
};

static inline size_t girt__bucket_of(uint64_t value)
{
    if (girt_unlikely(value <= GIRT__EXACT_MAX))
        return (size_t)value;
    if (girt_unlikely(value > GIRT_HISTOGRAM_MAX))
        return GIRT__OVERFLOW_BUCKET;
    uint64_t const below = value - 1; /* 64 .. 2^42 - 1 */
    unsigned const shift =
        63u - (unsigned)__builtin_clzll(below) - GIRT__SUB_SHIFT;
    return 1 + ((size_t)shift << GIRT__SUB_SHIFT) + (size_t)(below >> shift);
}

/* The largest value of a bucket; UINT64_MAX of the last. */
static inline uint64_t girt__bucket_high(size_t bucket)
{
    if (bucket <= GIRT__EXACT_MAX)
        return bucket;
    if (bucket >= GIRT__OVERFLOW_BUCKET)
        return UINT64_MAX;
    /* Of below: 32 .. 63 in its upper six bits, then shift others. */
    size_t const at = bucket - 1;
    unsigned const shift = (unsigned)(at >> GIRT__SUB_SHIFT) - 1;
    uint64_t const upper = at - ((size_t)shift << GIRT__SUB_SHIFT);
    return (upper + 1) << shift;
}

/* Its middle, which stands for all its values. */
static inline uint64_t girt__bucket_middle(size_t bucket)
{
    if (bucket <= GIRT__EXACT_MAX)
        return bucket;
    if (bucket >= GIRT__OVERFLOW_BUCKET)
        return GIRT_HISTOGRAM_MAX;
    uint64_t const low = girt__bucket_high(bucket - 1);
    return low + (girt__bucket_high(bucket) - low + 1) / 2;
}

#endif /* GIRT_METRICS_HISTOGRAM_BUCKETS_H */
