/* SPDX-License-Identifier: MIT */
/* bench_trace.c - the suite: what a span costs where it is recorded and where
 * it is not, beside what it cannot be without. */
#include <girt/trace.h>
#include <girt/version.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_team.h"

enum { STRIDE = 64 };

typedef struct span_contest {
    girt_tracer_options options;
    void (*stride)(
        girt_tracer *tracer); /* STRIDE times, in a loop of its own */
} span_contest;

typedef struct span_run {
    const span_contest *how;
    girt_tracer *tracer;
} span_run;

static int64_t stopped_clock(void *context)
{
    (void)context;
    return 1;
}

static void spans(girt_tracer *tracer)
{
    for (unsigned i = 0; i < STRIDE; i++) {
        girt_span span;
        girt_span_start(&span, tracer, "work", NULL);
        girt_span_end(&span);
    }
}

static void spans_with_facts(girt_tracer *tracer)
{
    for (unsigned i = 0; i < STRIDE; i++) {
        girt_span span;
        girt_span_start(&span, tracer, "work", NULL);
        girt_span_set_int(&span, "size", 4200);
        girt_span_set_text(&span, "path", "/index.html", 11);
        girt_span_end(&span);
    }
}

/* The clock reads of a span, and its 256 bytes: what is left is the span. */
static void two_clock_reads(girt_tracer *tracer)
{
    (void)tracer;
    for (unsigned i = 0; i < 2 * STRIDE; i++) {
        int64_t const now = girt_clock_monotonic.now_ns(NULL);
        __asm__ __volatile__("" : : "r"(now) : "memory");
    }
}

static void parse_headers(girt_tracer *tracer)
{
    static const char header[] =
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    (void)tracer;
    for (unsigned i = 0; i < STRIDE; i++) {
        girt_trace_context context;
        if (girt_traceparent_parse(header, sizeof header - 1, &context) !=
            GIRT_OK)
            abort();
        __asm__ __volatile__("" : : "r"(&context) : "memory");
    }
}

static void repeat(bench_member *member)
{
    span_run *const run = member->context;
    while (!bench_stopped(member)) {
        run->how->stride(run->tracer);
        bench_count(member, STRIDE);
    }
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    span_run run = {.how = adapter};
    if (girt_tracer_create(&run.tracer, &run.how->options) != GIRT_OK)
        return BENCH_UNABLE;
    double const cost =
        bench_team_run(&(bench_team){.size = *(const unsigned *)bench_case,
                                     .pinned = true,
                                     .seconds = seconds,
                                     .body = repeat,
                                     .context = &run});
    girt_tracer_destroy(run.tracer);
    return cost;
}

#define NO_CLOCK                                                               \
    {                                                                          \
        .now_ns = stopped_clock                                                \
    }

static void run(const bench_suite *suite, const bench_options *options)
{
    const bench_contestant contestants[] = {
        {"sampled span, clock given", GIRT_VERSION, false, measure,
         &(const span_contest){{.clock = NO_CLOCK}, spans}},
        {"sampled span with two attributes, clock given", GIRT_VERSION, false,
         measure, &(const span_contest){{.clock = NO_CLOCK}, spans_with_facts}},
        {"sampled span", GIRT_VERSION, false, measure,
         &(const span_contest){{0}, spans}},
        {"unsampled span", GIRT_VERSION, false, measure,
         &(const span_contest){{.sample_none = true}, spans}},
        {"traceparent read", GIRT_VERSION, false, measure,
         &(const span_contest){{0}, parse_headers}},
        {"floor: two clock reads", "", true, measure,
         &(const span_contest){{0}, two_clock_reads}},
    };
    static const unsigned counts[] = {1, 2};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        bench_row(suite, options, "span", counts[i], "ns", contestants,
                  sizeof contestants / sizeof *contestants, &counts[i]);
}

const bench_suite bench_trace_suite = {
    .name = "trace",
    .title = "spans, sampled and not, and the header that carries them",
    .patience_s = 10,
    .run = run};
