/* SPDX-License-Identifier: MIT */
/* spike_report.c - the tables that a person reads. */
#include "spike_report.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "spike_format.h"

#define URL_COLUMNS 52
#define BAR_COLUMNS 32

unsigned spike_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    return (unsigned)CPU_COUNT(&set);
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void report_faults(FILE *out, const log_tally *tally)
{
    fprintf(out, "          not parsed:");
    const char *separator = "";
    for (unsigned i = ACCESS_FINE + 1; i < ACCESS_FAULTS; i++) {
        if (tally->faults[i] == 0)
            continue;
        fprintf(out, "%s %s (%s)", separator,
                format_count(tally->faults[i]).text,
                access_fault_text((access_fault)i));
        separator = ",";
    }
    fprintf(out, "; the first is line %s\n",
            format_count(tally->first_unparsed + 1).text);
}

void report_input(FILE *out, const spike_options *options,
                  const log_input *input, const log_tally *tally)
{
    fputs("Log       ", out);
    if (options->log == NULL)
        fprintf(out, "a Zipf stream of its own, seed %llu",
                (unsigned long long)options->seed);
    else if (options->log[0] == '-' && options->log[1] == '\0')
        fputs("standard input", out);
    else
        print_safely(out, options->log, strlen(options->log), 66);
    fprintf(out, "\n          %s request%s and %s line%s not parsed%s\n",
            format_count(tally->requests).text, plural(tally->requests),
            format_count(tally->unparsed).text, plural(tally->unparsed),
            input->cut ? "; what followed was left out" : "");
    if (tally->unparsed > 0)
        report_faults(out, tally);
    if (tally->requests == 0)
        return;
    fprintf(out, "          %s client%s, %s URL%s, %s of responses in %s\n",
            format_count(tally->clients.count).text,
            plural(tally->clients.count), format_count(tally->urls.count).text,
            plural(tally->urls.count), format_bytes(tally->bytes).text,
            format_span((double)tally->last_s - (double)tally->first_s).text);
}

void report_service(FILE *out, const spike_options *options)
{
    unsigned const cpus = spike_cpus();
    fprintf(
        out,
        "Service   a queue of %s, %s token%s a client, %zu shard%s of girt\n",
        format_count(options->capacity).text, format_count(options->burst).text,
        plural(options->burst), options->shards, plural(options->shards));
    if (options->batch > 1)
        fprintf(out,
                "          one lock: one request at a time, as it is written "
                "today; lock batched\n"
                "          and girt: batches of %s\n",
                format_count(options->batch).text);
    else
        fputs("          one request at a time\n", out);
    fprintf(
        out,
        "Runs      n producers and n workers on %u CPU%s; the ways by turns, "
        "the median of %zu\n",
        cpus, plural(cpus), options->repeat);
}

/* The columns of the table, in the head and in the rows. */
/* clang-format off */
#define TABLE_LINE                                                             \
    "%3s  %-12s %10s %6s %8s  %8s %8s %8s %8s  %9s %9s %8s\n"
#define TABLE_SPAN                                                             \
    "%3s  %-12s %10s %6s %8s  %35s  %9s %9s %8s\n"
/* clang-format on */

void report_table_head(FILE *out)
{
    fputc('\n', out);
    fprintf(out, TABLE_LINE, "n", "way", "requests", "times", "CPU", "p50",
            "p99", "p99.9", "max", "admitted", "limited", "busiest");
    fprintf(out, TABLE_SPAN, "", "", "a second", "", "each",
            "-------- time in the system -------", "", "", "shard");
}

double report_imbalance(const burst_result *result)
{
    uint64_t sum = 0;
    uint64_t most = 0;
    for (size_t i = 0; i < result->shard_count; i++) {
        sum += result->shard_hits[i];
        if (result->shard_hits[i] > most)
            most = result->shard_hits[i];
    }
    return sum == 0 ? 1
                    : (double)most * (double)result->shard_count / (double)sum;
}

void report_table_rows(FILE *out, const burst_result results[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const burst_result *const r = &results[i];
        char n[24] = "";
        char speedup[24] = "";
        char busiest[24] = "one map";
        if (i == 0)
            snprintf(n, sizeof n, "%zu", r->n);
        else if (results[0].rate > 0)
            snprintf(speedup, sizeof speedup, "%.2fx",
                     r->rate / results[0].rate);
        if (r->shard_count > 1)
            snprintf(busiest, sizeof busiest, "%.2fx", report_imbalance(r));
        fprintf(out, TABLE_LINE, n, r->way->name,
                format_count((uint64_t)r->rate).text, speedup,
                format_duration(r->cpu_ns).text,
                format_duration((double)r->p50_ns).text,
                format_duration((double)r->p99_ns).text,
                format_duration((double)r->p999_ns).text,
                format_duration((double)r->max_ns).text,
                format_count(r->admitted).text, format_count(r->limited).text,
                busiest);
    }
    fflush(out);
}

void report_totals(FILE *out, const log_tally *tally)
{
    fprintf(
        out,
        "\nTotals    every run of every way agrees to the unit with a plain "
        "count:\n          %s hits and %s bytes over %s URL%s\n",
        format_count(tally->requests).text, format_count(tally->bytes).text,
        format_count(tally->urls.count).text, plural(tally->urls.count));
}

void report_shards(FILE *out, const burst_result *result)
{
    uint64_t sum = 0;
    uint64_t most = 1;
    for (size_t i = 0; i < result->shard_count; i++) {
        sum += result->shard_hits[i];
        if (result->shard_hits[i] > most)
            most = result->shard_hits[i];
    }
    fprintf(out, "\nShards    %11s %7s\n", "requests", "share");
    for (size_t i = 0; i < result->shard_count; i++) {
        uint64_t const hits = result->shard_hits[i];
        fprintf(out, "%9zu %11s %5.1f %%  ", i, format_count(hits).text,
                sum == 0 ? 0 : 100.0 * (double)hits / (double)sum);
        unsigned const bar =
            (unsigned)((double)hits / (double)most * BAR_COLUMNS + 0.5);
        for (unsigned k = 0; k < bar; k++)
            fputc('#', out);
        fputc('\n', out);
    }
}

void report_top_urls(FILE *out, const log_tally *tally, size_t rows)
{
    const tally_entry **const sorted = tally_by_hits(&tally->urls);
    if (sorted == NULL)
        return;
    if (rows > tally->urls.count)
        rows = tally->urls.count;
    fprintf(out, "\nTop %-5zu %11s %7s  %8s  URL\n", rows, "hits", "share",
            "bytes");
    for (size_t i = 0; i < rows; i++) {
        const tally_entry *const e = sorted[i];
        fprintf(out, "%9zu %11s %5.1f %%  %8s  ", i + 1,
                format_count(e->hits).text,
                100.0 * (double)e->hits / (double)tally->requests,
                format_bytes(e->bytes).text);
        print_safely(out, e->key, e->key_size, URL_COLUMNS);
        fputc('\n', out);
    }
    free(sorted);
}
