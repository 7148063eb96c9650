/* SPDX-License-Identifier: MIT */
/* trace_internal.h - a tracer, shared by the files of this module. */
#ifndef GIRT_TRACE_TRACE_INTERNAL_H
#define GIRT_TRACE_TRACE_INTERNAL_H

#include <pthread.h>

#include <girt/trace.h>

#include "core/options.h"
#include "core/thread.h"
#include "trace/failed_traces.h"
#include "trace/span_ring.h"

enum {
    GIRT__SPANS_PER_THREAD = 1024,
    GIRT__SPANS_PER_THREAD_MIN = 16,
    GIRT__SPANS_PER_THREAD_MAX = 1 << 20,
    GIRT__TRACE_THREADS = 256,
    GIRT__TRACE_THREADS_MAX = 65535
};

struct girt_tracer {
    /* Written once at create. */
    uint64_t threshold; /* a trace is sampled if its low half >> 1 is below */
    bool keep_errors;
    bool wall_clock; /* times are those of the monotonic clock */
    size_t spans_per_thread;
    size_t threads_max;
    girt_clock clock;
    int64_t epoch_ns;
    girt_allocator allocator;
    char service[GIRT__NAME_MAX + 1];

    /* By thread index: made by its thread, seen by readers. */
    girt__span_ring **rings;

    /* Spans without a ring; any thread. */
    uint64_t homeless;

    /* Under the mutex. */
    pthread_mutex_t mutex;
    uint64_t written;
    girt__failed_traces *failed; /* with keep_errors */
    uint32_t forks; /* that this process is a child of, since the tracer */

    girt__thread_observer observer; /* for forks */
};

/* The ring of the calling thread; NULL: it has none, and cannot have one. */
girt__span_ring *girt__tracer_ring(girt_tracer *tracer);

/* The calling thread is in girt_tracer_write of it, and has its mutex. */
bool girt__tracer_is_writing(const girt_tracer *tracer);

static inline bool girt__trace_context_is_set(const girt_trace_context *context)
{
    uint64_t words[3];
    __builtin_memcpy(words, context, sizeof words);
    return (words[0] | words[1]) != 0 && words[2] != 0;
}

#endif /* GIRT_TRACE_TRACE_INTERNAL_H */
