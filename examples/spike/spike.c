/* SPDX-License-Identifier: MIT */
/* spike.c - replays an access log as one burst, behind one lock and on girt.
 *
 * Reads the log, counts it once by itself, runs every way with every number of
 * threads by turns, and shows the median runs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "burst.h"
#include "spike_export.h"
#include "spike_format.h"
#include "spike_options.h"
#include "spike_plot.h"
#include "spike_report.h"
#include "spike_scaling.h"
#include "zipf_stream.h"

enum { WAYS_MAX = 3 };

#define STREAM_LINES 2000000
#define FILE_LINES   10000000
#define TOP_URLS     10

/* A short log takes milliseconds, in which one hiccup of the machine decides:
 * without a wish it is run until a million requests have passed. */
#define REPEAT_LEAST    3
#define REPEAT_MOST     51
#define REPEAT_REQUESTS 1000000

/* Where things are written; NULL or -1: not wanted. */
typedef struct outputs {
    FILE *report;
    FILE *csv;
    FILE *totals;
    int svg_fd;
} outputs;

typedef struct program {
    spike_options options;
    outputs to;
    log_input input;
    log_tally tally;
    burst burst;
    const spike_way *ways[WAYS_MAX];
    size_t way_count;
    /* by n, then by way */
    burst_result medians[SPIKE_THREADS_LIST_MAX * WAYS_MAX];
    size_t runs_done;
    const spike_way *way; /* what runs now, for the progress line */
    size_t n;
} program;

static bool is_dash(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* Opened first, so that a wrong name does not cost a minute of runs. */
static bool open_output(FILE **file, const char *path)
{
    *file = path == NULL ? NULL : is_dash(path) ? stdout : fopen(path, "we");
    if (path == NULL || *file != NULL)
        return true;
    fprintf(stderr, "spike: %s: %s\n", path, strerror(errno));
    return false;
}

static bool open_outputs(program *p)
{
    const spike_options *const o = &p->options;
    p->to.svg_fd = -1;
    p->to.report = is_dash(o->csv) || is_dash(o->totals) ? stderr : stdout;
    if (!open_output(&p->to.csv, o->csv) ||
        !open_output(&p->to.totals, o->totals))
        return false;
    if (o->svg != NULL)
        p->to.svg_fd = spike_plot_open(o->svg);
    return o->svg == NULL || p->to.svg_fd >= 0;
}

static bool close_output(FILE *file, const char *path)
{
    if (file == NULL)
        return true;
    bool const bad = ferror(file) != 0;
    if ((file == stdout ? fflush(file) : fclose(file)) == 0 && !bad)
        return true;
    fprintf(stderr, "spike: %s: %s\n", path, strerror(errno));
    return false;
}

/* A progress line is for people who watch; it leaves no trace. */
static bool is_watched(const program *p)
{
    return isatty(fileno(p->to.report)) == 1;
}

static void wipe_progress(const program *p)
{
    if (is_watched(p)) {
        fputs("\r\033[K", p->to.report);
        fflush(p->to.report);
    }
}

static void show_stage(const program *p, const char *stage)
{
    if (is_watched(p)) {
        fprintf(p->to.report, "\r\033[K%s ...", stage);
        fflush(p->to.report);
    }
}

static void show_run(void *context, uint64_t done, uint64_t total)
{
    const program *const p = context;
    size_t const runs =
        p->options.threads_count * p->way_count * p->options.repeat;
    fprintf(p->to.report, "\r\033[Krun %zu of %zu: %s, n = %zu, %.0f %%",
            p->runs_done + 1, runs, p->way->name, p->n,
            total == 0 ? 100 : 100 * (double)done / (double)total);
    fflush(p->to.report);
}

static bool load(program *p)
{
    const spike_options *const o = &p->options;
    size_t lines = o->lines_max;
    char why[160];
    if (o->log != NULL) {
        show_stage(p, "reading");
        if (log_input_read(&p->input, o->log, lines == 0 ? FILE_LINES : lines,
                           why, sizeof why))
            return true;
        wipe_progress(p);
        fprintf(stderr, "spike: %s: %s\n", o->log, why);
        return false;
    }
    show_stage(p, "making a stream of requests");
    lines = lines == 0 ? STREAM_LINES : lines;
    size_t size;
    char *const text = zipf_stream(lines, o->seed, &size);
    if (text != NULL && log_input_take(&p->input, text, size, lines))
        return true;
    wipe_progress(p);
    fprintf(stderr, "spike: no memory for %zu lines\n", lines);
    return false;
}

/* The whole log arrives at the instant of its last request, as far as 64 bits
 * of nanoseconds reach (year 2262). */
static int64_t arrival_ns(const log_tally *tally)
{
    int64_t const s = tally->last_s;
    return s < 0 || s > INT64_MAX / INT64_C(1000000000)
               ? 0
               : s * INT64_C(1000000000);
}

static bool prepare(program *p)
{
    show_stage(p, "counting");
    if (log_tally_build(&p->tally, &p->input)) {
        const spike_options *const o = &p->options;
        spike_config const config = {
            .capacity = o->capacity,
            .batch = o->batch,
            .shards = o->shards,
            .clients = p->tally.clients.count,
            .burst = o->burst,
            .now_ns = arrival_ns(&p->tally),
        };
        if (burst_init(&p->burst, &p->input, &p->tally, &config))
            return true;
    }
    wipe_progress(p);
    fprintf(stderr, "spike: no memory to count %zu lines\n",
            p->input.line_count);
    return false;
}

static void choose_repeat(program *p)
{
    uint64_t repeat = REPEAT_REQUESTS / (p->tally.requests + 1);
    repeat = repeat < REPEAT_LEAST ? REPEAT_LEAST : repeat;
    repeat = repeat > REPEAT_MOST ? REPEAT_MOST : repeat;
    if (p->options.repeat == 0)
        p->options.repeat = (size_t)repeat;
}

/* What everybody writes, what batches alone make of it, and girt. */
static void choose_ways(program *p)
{
    p->ways[p->way_count++] = &spike_one_lock;
    if (p->options.batch > 1)
        p->ways[p->way_count++] = &spike_lock_batched;
    p->ways[p->way_count++] = &spike_with_girt;
}

static int by_rate(const void *left, const void *right)
{
    double const a = ((const burst_result *)left)->rate;
    double const b = ((const burst_result *)right)->rate;
    return (a > b) - (a < b);
}

static void tell_difference(const program *p, const burst_result *r)
{
    fprintf(stderr,
            "spike: the totals of %s with n = %zu are wrong:\n"
            "  %s admitted (should be %s), %s limited, %s URLs (should be %s), "
            "%s with wrong totals\n",
            r->way->name, r->n, format_count(r->admitted).text,
            format_count(log_tally_admitted(&p->tally, p->options.burst)).text,
            format_count(r->limited).text, format_count(r->urls).text,
            format_count(p->tally.urls.count).text,
            format_count(r->wrong_urls).text);
}

static bool run_once(program *p, const spike_way *way, size_t n,
                     burst_result *result)
{
    p->way = way;
    p->n = n;
    girt_status const status = burst_run(
        &p->burst, way, n, is_watched(p) ? show_run : NULL, p, result);
    p->runs_done++;
    if (status == GIRT_OK && result->agrees)
        return true;
    wipe_progress(p);
    if (status != GIRT_OK)
        fprintf(stderr, "spike: %s with n = %zu failed: %s\n", way->name, n,
                girt_status_text(status));
    else
        tell_difference(p, result);
    return false;
}

/* All repetitions for one n, the ways by turns; leaves the medians. */
static bool run_row(program *p, size_t n, burst_result medians[])
{
    size_t const repeat = p->options.repeat;
    burst_result *const all = malloc(repeat * p->way_count * sizeof *all);
    bool fine = all != NULL;
    for (size_t i = 0; i < repeat && fine; i++)
        for (size_t way = 0; way < p->way_count && fine; way++)
            fine = run_once(p, p->ways[way], n, &all[way * repeat + i]);
    for (size_t way = 0; way < p->way_count && fine; way++) {
        qsort(&all[way * repeat], repeat, sizeof *all, by_rate);
        medians[way] = all[way * repeat + repeat / 2];
    }
    if (all == NULL)
        fprintf(stderr, "spike: no memory for %zu results\n", repeat);
    free(all);
    return fine;
}

static bool run_all(program *p)
{
    FILE *const out = p->to.report;
    report_table_head(out);
    for (size_t i = 0; i < p->options.threads_count; i++) {
        burst_result *const medians = &p->medians[i * p->way_count];
        if (!run_row(p, p->options.threads[i], medians))
            return false;
        wipe_progress(p);
        report_table_rows(out, medians, p->way_count);
    }
    return true;
}

static void report_rest(const program *p)
{
    FILE *const out = p->to.report;
    size_t const rows = p->options.threads_count;
    report_totals(out, &p->tally);
    report_top_urls(out, &p->tally, TOP_URLS);
    report_shards(out, &p->medians[p->way_count - 1]);
    report_scaling(out, p->medians, rows, p->way_count, spike_cpus());
}

static bool export_all(program *p, size_t rows)
{
    const spike_options *const o = &p->options;
    bool fine = true;
    if (p->to.csv != NULL)
        export_csv(p->to.csv, p->medians, rows * p->way_count, o->repeat);
    if (p->to.totals != NULL && !export_totals(p->to.totals, &p->tally)) {
        fprintf(stderr, "spike: no memory to sort the totals\n");
        fine = false;
    }
    fine &= close_output(p->to.csv, o->csv);
    fine &= close_output(p->to.totals, o->totals);
    if (fflush(p->to.report) != 0 || ferror(p->to.report)) {
        fprintf(stderr, "spike: the report: %s\n", strerror(errno));
        fine = false;
    }
    if (p->to.svg_fd >= 0 && rows == 0)
        fprintf(stderr, "spike: no curve to draw without requests\n");
    else if (p->to.svg_fd >= 0)
        fine &= spike_plot(p->to.svg_fd, p->medians, rows, p->way_count);
    return fine;
}

/* 0 or 1, once the log is in memory. */
static int replay(program *p)
{
    choose_ways(p);
    choose_repeat(p);
    wipe_progress(p);
    report_input(p->to.report, &p->options, &p->input, &p->tally);
    size_t rows = 0;
    if (p->tally.requests == 0) {
        fprintf(p->to.report, "          nothing to replay\n");
    } else {
        report_service(p->to.report, &p->options);
        if (!run_all(p))
            return 1;
        rows = p->options.threads_count;
        report_rest(p);
    }
    return export_all(p, rows) ? 0 : 1;
}

int main(int argument_count, char *arguments[])
{
    static program p;
    spike_wish const wish =
        spike_options_parse(&p.options, argument_count, arguments);
    if (wish != SPIKE_RUN)
        return wish == SPIKE_ANSWERED ? 0 : 2;
    int result = 2;
    if (open_outputs(&p) && load(&p) && prepare(&p))
        result = replay(&p);
    burst_free(&p.burst);
    log_tally_free(&p.tally);
    log_input_free(&p.input);
    return result;
}
