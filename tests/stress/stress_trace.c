/* SPDX-License-Identifier: MIT */
/* Goal: of spans that threads record while others write them out, each is
 * written once, whole, or counted as dropped.  Method: spans that carry their
 * number in three places, small rings, threads that come and go, two writers
 * in turn; each document is taken apart. */
#include <girt/trace.h>

#include <stdatomic.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

enum { RECORDERS = 3, LIVES = 8 };

typedef struct run {
    girt_tracer *tracer;
    size_t each;
    atomic_uint recording;
    atomic_ullong seen;  /* spans in documents */
    atomic_ullong wrong; /* spans that are not whole */
    unsigned char *times[RECORDERS * LIVES];
} run;

typedef struct document {
    run *of;
    char line[8192];
    size_t used;
} document;

/* A span's three numbers are one. */
static void take_apart(run *r, const char *line)
{
    /* Behind the document's head, which has strings as well. */
    const char *const span = strstr(line, "\"traceId\"");
    assert_non_null(span);
    unsigned long long start, end, number, text;
    unsigned thread;
    const char *const times = strstr(span, "\"startTimeUnixNano\":\"");
    const char *const values = strstr(span, "\"intValue\":\"");
    const char *const texts = strstr(span, "\"stringValue\":\"");
    atomic_fetch_add(&r->seen, 1);
    if (times == NULL || values == NULL || texts == NULL ||
        sscanf(times,
               "\"startTimeUnixNano\":\"%llu\",\"endTimeUnixNano\":\"%llu",
               &start, &end) != 2 ||
        sscanf(values, "\"intValue\":\"%llu", &number) != 1 ||
        sscanf(texts, "\"stringValue\":\"%u %llu", &thread, &text) != 2 ||
        number != text || thread >= RECORDERS * LIVES || number >= r->each ||
        start > end) {
        atomic_fetch_add(&r->wrong, 1);
        return;
    }
    /* Writers exclude each other: a plain count. */
    if (r->times[thread][number]++ != 0)
        atomic_fetch_add(&r->wrong, 1);
}

/* Spans begin with "{"traceId"; one piece may end within. */
static bool keep(void *context, const char *text, size_t size)
{
    document *const d = context;
    for (size_t i = 0; i < size; i++) {
        if (d->used + 1 == sizeof d->line)
            d->used = 0; /* longer than any span: a header */
        d->line[d->used++] = text[i];
        d->line[d->used] = '\0';
        if (d->used > 10 &&
            memcmp(d->line + d->used - 11, "\"status\":{}", 11) == 0) {
            take_apart(d->of, d->line);
            d->used = 0;
        }
    }
    return true;
}

static void record(run *r, size_t thread)
{
    for (size_t i = 0; i < r->each; i++) {
        girt_span span;
        char text[64];
        int const size = snprintf(text, sizeof text, "%zu %zu%*s", thread, i,
                                  (int)(i % 40), "");
        girt_span_start(&span, r->tracer, "stress", NULL);
        girt_span_set_int(&span, "number", (int64_t)i);
        girt_span_set_text(&span, "text", text, (size_t)size);
        girt_span_end(&span);
    }
}

static void recorder(void *context, size_t life)
{
    run *const *const both = context;
    record(*both, life);
}

static void body(void *context, size_t index)
{
    run *const r = context;
    if (index < RECORDERS) {
        for (size_t life = 0; life < LIVES; life++)
            record(r, index * LIVES + life);
        atomic_fetch_sub(&r->recording, 1);
        return;
    }
    document d = {.of = r};
    bool last;
    do {
        last = atomic_load(&r->recording) == 0;
        check_status(
            girt_tracer_write(r->tracer, GIRT_TRACE_OTLP_JSON, keep, &d),
            GIRT_OK);
        d.used = 0;
    } while (!last);
}

static void each_span_is_written_or_counted(void **state)
{
    (void)state;
    run r = {.each = scaled(4000), .recording = RECORDERS};
    int64_t now = 5;
    girt_tracer_options options = {.spans_per_thread = 64, .threads_max = 64};
    girt_clock_manual(&options.clock, &now);
    check_status(girt_tracer_create(&r.tracer, &options), GIRT_OK);
    for (size_t i = 0; i < RECORDERS * LIVES; i++) {
        r.times[i] = calloc(r.each, 1);
        assert_non_null(r.times[i]);
    }
    threads_run(RECORDERS + 2, body, &r);
    girt_tracer_stats stats;
    girt_tracer_read_stats(r.tracer, &stats);
    assert_int_equal(atomic_load(&r.wrong), 0);
    assert_int_equal(stats.recorded, RECORDERS * LIVES * r.each);
    assert_int_equal(stats.written, atomic_load(&r.seen));
    assert_int_equal(stats.written + stats.dropped, stats.recorded);
    assert_true(stats.written >= 64);
    girt_tracer_destroy(r.tracer);
    for (size_t i = 0; i < RECORDERS * LIVES; i++)
        free(r.times[i]);
}

static void threads_come_and_go(void **state)
{
    (void)state;
    run r = {.each = 50};
    int64_t now = 5;
    girt_tracer_options options = {.spans_per_thread = 1 << 11};
    girt_clock_manual(&options.clock, &now);
    check_status(girt_tracer_create(&r.tracer, &options), GIRT_OK);
    for (size_t i = 0; i < RECORDERS * LIVES; i++) {
        r.times[i] = calloc(r.each, 1);
        assert_non_null(r.times[i]);
    }
    run *const both = &r;
    threads_run(RECORDERS * LIVES, recorder, (void *)(uintptr_t)&both);
    document d = {.of = &r};
    check_status(girt_tracer_write(r.tracer, GIRT_TRACE_OTLP_JSON, keep, &d),
                 GIRT_OK);
    /* Threads are gone, their spans are not. */
    assert_int_equal(atomic_load(&r.seen), RECORDERS * LIVES * r.each);
    assert_int_equal(atomic_load(&r.wrong), 0);
    girt_tracer_destroy(r.tracer);
    for (size_t i = 0; i < RECORDERS * LIVES; i++)
        free(r.times[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_span_is_written_or_counted),
        cmocka_unit_test(threads_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
