/* SPDX-License-Identifier: MIT */
/* Goal: the fit finds the parameters that made a curve, and keeps the bounds.
 * Method: exact curves over a grid of parameters; noisy and impossible ones
 * against every neighbour of the answer. */
#include <math.h>

#include "scalability_fit.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

static const double ns[] = {1, 2, 4, 8, 16};

static void make_points(scalability_point points[5], double lambda,
                        double sigma, double kappa)
{
    scalability_fit const truth = {lambda, sigma, kappa, 0};
    for (size_t i = 0; i < 5; i++)
        points[i] = (scalability_point){ns[i], scalability_at(&truth, ns[i])};
}

static void test_known_parameters(void **state)
{
    (void)state;
    static const double lambdas[] = {1, 1.2e6, 3e9};
    static const double sigmas[] = {0, 0.01, 0.2, 0.9, 1.5};
    static const double kappas[] = {0, 1e-4, 0.01, 0.3};
    for (size_t count = 3; count <= 5; count++) {
        for (int i = 0; i < 3 * 5 * 4; i++) {
            double const lambda = lambdas[i % 3];
            double const sigma = sigmas[i / 3 % 5];
            double const kappa = kappas[i / 15];
            scalability_point points[5];
            make_points(points, lambda, sigma, kappa);
            scalability_fit fit;
            assert_true(scalability_fit_points(points, count, &fit));
            assert_true(fabs(fit.lambda / lambda - 1) < 1e-5);
            assert_true(fabs(fit.sigma - sigma) < 1e-5);
            assert_true(fabs(fit.kappa - kappa) < 1e-5);
            assert_true(fit.residual < 1e-6);
        }
    }
}

static double error_of(const scalability_point points[], size_t count,
                       const scalability_fit *fit)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        double const error =
            scalability_at(fit, points[i].n) - points[i].throughput;
        sum += error * error;
    }
    return sum;
}

static void test_noise_and_bounds(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int round = 0; round < 300; round++) {
        scalability_point points[5];
        make_points(points, 1e6, (double)rng_below(&r, 100) / 100,
                    (double)rng_below(&r, 100) / 1000);
        for (size_t i = 0; i < 5; i++) /* up to superlinear speed-up */
            points[i].throughput *= 0.5 + (double)rng_below(&r, 1000) / 500;
        scalability_fit fit;
        assert_true(scalability_fit_points(points, 5, &fit));
        assert_true(fit.sigma >= 0 && fit.kappa >= 0 && fit.lambda > 0);
        double const least = error_of(points, 5, &fit);
        double mean = 0;
        for (size_t i = 0; i < 5; i++)
            mean += points[i].throughput / 5;
        assert_true(fabs(fit.residual - sqrt(least / 5) / mean) < 1e-9);
        for (int move = 0; move < 27; move++) {
            scalability_fit near = fit;
            near.lambda *= 1 + (move % 3 - 1) * 1e-3;
            near.sigma = fmax(0, near.sigma + (move / 3 % 3 - 1) * 1e-3);
            near.kappa = fmax(0, near.kappa + (move / 9 - 1) * 1e-4);
            assert_true(error_of(points, 5, &near) >= least * (1 - 1e-6));
        }
    }
}

static void test_too_little(void **state)
{
    (void)state;
    scalability_fit fit;
    scalability_point const few[] = {{1, 5}, {2, 8}, {2, 9}, {1, 4}};
    assert_false(scalability_fit_points(few, 4, &fit));
    assert_false(scalability_fit_points(few, 0, &fit));
    scalability_point const zero[] = {{1, 5}, {2, 0}, {4, 9}};
    assert_false(scalability_fit_points(zero, 3, &fit));
    scalability_point const below[] = {{0.5, 5}, {2, 6}, {4, 9}};
    assert_false(scalability_fit_points(below, 3, &fit));
}

static void test_peak(void **state)
{
    (void)state;
    scalability_fit fit = {1, 0.1, 0, 0};
    assert_true(isinf(scalability_peak(&fit)));
    fit.kappa = 0.009;
    assert_true(fabs(scalability_peak(&fit) - 10) < 1e-9);
    fit.sigma = 1.5;
    assert_true(scalability_peak(&fit) == 1);
    fit.kappa = 0;
    assert_true(scalability_peak(&fit) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_parameters),
        cmocka_unit_test(test_noise_and_bounds),
        cmocka_unit_test(test_too_little),
        cmocka_unit_test(test_peak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
