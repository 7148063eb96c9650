/* SPDX-License-Identifier: MIT */
/* spike_options.h - the command line. */
#ifndef GIRT_EXAMPLES_SPIKE_OPTIONS_H
#define GIRT_EXAMPLES_SPIKE_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#define SPIKE_THREADS_LIST_MAX 32

typedef struct spike_options {
    const char *log;                        /* NULL: the seeded stream */
    size_t threads[SPIKE_THREADS_LIST_MAX]; /* each once, upwards */
    size_t threads_count;
    size_t repeat;    /* 0: 3, and more for a short log */
    size_t lines_max; /* 0: 2,000,000 of the stream, 10,000,000 of a file */
    uint64_t seed;
    uint64_t burst;
    size_t shards;
    size_t batch;
    size_t capacity;
    const char *csv; /* NULL: none; "-": standard output; so are the next */
    const char *totals;
    const char *svg; /* NULL: none */
} spike_options;

typedef enum spike_wish { SPIKE_RUN, SPIKE_ANSWERED, SPIKE_MISUSED } spike_wish;

/* Help and version go to stdout, complaints to stderr. */
spike_wish spike_options_parse(spike_options *options, int count,
                               char *arguments[]);

#endif /* GIRT_EXAMPLES_SPIKE_OPTIONS_H */
