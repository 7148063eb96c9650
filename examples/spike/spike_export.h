/* SPDX-License-Identifier: MIT */
/* spike_export.h - what a program reads: CSV, and totals by URL. */
#ifndef GIRT_EXAMPLES_SPIKE_EXPORT_H
#define GIRT_EXAMPLES_SPIKE_EXPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "burst.h"

/* A header and a line for each result. */
void export_csv(FILE *out, const burst_result results[], size_t count,
                size_t runs);

/* "URL <tab> hits <tab> bytes", most hits first, then by URL; in the URL, what
 * is not printable ASCII and the backslash are \xHH. False: out of memory. */
bool export_totals(FILE *out, const log_tally *tally);

#endif /* GIRT_EXAMPLES_SPIKE_EXPORT_H */
