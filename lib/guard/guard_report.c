/* SPDX-License-Identifier: MIT */
/* guard_report.c - how the reports of several guards show outcomes. */
#include <girt/breaker.h>

#include "guard/guard_internal.h"

_Static_assert(GIRT_IGNORED == GIRT__GUARD_OUTCOMES - 1,
               "what is no outcome counts as the last one");

const char *const girt__guard_outcome_names[GIRT__GUARD_OUTCOMES] = {
    [GIRT_SUCCESS] = "success",
    [GIRT_FAILURE] = "failure",
    [GIRT_IGNORED] = "ignored",
};

void girt__guard_write_outcomes(girt__sink *sink, const girt__series *series,
                                const girt__report *report, size_t first)
{
    for (size_t i = 0; i < GIRT__GUARD_OUTCOMES; i++)
        girt__sink_counter(sink, series, girt__guard_outcome_names[i],
                           girt__report_sum(report, first + i));
}
