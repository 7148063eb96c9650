/* SPDX-License-Identifier: MIT */
/* spike_report.h - what a person reads. */
#ifndef GIRT_EXAMPLES_SPIKE_REPORT_H
#define GIRT_EXAMPLES_SPIKE_REPORT_H

#include <stddef.h>
#include <stdio.h>

#include "burst.h"
#include "spike_options.h"

/* CPUs that this process may use. */
unsigned spike_cpus(void);

void report_input(FILE *out, const spike_options *options,
                  const log_input *input, const log_tally *tally);
void report_service(FILE *out, const spike_options *options);

/* The head of the table, and its rows: the results of one n, which came from
 * the ways in order; the first is what the others are compared with. */
void report_table_head(FILE *out);
void report_table_rows(FILE *out, const burst_result results[], size_t count);

/* Hits of the busiest shard over the mean of all. */
double report_imbalance(const burst_result *result);

void report_totals(FILE *out, const log_tally *tally);
void report_shards(FILE *out, const burst_result *result);
void report_top_urls(FILE *out, const log_tally *tally, size_t rows);

#endif /* GIRT_EXAMPLES_SPIKE_REPORT_H */
