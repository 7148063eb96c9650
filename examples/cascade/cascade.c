/* SPDX-License-Identifier: MIT */
/* cascade.c - a slow service, with and without guards before it.
 *
 * Runs the simulation twice from one seed, and reports, exports and draws. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cascade_options.h"
#include "cascade_plot.h"
#include "cascade_report.h"
#include "cascade_run.h"
#include "gnuplot.h"

enum { FAILED = 1, MISUSED = 2 };

/* Of what may not be closed: whether all could be written. */
static bool all_written(FILE *out, const char *name)
{
    if (fflush(out) == 0 && !ferror(out))
        return true;
    fprintf(stderr, "cascade: %s: %s\n", name, strerror(errno));
    return false;
}

static bool run_both(const cascade_config *config, cascade_runs *runs)
{
    cascade_config bare = *config;
    bare.guards = 0;
    runs->config = *config;
    if (cascade_run(&bare, &runs->without) &&
        cascade_run(config, &runs->guarded))
        return true;
    fputs("cascade: out of memory\n", stderr);
    return false;
}

/* The report, and what else was asked for; svg and csv are open. */
static int write_all(const cascade_runs *runs, FILE *csv, int svg)
{
    FILE *const report = csv == stdout ? stderr : stdout;
    cascade_report(report, runs);
    bool written = all_written(report, "the report");
    if (csv != NULL) {
        cascade_csv(csv, runs);
        written = all_written(csv, "the CSV") && written;
    }
    if (svg >= 0)
        written = cascade_plot(svg, runs) && written;
    return written ? 0 : FAILED;
}

int main(int count, char *arguments[])
{
    cascade_options options;
    cascade_wish const wish = cascade_options_parse(&options, count, arguments);
    if (wish == CASCADE_MISUSED)
        return MISUSED;
    if (wish == CASCADE_ANSWERED)
        return all_written(stdout, "standard output") ? 0 : FAILED;
    int svg = -1;
    if (options.svg != NULL && (svg = gnuplot_open("cascade", options.svg)) < 0)
        return MISUSED;
    FILE *csv = NULL;
    if (options.csv != NULL) {
        csv = strcmp(options.csv, "-") == 0 ? stdout : fopen(options.csv, "we");
        if (csv == NULL) {
            fprintf(stderr, "cascade: %s: %s\n", options.csv, strerror(errno));
            return MISUSED;
        }
    }
    static cascade_runs runs;
    int const result =
        run_both(&options.config, &runs) ? write_all(&runs, csv, svg) : FAILED;
    if (csv != NULL && csv != stdout && fclose(csv) != 0)
        return FAILED;
    return result;
}
