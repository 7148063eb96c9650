/* SPDX-License-Identifier: MIT */
/* spike_scaling.c - the paragraph on how the curves go on. */
#include "spike_scaling.h"

#include <math.h>
#include <stdlib.h>

#include "spike_format.h"
#include "spike_options.h"

/* 64 cores run 32 producers and 32 workers. */
#define CORES_ASKED 64
#define WAYS_MAX    4

bool spike_fit(const burst_result *results, size_t count, size_t stride,
               scalability_fit *fit)
{
    scalability_point points[SPIKE_THREADS_LIST_MAX];
    for (size_t i = 0; i < count; i++) {
        const burst_result *const r = &results[i * stride];
        points[i] = (scalability_point){(double)r->n, r->rate};
    }
    return scalability_fit_points(points, count, fit);
}

/* "girt at 4.21 million requests/s, 1.30 times what n = 1 carries" */
static void write_forecast(FILE *text, const char *way,
                           const scalability_fit *fit)
{
    double const n = CORES_ASKED / 2;
    double const rate = scalability_at(fit, n);
    double const peak = scalability_peak(fit);
    fprintf(text,
            "%s at %.2f million requests/s, %.2f times what n = 1 carries", way,
            rate / 1e6, rate / fit->lambda);
    if (peak < n)
        fprintf(text, " and falling since n = %.0f", fmax(1, round(peak)));
}

static void write_paragraph(FILE *text, const burst_result *results,
                            size_t count, size_t ways,
                            const scalability_fit fits[], unsigned cpus)
{
    fprintf(text, "For %d cores (n = %d) the fit puts ", CORES_ASKED,
            CORES_ASKED / 2);
    for (size_t way = 0; way < ways; way++) {
        fputs(way == 0 ? "" : "; ", text);
        write_forecast(text, results[way].way->name, &fits[way]);
    }
    fprintf(text,
            ". That is a fit of three parameters to %zu points (residual: root "
            "mean square error over the mean), not a measurement.",
            count);
    if (2 * results[(count - 1) * ways].n > cpus)
        fprintf(text,
                " Runs of more than %u threads share the %u CPU%s of this "
                "machine, and the fit takes the want of CPUs for contention: "
                "measure on the machine you mean.",
                cpus, cpus, cpus == 1 ? "" : "s");
}

static void print_paragraph(FILE *out, const burst_result *results,
                            size_t count, size_t ways,
                            const scalability_fit fits[], unsigned cpus)
{
    char *text = NULL;
    size_t size;
    FILE *const memory = open_memstream(&text, &size);
    if (memory == NULL)
        return;
    write_paragraph(memory, results, count, ways, fits, cpus);
    if (fclose(memory) == 0)
        print_wrapped(out, text);
    free(text);
}

void report_scaling(FILE *out, const burst_result *results, size_t count,
                    size_t ways, unsigned cpus)
{
    scalability_fit fits[WAYS_MAX];
    for (size_t way = 0; way < ways; way++) {
        if (!spike_fit(&results[way], count, ways, &fits[way])) {
            fputs("\nScaling   no fit: the Universal Scalability Law has three "
                  "parameters and needs three\n          different n, as in "
                  "--threads 1,2,4\n",
                  out);
            return;
        }
    }
    fprintf(
        out,
        "\nScaling   the Universal Scalability Law, fitted by least squares:"
        "\n          X(n) = lambda n / (1 + sigma (n-1) + kappa n (n-1))\n"
        "          %-12s %13s %12s %12s %10s\n",
        "way", "lambda", "sigma", "kappa", "residual");
    for (size_t way = 0; way < ways; way++)
        fprintf(out, "          %-12s %11s/s %12.4f %12.5f %8.1f %%\n",
                results[way].way->name,
                format_count((uint64_t)fits[way].lambda).text, fits[way].sigma,
                fits[way].kappa, 100 * fits[way].residual);
    print_paragraph(out, results, count, ways, fits, cpus);
}
