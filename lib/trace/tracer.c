/* SPDX-License-Identifier: MIT */
/* tracer.c - making and ending a tracer, and its rings.
 *
 *   rings  [ 0 ][ 1 ][ NULL ][ 3 ] ...     by thread index
 *            |    |            |
 *          ring  ring         ring         one writer each
 *
 *   I1: only the thread of an index makes and writes its ring; the thread that
 *       has the index next goes on with it (core's thread list is between).
 *   I2: a ring stays until the tracer ends, so a reader needs no lock to look
 *       at it. */
#include "trace/trace_internal.h"

#include <math.h>
#include <string.h>

#include "core/alloc_internal.h"
#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/power.h"

static bool options_are_valid(const girt_tracer_options *o)
{
    size_t const threads =
        o->threads_max == 0 ? GIRT__TRACE_THREADS : o->threads_max;
    return girt__options_are_valid(o->service, NULL, o->reserved) &&
           o->sample_ratio >= 0 && o->sample_ratio <= 1 &&
           (o->spans_per_thread == 0 ||
            o->spans_per_thread >= GIRT__SPANS_PER_THREAD_MIN) &&
           threads <= GIRT__TRACE_THREADS_MAX;
}

/* What a share of all ids is, of 63 bits. */
static uint64_t threshold_of(const girt_tracer_options *o)
{
    if (o->sample_none)
        return 0;
    double const ratio = o->sample_ratio == 0 ? 1 : o->sample_ratio;
    /* 2^63 ids are all: no double of a ratio under 1 gets there. */
    return (uint64_t)ldexp(ratio, 63);
}

/* The child forgets what its parent will write. */
static void forget_all(girt_tracer *tracer)
{
    for (size_t i = 0; i < tracer->threads_max; i++) {
        girt__span_ring *const ring = tracer->rings[i];
        if (ring == NULL)
            continue;
        ring->read = girt__span_ring_head(ring);
        ring->dropped = 0;
        ring->left_out = 0;
        ring->base = ring->read;
    }
    girt_store_relaxed(&tracer->homeless, 0);
    tracer->written = 0;
    tracer->forks++;
    if (tracer->failed != NULL)
        memset(tracer->failed, 0, sizeof *tracer->failed);
}

/* The mutex is not taken around a fork: who writes holds it while the caller's
 * function runs, which may fork itself, or wait for another fork's mutex. So in
 * the child what it guards may stand halfway, and all of that is made anew. */

static void after_fork(girt__thread_observer *self, bool in_child)
{
    girt_tracer *const tracer =
        (girt_tracer *)(void *)((char *)self -
                                offsetof(struct girt_tracer, observer));
    if (!in_child)
        return;
    forget_all(tracer);
    /* Whoever held it is not here, unless it is this thread. */
    if (!girt__tracer_is_writing(tracer))
        pthread_mutex_init(&tracer->mutex, NULL);
}

/* Rings outlive their threads. */
static void thread_ended(girt__thread_observer *self, uint32_t thread_index)
{
    (void)self;
    (void)thread_index;
}

girt_status girt_tracer_create(girt_tracer **out,
                               const girt_tracer_options *options)
{
    static const girt_tracer_options defaults;
    const girt_tracer_options *const o = options != NULL ? options : &defaults;
    girt_allocator allocator;
    if (out == NULL || !options_are_valid(o) ||
        girt__allocator_resolve(&allocator, o->allocator) != GIRT_OK)
        return GIRT_E_INVALID;
    if (o->spans_per_thread > GIRT__SPANS_PER_THREAD_MAX)
        return GIRT_E_TOO_LARGE;

    girt_tracer *const tracer =
        girt__allocate_zeroed(&allocator, sizeof *tracer, 0);
    if (tracer == NULL)
        return GIRT_E_NOMEM;
    tracer->allocator = allocator;
    tracer->threads_max =
        o->threads_max == 0 ? GIRT__TRACE_THREADS : o->threads_max;
    tracer->rings = girt__allocate_zeroed(
        &allocator, tracer->threads_max * sizeof *tracer->rings, 0);
    if (tracer->rings == NULL)
        goto fail_rings;
    if (o->keep_errors) {
        tracer->failed =
            girt__allocate_zeroed(&allocator, sizeof *tracer->failed, 0);
        if (tracer->failed == NULL)
            goto fail_failed;
    }
    tracer->keep_errors = o->keep_errors;
    tracer->threshold = threshold_of(o);
    tracer->spans_per_thread =
        girt__power_from(o->spans_per_thread == 0 ? GIRT__SPANS_PER_THREAD
                                                   : o->spans_per_thread);
    tracer->clock = girt__clock_resolve(&o->clock);
    tracer->wall_clock = tracer->clock.now_ns == girt_clock_monotonic.now_ns;
    tracer->epoch_ns = o->epoch_ns;
    const char *const service = o->service != NULL ? o->service : "girt";
    memcpy(tracer->service, service, strlen(service) + 1);
    pthread_mutex_init(&tracer->mutex, NULL);
    tracer->observer = (girt__thread_observer){.ended = thread_ended,
                                               .after_fork = after_fork};
    girt__thread_observe(&tracer->observer);
    *out = tracer;
    return GIRT_OK;

fail_failed:
    girt__release(&allocator, tracer->rings,
                  tracer->threads_max * sizeof *tracer->rings);
fail_rings:
    girt__release(&allocator, tracer, sizeof *tracer);
    return GIRT_E_NOMEM;
}

void girt_tracer_destroy(girt_tracer *tracer)
{
    if (tracer == NULL)
        return;
    girt__thread_unobserve(&tracer->observer);
    girt_allocator const allocator = tracer->allocator;
    for (size_t i = 0; i < tracer->threads_max; i++) {
        if (tracer->rings[i] != NULL)
            girt__span_ring_destroy(tracer->rings[i], &allocator);
    }
    girt__release(&allocator, tracer->rings,
                  tracer->threads_max * sizeof *tracer->rings);
    girt__release(&allocator, tracer->failed, sizeof *tracer->failed);
    pthread_mutex_destroy(&tracer->mutex);
    girt__release(&allocator, tracer, sizeof *tracer);
}

girt__span_ring *girt__tracer_ring(girt_tracer *tracer)
{
    uint32_t const index = girt__thread_index();
    /* The last index is shared by all that have none of their own. */
    if (index >= tracer->threads_max || index == GIRT__THREADS_MAX - 1)
        return NULL;
    /* Relaxed: this thread, or the one before it with this index, stored it. */
    girt__span_ring *ring = girt_load_relaxed(&tracer->rings[index]);
    if (girt_likely(ring != NULL))
        return ring;
    ring = girt__span_ring_create(tracer->spans_per_thread, &tracer->allocator);
    /* M1 -> M2 (each_ring): the ring is made before it is seen. */
    if (ring != NULL)
        girt_store_release(&tracer->rings[index], ring);
    return ring;
}
