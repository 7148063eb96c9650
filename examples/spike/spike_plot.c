/* SPDX-License-Identifier: MIT */
/* spike_plot.c - the curve of throughput over n, drawn by gnuplot.
 *
 * No shell sees anything: gnuplot is started directly, reads its commands from
 * a pipe, and writes to a file that this program has opened. A file's name
 * appears in no command, and neither does any text of a log. */
#include "spike_plot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spike_scaling.h"

extern char **environ;

static bool in_path(const char *program)
{
    const char *at = getenv("PATH");
    while (at != NULL) {
        char file[4096];
        size_t const size = strcspn(at, ":");
        if (snprintf(file, sizeof file, "%.*s/%s", (int)size, at, program) <
                (int)sizeof file &&
            access(file, X_OK) == 0)
            return true;
        at = at[size] == ':' ? at + size + 1 : NULL;
    }
    return false;
}

int spike_plot_open(const char *path)
{
    if (!in_path("gnuplot")) {
        fputs("spike: --svg needs gnuplot, which is not installed (Debian: "
              "apt-get install gnuplot-nox)\n",
              stderr);
        return -1;
    }
    int const fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        fprintf(stderr, "spike: %s: %s\n", path, strerror(errno));
    return fd;
}

/* Starts gnuplot with its standard output on fd; the other end of its standard
 * input, or NULL. */
static FILE *start_gnuplot(int fd, pid_t *child)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        return NULL;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
    /* -d: no settings of the user's; -: commands from standard input. */
    char name[] = "gnuplot";
    char defaults[] = "-d";
    char from_stdin[] = "-";
    char *arguments[] = {name, defaults, from_stdin, NULL};
    int const error =
        posix_spawnp(child, name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[0]);
    FILE *const commands = error == 0 ? fdopen(ends[1], "w") : NULL;
    if (commands == NULL)
        close(ends[1]);
    return commands;
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

static bool finish_gnuplot(FILE *commands, pid_t child)
{
    bool const written = fclose(commands) == 0;
    int status;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return written && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool spike_plot(int fd, const burst_result *results, size_t count, size_t ways)
{
    bool drawn = false;
    /* A gnuplot that dies must end in a message, not in a signal. */
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;
    sigaction(SIGPIPE, &ignore, &before);
    pid_t child;
    FILE *const commands = start_gnuplot(fd, &child);
    if (commands != NULL) {
        write_style(commands, (double)results[(count - 1) * ways].n);
        write_curves(commands, results, count, ways);
        drawn = finish_gnuplot(commands, child);
    }
    sigaction(SIGPIPE, &before, NULL);
    if (close(fd) != 0)
        drawn = false;
    if (!drawn)
        fputs("spike: gnuplot could not draw the SVG\n", stderr);
    return drawn;
}
