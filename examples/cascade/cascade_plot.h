/* SPDX-License-Identifier: MIT */
/* cascade_plot.h - both runs over time, drawn by gnuplot. */
#ifndef GIRT_EXAMPLES_CASCADE_PLOT_H
#define GIRT_EXAMPLES_CASCADE_PLOT_H

#include <stdbool.h>

#include "cascade_report.h"

/* Draws an SVG into fd, from gnuplot_open, and closes it.  False after saying
 * on stderr that it went wrong. */
bool cascade_plot(int fd, const cascade_runs *runs);

#endif /* GIRT_EXAMPLES_CASCADE_PLOT_H */
