/* SPDX-License-Identifier: MIT */
/* top_options.h - the command line. */
#ifndef GIRT_EXAMPLES_TOP_OPTIONS_H
#define GIRT_EXAMPLES_TOP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "object_table.h"

enum { TOP_FILES_MAX = 16, TOP_URL_MAX = 2048 };

typedef struct top_options {
    const char *target;    /* as it was given */
    char url[TOP_URL_MAX]; /* what is asked for */
    const char *socket;    /* NULL: over TCP */
    const char *files[TOP_FILES_MAX];
    size_t file_count; /* 0: the target is asked */
    double interval_s;
    bool once;
    const char *sort; /* a column's title; NULL: by name */
    object_part only; /* PART_COUNT: all */
} top_options;

typedef enum top_wish { TOP_RUN, TOP_ANSWERED, TOP_MISUSED } top_wish;

/* Help and version go to stdout, complaints to stderr. */
top_wish top_options_parse(top_options *options, int count, char *arguments[]);

#endif /* GIRT_EXAMPLES_TOP_OPTIONS_H */
