/* SPDX-License-Identifier: MIT */
/* trace_write.c - all rings into one document.
 *
 * The heads are read once, so that a write ends however fast threads record.
 * With keep_errors the rings are read twice: for the traces that failed, then
 * for what is written. Cursors move at the end, and only if all went out: a
 * document that broke off comes again.
 *
 * Of the records below a head each is written, left out, or dropped:
 *
 *   read .. end - capacity - 1    overwritten before the write: dropped
 *   end - capacity .. end - 1     written, left out, or overwritten while it
 *                                 was read: dropped */
#include <time.h>

#include "core/atomic.h"
#include "core/clock_internal.h"
#include "trace/trace_json.h"

/* Where this write ends. */
static void fix_ends(girt_tracer *tracer)
{
    for (size_t i = 0; i < tracer->threads_max; i++) {
        /* M2 <- M1 (girt__tracer_ring). */
        girt__span_ring *const ring = girt_load_acquire(&tracer->rings[i]);
        if (ring == NULL)
            continue;
        ring->end = girt__span_ring_head(ring);
        ring->now_written = 0;
        ring->now_left_out = 0;
    }
}

/* A ring that came after fix_ends has nothing below its end, 0. */
static bool first_in(const girt_tracer *tracer, size_t index,
                     girt__span_ring **ring, uint64_t *first)
{
    *ring = girt_load_acquire(&tracer->rings[index]); /* M2 <- M1 */
    if (*ring == NULL)
        return false;
    uint64_t const capacity = (*ring)->mask + 1;
    *first = (*ring)->end - (*ring)->read > capacity ? (*ring)->end - capacity
                                                     : (*ring)->read;
    return true;
}

static void note_failed(girt_tracer *tracer)
{
    for (size_t i = 0; i < tracer->threads_max; i++) {
        girt__span_ring *ring;
        girt__span_record record;
        uint64_t n;
        if (!first_in(tracer, i, &ring, &n))
            continue;
        for (; n != ring->end; n++) {
            if (girt__span_ring_read(ring, n, &record) && record.failed)
                girt__failed_traces_add(tracer->failed, record.trace);
        }
    }
}

static void write_ring(const girt_tracer *tracer, size_t index,
                       girt__trace_document *document)
{
    girt__span_ring *ring;
    uint64_t n;
    if (!first_in(tracer, index, &ring, &n))
        return;
    /* The end is fixed, so this ends. */
    for (; n != ring->end && document->text->status == GIRT_OK; n++) {
        girt__span_record record;
        if (!girt__span_ring_read(ring, n, &record))
            continue;
        if (!record.sampled &&
            !girt__failed_traces_has(tracer->failed, record.trace)) {
            ring->now_left_out++;
            continue;
        }
        ring->now_written++;
        girt__trace_document_span(document, &record, index);
    }
}

/* The document is out: what it had will not come again. */
static void settle(girt_tracer *tracer)
{
    for (size_t i = 0; i < tracer->threads_max; i++) {
        girt__span_ring *const ring = girt_load_acquire(&tracer->rings[i]);
        if (ring == NULL)
            continue;
        uint64_t const all = ring->end - ring->read;
        ring->dropped += all - ring->now_written - ring->now_left_out;
        ring->left_out += ring->now_left_out;
        tracer->written += ring->now_written;
        ring->read = ring->end;
    }
}

/* The writes that this thread is in, innermost first: a function that gets one
 * tracer's document may write another. */
typedef struct write_call {
    const girt_tracer *tracer;
    const struct write_call *outer;
} write_call;
static __thread const write_call *writing;

bool girt__tracer_is_writing(const girt_tracer *tracer)
{
    const write_call *call = writing;
    while (call != NULL && call->tracer != tracer)
        call = call->outer;
    return call != NULL;
}

/* Nanoseconds from the tracer's clock to the wall clock. */
static int64_t epoch_of(const girt_tracer *tracer)
{
    if (!tracer->wall_clock)
        return tracer->epoch_ns;
    struct timespec wall;
    if (clock_gettime(CLOCK_REALTIME, &wall) != 0)
        return 0;
    int64_t const now = (int64_t)wall.tv_sec * 1000000000 + wall.tv_nsec;
    return now - girt__clock_now(&girt_clock_monotonic);
}

girt_status girt_tracer_write(girt_tracer *tracer, girt_trace_format format,
                              bool (*write)(void *context, const char *text,
                                            size_t size),
                              void *context)
{
    if (tracer == NULL || write == NULL ||
        (format != GIRT_TRACE_OTLP_JSON && format != GIRT_TRACE_CHROME))
        return GIRT_E_INVALID;
    char piece[GIRT__PIECE_BYTES];
    girt__text text;
    girt__text_begin(&text, piece, write, context);
    girt__trace_document document = {.text = &text,
                                     .format = format,
                                     .service = tracer->service,
                                     .epoch_ns = epoch_of(tracer)};

    pthread_mutex_lock(&tracer->mutex);
    write_call const call = {tracer, writing};
    writing = &call;
    uint32_t const forks = tracer->forks;
    fix_ends(tracer);
    if (tracer->keep_errors)
        note_failed(tracer);
    girt__trace_document_begin(&document);
    for (size_t i = 0; i < tracer->threads_max; i++)
        write_ring(tracer, i, &document);
    girt__trace_document_end(&document);
    girt_status const status = girt__text_end(&text);
    /* Where `write` forked, the child has forgotten what went out. */
    if (status == GIRT_OK && tracer->forks == forks)
        settle(tracer);
    writing = call.outer;
    pthread_mutex_unlock(&tracer->mutex);
    return status;
}

void girt_tracer_read_stats(girt_tracer *tracer, girt_tracer_stats *stats)
{
    if (stats == NULL)
        return;
    *stats = (girt_tracer_stats){0};
    if (tracer == NULL)
        return;
    pthread_mutex_lock(&tracer->mutex);
    stats->written = tracer->written;
    stats->dropped = girt_load_relaxed(&tracer->homeless);
    for (size_t i = 0; i < tracer->threads_max; i++) {
        const girt__span_ring *const ring =
            girt_load_acquire(&tracer->rings[i]); /* M2 <- M1 */
        if (ring == NULL)
            continue;
        uint64_t const head = girt__span_ring_head(ring);
        uint64_t const unread = head - ring->read;
        uint64_t const capacity = ring->mask + 1;
        stats->recorded += head - ring->base;
        stats->left_out += ring->left_out;
        stats->dropped +=
            ring->dropped + (unread > capacity ? unread - capacity : 0);
    }
    pthread_mutex_unlock(&tracer->mutex);
}
