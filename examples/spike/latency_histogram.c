/* SPDX-License-Identifier: MIT */
/* latency_histogram.c - the buckets of latency_histogram.h.
 *
 * Values below 128 have a bucket each. From there on a value with top bit b
 * falls into one of 64 buckets of width 2^(b-6): its leading seven bits name
 * the bucket. The index grows with the value and without gaps. */
#include "latency_histogram.h"

#include <math.h>

#define SUB_COUNT (UINT64_C(1) << LATENCY_SUB_SHIFT)

static unsigned bucket_of(uint64_t value)
{
    if (value < 2 * SUB_COUNT)
        return (unsigned)value;
    unsigned const top = 63u - (unsigned)__builtin_clzll(value);
    unsigned const shift = top - LATENCY_SUB_SHIFT;
    return (shift << LATENCY_SUB_SHIFT) + (unsigned)(value >> shift);
}

/* The largest value of a bucket. */
static uint64_t bucket_end(unsigned index)
{
    if (index < 2 * SUB_COUNT)
        return index;
    unsigned const shift = (index >> LATENCY_SUB_SHIFT) - 1;
    uint64_t const lead = index - ((uint64_t)shift << LATENCY_SUB_SHIFT);
    return ((lead + 1) << shift) - 1; /* wraps to UINT64_MAX in the last one */
}

void latency_record(latency_histogram *h, int64_t duration_ns, uint64_t times)
{
    uint64_t const value = duration_ns < 0 ? 0 : (uint64_t)duration_ns;
    h->buckets[bucket_of(value)] += times;
    h->count += times;
    if (times > 0 && value > h->max_ns)
        h->max_ns = value;
}

void latency_merge(latency_histogram *into, const latency_histogram *from)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    if (from->max_ns > into->max_ns)
        into->max_ns = from->max_ns;
}

uint64_t latency_quantile(const latency_histogram *h, double q)
{
    if (h->count == 0)
        return 0;
    double const wanted = ceil(q * (double)h->count);
    uint64_t const rank = wanted < 1 ? 1 : (uint64_t)wanted;
    uint64_t seen = 0;
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++) {
        seen += h->buckets[i];
        if (seen >= rank) {
            uint64_t const end = bucket_end(i);
            return end < h->max_ns ? end : h->max_ns;
        }
    }
    return h->max_ns;
}
