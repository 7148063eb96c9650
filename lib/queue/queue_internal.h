/* SPDX-License-Identifier: MIT */
/* queue_internal.h - girt_queue's parts, and how its files share the work.
 *
 *   queue.c         create, destroy, the calls of the header
 *   queue_ring.h    one ring of sequence slots
 *   queue_several.c lanes and bands: several rings in one queue
 *   queue_budget.c  how several rings keep one capacity
 *   queue_pair.c    one producer and one consumer: a girt_spsc instead of rings
 *   queue_wait.c    sleeping and waking, closing
 *   queue_fd.c      the eventfd
 *   queue_report.c  what it tells a registry of metrics
 *   queue_traced.c  items that carry trace contexts: a queue in a queue */
#ifndef GIRT_QUEUE_QUEUE_INTERNAL_H
#define GIRT_QUEUE_QUEUE_INTERNAL_H

#include <pthread.h>

#include <girt/queue.h>
#include <girt/spsc.h>

#include "core/park.h"
#include "core/report.h"
#include "queue/queue_ring.h"

#define QUEUE_CURSORS  16u
#define QUEUE_LULL_MIN 2u
#define QUEUE_LULL_MAX 32u

/* Where a consumer is in the rotation over lanes and bands; threads whose
 * index agrees modulo QUEUE_CURSORS share one, and an advance lost between
 * them only repeats a turn. */
typedef struct girt__cursor {
    GIRT_ALIGNED(GIRT_CACHELINE) uint64_t lane_turn;
    uint64_t band_turn;
} girt__cursor;

typedef struct girt__watch {
    pthread_mutex_t lock;
    int fd;     /* -1: nobody asked; written once under lock */
    bool armed; /* under lock: fd unreadable, WATCHED set in every ring */
} girt__watch;

/* What threads have to tell each other beside items: queue_pair.c. */
typedef struct girt__pair {
    /* Written once at create. */
    girt_spsc *ring;
    /* Changed seldom, read by every push and pop. */
    uint32_t alerts;
    uint64_t end; /* with PAIR_SETTLED: tickets below it were accepted */
} girt__pair;

struct girt_queue {
    /* Written once at create. */
    uint32_t rings_count; /* lanes * bands; band b's lane l is b * lanes + l;
                             0: a pair */
    uint32_t lanes;       /* a power of two */
    size_t capacity;
    uint32_t bands;
    uint32_t chunk; /* how many grants a ring is given at a time */
    bool drop_oldest;
    girt_queue *inner; /* of a traced queue: holds envelopes; else NULL */
    void (*dropped)(void *context, void *item);
    void *context;
    girt_allocator allocator;
    girt__report *report;          /* or NULL */
    struct girt__queue_told *told; /* queue_report.c's; NULL without a report */
    girt__watch watch;
    /* Poppers sleep on items, pushers on room; the lulls say how many pauses
     * they first wait without a look. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__park items;
    uint32_t item_lull;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__park room;
    uint32_t room_lull;
    /* Items that may be pushed and that no ring has been granted. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t pool;
    girt__cursor *cursors; /* NULL with one ring or a pair */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__pair pair;
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__ring rings[];
};
_Static_assert(offsetof(girt_queue, rings_count) == 0 &&
                   offsetof(girt_queue, rings) == GIRT_FAST_QUEUE_RING,
               "as inlined calls find them");

/* Test hook: the rings' first lap; the queue is fresh and empty. */
void girt__queue_start(girt_queue *queue, uint64_t first_lap);
/* Checks the invariants of a queue at rest. */
bool girt__queue_is_valid(const girt_queue *queue);

/* queue_traced.c.  A traced queue has no rings of its own: it puts items into
 * envelopes, and these into its inner queue. */
girt_status girt__traced_create(girt_queue **out,
                                const girt_queue_options *options,
                                const girt_allocator *allocator);
void girt__traced_destroy(girt_queue *queue);
girt_status girt__traced_push(girt_queue *queue, unsigned band, void *item,
                              int64_t timeout_ns);
girt_status girt__traced_pop(girt_queue *queue, void **item,
                             int64_t timeout_ns);
girt_status girt__traced_push_n(girt_queue *queue, void *const items[],
                                size_t count, int64_t timeout_ns,
                                size_t *pushed);
girt_status girt__traced_pop_n(girt_queue *queue, void *items[], size_t count,
                               int64_t timeout_ns, size_t *popped);

/* queue_several.c.  The ring of the calling thread's lane. */
girt__ring *girt__several_ring(girt_queue *queue, unsigned band);
/* First tries, as in queue_ring.h; the latter with one band only. */
int girt__several_push_first(girt_queue *queue, unsigned band, void *item);
int girt__several_pop_first(girt_queue *queue, void **item);
girt_status girt__several_pop(girt_queue *queue, void **items, size_t count,
                              size_t *popped, uint64_t *seen);
/* The one to drop; false: none. */
bool girt__several_pop_oldest(girt_queue *queue, void **item);

/* queue_budget.c.  GIRT_FULL: no room anywhere at a time within the call, but
 * for what other threads hold in their hands. */
girt_status girt__budget_push(girt_queue *queue, girt__ring *ring,
                              void *const *items, size_t count, size_t *pushed,
                              uint64_t *seen);
bool girt__budget_left(const girt_queue *queue);

static inline bool girt__queue_is_pair(const girt_queue *queue)
{
    return queue->rings_count == 0;
}

/* queue_pair.c, for a queue that is a pair.  The calls of the header: */
girt_status girt__pair_push(girt_queue *queue, void *item, int64_t timeout_ns);
girt_status girt__pair_pop(girt_queue *queue, void **item, int64_t timeout_ns);
size_t girt__pair_count(const girt_queue *queue);
/* As girt__queue_try_push and girt__queue_try_pop. */
girt_status girt__pair_try_push(girt_queue *queue, void *const *items,
                                size_t count, size_t *pushed);
girt_status girt__pair_try_pop(girt_queue *queue, void **items, size_t count,
                               size_t *popped);
girt_status girt__pair_init(girt_queue *queue);
void girt__pair_release(girt_queue *queue);
bool girt__pair_is_valid(const girt_queue *queue);
bool girt__pair_is_empty(const girt_queue *queue);
bool girt__pair_is_closed(const girt_queue *queue);
/* Closes: from then on pushes answer GIRT_CLOSED. Wakes nobody. */
void girt__pair_settle(girt_queue *queue);
/* Under the watch's lock.  Sets WATCHED; false: there is an item, or the queue
 * is closed. */
bool girt__pair_watch(girt_queue *queue);
void girt__pair_unwatch(girt_queue *queue);
bool girt__pair_is_watched(const girt_queue *queue);

/* What a call waits for: an item or room. */
typedef struct girt__awaited {
    /* Looks of a thread that pauses; the second for two items or places. */
    bool (*looks_good)(const girt_queue *queue);
    bool (*looks_twice_good)(const girt_queue *queue);
    /* About to sleep: false, no need to. */
    bool (*arm)(girt_queue *queue);
    /* After a sleep, or after arm alone, and a try. */
    void (*leave)(girt_queue *queue);
} girt__awaited;
extern const girt__awaited girt__pair_item;
extern const girt__awaited girt__pair_room;

/* queue_wait.c.  Try, then wait: what remains of a call whose first try found
 * no room or no item. */
girt_status girt__queue_push_wait(girt_queue *queue, unsigned band,
                                  void *const *items, size_t count,
                                  int64_t timeout_ns, size_t *pushed);
girt_status girt__queue_pop_wait(girt_queue *queue, void **items, size_t count,
                                 int64_t timeout_ns, size_t *popped);
/* Pays what a claim that cleared SLEEPERS or saw WATCHED owes. */
void girt__queue_pushed(girt_queue *queue, uint64_t seen);
void girt__queue_popped(girt_queue *queue);
/* True: no item is claimed in any ring. */
bool girt__queue_is_empty(const girt_queue *queue);

/* queue_report.c.  Pushes and pops are not counted but read off the tickets;
 * this is counted: */
enum { GIRT__QUEUE_FULL, GIRT__QUEUE_DROPPED, GIRT__QUEUE_TALLIES };
/* And this measured. */
enum { GIRT__QUEUE_PUSH_WAITS, GIRT__QUEUE_POP_WAITS, GIRT__QUEUE_WAITS };
/* Sets report and told, where there are metrics. */
girt_status girt__queue_report(girt_queue *queue,
                               const girt_queue_options *options);
void girt__queue_report_end(girt_queue *queue);
/* When a wait begins that is longer than a spin; 0 without a report. */
int64_t girt__queue_wait_begin(const girt_queue *queue);
/* A wait that so began, if it did, is over. */
void girt__queue_wait_end(const girt_queue *queue, int which, int64_t since_ns);

/* queue_pair.c: items that were accepted, and that were popped, ever. */
void girt__pair_tickets(const girt_queue *queue, uint64_t *pushed,
                        uint64_t *popped);

/* queue_fd.c */
void girt__watch_init(girt__watch *watch);
void girt__watch_release(girt__watch *watch);
void girt__watch_signal(girt_queue *queue, bool closed);
/* For a pop about to answer empty: leaves the eventfd unreadable and answers
 * true, or false when an item came meanwhile. */
bool girt__watch_empty(girt_queue *queue);

static inline bool girt__queue_is_watched(const girt_queue *queue)
{
    return girt_load_acquire(&queue->watch.fd) >= 0;
}

/* queue.c.  GIRT_OK with *pushed > 0, GIRT_FULL, or GIRT_CLOSED; never waits.
 */
girt_status girt__queue_try_push(girt_queue *queue, unsigned band,
                                 void *const *items, size_t count,
                                 size_t *pushed);
/* GIRT_OK with *popped > 0, GIRT_EMPTY, or GIRT_CLOSED; never waits. */
girt_status girt__queue_try_pop(girt_queue *queue, void **items, size_t count,
                                size_t *popped);

#endif /* GIRT_QUEUE_QUEUE_INTERNAL_H */
