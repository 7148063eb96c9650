/* SPDX-License-Identifier: MIT */
/* queue.c - girt_queue: create, destroy and the calls, on queue_internal.h's
 * engines.
 *
 * Each call tries once in line; what does not succeed at once goes to
 * queue_wait.c, which also answers for the calls that do not wait. */
#include "queue/queue_internal.h"

#include <string.h>
#include <unistd.h>

#include "core/asym_fence.h"
#include "core/assert.h"
#include "core/options.h"
#include "core/probe.h"
#include "queue/spsc_internal.h"

#define CAPACITY_DEFAULT 1024u
#define BANDS_MAX        8u
#define LANES_MAX        8u
#define CHUNK_MAX        256u

static girt_status check_options(const girt_queue_options *options)
{
    if (!girt__options_are_valid(options->name, options->metrics,
                                 options->reserved) ||
        options->bands > BANDS_MAX)
        return GIRT_E_INVALID;
    return options->capacity > RING_CAPACITY_MAX ? GIRT_E_TOO_LARGE : GIRT_OK;
}

/* One lane a CPU keeps producers apart; more only cost consumers' looks.  A
 * power of two. */
static uint32_t choose_lanes(const girt_queue_options *options)
{
    if (!options->per_producer_order || options->single_producer)
        return 1;
    long const cpus = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t lanes = 2;
    while (lanes < LANES_MAX && (long)lanes < cpus)
        lanes *= 2;
    return lanes;
}

/* One ring's work, and fences for nothing: queue_pair.c's engine. */
static bool is_for_a_pair(const girt_queue_options *options)
{
    return options->single_producer && options->single_consumer &&
           options->bands <= 1 && !options->drop_oldest &&
           girt__asym_available();
}

static uint32_t choose_chunk(const girt_queue *queue)
{
    if (queue->rings_count == 0)
        return 0;
    size_t const share = queue->capacity / (4 * (size_t)queue->rings_count);
    return share < 1 ? 1 : share > CHUNK_MAX ? CHUNK_MAX : (uint32_t)share;
}

static size_t size_of(uint32_t rings_count)
{
    return sizeof(girt_queue) + rings_count * sizeof(girt__ring);
}

static void release(girt_queue *queue)
{
    girt_allocator const allocator = queue->allocator;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        if (queue->rings[i].slots != NULL)
            girt__ring_release(&queue->rings[i], &allocator);
    }
    girt__pair_release(queue);
    girt__release(&allocator, queue->cursors,
                  QUEUE_CURSORS * sizeof(girt__cursor));
    girt__watch_release(&queue->watch);
    girt__release(&allocator, queue, size_of(queue->rings_count));
}

/* Rings and cursors; what was made stays for release(). */
static girt_status furnish(girt_queue *queue)
{
    if (queue->rings_count == 0)
        return girt__pair_init(queue);
    /* All slots are touched at create, so the rings must fit together. */
    if (!girt__machine_holds(queue->capacity,
                             queue->rings_count * sizeof(girt__slot)))
        return GIRT_E_NOMEM;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        girt_status const status = girt__ring_init(
            &queue->rings[i], queue->capacity, &queue->allocator);
        if (status != GIRT_OK)
            return status;
    }
    queue->rings[0].is_alone = queue->rings_count == 1;
    if (queue->rings_count == 1)
        return GIRT_OK;
    queue->cursors = girt__allocate_zeroed(&queue->allocator,
                                           QUEUE_CURSORS * sizeof(girt__cursor),
                                           GIRT_CACHELINE);
    if (queue->cursors == NULL)
        return GIRT_E_NOMEM;
    /* Consumers start on different lanes. */
    for (uint32_t i = 0; i < QUEUE_CURSORS; i++)
        queue->cursors[i].lane_turn = (uint64_t)i * 64;
    queue->pool = queue->capacity;
    return GIRT_OK;
}

girt_status girt_queue_create(girt_queue **out,
                              const girt_queue_options *options)
{
    static const girt_queue_options defaults = {0};
    if (out == NULL)
        return GIRT_E_INVALID;
    if (options == NULL)
        options = &defaults;
    girt_status status = check_options(options);
    if (status != GIRT_OK)
        return status;
    girt_allocator allocator;
    status = girt__allocator_resolve(&allocator, options->allocator);
    if (status != GIRT_OK)
        return status;

    if (options->traced)
        return girt__traced_create(out, options, &allocator);
    uint32_t const lanes = choose_lanes(options);
    uint32_t const bands = options->bands == 0 ? 1 : options->bands;
    uint32_t const rings = is_for_a_pair(options) ? 0 : lanes * bands;
    girt_queue *const queue =
        girt__allocate_zeroed(&allocator, size_of(rings), GIRT_DESTRUCTIVE);
    if (queue == NULL)
        return GIRT_E_NOMEM;
    queue->capacity =
        options->capacity == 0 ? CAPACITY_DEFAULT : options->capacity;
    queue->lanes = lanes;
    queue->bands = bands;
    queue->rings_count = rings;
    queue->drop_oldest = options->drop_oldest;
    queue->dropped = options->dropped;
    queue->context = options->context;
    queue->allocator = allocator;
    queue->chunk = choose_chunk(queue);
    queue->item_lull = QUEUE_LULL_MIN;
    queue->room_lull = QUEUE_LULL_MIN;
    girt__watch_init(&queue->watch);
    status = furnish(queue);
    if (status == GIRT_OK)
        status = girt__queue_report(queue, options);
    if (status != GIRT_OK) {
        release(queue);
        return status;
    }
    *out = queue;
    return GIRT_OK;
}

void girt_queue_destroy(girt_queue *queue)
{
    if (queue == NULL)
        return;
    if (queue->inner != NULL) {
        girt__traced_destroy(queue);
        return;
    }
    girt__queue_report_end(queue);
    girt_audit(girt__queue_is_valid(queue));
    void *item = NULL;
    size_t popped = 0;
    while (queue->dropped != NULL &&
           girt__queue_try_pop(queue, &item, 1, &popped) == GIRT_OK)
        queue->dropped(queue->context, item);
    release(queue);
}

girt_status girt__queue_try_push(girt_queue *queue, unsigned band,
                                 void *const *items, size_t count,
                                 size_t *pushed)
{
    if (girt__queue_is_pair(queue))
        return girt__pair_try_push(queue, items, count, pushed);
    uint64_t seen = 0;
    girt_status status;
    if (queue->rings_count == 1) {
        status = girt__ring_push(&queue->rings[0], items, count, false, pushed,
                                 &seen);
    } else {
        girt__ring *const ring = girt__several_ring(queue, band);
        status = girt__ring_push(ring, items, count, true, pushed, &seen);
        if (status == GIRT_LIMITED || status == GIRT_FULL)
            status =
                girt__budget_push(queue, ring, items, count, pushed, &seen);
    }
    if (status == GIRT_OK && (seen & (RING_SLEEPERS | RING_WATCHED)))
        girt__queue_pushed(queue, seen);
    return status;
}

girt_status girt__queue_try_pop(girt_queue *queue, void **items, size_t count,
                                size_t *popped)
{
    if (girt__queue_is_pair(queue))
        return girt__pair_try_pop(queue, items, count, popped);
    uint64_t seen = 0;
    girt_status const status =
        queue->rings_count == 1
            ? girt__ring_pop(&queue->rings[0], items, count, popped, &seen)
            : girt__several_pop(queue, items, count, popped, &seen);
    if (status == GIRT_OK && (seen & RING_SLEEPERS))
        girt__queue_popped(queue);
    return status;
}

/* What follows a first try.  Out of line and with the arguments of the call,
 * so that a first try needs no stack frame: a push and pop took 16 ns with one,
 * 11 without. */
static __attribute__((noinline)) girt_status push_slowly(girt_queue *queue,
                                                         unsigned band,
                                                         void *item,
                                                         int64_t timeout_ns)
{
    size_t pushed = 0;
    return girt__queue_push_wait(queue, band, &item, 1, timeout_ns, &pushed);
}

static __attribute__((noinline)) girt_status pop_slowly(girt_queue *queue,
                                                        void **item,
                                                        int64_t timeout_ns)
{
    size_t popped = 0;
    return girt__queue_pop_wait(queue, item, 1, timeout_ns, &popped);
}

static void back_off_once(void)
{
    unsigned pauses = RING_PAUSES_FIRST;
    girt__ring_back_off(&pauses);
}

static __attribute__((noinline)) girt_status push_on(girt_queue *queue,
                                                     unsigned band, void *item,
                                                     int64_t timeout_ns,
                                                     int first)
{
    if (first == GIRT_FAST_FIRST_EDGE) /* of a queue of one ring */
        first = girt__ring_push_at_edge(&queue->rings[0], item);
    if (first == GIRT_FAST_FIRST_DONE) {
        girt_probe2(queue_push, queue, 1);
        return GIRT_OK;
    }
    if (first == GIRT_FAST_FIRST_LOST)
        back_off_once();
    return push_slowly(queue, band, item, timeout_ns);
}

static __attribute__((noinline)) girt_status pop_on(girt_queue *queue,
                                                    void **item,
                                                    int64_t timeout_ns,
                                                    int first)
{
    if (first == GIRT_FAST_FIRST_LOST)
        back_off_once();
    return pop_slowly(queue, item, timeout_ns);
}

girt_status girt_queue_push_band(girt_queue *queue, unsigned band, void *item,
                                 int64_t timeout_ns)
{
    if (girt_unlikely(queue == NULL || timeout_ns < 0 || band >= queue->bands))
        return GIRT_E_INVALID;
    if (girt__queue_is_pair(queue))
        return queue->inner != NULL
                   ? girt__traced_push(queue, band, item, timeout_ns)
                   : girt__pair_push(queue, item, timeout_ns);
    int const first = queue->rings_count == 1
                          ? girt_fast_ring_push(&queue->rings[0], item)
                          : girt__several_push_first(queue, band, item);
    if (girt_unlikely(first != GIRT_FAST_FIRST_DONE))
        return push_on(queue, band, item, timeout_ns, first);
    girt_probe2(queue_push, queue, 1);
    return GIRT_OK;
}

/* For a queue that is not one ring. */
static girt_status push_elsewhere(girt_queue *queue, void *item,
                                  int64_t timeout_ns)
{
    return girt__queue_is_pair(queue) && queue->inner == NULL
               ? girt__pair_push(queue, item, timeout_ns)
               : girt_queue_push_band(queue, 0, item, timeout_ns);
}

girt_status girt_queue_push(girt_queue *queue, void *item, int64_t timeout_ns)
{
    if (girt_unlikely(queue == NULL || timeout_ns < 0))
        return GIRT_E_INVALID;
    if (girt_unlikely(queue->rings_count != 1))
        return push_elsewhere(queue, item, timeout_ns);
    int const first = girt_fast_ring_push(&queue->rings[0], item);
    if (girt_unlikely(first != GIRT_FAST_FIRST_DONE))
        return push_on(queue, 0, item, timeout_ns, first);
    girt_probe2(queue_push, queue, 1);
    return GIRT_OK;
}

girt_status girt_fast_queue_push_on(girt_queue *queue, void *item,
                                    int64_t timeout_ns, int first)
{
    if (queue == NULL || timeout_ns < 0)
        return GIRT_E_INVALID;
    return queue->rings_count == 1 ? push_on(queue, 0, item, timeout_ns, first)
                                   : push_elsewhere(queue, item, timeout_ns);
}

static __attribute__((noinline)) girt_status pop_several(girt_queue *queue,
                                                         void **item,
                                                         int64_t timeout_ns)
{
    int const first = girt__several_pop_first(queue, item);
    if (girt_unlikely(first != GIRT_FAST_FIRST_DONE))
        return pop_on(queue, item, timeout_ns, first);
    girt_probe2(queue_pop, queue, 1);
    return GIRT_OK;
}

static girt_status pop_elsewhere(girt_queue *queue, void **item,
                                 int64_t timeout_ns)
{
    return queue->inner != NULL ? girt__traced_pop(queue, item, timeout_ns)
           : girt__queue_is_pair(queue)
               ? girt__pair_pop(queue, item, timeout_ns)
               : pop_several(queue, item, timeout_ns);
}

girt_status girt_queue_pop(girt_queue *queue, void **item, int64_t timeout_ns)
{
    if (girt_unlikely(queue == NULL || timeout_ns < 0))
        return GIRT_E_INVALID;
    bool const is_alone = queue->rings_count == 1;
    if (girt_unlikely(item == NULL))
        return GIRT_E_INVALID;
    if (girt_unlikely(!is_alone))
        return pop_elsewhere(queue, item, timeout_ns);
    int const first = girt_fast_ring_pop(&queue->rings[0], item);
    if (girt_unlikely(first != GIRT_FAST_FIRST_DONE))
        return pop_on(queue, item, timeout_ns, first);
    girt_probe2(queue_pop, queue, 1);
    return GIRT_OK;
}

girt_status girt_fast_queue_pop_on(girt_queue *queue, void **item,
                                   int64_t timeout_ns, int first)
{
    if (queue == NULL || item == NULL || timeout_ns < 0)
        return GIRT_E_INVALID;
    return queue->rings_count == 1 ? pop_on(queue, item, timeout_ns, first)
                                   : pop_elsewhere(queue, item, timeout_ns);
}

girt_status girt_queue_push_n(girt_queue *queue, void *const items[],
                              size_t count, int64_t timeout_ns, size_t *pushed)
{
    if (queue == NULL || (items == NULL && count != 0) || timeout_ns < 0 ||
        pushed == NULL)
        return GIRT_E_INVALID;
    if (queue->inner != NULL)
        return girt__traced_push_n(queue, items, count, timeout_ns, pushed);
    return girt__queue_push_wait(queue, 0, items, count, timeout_ns, pushed);
}

girt_status girt_queue_pop_n(girt_queue *queue, void *items[], size_t count,
                             int64_t timeout_ns, size_t *popped)
{
    if (queue == NULL || (items == NULL && count != 0) || timeout_ns < 0 ||
        popped == NULL)
        return GIRT_E_INVALID;
    if (queue->inner != NULL)
        return girt__traced_pop_n(queue, items, count, timeout_ns, popped);
    size_t done = 0;
    girt_status const status =
        count == 0
            ? GIRT_OK
            : girt__queue_pop_wait(queue, items, count, timeout_ns, &done);
    *popped = done;
    return status;
}

size_t girt_queue_count(const girt_queue *queue)
{
    if (queue == NULL)
        return 0;
    if (queue->inner != NULL)
        return girt_queue_count(queue->inner);
    if (girt__queue_is_pair(queue))
        return girt__pair_count(queue);
    size_t count = 0;
    for (uint32_t i = 0; i < queue->rings_count; i++)
        count += girt__ring_count(&queue->rings[i]);
    return count < queue->capacity ? count : queue->capacity;
}

size_t girt_queue_capacity(const girt_queue *queue)
{
    return queue == NULL ? 0 : queue->capacity;
}

void girt__queue_start(girt_queue *queue, uint64_t first_lap)
{
    if (girt__queue_is_pair(queue))
        girt__spsc_start(queue->pair.ring, first_lap);
    for (uint32_t i = 0; i < queue->rings_count; i++)
        girt__ring_start(&queue->rings[i], first_lap);
}

bool girt__queue_is_valid(const girt_queue *queue)
{
    if (girt__queue_is_pair(queue))
        return girt__pair_is_valid(queue);
    size_t credits = queue->pool;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        const girt__ring *const ring = &queue->rings[i];
        uint64_t const head = ring->head & RING_TICKET;
        uint64_t const tail = ring->tail & RING_TICKET;
        if (tail - head > girt__ring_lap(ring))
            return false; /* ring I1 */
        uint64_t ticket = head;
        for (size_t k = 0; k < ring->capacity; k++) {
            bool const holds = tail - ticket - 1 < girt__ring_lap(ring);
            if (girt__ring_slot(ring, ticket)->turn !=
                (holds ? ticket | RING_FULL : ticket))
                return false; /* ring I2, I3 */
            ticket = girt__ring_next(ring, ticket);
        }
        credits += (size_t)((ring->tail & RING_GRANTS) / RING_GRANT) +
                   girt__ring_distance(ring, ring->settled, tail);
    }
    return queue->rings_count == 1 ||
           credits == queue->capacity; /* budget I1 */
}
