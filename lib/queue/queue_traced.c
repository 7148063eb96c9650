/* SPDX-License-Identifier: MIT */
/* queue_traced.c - a queue whose items carry the trace context of their push.
 *
 *   push: item + the thread's context -> envelope -> inner queue
 *   pop:  inner queue -> envelope -> item, and the context for
 *         girt_trace_received
 *
 * The inner queue is an ordinary one, of any engine, and makes all promises;
 * the outer one has no rings, and hands every call on. Others pay for none of
 * this. An envelope is allocated for each item: a fixed stock of them would be
 * a second queue to wait at.
 *
 *   I1: an envelope is in the inner queue, or in the hands of one call, which
 *       either pushes it or frees it. */
#include "queue/queue_internal.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/trace_current.h"

typedef struct envelope {
    void *item;
    girt_trace_context context;
} envelope;

/* Envelopes that one turn of a batch has in hand. */
enum { BATCH = 64 };

static envelope *wrap(const girt_queue *queue, void *item)
{
    envelope *const e =
        girt__allocate(&queue->allocator, sizeof *e, _Alignof(envelope));
    if (e != NULL)
        *e = (envelope){item, girt__trace_current};
    return e;
}

static void *unwrap(const girt_queue *queue, envelope *e)
{
    void *const item = e->item;
    girt__trace_received = e->context;
    girt__release(&queue->allocator, e, sizeof *e);
    return item;
}

static void release_n(const girt_queue *queue, void *const envelopes[],
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        girt__release(&queue->allocator, envelopes[i], sizeof(envelope));
}

/* The inner queue's `dropped`. */
static void drop(void *context, void *item)
{
    const girt_queue *const queue = context;
    envelope *const e = item;
    void *const dropped = e->item;
    girt__release(&queue->allocator, e, sizeof *e);
    if (queue->dropped != NULL)
        queue->dropped(queue->context, dropped);
}

girt_status girt__traced_create(girt_queue **out,
                                const girt_queue_options *options,
                                const girt_allocator *allocator)
{
    girt_queue *const queue =
        girt__allocate_zeroed(allocator, sizeof *queue, GIRT_DESTRUCTIVE);
    if (queue == NULL)
        return GIRT_E_NOMEM;
    queue->allocator = *allocator;
    queue->dropped = options->dropped;
    queue->context = options->context;
    queue->bands = options->bands == 0 ? 1 : options->bands;
    girt_queue_options inner = *options;
    inner.traced = false;
    inner.dropped = drop;
    inner.context = queue;
    girt_status const status = girt_queue_create(&queue->inner, &inner);
    if (status != GIRT_OK) {
        girt__release(allocator, queue, sizeof *queue);
        return status;
    }
    queue->capacity = girt_queue_capacity(queue->inner);
    *out = queue;
    return GIRT_OK;
}

void girt__traced_destroy(girt_queue *queue)
{
    girt_allocator const allocator = queue->allocator;
    girt_queue_destroy(queue->inner);
    girt__release(&allocator, queue, sizeof *queue);
}

girt_status girt__traced_push(girt_queue *queue, unsigned band, void *item,
                              int64_t timeout_ns)
{
    envelope *const e = wrap(queue, item);
    if (e == NULL)
        return GIRT_E_NOMEM;
    girt_status const status =
        girt_queue_push_band(queue->inner, band, e, timeout_ns);
    if (status != GIRT_OK)
        girt__release(&queue->allocator, e, sizeof *e);
    return status;
}

girt_status girt__traced_pop(girt_queue *queue, void **item, int64_t timeout_ns)
{
    void *e;
    girt_status const status = girt_queue_pop(queue->inner, &e, timeout_ns);
    if (status == GIRT_OK)
        *item = unwrap(queue, e);
    return status;
}

girt_status girt__traced_push_n(girt_queue *queue, void *const items[],
                                size_t count, int64_t timeout_ns,
                                size_t *pushed)
{
    /* All at once: the time limit is for all. */
    size_t bytes;
    *pushed = 0;
    if (count == 0)
        return girt_queue_push_n(queue->inner, NULL, 0, timeout_ns, pushed);
    if (!girt__size_multiply(count, sizeof(void *), &bytes))
        return GIRT_E_NOMEM;
    void **const envelopes =
        girt__allocate(&queue->allocator, bytes, _Alignof(void *));
    if (envelopes == NULL)
        return GIRT_E_NOMEM;
    size_t wrapped = 0, done = 0;
    while (wrapped < count) {
        envelopes[wrapped] = wrap(queue, items[wrapped]);
        if (envelopes[wrapped] == NULL)
            break;
        wrapped++;
    }
    girt_status status = GIRT_E_NOMEM;
    if (wrapped == count) {
        status = girt_queue_push_n(queue->inner, envelopes, count, timeout_ns,
                                   &done);
        *pushed = done;
    }
    release_n(queue, envelopes + done, wrapped - done);
    girt__release(&queue->allocator, envelopes, bytes);
    return status;
}

girt_status girt__traced_pop_n(girt_queue *queue, void *items[], size_t count,
                               int64_t timeout_ns, size_t *popped)
{
    void *envelopes[BATCH];
    size_t done = 0;
    girt_status status;
    do {
        size_t const most = count - done < BATCH ? count - done : BATCH;
        size_t came = 0;
        /* Only the first is waited for. */
        status = girt_queue_pop_n(queue->inner, envelopes, most,
                                  done == 0 ? timeout_ns : GIRT_NOW, &came);
        for (size_t i = 0; i < came; i++)
            items[done + i] = unwrap(queue, envelopes[i]);
        done += came;
        if (came < most)
            break;
    } while (done < count);
    *popped = done;
    return done != 0 ? GIRT_OK : status;
}
