/* SPDX-License-Identifier: MIT */
/* trace.h - where the time of one request went.
 *
 *   girt_span span;
 *   girt_span_start(&span, tracer, "charge card", NULL);
 *   girt_span_set_int(&span, "amount", 42);
 *   ...
 *   girt_span_end(&span);
 *
 * A span is a piece of work with a name and two times. Spans that one thread
 * opens inside each other are parent and child; a context carries the relation
 * over threads (girt_workers hands it on by itself, a queue with `traced` set
 * does too), processes and hosts (the traceparent header of W3C Trace Context).
 * Ended spans wait in a ring of their thread; girt_tracer_write takes them out
 * as OTLP/JSON or as a Chrome trace, which Perfetto opens.
 *
 *               start  set  end  write  stats  destroy
 *   start         -     X    X     -      -       X      X: the caller excludes
 *   set           X     X    X     -      -       X         them, for one span
 *   end           X     X    X     -      -       X         or one tracer.
 *   write         -     -    -     -      -       X
 *   stats         -     -    -     -      -       X
 *   destroy       X     X    X     X      X       X
 *
 * A span starts and ends in one thread, the last started first.
 * Progress: start, set and end are wait-free, but for the clock, and for the
 * allocator at a thread's first recorded span. write takes a mutex that only
 * other calls of write, stats and destroy take. A thread that stops or dies
 * stops nobody; its open spans are never recorded.
 * Bounds: a full ring drops its oldest span, and counts it.
 * Fork: the child has an empty tracer, and new ids. Thread exit: nothing to do;
 * what the thread recorded stays to be written.
 * Signals: nothing here is async-signal-safe. */
#ifndef GIRT_TRACE_H
#define GIRT_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/clock.h>
#include <girt/export.h>
#include <girt/status.h>

GIRT_BEGIN

/** Bytes of a traceparent header of version 00, without a NUL. */
#define GIRT_TRACEPARENT_SIZE    55
/** Bytes of the longest tracestate that is kept, without a NUL. */
#define GIRT_TRACESTATE_MAX      512
/** Attributes of a span, at most. */
#define GIRT_SPAN_ATTRIBUTES_MAX 4

/** Flag of a context: its spans are recorded. */
#define GIRT_TRACE_SAMPLED 1

/** Whose child a span is. All zero: nobody's. Bytes only, to be copied into
 * messages. */
typedef struct girt_trace_context {
    /** Of the whole trace; not all zero. */
    uint8_t trace_id[16];
    /** Of the parent span; not all zero. */
    uint8_t span_id[8];
    /** GIRT_TRACE_SAMPLED or 0. */
    uint8_t flags;
    /** Zero. */
    uint8_t reserved[7];
} girt_trace_context;

/** What tracestate headers held: members of other vendors, in order. */
typedef struct girt_tracestate {
    /** Bytes in text. */
    uint16_t size;
    /** `key=value,key=value`, ended by NUL. */
    char text[GIRT_TRACESTATE_MAX + 1];
} girt_tracestate;

/** Where spans are recorded. */
typedef struct girt_tracer girt_tracer;

/** How a tracer is made; zero in a field is its default. */
typedef struct girt_tracer_options {
    /** Of the traces that begin here, this share is sampled: above 0, up to 1;
     * 0: 1, all of them. */
    double sample_ratio;
    /** Samples none of them, whatever sample_ratio says. */
    bool sample_none;
    /** Records the spans of unsampled traces too, and writes those whose trace
     * has a failed span at the time of the write. */
    bool keep_errors;
    /** Spans that wait for the next write, for each thread, 16 to 2^20, rounded
     * up to a power of two; 0: 1024. Each takes 256 bytes, from a thread's
     * first span on. */
    size_t spans_per_thread;
    /** Threads that call girt at the same time and may record, 1 to 65535; 0:
     * 256. Spans of those beyond, in order of their first calls, are dropped
     * and counted. */
    size_t threads_max;
    /** `service.name` of what is written: 1 to 255 bytes, or NULL: "girt". */
    const char *service;
    /** Zero: the monotonic clock, and times are written as those of the wall
     * clock. Another: as it gives them, plus epoch_ns. */
    girt_clock clock;
    /** What the wall clock says when `clock` says 0, in ns since 1970; for
     * other clocks than the monotonic one. */
    int64_t epoch_ns;
    /** NULL: the default. */
    const girt_allocator *allocator;
    /** Zero. */
    uint64_t reserved[4];
} girt_tracer_options;

/** What a span is to those at its other end. */
typedef enum girt_span_kind {
    GIRT_SPAN_INTERNAL, /**< work of this process alone */
    GIRT_SPAN_SERVER,   /**< answers a request */
    GIRT_SPAN_CLIENT,   /**< waits for an answer */
    GIRT_SPAN_PRODUCER, /**< sends work that is done later */
    GIRT_SPAN_CONSUMER  /**< does work that was sent */
} girt_span_kind;

/** A span, from start to end on its caller's stack. */
typedef struct girt_span {
    /** Its own: the parent of what is done for it elsewhere. */
    girt_trace_context context;
    /** The tracer's. */
    girt_trace_context previous;
    /** The tracer's; NULL where nothing is recorded. */
    girt_tracer *tracer;
    /** The tracer's. */
    uint64_t record[31];
} girt_span;

/** How spans are written. */
typedef enum girt_trace_format {
    GIRT_TRACE_OTLP_JSON, /**< an OTLP ExportTraceServiceRequest */
    GIRT_TRACE_CHROME     /**< a Chrome trace, for Perfetto */
} girt_trace_format;

/** What a tracer did so far. */
typedef struct girt_tracer_stats {
    /** Spans that were recorded. */
    uint64_t recorded;
    /** Spans that were written. */
    uint64_t written;
    /** Spans that nobody will see: overwritten before a write, of a thread over
     * threads_max, or without memory for its ring. */
    uint64_t dropped;
    /** Spans of unsampled traces that were read and left out. */
    uint64_t left_out;
    /** Zero. */
    uint64_t reserved[4];
} girt_tracer_stats;

/**
 * Makes a tracer.
 *
 * @param out  receives it, on GIRT_OK only.
 * @param options  copied; NULL: all defaults.
 * @return  GIRT_OK; GIRT_E_INVALID: a field outside its range;
 * GIRT_E_TOO_LARGE: spans_per_thread over 2^20; GIRT_E_NOMEM.
 *
 * Threads: any.
 * Progress: blocking (allocates).
 * Order: the tracer must reach other threads by something that synchronizes.
 * Since: 0.1
 */
GIRT_API girt_status girt_tracer_create(girt_tracer **out,
                                        const girt_tracer_options *options);

/**
 * Frees a tracer, and all that was not written.
 *
 * @param tracer  no span of it is open, no call is in it; NULL: nothing
 *     happens.
 *
 * Threads: one, excluding all others on this tracer.
 * Progress: blocking (frees).
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_tracer_destroy(girt_tracer *tracer);

/**
 * Begins a span, and makes its context the thread's current one.
 *
 * @param span  needs no preparation; to be ended by girt_span_end, in this
 *     thread, before those that were started before it.
 * @param tracer  where it goes; NULL: nowhere, the context is handed on.
 * @param name  of the kind of work, not of the single piece: a constant, which
 *     outlives the tracer; NULL: "".
 * @param parent  NULL: the thread's current context. Where that is empty, or
 *     `parent` is all zero, a new trace begins.
 *
 * Threads: any.
 * Progress: wait-free, but for the clock of a span that is recorded.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_span_start(girt_span *span, girt_tracer *tracer,
                              const char *name,
                              const girt_trace_context *parent);

/**
 * Says what the span is to those at its other end.
 *
 * @param span  an open span.
 * @param kind  GIRT_SPAN_INTERNAL if nothing was said.
 *
 * Threads: the span's.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_span_set_kind(girt_span *span, girt_span_kind kind);

/**
 * Sets a number. A key that the span has already gets the new value; of more
 * than GIRT_SPAN_ATTRIBUTES_MAX keys the first are kept.
 *
 * @param span  an open span.
 * @param key  a constant, as the name of a span; NULL: nothing happens.
 * @param value  any.
 *
 * Threads: the span's.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_span_set_int(girt_span *span, const char *key,
                                int64_t value);

/**
 * Sets a number with a fraction; as girt_span_set_int.
 *
 * @param span  an open span.
 * @param key  a constant; NULL: nothing happens.
 * @param value  any.
 *
 * Threads: the span's.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_span_set_double(girt_span *span, const char *key,
                                   double value);

/**
 * Sets a text, which is copied. A span has room for 120 bytes of text in all,
 * replaced ones included; what does not fit is cut.
 *
 * @param span  an open span.
 * @param key  a constant; NULL: nothing happens.
 * @param text  any bytes; what is not UTF-8 is written as U+FFFD.
 * @param size  bytes.
 *
 * Threads: the span's.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_span_set_text(girt_span *span, const char *key,
                                 const char *text, size_t size);

/**
 * Marks the span as failed: with keep_errors its trace is written.
 *
 * @param span  an open span.
 *
 * Threads: the span's.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_span_fail(girt_span *span);

/**
 * Ends a span: the thread's current context is again what it was at its start.
 *
 * @param span  an open span; it may be started again.
 *
 * Threads: the span's.
 * Progress: wait-free, but for the clock, and for the allocator at the
 *     thread's first recorded span.
 * Order: release, towards the write that takes it.
 * Since: 0.1
 */
GIRT_API void girt_span_end(girt_span *span);

/**
 * The thread's current context: that of its innermost open span, or of what
 * girt_trace_attach set.
 *
 * @param context  receives it; all zero where there is none.
 * @return  there is one.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API bool girt_trace_current(girt_trace_context *context);

/**
 * Sets the thread's current context, for work that came from elsewhere.
 *
 * @param context  copied; NULL or all zero: none.
 * @param previous  NULL, or receives what was current, to be set again.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_trace_attach(const girt_trace_context *context,
                                girt_trace_context *previous);

/**
 * The context in which the item was pushed that this thread popped last from a
 * girt_queue with `traced` set: to start a span with, as its parent.
 *
 * @param context  receives it; all zero where the pusher had none.
 * @return  there is one.
 *
 * Threads: any.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API bool girt_trace_received(girt_trace_context *context);

/**
 * Takes out all spans that have ended, as one document.
 *
 * @param tracer  the tracer.
 * @param format  which.
 * @param write  gets the document in pieces; false stops. It may record spans
 *     and fork, but not write, read statistics of, or destroy this tracer.
 * @param context  passed to `write`.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, or no such format; GIRT_E_IO:
 *     `write` answered false, and the spans are there for another write.
 *
 * Threads: any; one after the other.
 * Progress: blocking, among calls of write and stats.
 * Order: acquire, of the ends of the spans.
 * Since: 0.1
 */
GIRT_API girt_status girt_tracer_write(
    girt_tracer *tracer, girt_trace_format format,
    bool (*write)(void *context, const char *text, size_t size), void *context);

/**
 * Reads the counts.
 *
 * @param tracer  the tracer; NULL: all zero.
 * @param stats  receives them; NULL: nothing happens.
 *
 * Threads: any.
 * Progress: blocking, among calls of write and stats.
 * Order: none.
 * Since: 0.1
 */
GIRT_API void girt_tracer_read_stats(girt_tracer *tracer,
                                     girt_tracer_stats *stats);

/**
 * Reads a traceparent header.
 *
 * @param text  its value; need not end in NUL.
 * @param size  bytes of it.
 * @param context  receives what it says, on GIRT_OK only.
 * @return  GIRT_OK; GIRT_E_PROTOCOL: the standard says to ignore it, and its
 *     tracestate with it; GIRT_E_INVALID: a NULL.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_traceparent_parse(const char *text, size_t size,
                                            girt_trace_context *context);

/**
 * Writes a traceparent header of version 00.
 *
 * @param context  of the span that waits for the answer.
 * @param buffer  receives GIRT_TRACEPARENT_SIZE bytes and a NUL.
 * @return  GIRT_OK; GIRT_E_INVALID: a NULL, or an id that is all zero.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_traceparent_write(
    const girt_trace_context *context, char buffer[GIRT_TRACEPARENT_SIZE + 1]);

/**
 * Adds the members of a tracestate header. Call it for each such header of a
 * request, in order, with a zeroed state at first.
 *
 * A list over GIRT_TRACESTATE_MAX bytes is cut by whole members: those over 128
 * bytes go first, then the last ones.
 *
 * @param state  receives them behind what it has; unchanged unless GIRT_OK.
 * @param text  the value of the header; need not end in NUL.
 * @param size  bytes of it.
 * @return  GIRT_OK; GIRT_E_PROTOCOL: a member against the grammar, a key twice,
 *     or over 32 members: the standard says to drop the whole state;
 *     GIRT_E_INVALID: a NULL, or a state that no call here made.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_tracestate_parse(girt_tracestate *state,
                                           const char *text, size_t size);

/**
 * Finds a member.
 *
 * @param state  the state.
 * @param key  the whole key, with the `@system` if it has one; ends in NUL.
 * @param value  receives where its value is, within the state.
 * @param size  receives the bytes of the value.
 * @return  GIRT_OK; GIRT_MISSING; GIRT_E_INVALID: a NULL, or a state that no
 *     call here made.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_tracestate_get(const girt_tracestate *state,
                                         const char *key, const char **value,
                                         size_t *size);

/**
 * Sets or removes a member; one that is set comes first, as the standard has
 * it. The last ones leave if there is no room, or there would be over 32.
 *
 * @param state  the state.
 * @param key  the key; ends in NUL.
 * @param value  the value, ended by NUL; NULL: removes the member.
 * @return  GIRT_OK, also if there was nothing to remove; GIRT_E_INVALID: a
 *     NULL, a state that no call here made, or a key or value against the
 *     grammar; nothing changed.
 *
 * Threads: any; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API girt_status girt_tracestate_set(girt_tracestate *state,
                                         const char *key, const char *value);

GIRT_END

#endif /* GIRT_TRACE_H */
