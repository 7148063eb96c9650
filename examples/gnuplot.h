/* SPDX-License-Identifier: MIT */
/* gnuplot.h - a plot from gnuplot, without a shell.
 *
 *     int fd = gnuplot_open("me", path);      before time is spent on numbers
 *     FILE *commands = gnuplot_start(&g, fd);
 *     if (commands != NULL) fputs("plot ...", commands);
 *     bool drawn = gnuplot_finish(&g);
 */
#ifndef GIRT_EXAMPLES_GNUPLOT_H
#define GIRT_EXAMPLES_GNUPLOT_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

typedef struct gnuplot {
    int fd;
    int drawing; /* a file in memory; below 0: none could be made */
    pid_t child;
    FILE *commands;
    struct sigaction before;
} gnuplot;

/* Looks for gnuplot, and makes the file.  Answers its descriptor, or -1 after
 * saying on stderr, as `program`, what is missing. */
int gnuplot_open(const char *program, const char *path);

/* Its standard input.  NULL: it did not start. */
FILE *gnuplot_start(gnuplot *g, int fd);

/* Waits until it has drawn, writes that to fd and closes fd, also where it did
 * not start.  False: it could not draw, or fd does not take it. */
bool gnuplot_finish(gnuplot *g);

#endif /* GIRT_EXAMPLES_GNUPLOT_H */
