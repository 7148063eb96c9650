/* SPDX-License-Identifier: MIT */
/* spike_plot.h - the curve of throughput over n, drawn by gnuplot. */
#ifndef GIRT_EXAMPLES_SPIKE_PLOT_H
#define GIRT_EXAMPLES_SPIKE_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "burst.h"

/* Looks for gnuplot, and makes the file, before time is spent on runs.
 * Answers its descriptor, or -1 after saying on stderr what is missing. */
int spike_plot_open(const char *path);

/* Draws an SVG into fd and closes it. `results` holds `count` rows of `ways`
 * results each. False after saying on stderr what went wrong. */
bool spike_plot(int fd, const burst_result *results, size_t count, size_t ways);

#endif /* GIRT_EXAMPLES_SPIKE_PLOT_H */
