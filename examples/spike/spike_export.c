/* SPDX-License-Identifier: MIT */
/* spike_export.c - what a program reads: CSV, and totals by URL. */
#include "spike_export.h"

#include <inttypes.h>
#include <stdlib.h>

#include "spike_format.h"
#include "spike_report.h"

void export_csv(FILE *out, const burst_result results[], size_t count,
                size_t runs)
{
    fputs("way,producers,workers,runs,requests,unparsed,seconds,requests_per_s,"
          "cpu_ns_per_request,p50_ns,p99_ns,p999_ns,max_ns,admitted,limited,"
          "urls,shards,"
          "busiest_shard_over_mean\n",
          out);
    for (size_t i = 0; i < count; i++) {
        const burst_result *const r = &results[i];
        fprintf(out,
                "%s,%zu,%zu,%zu,%" PRIu64 ",%" PRIu64 ",%.9f,%.0f,%.0f,%" PRIu64
                ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
                ",%" PRIu64 ",%zu,%.4f\n",
                r->way->name, r->n, r->n, runs, r->admitted + r->limited,
                r->unparsed, r->seconds, r->rate, r->cpu_ns, r->p50_ns,
                r->p99_ns, r->p999_ns, r->max_ns, r->admitted, r->limited,
                r->urls, r->shard_count, report_imbalance(r));
    }
}

bool export_totals(FILE *out, const log_tally *tally)
{
    const tally_entry **const sorted = tally_by_hits(&tally->urls);
    if (sorted == NULL)
        return false;
    for (size_t i = 0; i < tally->urls.count; i++) {
        const tally_entry *const e = sorted[i];
        print_safely(out, e->key, e->key_size, SIZE_MAX);
        fprintf(out, "\t%" PRIu64 "\t%" PRIu64 "\n", e->hits, e->bytes);
    }
    free(sorted);
    return true;
}
