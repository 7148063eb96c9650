/* SPDX-License-Identifier: MIT */
/* queue_report.c - what a queue tells a registry of metrics.
 *
 * A push or pop that finds room or an item counts nothing: the tickets do, and
 * a scrape adds what they have moved by since the scrape before.  A ticket's
 * lap wraps after 2^47 items at least, so a scrape a day is enough at 1e9 items
 * a second.  Dropped items left by the same tickets and are taken off; one
 * on its way out may be taken off a scrape late, so what was told last is a
 * floor: counters do not fall. */
#include "queue/queue_internal.h"

#include "core/atomic.h"
#include "core/clock_internal.h"
#include "core/durations.h"

enum { DEPTH, CAPACITY, PUSHES, POPS, FULL, DROPPED, PUSH_WAIT, POP_WAIT };

static const girt__series queue_series[] = {
    [DEPTH] = {"girt_queue_depth", GIRT__SERIES_GAUGE, NULL,
               "Items in the queue."},
    [CAPACITY] = {"girt_queue_capacity", GIRT__SERIES_GAUGE, NULL,
                  "Items that the queue holds at most."},
    [PUSHES] = {"girt_queue_pushes_total", GIRT__SERIES_COUNTER, NULL,
                "Items that were pushed."},
    [POPS] = {"girt_queue_pops_total", GIRT__SERIES_COUNTER, NULL,
              "Items that were popped, dropped ones aside."},
    [FULL] = {"girt_queue_full_total", GIRT__SERIES_COUNTER, NULL,
              "Pushes that found no room, at once or in time."},
    [DROPPED] = {"girt_queue_dropped_total", GIRT__SERIES_COUNTER, NULL,
                 "Items that were dropped to make room."},
    [PUSH_WAIT] = {"girt_queue_push_wait_ns", GIRT__SERIES_HISTOGRAM, NULL,
                   "Time that pushes waited for room, beyond a first spin."},
    [POP_WAIT] = {"girt_queue_pop_wait_ns", GIRT__SERIES_HISTOGRAM, NULL,
                  "Time that pops waited for an item, beyond a first spin."},
};

/* Collect's own. */
struct girt__queue_told {
    uint64_t pushed, popped; /* of rings, up to the tickets below */
    uint64_t pushes, pops;   /* as told last */
    struct {
        uint64_t tail, head;
    } tickets[]; /* of each ring */
};

int64_t girt__queue_wait_begin(const girt_queue *queue)
{
    return queue->report == NULL ? 0 : girt__clock_now(&girt_clock_monotonic);
}

void girt__queue_wait_end(const girt_queue *queue, int which, int64_t since_ns)
{
    if (since_ns != 0)
        girt__durations_add(&queue->report->durations[which],
                            girt__clock_now(&girt_clock_monotonic) - since_ns);
}

/* Tickets from `from` to `to`, any number of laps apart. */
static uint64_t distance(const girt__ring *ring, uint64_t from, uint64_t to)
{
    uint64_t const mask = ring->index_mask;
    uint64_t const laps =
        ((to & RING_TICKET & ~mask) - (from & RING_TICKET & ~mask)) /
        girt__ring_lap(ring);
    return laps * ring->capacity + (to & mask) / RING_STEP -
           (from & mask) / RING_STEP;
}

static void add_up_rings(girt_queue *queue)
{
    struct girt__queue_told *const told = queue->told;
    for (uint32_t i = 0; i < queue->rings_count; i++) {
        const girt__ring *const ring = &queue->rings[i];
        /* In this order: no pop without its push. */
        uint64_t const head = girt_load_acquire(&ring->head);
        uint64_t const tail = girt_load_acquire(&ring->tail);
        told->popped += distance(ring, told->tickets[i].head, head);
        told->pushed += distance(ring, told->tickets[i].tail, tail);
        told->tickets[i].head = head;
        told->tickets[i].tail = tail;
    }
}

static void collect(void *object, girt__sink *sink)
{
    girt_queue *const queue = object;
    struct girt__queue_told *const told = queue->told;
    const girt__report *const report = queue->report;
    uint64_t const dropped = girt__report_sum(report, GIRT__QUEUE_DROPPED);
    if (girt__queue_is_pair(queue))
        girt__pair_tickets(queue, &told->pushed, &told->popped);
    else
        add_up_rings(queue);
    if (told->pushed > told->pushes)
        told->pushes = told->pushed;
    if (told->popped > told->pops + dropped)
        told->pops = told->popped - dropped;
    girt__sink_gauge(sink, &queue_series[DEPTH], NULL,
                     (double)girt_queue_count(queue));
    girt__sink_gauge(sink, &queue_series[CAPACITY], NULL,
                     (double)queue->capacity);
    girt__sink_counter(sink, &queue_series[PUSHES], NULL, told->pushes);
    girt__sink_counter(sink, &queue_series[POPS], NULL, told->pops);
    girt__sink_counter(sink, &queue_series[FULL], NULL,
                       girt__report_sum(report, GIRT__QUEUE_FULL));
    girt__sink_counter(sink, &queue_series[DROPPED], NULL, dropped);
    girt__durations_write(&report->durations[GIRT__QUEUE_PUSH_WAITS], sink,
                          &queue_series[PUSH_WAIT]);
    girt__durations_write(&report->durations[GIRT__QUEUE_POP_WAITS], sink,
                          &queue_series[POP_WAIT]);
}

static size_t told_size(const girt_queue *queue)
{
    return sizeof *queue->told +
           queue->rings_count * sizeof queue->told->tickets[0];
}

girt_status girt__queue_report(girt_queue *queue,
                               const girt_queue_options *options)
{
    if (options->metrics == NULL)
        return GIRT_OK;
    queue->told = girt__allocate_zeroed(&queue->allocator, told_size(queue), 0);
    if (queue->told == NULL)
        return GIRT_E_NOMEM;
    girt_status const status =
        girt__report_create(&queue->report, &(girt__report_plan){
                                                .allocator = &queue->allocator,
                                                .metrics = options->metrics,
                                                .name = options->name,
                                                .part = "queue",
                                                GIRT__SERIES(queue_series),
                                                .counters = GIRT__QUEUE_TALLIES,
                                                .durations = GIRT__QUEUE_WAITS,
                                                .object = queue,
                                                .collect = collect,
                                            });
    if (status != GIRT_OK)
        girt__queue_report_end(queue);
    return status;
}

void girt__queue_report_end(girt_queue *queue)
{
    girt__report_destroy(queue->report);
    queue->report = NULL;
    girt__release(&queue->allocator, queue->told,
                  queue->told == NULL ? 0 : told_size(queue));
    queue->told = NULL;
}
