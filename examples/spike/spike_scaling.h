/* SPDX-License-Identifier: MIT */
/* spike_scaling.h - the paragraph on how the curves go on. */
#ifndef GIRT_EXAMPLES_SPIKE_SCALING_H
#define GIRT_EXAMPLES_SPIKE_SCALING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "burst.h"
#include "scalability_fit.h"

/* Fits one way's results (with a stride, as they lie by turns in an array). */
bool spike_fit(const burst_result *results, size_t count, size_t stride,
               scalability_fit *fit);

/* `results` holds `count` rows of `ways` results each. */
void report_scaling(FILE *out, const burst_result *results, size_t count,
                    size_t ways, unsigned cpus);

#endif /* GIRT_EXAMPLES_SPIKE_SCALING_H */
