/* SPDX-License-Identifier: MIT */
/* cascade_plot.c - three panels, one time: who is answered without guards, who
 * with them, and what comes to back. */
#include "cascade_plot.h"

#include "gnuplot.h"

static const char *const colours[SERVICES] = {"#1f6fb4", "#d68910", "#c0392b"};
static const char *const needs[SERVICES] = {"front only", "also middle",
                                            "also back"};

static void write_data(FILE *g, const char *name, const cascade_result *r)
{
    fprintf(g, "$%s << EOD\n", name);
    for (unsigned second = 0; second < CASCADE_SECONDS; second++) {
        fprintf(g, "%.1f", second + 0.5);
        for (unsigned i = 0; i < SERVICES; i++) {
            const tally *const t = &r->second[second][i];
            fprintf(g, " %.3f",
                    100 * (double)t->good / (double)(t->came + !t->came));
        }
        fprintf(g, " %.0f\n", (double)r->tries[second][BACK]);
    }
    fputs("EOD\n", g);
}

static void write_style(FILE *g)
{
    fprintf(g,
            "set terminal svg size 760,640 dynamic noenhanced "
            "font 'sans-serif,13' background 'white'\n"
            "set multiplot layout 3,1 margins 0.09,0.78,0.10,0.93 "
            "spacing 0,0.08\n"
            "set format x ''\n"
            "set border 3 lc rgb '#606060'\n"
            "set xrange [0:%d]\n"
            "set xtics nomirror 10\n"
            "set ytics nomirror\n"
            "set grid ytics lc rgb '#e0e0e0' lw 1\n"
            "set key outside right center Left reverse samplen 2\n"
            "set object 1 rectangle from %d, graph 0 to %d, graph 1 "
            "fc rgb '#f3e3c3' fs solid noborder behind\n",
            CASCADE_SECONDS, CASCADE_SLOW_FROM, CASCADE_SLOW_UNTIL);
}

static void write_answered(FILE *g, const char *title, const char *data)
{
    fprintf(g,
            "set title '%s' font ',15'\n"
            "set ylabel 'answered, %%'\n"
            "set yrange [-3:105]\n"
            "set ytics 50\n"
            "plot ",
            title);
    for (unsigned i = SERVICES; i-- > 0;)
        fprintf(g, "$%s using 1:%u with lines lc rgb '%s' lw 2.5 title '%s'%s",
                data, i + 2, colours[i], needs[i], i == 0 ? "\n" : ", ");
}

static void write_tries(FILE *g)
{
    fputs("set title 'Tries that come to back, each second' font ',15'\n"
          "set ylabel 'tries'\n"
          "set xlabel 'second (back is slow in the shaded ones)'\n"
          "set yrange [0:*]\n"
          "set ytics autofreq\n"
          "set format x '%g'\n"
          "plot $without using 1:5 with lines lc rgb '#606060' lw 2.5 title "
          "'without guards', $guarded using 1:5 with lines lc rgb '#8e44ad' "
          "lw 2.5 title 'with guards'\n"
          "unset multiplot\n",
          g);
}

bool cascade_plot(int fd, const cascade_runs *runs)
{
    gnuplot g;
    FILE *const commands = gnuplot_start(&g, fd);
    if (commands != NULL) {
        write_data(commands, "without", &runs->without);
        write_data(commands, "guarded", &runs->guarded);
        write_style(commands);
        write_answered(commands,
                       "Without guards: requests answered, by what they need",
                       "without");
        write_answered(commands, "With guards", "guarded");
        write_tries(commands);
    }
    bool const drawn = gnuplot_finish(&g);
    if (!drawn)
        fputs("cascade: the SVG could not be drawn or written\n", stderr);
    return drawn;
}
