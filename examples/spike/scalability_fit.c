/* SPDX-License-Identifier: MIT */
/* scalability_fit.c - least squares for the law of scalability_fit.h.
 *
 * For a given (sigma, kappa) the best lambda is a quotient of two sums, so
 * that only two parameters are searched, in the quarter plane >= 0. Taken
 * upside down the law is linear, n/X = a + b(n-1) + c n(n-1); that weighs the
 * slow points too much but lands near: from there (and from the corners) a
 * pattern search with halving steps goes down to the last digits. Two
 * parameters and a handful of points need nothing finer, and it cannot
 * diverge. */
#include "scalability_fit.h"

#include <math.h>

typedef struct sample {
    const scalability_point *points;
    size_t count;
} sample;

/* X(n) / lambda. */
static double shape(double sigma, double kappa, double n)
{
    return n / (1 + sigma * (n - 1) + kappa * n * (n - 1));
}

static double best_lambda(sample s, double sigma, double kappa)
{
    double products = 0;
    double squares = 0;
    for (size_t i = 0; i < s.count; i++) {
        double const f = shape(sigma, kappa, s.points[i].n);
        products += f * s.points[i].throughput;
        squares += f * f;
    }
    return products / squares;
}

static double square_error(sample s, double sigma, double kappa)
{
    double const lambda = best_lambda(s, sigma, kappa);
    double sum = 0;
    for (size_t i = 0; i < s.count; i++) {
        double const error = lambda * shape(sigma, kappa, s.points[i].n) -
                             s.points[i].throughput;
        sum += error * error;
    }
    return sum;
}

/* Solves m * x = v by elimination with pivots; false when m is singular. */
static bool solve3(double m[3][3], double v[3])
{
    for (int column = 0; column < 3; column++) {
        int pivot = column;
        for (int row = column + 1; row < 3; row++)
            if (fabs(m[row][column]) > fabs(m[pivot][column]))
                pivot = row;
        if (fabs(m[pivot][column]) < 1e-300)
            return false;
        for (int k = 0; k < 3; k++) {
            double const t = m[column][k];
            m[column][k] = m[pivot][k];
            m[pivot][k] = t;
        }
        double const t = v[column];
        v[column] = v[pivot];
        v[pivot] = t;
        for (int row = 0; row < 3; row++) {
            if (row == column)
                continue;
            double const factor = m[row][column] / m[column][column];
            for (int k = column; k < 3; k++)
                m[row][k] -= factor * m[column][k];
            v[row] -= factor * v[column];
        }
    }
    for (int i = 0; i < 3; i++)
        v[i] /= m[i][i];
    return true;
}

/* Where to start: the linear form, clipped to the quarter plane. */
static void linear_start(sample s, double *sigma, double *kappa)
{
    double m[3][3] = {{0}};
    double v[3] = {0};
    for (size_t i = 0; i < s.count; i++) {
        double const n = s.points[i].n;
        double const row[3] = {1, n - 1, n * (n - 1)};
        for (int j = 0; j < 3; j++) {
            for (int k = 0; k < 3; k++)
                m[j][k] += row[j] * row[k];
            v[j] += row[j] * n / s.points[i].throughput;
        }
    }
    *sigma = *kappa = 0;
    if (solve3(m, v) && v[0] > 0) {
        *sigma = fmax(0, v[1] / v[0]);
        *kappa = fmax(0, v[2] / v[0]);
    }
}

/* Walks down from (sigma, kappa); the step doubles on success and halves when
 * no neighbour is better. Bounded by the number of steps. */
static double descend(sample s, double *sigma, double *kappa)
{
    static const int moves[8][2] = {{1, 0},  {-1, 0}, {0, 1}, {0, -1},
                                    {1, -1}, {-1, 1}, {1, 1}, {-1, -1}};
    double best = square_error(s, *sigma, *kappa);
    double step_sigma = 0.25;
    double step_kappa = 0.05;
    for (int i = 0; i < 20000 && step_sigma > 1e-14; i++) {
        double next_sigma = *sigma;
        double next_kappa = *kappa;
        double next = best;
        for (int k = 0; k < 8; k++) {
            double const a = fmax(0, *sigma + moves[k][0] * step_sigma);
            double const b = fmax(0, *kappa + moves[k][1] * step_kappa);
            double const error = square_error(s, a, b);
            if (error < next) {
                next = error;
                next_sigma = a;
                next_kappa = b;
            }
        }
        double const scale = next < best ? 1.5 : 0.5;
        step_sigma *= scale;
        step_kappa *= scale;
        *sigma = next_sigma;
        *kappa = next_kappa;
        best = next;
    }
    return best;
}

static size_t count_different(sample s)
{
    size_t different = 0;
    for (size_t i = 0; i < s.count; i++) {
        bool seen = false;
        for (size_t k = 0; k < i && !seen; k++)
            seen = s.points[k].n == s.points[i].n;
        different += !seen;
    }
    return different;
}

bool scalability_fit_points(const scalability_point points[], size_t count,
                            scalability_fit *fit)
{
    sample const s = {points, count};
    double mean = 0;
    for (size_t i = 0; i < count; i++) {
        if (!(points[i].n >= 1) || !(points[i].throughput > 0))
            return false;
        mean += points[i].throughput / (double)count;
    }
    if (count_different(s) < 3)
        return false;

    double starts[3][2] = {{0, 0}, {1, 0}, {0, 0}};
    linear_start(s, &starts[2][0], &starts[2][1]);
    double least = INFINITY;
    for (int i = 0; i < 3; i++) {
        double const error = descend(s, &starts[i][0], &starts[i][1]);
        if (error < least) {
            least = error;
            fit->sigma = starts[i][0];
            fit->kappa = starts[i][1];
        }
    }
    fit->lambda = best_lambda(s, fit->sigma, fit->kappa);
    fit->residual = sqrt(least / (double)count) / mean;
    return true;
}

double scalability_at(const scalability_fit *fit, double n)
{
    return fit->lambda * shape(fit->sigma, fit->kappa, n);
}

double scalability_peak(const scalability_fit *fit)
{
    if (fit->kappa <= 0)
        return fit->sigma >= 1 ? 1 : INFINITY;
    if (fit->sigma >= 1)
        return 1;
    return fmax(1, sqrt((1 - fit->sigma) / fit->kappa));
}
