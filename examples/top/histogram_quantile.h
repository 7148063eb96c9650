/* SPDX-License-Identifier: MIT */
/* histogram_quantile.h - quantiles of a histogram's cumulative buckets. */
#ifndef GIRT_EXAMPLES_HISTOGRAM_QUANTILE_H
#define GIRT_EXAMPLES_HISTOGRAM_QUANTILE_H

#include "object_table.h"

/* As Prometheus' histogram_quantile: linear within a bucket; of the values that
 * came between `before` and `now`, of all where before is NULL. NaN: there were
 * none, or the buckets cannot be those of a histogram. */
double histogram_quantile(const object_histogram *now,
                          const object_histogram *before, double q);

/* Values that came between; NaN as above. */
double histogram_events(const object_histogram *now,
                        const object_histogram *before);

#endif /* GIRT_EXAMPLES_HISTOGRAM_QUANTILE_H */
