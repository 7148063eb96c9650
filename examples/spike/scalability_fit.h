/* SPDX-License-Identifier: MIT */
/* scalability_fit.h - the Universal Scalability Law through measured points.
 *
 *   X(n) = lambda * n / (1 + sigma * (n - 1) + kappa * n * (n - 1))
 *
 * lambda: what one alone carries; sigma: the share of the work in which all
 * wait for one (contention); kappa: the cost of each pair keeping each other
 * consistent (coherency).  N. J. Gunther, "Guerrilla Capacity Planning",
 * Springer 2007, chapter 4. */
#ifndef GIRT_EXAMPLES_SCALABILITY_FIT_H
#define GIRT_EXAMPLES_SCALABILITY_FIT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct scalability_point {
    double n;          /* 1 and up */
    double throughput; /* above 0 */
} scalability_point;

typedef struct scalability_fit {
    double lambda;
    double sigma;    /* >= 0 */
    double kappa;    /* >= 0 */
    double residual; /* root mean square error over the mean throughput */
} scalability_fit;

/* Least squares over the points with sigma, kappa >= 0. False with fewer than
 * three different n: the law has three parameters. */
bool scalability_fit_points(const scalability_point points[], size_t count,
                            scalability_fit *fit);

/* X(n) of the fitted curve. */
double scalability_at(const scalability_fit *fit, double n);

/* The n of the highest throughput; INFINITY when it never falls. */
double scalability_peak(const scalability_fit *fit);

#endif /* GIRT_EXAMPLES_SCALABILITY_FIT_H */
