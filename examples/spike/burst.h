/* SPDX-License-Identifier: MIT */
/* burst.h - one run: a whole log through one way of the service.
 *
 * n producers parse lines, a batch at a time, and push; n workers serve. The
 * clock runs from the first line taken to the last request served. */
#ifndef GIRT_EXAMPLES_BURST_H
#define GIRT_EXAMPLES_BURST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "log_input.h"
#include "log_tally.h"
#include "spike_service.h"

#define BURST_THREADS_MAX 256

/* What every run of a program shares. */
typedef struct burst {
    const log_input *input;
    const log_tally *tally;
    spike_request *requests; /* one place a line, filled anew by each run */
    spike_config config;
} burst;

/* Called ten times a second while a run goes on. */
typedef void burst_watch(void *context, uint64_t done, uint64_t total);

typedef struct burst_result {
    const spike_way *way;
    size_t n;
    double seconds;
    double rate;   /* requests a second */
    double cpu_ns; /* CPU time of all threads, for each request */
    uint64_t p50_ns, p99_ns, p999_ns, max_ns;
    uint64_t admitted, limited, unparsed;
    uint64_t urls;
    uint64_t shard_hits[SPIKE_SHARDS_MAX];
    size_t shard_count;
    uint64_t wrong_urls; /* seen with other totals than the tally's */
    bool agrees;         /* every total equals the tally's, URL by URL */
} burst_result;

/* False: out of memory. */
bool burst_init(burst *b, const log_input *input, const log_tally *tally,
                const spike_config *config);
void burst_free(burst *b);

/* `watch` may be NULL. *result is whole on GIRT_OK only. */
girt_status burst_run(const burst *b, const spike_way *way, size_t n,
                      burst_watch *watch, void *watch_context,
                      burst_result *result);

#endif /* GIRT_EXAMPLES_BURST_H */
