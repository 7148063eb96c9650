/* SPDX-License-Identifier: MIT */
/* Goal: spans come out as they went in: ids, relations, times, attributes, and
 * only those that the sampling lets through; and nothing is lost uncounted.
 * Method: a manual clock; documents searched as text; counts after each way in
 * which a span can go. */
#include <girt/trace.h>

#include <pthread.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <girt/workers.h>

#include "support/check.h"

typedef struct document {
    char text[8 << 20];
    size_t size;
    size_t pieces_left; /* then refuse */
} document;

static document out;

static bool keep(void *context, const char *text, size_t size)
{
    document *const d = context;
    if (d->pieces_left == 0)
        return false;
    d->pieces_left--;
    assert_true(d->size + size < sizeof d->text);
    memcpy(d->text + d->size, text, size);
    d->size += size;
    d->text[d->size] = '\0';
    return true;
}

static const char *write_out(girt_tracer *tracer, girt_trace_format format)
{
    out.size = 0;
    out.pieces_left = SIZE_MAX;
    check_status(girt_tracer_write(tracer, format, keep, &out), GIRT_OK);
    return out.text;
}

/* Not by strstr: under a sanitizer each call measures the whole rest. */
static size_t count_of(const char *text, const char *what)
{
    size_t const size = strlen(what);
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == *what && strncmp(text, what, size) == 0;
    return count;
}

static void assert_has(const char *text, const char *what)
{
    if (strstr(text, what) == NULL)
        fail_msg("no %s in %s", what, text);
}

static girt_tracer *tracer_with(girt_tracer_options options, int64_t *now)
{
    girt_tracer *tracer = NULL;
    if (now != NULL)
        girt_clock_manual(&options.clock, now);
    check_status(girt_tracer_create(&tracer, &options), GIRT_OK);
    return tracer;
}

static void hex_of(const uint8_t *bytes, size_t count, char *text)
{
    for (size_t i = 0; i < count; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

static void spans_inside_each_other(void **state)
{
    (void)state;
    int64_t now = 1000;
    girt_tracer *const tracer = tracer_with(
        (girt_tracer_options){.service = "shop \"1\"", .epoch_ns = 5}, &now);
    girt_span outer, inner;
    girt_trace_context seen;
    assert_false(girt_trace_current(&seen));
    girt_span_start(&outer, tracer, "outer", NULL);
    girt_span_set_kind(&outer, GIRT_SPAN_SERVER);
    assert_true(girt_trace_current(&seen));
    assert_memory_equal(&seen, &outer.context, sizeof seen);
    now = 2000;
    girt_span_start(&inner, tracer, "inner", NULL);
    assert_memory_equal(inner.context.trace_id, outer.context.trace_id, 16);
    assert_memory_not_equal(inner.context.span_id, outer.context.span_id, 8);
    assert_int_equal(inner.context.flags, GIRT_TRACE_SAMPLED);
    girt_span_set_int(&inner, "int", INT64_MIN);
    girt_span_set_double(&inner, "double", -0.5);
    girt_span_set_text(&inner, "text", "a\"\\\n\xff\xc3\xa9", 7);
    now = 2500;
    girt_span_end(&inner);
    assert_true(girt_trace_current(&seen));
    assert_memory_equal(&seen, &outer.context, sizeof seen);
    now = 4000;
    girt_span_fail(&outer);
    girt_span_end(&outer);
    girt_span_end(&outer); /* once */
    assert_false(girt_trace_current(NULL));

    char trace[33], outer_id[17], inner_id[17], expected[2048];
    hex_of(outer.context.trace_id, 16, trace);
    hex_of(outer.context.span_id, 8, outer_id);
    hex_of(inner.context.span_id, 8, inner_id);
    snprintf(
        expected, sizeof expected,
        "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":"
        "\"service.name\",\"value\":{\"stringValue\":\"shop \\\"1\\\"\"}}]},"
        "\"scopeSpans\":[{\"scope\":{\"name\":\"girt\",\"version\":\"0.1.0\"},"
        "\"spans\":["
        "{\"traceId\":\"%s\",\"spanId\":\"%s\",\"parentSpanId\":\"%s\","
        "\"flags\":1,\"name\":\"inner\",\"kind\":1,"
        "\"startTimeUnixNano\":\"2005\",\"endTimeUnixNano\":\"2505\","
        "\"attributes\":[{\"key\":\"int\",\"value\":{\"intValue\":"
        "\"-9223372036854775808\"}},{\"key\":\"double\",\"value\":{"
        "\"doubleValue\":-0.5}},{\"key\":\"text\",\"value\":{\"stringValue\":"
        "\"a\\\"\\\\\\u000a\xef\xbf\xbd\xc3\xa9\"}}],\"status\":{}},"
        "{\"traceId\":\"%s\",\"spanId\":\"%s\",\"flags\":1,\"name\":\"outer\","
        "\"kind\":2,\"startTimeUnixNano\":\"1005\",\"endTimeUnixNano\":"
        "\"4005\",\"attributes\":[],\"status\":{\"code\":2}}]}]}]}\n",
        trace, inner_id, outer_id, trace, outer_id);
    assert_string_equal(write_out(tracer, GIRT_TRACE_OTLP_JSON), expected);
    /* They are out: only once. */
    assert_int_equal(
        count_of(write_out(tracer, GIRT_TRACE_OTLP_JSON), "spanId"), 0);
    girt_tracer_destroy(tracer);
}

static void chrome_events(void **state)
{
    (void)state;
    int64_t now = 1234567;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    girt_span span;
    girt_span_start(&span, tracer, "work", NULL);
    girt_span_set_kind(&span, GIRT_SPAN_CONSUMER);
    girt_span_set_kind(&span, (girt_span_kind)99); /* none: stays */
    girt_span_set_int(&span, "n", 7);
    girt_span_set_double(&span, "nan", 0.0 / 0.0);
    girt_span_set_text(&span, "s", "t", 1);
    now += 42;
    girt_span_end(&span);
    const char *const text = write_out(tracer, GIRT_TRACE_CHROME);
    assert_has(text,
               "\"name\":\"work\",\"cat\":\"consumer\",\"ph\":\"X\",\"ts\":"
               "1234.567,\"dur\":0.042,\"pid\":");
    assert_has(text,
               ",\"failed\":false,\"attributes\":{\"n\":7,\"nan\":\"NaN\","
               "\"s\":\"t\"}}}]}");
    assert_has(text, "\"process_name\"");
    girt_tracer_destroy(tracer);
}

static void wall_clock_times(void **state)
{
    (void)state;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, NULL);
    struct timespec before, after;
    clock_gettime(CLOCK_REALTIME, &before);
    girt_span span;
    girt_span_start(&span, tracer, "now", NULL);
    girt_span_end(&span);
    const char *at = strstr(write_out(tracer, GIRT_TRACE_OTLP_JSON),
                            "startTimeUnixNano\":\"");
    clock_gettime(CLOCK_REALTIME, &after);
    assert_non_null(at);
    long long const ns = strtoll(strchr(at, ':') + 2, NULL, 10);
    /* The two clocks are read one after the other, and one may be set. */
    assert_true(ns / 1000000000 >= before.tv_sec - 1);
    assert_true(ns / 1000000000 <= after.tv_sec + 1);
    girt_tracer_destroy(tracer);
}

static void bounds_of_a_span(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    girt_span span;
    girt_span_start(&span, tracer, NULL, NULL);
    char text[200];
    memset(text, 'x', sizeof text);
    girt_span_set_text(&span, "first", text, 118);
    girt_span_set_text(&span, "cut", "\xc3\xa9\xc3\xa9", 4); /* room for one */
    girt_span_set_text(&span, "none", "abc", 3);
    girt_span_set_text(&span, NULL, "abc", 3);
    girt_span_set_int(&span, "fourth", 4);
    girt_span_set_int(&span, "fifth", 5);
    now = -1; /* back */
    girt_span_end(&span);
    const char *const json = write_out(tracer, GIRT_TRACE_OTLP_JSON);
    assert_has(json, "xx\"}},{\"key\":\"cut\",\"value\":{\"stringValue\":"
                     "\"\xc3\xa9\"}},{\"key\":\"none\",\"value\":{"
                     "\"stringValue\":\"\"}},{\"key\":\"fourth\",\"value\":{"
                     "\"intValue\":\"4\"}}],");
    assert_has(json, "\"name\":\"\",");
    assert_has(json, "TimeUnixNano\":\"0\",\"endTimeUnixNano\":\"0\"");
    assert_null(strstr(json, "fifth"));
    girt_tracer_destroy(tracer);
}

/* OTLP demands that a key is there once; a JSON object had better, too. */
static void keys_stand_once(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    girt_span span;
    char const other_k[] = "k"; /* the same text elsewhere */
    for (int i = 0; i < 2; i++) {
        girt_span_start(&span, tracer, "s", NULL);
        girt_span_set_text(&span, "k", "one", 3);
        girt_span_set_int(&span, "failed", 1);
        girt_span_set_int(&span, "trace", 2);
        girt_span_set_double(&span, "d", 0.5);
        girt_span_set_int(&span, "fifth", 5);
        girt_span_set_text(&span, "d", "two", 3); /* though it is full */
        girt_span_set_int(&span, other_k, 4);
        girt_span_end(&span);
        if (i == 0)
            assert_has(write_out(tracer, GIRT_TRACE_OTLP_JSON),
                       "\"attributes\":[{\"key\":\"k\",\"value\":{"
                       "\"intValue\":\"4\"}},{\"key\":\"failed\",\"value\":{"
                       "\"intValue\":\"1\"}},{\"key\":\"trace\",\"value\":{"
                       "\"intValue\":\"2\"}},{\"key\":\"d\",\"value\":{"
                       "\"stringValue\":\"two\"}}],");
    }
    assert_has(write_out(tracer, GIRT_TRACE_CHROME),
               "\"failed\":false,\"attributes\":{\"k\":4,\"failed\":1,"
               "\"trace\":2,\"d\":\"two\"}}}]}");
    girt_tracer_destroy(tracer);
}

static void head_sampling(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const half = tracer_with(
        (girt_tracer_options){.sample_ratio = 0.5, .spans_per_thread = 16384},
        &now);
    size_t sampled = 0;
    for (int i = 0; i < 10000; i++) {
        girt_span span, child;
        girt_span_start(&span, half, "s", NULL);
        girt_span_start(&child, half, "s", NULL);
        assert_int_equal(child.context.flags, span.context.flags);
        assert_memory_equal(child.context.trace_id, span.context.trace_id, 16);
        /* By the low half of the id, alike everywhere. */
        assert_int_equal(span.context.flags, span.context.trace_id[8] < 0x80);
        sampled += span.context.flags;
        girt_span_end(&child);
        girt_span_end(&span);
    }
    assert_true(sampled > 4500 && sampled < 5500); /* 10 sigma */
    girt_tracer_stats stats;
    girt_tracer_read_stats(half, &stats);
    assert_int_equal(stats.recorded, 2 * sampled);
    assert_int_equal(
        count_of(write_out(half, GIRT_TRACE_CHROME), "\"ph\":\"X\""),
        stats.recorded);
    girt_tracer_destroy(half);

    girt_tracer *const none =
        tracer_with((girt_tracer_options){.sample_none = true}, &now);
    girt_span span;
    girt_span_start(&span, none, "s", NULL);
    assert_int_equal(span.context.flags, 0);
    girt_span_end(&span);
    /* A parent decides for its children. */
    girt_trace_context const parent = {{1}, {2}, GIRT_TRACE_SAMPLED, {0}};
    girt_span_start(&span, none, "s", &parent);
    assert_int_equal(span.context.flags, GIRT_TRACE_SAMPLED);
    girt_span_end(&span);
    girt_tracer_read_stats(none, &stats);
    assert_int_equal(stats.recorded, 1);
    assert_has(write_out(none, GIRT_TRACE_OTLP_JSON),
               "\"traceId\":\"01000000000000000000000000000000\"");
    girt_tracer_destroy(none);
}

static void failed_traces_are_kept(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with(
        (girt_tracer_options){.sample_none = true, .keep_errors = true}, &now);
    for (int i = 0; i < 10; i++) {
        girt_span span, child;
        girt_span_start(&span, tracer, "s", NULL);
        girt_span_start(&child, tracer, "c", NULL);
        assert_memory_not_equal(child.context.span_id, span.context.span_id, 8);
        if (i == 3)
            girt_span_fail(&child);
        girt_span_end(&child);
        girt_span_end(&span);
    }
    girt_span late;
    girt_trace_context failed;
    girt_span_start(&late, tracer, "late", NULL);
    failed = late.context;
    girt_span_fail(&late);
    girt_span_end(&late);
    const char *const text = write_out(tracer, GIRT_TRACE_OTLP_JSON);
    assert_int_equal(count_of(text, "spanId"), 3);
    assert_int_equal(count_of(text, "\"flags\":0"), 3);
    assert_int_equal(count_of(text, "\"code\":2"), 2);
    /* What ends after the write still belongs to a failed trace. */
    girt_span_start(&late, tracer, "later", &failed);
    girt_span_end(&late);
    assert_int_equal(count_of(write_out(tracer, GIRT_TRACE_OTLP_JSON), "later"),
                     1);
    girt_tracer_stats stats;
    girt_tracer_read_stats(tracer, &stats);
    assert_int_equal(stats.recorded, 22);
    assert_int_equal(stats.written, 4);
    assert_int_equal(stats.left_out, 18);
    assert_int_equal(stats.dropped, 0);
    girt_tracer_destroy(tracer);
}

static void full_rings_drop_their_oldest(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with(
        (girt_tracer_options){.spans_per_thread = 17}, &now); /* 32 */
    girt_span span;
    for (now = 0; now < 100; now++) {
        girt_span_start(&span, tracer, "s", NULL);
        girt_span_end(&span);
    }
    girt_tracer_stats stats;
    girt_tracer_read_stats(tracer, &stats);
    assert_int_equal(stats.recorded, 100);
    assert_int_equal(stats.dropped, 68);
    const char *const text = write_out(tracer, GIRT_TRACE_OTLP_JSON);
    assert_int_equal(count_of(text, "spanId"), 32);
    assert_has(text, "\"startTimeUnixNano\":\"68\"");
    assert_null(strstr(text, "\"startTimeUnixNano\":\"67\""));
    girt_tracer_read_stats(tracer, &stats);
    assert_int_equal(stats.written, 32);
    assert_int_equal(stats.dropped, 68);
    girt_tracer_destroy(tracer);
}

static void a_refused_document_comes_again(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    girt_span span;
    for (int i = 0; i < 100; i++) {
        girt_span_start(&span, tracer, "s", NULL);
        girt_span_end(&span);
    }
    for (size_t pieces = 0; pieces < 3; pieces++) {
        out.size = 0;
        out.pieces_left = pieces;
        check_status(girt_tracer_write(tracer, GIRT_TRACE_CHROME, keep, &out),
                     GIRT_E_IO);
    }
    assert_int_equal(count_of(write_out(tracer, GIRT_TRACE_CHROME), "\"X\""),
                     100);
    girt_tracer_stats stats;
    girt_tracer_read_stats(tracer, &stats);
    assert_int_equal(stats.written, 100);
    girt_tracer_destroy(tracer);
}

static void *record_one(void *argument)
{
    girt_span span;
    girt_span_start(&span, argument, "thread", NULL);
    girt_span_end(&span);
    return NULL;
}

static void threads_beyond_the_bound_are_counted(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer =
        tracer_with((girt_tracer_options){.threads_max = 1}, &now);
    pthread_t thread;
    record_one(tracer);
    assert_int_equal(pthread_create(&thread, NULL, record_one, tracer), 0);
    pthread_join(thread, NULL);
    girt_tracer_stats stats;
    girt_tracer_read_stats(tracer, &stats);
    assert_int_equal(stats.recorded, 1);
    assert_int_equal(stats.dropped, 1);
    girt_tracer_destroy(tracer);
}

static void contexts_are_handed_on(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    girt_trace_context const given = {{1}, {2}, GIRT_TRACE_SAMPLED, {0}};
    girt_trace_context before, seen;
    girt_trace_attach(&given, &before);
    assert_true(girt_trace_current(&seen));
    assert_memory_equal(&seen, &given, sizeof seen);
    girt_span span;
    /* Without a tracer a span only hands on. */
    girt_span_start(&span, NULL, "s", NULL);
    assert_memory_equal(&span.context, &given, sizeof given);
    girt_span_set_int(&span, "n", 1);
    girt_span_fail(&span);
    girt_span_end(&span);
    /* A new trace, although there is a current one. */
    static const girt_trace_context nobody;
    girt_span_start(&span, tracer, "s", &nobody);
    assert_memory_not_equal(span.context.trace_id, given.trace_id, 16);
    girt_span_end(&span);
    girt_trace_attach(&before, NULL);
    assert_false(girt_trace_current(&seen));
    static const uint8_t zero[sizeof seen];
    assert_memory_equal(&seen, zero, sizeof seen);
    girt_span_start(NULL, tracer, "s", NULL);
    girt_span_end(NULL);
    girt_tracer_destroy(tracer);
}

static void note_context(void *argument)
{
    girt_trace_current(argument);
}

static void workers_hand_contexts_on(void **state)
{
    (void)state;
    girt_workers *pool = NULL;
    check_status(girt_workers_create(&pool, NULL), GIRT_OK);
    girt_trace_context seen[2];
    memset(seen, 1, sizeof seen);
    check_status(
        girt_workers_submit(pool, note_context, &seen[0], GIRT_FOREVER),
        GIRT_OK);
    girt_trace_context const given = {{1}, {2}, 0, {0}};
    girt_trace_attach(&given, NULL);
    check_status(
        girt_workers_submit(pool, note_context, &seen[1], GIRT_FOREVER),
        GIRT_OK);
    girt_trace_attach(NULL, NULL);
    check_status(girt_workers_drain(pool, GIRT_FOREVER), GIRT_OK);
    static const girt_trace_context nobody;
    assert_memory_equal(&seen[0], &nobody, sizeof nobody);
    assert_memory_equal(&seen[1], &given, sizeof given);
    girt_workers_destroy(pool);
}

static void a_forks_child_begins_anew(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    record_one(tracer);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t const child = fork();
    assert_true(child >= 0);
    girt_span span;
    girt_span_start(&span, tracer, "after", NULL);
    girt_span_end(&span);
    if (child == 0) {
        girt_tracer_stats stats;
        girt_tracer_read_stats(tracer, &stats);
        const char *const text = write_out(tracer, GIRT_TRACE_CHROME);
        bool const fine = stats.recorded == 1 && count_of(text, "\"X\"") == 1 &&
                          strstr(text, "after") != NULL;
        ssize_t const sent =
            write(pipes[1], &span.context, sizeof span.context);
        _exit(fine && sent == (ssize_t)sizeof span.context ? 0 : 1);
    }
    girt_trace_context childs;
    assert_int_equal(read(pipes[0], &childs, sizeof childs), sizeof childs);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_memory_not_equal(childs.trace_id, span.context.trace_id, 16);
    assert_memory_not_equal(childs.span_id, span.context.span_id, 8);
    assert_int_equal(count_of(write_out(tracer, GIRT_TRACE_CHROME), "\"X\""),
                     2);
    close(pipes[0]);
    close(pipes[1]);
    girt_tracer_destroy(tracer);
}

/* A thread's generator outlives its tracers, and is copied by a fork. */
static void ids_differ_after_a_fork_between_two_tracers(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *tracer = tracer_with((girt_tracer_options){0}, &now);
    record_one(tracer);
    girt_tracer_destroy(tracer);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t const child = fork();
    assert_true(child >= 0);
    girt_span span;
    tracer = tracer_with((girt_tracer_options){0}, &now);
    girt_span_start(&span, tracer, "after", NULL);
    girt_span_end(&span);
    girt_tracer_destroy(tracer);
    if (child == 0) {
        ssize_t const sent =
            write(pipes[1], &span.context, sizeof span.context);
        _exit(sent == (ssize_t)sizeof span.context ? 0 : 1);
    }
    girt_trace_context childs;
    assert_int_equal(read(pipes[0], &childs, sizeof childs), sizeof childs);
    int result;
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_int_equal(result, 0);
    assert_memory_not_equal(childs.trace_id, span.context.trace_id, 16);
    close(pipes[0]);
    close(pipes[1]);
}

typedef struct forking {
    girt_tracer *tracer;
    pid_t child; /* 0 in the child; -1: not yet */
} forking;

static bool fork_once(void *context, const char *text, size_t size)
{
    forking *const f = context;
    (void)text;
    (void)size;
    record_one(f->tracer);
    if (f->child == -1)
        f->child = fork();
    return true;
}

/* A document that goes to a child process, say; the child may come back. */
static void the_function_that_is_written_to_may_fork(void **state)
{
    (void)state;
    int64_t now = 0;
    girt_tracer *const tracer = tracer_with((girt_tracer_options){0}, &now);
    record_one(tracer);
    forking f = {tracer, -1};
    girt_tracer_stats stats;
    alarm(30); /* for a lock that is waited for without end */
    check_status(girt_tracer_write(tracer, GIRT_TRACE_CHROME, fork_once, &f),
                 GIRT_OK);
    girt_tracer_read_stats(tracer, &stats);
    if (f.child == 0) {
        bool fine = stats.recorded == 0 && stats.written == 0 &&
                    stats.dropped == 0 && stats.left_out == 0;
        record_one(tracer);
        const char *const text = write_out(tracer, GIRT_TRACE_CHROME);
        fine = fine && count_of(text, "\"X\"") == 1;
        girt_tracer_destroy(tracer);
        _exit(fine ? 0 : 1);
    }
    assert_int_equal(stats.written, 1);
    int result;
    assert_int_equal(waitpid(f.child, &result, 0), f.child);
    assert_int_equal(result, 0);
    alarm(0);
    girt_tracer_destroy(tracer);
}

static void bad_arguments(void **state)
{
    (void)state;
    girt_tracer *tracer = NULL;
    check_status(girt_tracer_create(NULL, NULL), GIRT_E_INVALID);
    char name[300];
    memset(name, 'n', sizeof name);
    name[256] = '\0';
    girt_tracer_options const bad[] = {
        {.sample_ratio = -0.1},
        {.sample_ratio = 1.5},
        {.sample_ratio = 0.0 / 0.0},
        {.spans_per_thread = 15},
        {.threads_max = 65536},
        {.threads_max = SIZE_MAX},
        {.service = ""},
        {.service = name},
        {.reserved = {0, 0, 0, 1}},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        check_status(girt_tracer_create(&tracer, &bad[i]), GIRT_E_INVALID);
        assert_null(tracer);
    }
    check_status(
        girt_tracer_create(
            &tracer, &(girt_tracer_options){.spans_per_thread = (1 << 20) + 1}),
        GIRT_E_TOO_LARGE);
    check_status(girt_tracer_create(&tracer, NULL), GIRT_OK);
    check_status(girt_tracer_write(NULL, GIRT_TRACE_CHROME, keep, &out),
                 GIRT_E_INVALID);
    check_status(girt_tracer_write(tracer, GIRT_TRACE_CHROME, NULL, NULL),
                 GIRT_E_INVALID);
    check_status(girt_tracer_write(tracer, (girt_trace_format)2, keep, &out),
                 GIRT_E_INVALID);
    girt_tracer_stats stats;
    memset(&stats, 1, sizeof stats);
    girt_tracer_read_stats(NULL, &stats);
    assert_int_equal(stats.recorded, 0);
    girt_tracer_read_stats(tracer, NULL);
    girt_tracer_destroy(tracer);
    girt_tracer_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_inside_each_other),
        cmocka_unit_test(chrome_events),
        cmocka_unit_test(wall_clock_times),
        cmocka_unit_test(bounds_of_a_span),
        cmocka_unit_test(keys_stand_once),
        cmocka_unit_test(head_sampling),
        cmocka_unit_test(failed_traces_are_kept),
        cmocka_unit_test(full_rings_drop_their_oldest),
        cmocka_unit_test(a_refused_document_comes_again),
        cmocka_unit_test(threads_beyond_the_bound_are_counted),
        cmocka_unit_test(contexts_are_handed_on),
        cmocka_unit_test(workers_hand_contexts_on),
        cmocka_unit_test(a_forks_child_begins_anew),
        cmocka_unit_test(ids_differ_after_a_fork_between_two_tracers),
        cmocka_unit_test(the_function_that_is_written_to_may_fork),
        cmocka_unit_test(bad_arguments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
