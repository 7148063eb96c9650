/* SPDX-License-Identifier: MIT */
/* spike_plot.c - the curve of throughput over n, drawn by gnuplot.
 *
 * No text of a log and no file's name appears in a command. */
#include "spike_plot.h"

#include "gnuplot.h"
#include "spike_scaling.h"

int spike_plot_open(const char *path)
{
    return gnuplot_open("spike", path);
}

static void write_style(FILE *g, double n_max)
{
    fprintf(g,
            "set terminal svg size 760,420 dynamic noenhanced "
            "font 'sans-serif,13' background 'white'\n"
            "set title 'One burst through a small service' font ',16'\n"
            "set xlabel 'n producers and n workers'\n"
            "set ylabel 'million requests a second'\n"
            "set logscale x 2\n"
            "set xrange [0.92:%g]\n"
            "set yrange [0:*]\n"
            "set xtics nomirror\n"
            "set ytics nomirror\n"
            "set border 3 lc rgb '#606060'\n"
            "set grid ytics lc rgb '#e0e0e0' lw 1\n"
            "set key outside right center Left reverse samplen 3\n"
            "set offsets 0, 0, graph 0.1, 0\n"
            "usl(n, l, s, k) = n < 1 ? NaN : "
            "l * n / (1 + s * (n - 1) + k * n * (n - 1))\n",
            n_max * 1.1);
}

static const char *const colours[] = {"#c0392b", "#d68910", "#1f6fb4"};

static void write_curves(FILE *g, const burst_result *results, size_t count,
                         size_t ways)
{
    for (size_t way = 0; way < ways; way++) {
        fprintf(g, "$way%zu << EOD\n", way);
        for (size_t i = 0; i < count; i++) {
            const burst_result *const r = &results[i * ways + way];
            fprintf(g, "%zu %.6f\n", r->n, r->rate / 1e6);
        }
        fputs("EOD\n", g);
    }
    fputs("plot ", g);
    for (size_t way = ways; way-- > 0;) {
        const char *const colour = colours[way + 1 == ways ? 2 : way % 2];
        fprintf(g,
                "$way%zu with linespoints lc rgb '%s' lw 2.5 pt 7 ps 0.7 "
                "title '%s'",
                way, colour, results[way].way->name);
        scalability_fit fit;
        if (spike_fit(&results[way], count, ways, &fit))
            fprintf(g,
                    ", usl(x, %.9g, %.9g, %.9g) with lines lc rgb '%s' lw 1.2 "
                    "dt 2 title '  fitted law'",
                    fit.lambda / 1e6, fit.sigma, fit.kappa, colour);
        fputs(way == 0 ? "\n" : ", ", g);
    }
}

bool spike_plot(int fd, const burst_result *results, size_t count, size_t ways)
{
    gnuplot g;
    FILE *const commands = gnuplot_start(&g, fd);
    if (commands != NULL) {
        write_style(commands, (double)results[(count - 1) * ways].n);
        write_curves(commands, results, count, ways);
    }
    bool const drawn = gnuplot_finish(&g);
    if (!drawn)
        fputs("spike: the SVG could not be drawn or written\n", stderr);
    return drawn;
}
