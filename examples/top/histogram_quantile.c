/* SPDX-License-Identifier: MIT */
/* histogram_quantile.c - quantiles of a histogram's cumulative buckets. */
#include "histogram_quantile.h"

#include <math.h>
#include <string.h>

static bool is_whole(const object_histogram *h)
{
    return !h->damaged && h->buckets > 0 && isinf(h->bound[h->buckets - 1]);
}

static bool are_comparable(const object_histogram *now,
                           const object_histogram *before)
{
    return is_whole(now) &&
           (before == NULL ||
            (is_whole(before) && before->buckets == now->buckets &&
             memcmp(before->bound, now->bound,
                    now->buckets * sizeof *now->bound) == 0));
}

/* Values up to bucket i's bound. */
static double up_to(const object_histogram *now, const object_histogram *before,
                    size_t i)
{
    return now->count[i] - (before == NULL ? 0 : before->count[i]);
}

double histogram_events(const object_histogram *now,
                        const object_histogram *before)
{
    if (!are_comparable(now, before))
        return NAN;
    const double events = up_to(now, before, now->buckets - 1);
    return events >= 0 ? events : NAN;
}

double histogram_quantile(const object_histogram *now,
                          const object_histogram *before, double q)
{
    const double total = histogram_events(now, before);
    if (!(total > 0))
        return NAN;
    const double rank = q * total;
    size_t i = 0;
    while (i < now->buckets - 1 && !(up_to(now, before, i) >= rank))
        i++;
    const double low = i == 0 ? 0 : now->bound[i - 1];
    const double high = now->bound[i];
    if (isinf(high))
        return i == 0 ? NAN : low;
    const double under = i == 0 ? 0 : up_to(now, before, i - 1);
    const double inside = up_to(now, before, i) - under;
    return inside > 0 ? low + (high - low) * (rank - under) / inside : high;
}
