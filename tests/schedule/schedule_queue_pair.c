/* SPDX-License-Identifier: MIT */
/* Goal: a queue of one promised producer and one promised consumer loses no
 * wake-up, and a close at any moment loses no accepted item and delivers no
 * refused one; and without membarrier(2) a ring serves. Method: the two, a
 * third who closes, and one who asks for the eventfd, under many schedules, in
 * which membarrier fences each thread in turn at any moment of its call. */
#include <poll.h>
#include <stdlib.h>

#include <girt/clock.h>
#include <girt/queue.h>

#include "core/atomic.h"
#include "queue/queue_internal.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

#define ITEMS_MAX 16
#define BATCH     3

typedef struct traffic {
    /* The scenario. */
    size_t items;
    bool closer;       /* a third thread closes; else the producer at its end */
    bool never_closed; /* the consumer takes all: no close wakes anybody */
    bool batches, some_timeouts, by_fd;
    /* One run. */
    girt_queue *queue;
    size_t accepted, out;
    bool closed; /* close has returned */
    bool left;   /* the consumer was told CLOSED */
} traffic;

static void setup(void *context)
{
    traffic *const t = context;
    girt_queue_options const options = {
        .capacity = 1 + (size_t)schedule_random(3),
        .single_producer = true,
        .single_consumer = true,
    };
    if (girt_queue_create(&t->queue, &options) != GIRT_OK)
        abort();
    schedule_check(girt__queue_is_pair(t->queue) != schedule_without_membarrier,
                   "the other engine");
    t->accepted = t->out = 0;
    t->closed = t->left = false;
}

static void close_it(traffic *t)
{
    girt_queue_close(t->queue);
    girt_store_seq_cst(&t->closed, true);
}

static int64_t some_timeout(const traffic *t)
{
    return t->some_timeouts && schedule_random(2) == 0
               ? (int64_t)schedule_random(4000)
               : GIRT_FOREVER;
}

static bool is_late(int64_t from, int64_t timeout)
{
    return timeout != GIRT_FOREVER && schedule_now() - from >= timeout;
}

/* Items are numbered; the next one is the number of those accepted. */
static girt_status push_some(traffic *t, int64_t timeout)
{
    size_t const next = t->accepted;
    size_t const left = t->items - next;
    if (!t->batches || schedule_random(2) == 0) {
        girt_status const one =
            girt_queue_push(t->queue, (void *)next, timeout);
        t->accepted += one == GIRT_OK;
        return one;
    }
    void *items[BATCH];
    size_t const count = left < BATCH ? left : BATCH;
    for (size_t i = 0; i < count; i++)
        items[i] = (void *)(next + i);
    size_t pushed = 99;
    girt_status const status =
        girt_queue_push_n(t->queue, items, count, timeout, &pushed);
    schedule_check((status == GIRT_OK) == (pushed == count), "count");
    t->accepted += pushed;
    return status;
}

static void produce(traffic *t)
{
    while (t->accepted < t->items) {
        bool const closed = girt_load_seq_cst(&t->closed);
        int64_t const timeout = some_timeout(t);
        int64_t const from = schedule_now();
        girt_status const status = push_some(t, timeout);
        if (closed)
            schedule_check(status == GIRT_CLOSED, "pushed after close");
        if (status == GIRT_CLOSED) {
            schedule_check(t->closer, "closed");
            return;
        }
        if (status == GIRT_TIMEOUT)
            schedule_check(is_late(from, timeout), "too early");
        else
            schedule_check(status == GIRT_OK ||
                               (status == GIRT_FULL && timeout == 0),
                           "%d", status);
    }
    if (!t->closer && !t->never_closed)
        close_it(t);
}

static girt_status pop_some(traffic *t, int64_t timeout)
{
    void *items[BATCH] = {NULL};
    size_t popped = 99;
    girt_status status;
    if (t->batches && schedule_random(2) == 0) {
        status = girt_queue_pop_n(t->queue, items, BATCH, timeout, &popped);
        schedule_check((status == GIRT_OK) == (popped != 0), "count");
    } else {
        items[0] = (void *)99;
        status = girt_queue_pop(t->queue, items, timeout);
        popped = status == GIRT_OK;
        schedule_check(popped || items[0] == (void *)99, "touched");
    }
    for (size_t i = 0; i < popped; i++)
        schedule_check(items[i] == (void *)t->out++, "order");
    return status;
}

/* The counter of an eventfd: what epoll would say, without a wait. */
static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void consume(traffic *t)
{
    int fd = -1;
    while (!t->left && !(t->never_closed && t->out == t->items)) {
        int64_t const timeout = t->by_fd ? GIRT_NOW : some_timeout(t);
        int64_t const from = schedule_now();
        girt_status const status = pop_some(t, timeout);
        t->left = status == GIRT_CLOSED;
        if (status == GIRT_TIMEOUT)
            schedule_check(is_late(from, timeout), "too early");
        if (status == GIRT_EMPTY)
            schedule_check(timeout == 0, "empty");
        if (status != GIRT_EMPTY || !t->by_fd)
            continue;
        /* For good if nobody tells it: too many steps. */
        if (fd < 0 && girt_queue_fd(t->queue, &fd) != GIRT_OK)
            schedule_fail("no eventfd");
        while (!readable(fd))
            schedule_yield();
    }
}

static void third(traffic *t)
{
    for (uint64_t i = schedule_random(60); i != 0; i--)
        schedule_yield();
    int fd;
    if (t->by_fd && girt_queue_fd(t->queue, &fd) != GIRT_OK)
        schedule_fail("no eventfd");
    if (t->closer)
        close_it(t);
}

static void body(void *context, size_t thread)
{
    static void (*const parts[])(traffic *) = {produce, consume, third};
    parts[thread](context);
}

static void check(void *context)
{
    traffic *const t = context;
    schedule_check(girt__queue_is_valid(t->queue), "an invariant");
    schedule_check(girt_queue_count(t->queue) == t->accepted - t->out, "count");
    schedule_check(t->left || t->accepted == t->items, "early end");
    /* With no closer, who took all; else who was told CLOSED. */
    schedule_check(t->accepted == t->out, "accepted %zu, out %zu", t->accepted,
                   t->out);
    girt_queue_destroy(t->queue);
}

static void run(const char *name, size_t runs, traffic t)
{
    schedule const s = {.name = name,
                        .threads = t.closer || t.by_fd ? 3 : 2,
                        .runs = runs,
                        .context = &t,
                        .setup = setup,
                        .body = body,
                        .check = check,
                        .steps_max = 20000};
    schedule_must_pass(&s);
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    run("wakes", 20000, (traffic){.items = 6, .never_closed = true});
    run("wakes_batches", 10000,
        (traffic){.items = 9, .never_closed = true, .batches = true});
    run("wakes_timeouts", 10000,
        (traffic){.items = 6, .never_closed = true, .some_timeouts = true});
}

static void close_decides_for_both(void **state)
{
    (void)state;
    run("end", 6000, (traffic){.items = 4});
    run("close", 40000, (traffic){.items = 8, .closer = true});
    run("close_batches", 40000,
        (traffic){.items = 15, .closer = true, .batches = true});
    run("close_timeouts", 20000,
        (traffic){.items = 9,
                  .closer = true,
                  .batches = true,
                  .some_timeouts = true});
}

static void eventfd_tells_of_items(void **state)
{
    (void)state;
    run("watch", 8000, (traffic){.items = 5, .by_fd = true});
    run("watch_close", 8000,
        (traffic){.items = 9, .by_fd = true, .closer = true, .batches = true});
}

static void without_membarrier_a_ring_serves(void **state)
{
    (void)state;
    schedule_without_membarrier = true;
    run("ring", 8000,
        (traffic){.items = 9,
                  .closer = true,
                  .batches = true,
                  .some_timeouts = true});
    run("ring_watch", 4000, (traffic){.items = 5, .by_fd = true});
    schedule_without_membarrier = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(close_decides_for_both),
        cmocka_unit_test(eventfd_tells_of_items),
        cmocka_unit_test(without_membarrier_a_ring_serves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
