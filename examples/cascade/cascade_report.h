/* SPDX-License-Identifier: MIT */
/* cascade_report.h - both runs, as a table and as CSV. */
#ifndef GIRT_EXAMPLES_CASCADE_REPORT_H
#define GIRT_EXAMPLES_CASCADE_REPORT_H

#include <stdio.h>

#include "cascade_run.h"

/* Two runs from one seed. */
typedef struct cascade_runs {
    cascade_config config; /* of the second; the first has no guards */
    cascade_result without, guarded;
} cascade_runs;

void cascade_report(FILE *out, const cascade_runs *runs);
void cascade_csv(FILE *out, const cascade_runs *runs);

#endif /* GIRT_EXAMPLES_CASCADE_REPORT_H */
