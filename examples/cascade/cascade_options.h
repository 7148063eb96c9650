/* SPDX-License-Identifier: MIT */
/* cascade_options.h - the command line. */
#ifndef GIRT_EXAMPLES_CASCADE_OPTIONS_H
#define GIRT_EXAMPLES_CASCADE_OPTIONS_H

#include <stdint.h>

#include "cascade_run.h"

typedef struct cascade_options {
    cascade_config config; /* of the guarded run */
    const char *csv;       /* NULL: none; "-": standard output */
    const char *svg;       /* NULL: none */
} cascade_options;

typedef enum cascade_wish {
    CASCADE_RUN,
    CASCADE_ANSWERED,
    CASCADE_MISUSED
} cascade_wish;

/* Help and version go to stdout, complaints to stderr. */
cascade_wish cascade_options_parse(cascade_options *options, int count,
                                   char *arguments[]);

#endif /* GIRT_EXAMPLES_CASCADE_OPTIONS_H */
