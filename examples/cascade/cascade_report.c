/* SPDX-License-Identifier: MIT */
/* cascade_report.c - a row for each phase and kind of request. */
#include "cascade_report.h"

#include <inttypes.h>

static const char *const phase_names[PHASES] = {"before", "slow", "after"};
static const int phase_seconds[PHASES] = {
    CASCADE_SLOW_FROM, CASCADE_SLOW_UNTIL - CASCADE_SLOW_FROM,
    CASCADE_SECONDS - CASCADE_SLOW_UNTIL};

/* "  389.9   75.8 %   1987 ms" */
static void print_tally(FILE *out, const cascade_result *r, unsigned phase,
                        unsigned needs)
{
    const tally *const t = &r->phase[phase][needs];
    double const failed =
        t->came == 0 ? 0 : 100 * (double)(t->came - t->good) / (double)t->came;
    fprintf(out, " %7.1f %6.1f %%", (double)t->good / phase_seconds[phase],
            failed);
    if (r->p99_ns[phase][needs] == 0)
        fprintf(out, " %8s", "-");
    else
        fprintf(out, " %5.0f ms", (double)r->p99_ns[phase][needs] / 1e6);
}

static void print_recovery(FILE *out, const cascade_result *r)
{
    if (r->recovery_s < 0)
        fprintf(out, " %25s", "not in this run");
    else
        fprintf(out, " %23d s", r->recovery_s);
}

static void print_tries(FILE *out, const cascade_result *r)
{
    fprintf(out, " %7.0f",
            (double)r->tries_in[BEFORE][BACK] / phase_seconds[BEFORE]);
    for (unsigned phase = DURING; phase < PHASES; phase++)
        fprintf(out, " %8.0f",
                (double)r->tries_in[phase][BACK] / phase_seconds[phase]);
}

void cascade_report(FILE *out, const cascade_runs *runs)
{
    const cascade_result *const both[] = {&runs->without, &runs->guarded};
    fprintf(out,
            "%d requests a second, seed %" PRIu64
            "; from second %d to %d back takes %u times as long\n\n",
            CASCADE_RATE, runs->config.seed, CASCADE_SLOW_FROM,
            CASCADE_SLOW_UNTIL, runs->config.slow);
    fprintf(out, "%44s   %25s\n", "without guards", "with girt's guards");
    fprintf(out, "%-22s", "requests that need");
    for (int i = 0; i < 2; i++)
        fprintf(out, "%s %7s %8s %8s", i == 0 ? "" : "  ", "good/s", "failed",
                "p99");
    fputc('\n', out);
    for (unsigned phase = 0; phase < PHASES; phase++)
        for (unsigned needs = 0; needs < SERVICES; needs++) {
            fprintf(out, "%-7s %s %-9s", needs == 0 ? phase_names[phase] : "",
                    needs == 0 ? "only" : "also", service_names[needs]);
            print_tally(out, both[0], phase, needs);
            fputs("  ", out);
            print_tally(out, both[1], phase, needs);
            fputc('\n', out);
        }
    fprintf(out, "%-22s", "all well again after");
    print_recovery(out, both[0]);
    fputs("  ", out);
    print_recovery(out, both[1]);
    fprintf(out, "\n%-22s", "tries at back a second");
    print_tries(out, both[0]);
    fputs("  ", out);
    print_tries(out, both[1]);
    fprintf(out, "\n%-22s %23.1f %%   %23.1f %%\n", "back worked for nobody",
            100 * both[0]->wasted[BACK], 100 * both[1]->wasted[BACK]);
}

static void csv_rows(FILE *out, const char *run, const cascade_result *r)
{
    for (unsigned second = 0; second < CASCADE_SECONDS; second++)
        for (unsigned needs = 0; needs < SERVICES; needs++)
            fprintf(out, "%s,%u,%s,%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n", run,
                    second, service_names[needs], r->second[second][needs].came,
                    r->second[second][needs].good, r->tries[second][needs]);
}

void cascade_csv(FILE *out, const cascade_runs *runs)
{
    fputs("run,second,service,requests_that_need_it_last,good,tries\n", out);
    csv_rows(out, "without guards", &runs->without);
    csv_rows(out, "with guards", &runs->guarded);
}
