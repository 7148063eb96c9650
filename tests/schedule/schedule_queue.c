/* SPDX-License-Identifier: MIT */
/* Goal: girt_queue answers full and empty exactly, loses no wake-up and no
 * item, also when it is closed, and its timeouts end on time. Method: a few
 * threads at capacities of 1 to 4 under many schedules; histories of calls that
 * do not wait are checked; where threads wait, a run in which all sleep has
 * failed, and what went in is compared with what came out. */
#include <poll.h>
#include <stdlib.h>

#include <girt/clock.h>
#include <girt/queue.h>

#include "core/atomic.h"
#include "queue/queue_internal.h"
#include "schedule/support/queue_play.h"
#include "schedule/support/scheduler.h"
#include "support/check.h"

/* ---- calls that do not wait --------------------------------------------- */

static bool push(void *object, void *item)
{
    girt_status const status = girt_queue_push(object, item, GIRT_NOW);
    schedule_check(status == GIRT_OK || status == GIRT_FULL, "%d", status);
    return status == GIRT_OK;
}

static bool pop(void *object, void **item)
{
    girt_status const status = girt_queue_pop(object, item, GIRT_NOW);
    schedule_check(status == GIRT_OK || status == GIRT_EMPTY, "%d", status);
    return status == GIRT_OK;
}

static size_t push_n(void *object, void *const items[], size_t count)
{
    size_t pushed = 99;
    girt_status const status =
        girt_queue_push_n(object, items, count, GIRT_NOW, &pushed);
    schedule_check(status == (pushed == count ? GIRT_OK : GIRT_FULL), "%d",
                   status);
    return pushed;
}

/* Waits for the first only, so fewer than asked says nothing: see judge. */
static size_t pop_n(void *object, void *items[], size_t count)
{
    size_t popped = 99;
    girt_status const status =
        girt_queue_pop_n(object, items, count, GIRT_NOW, &popped);
    schedule_check(status == (popped != 0 ? GIRT_OK : GIRT_EMPTY), "%d",
                   status);
    return popped;
}

typedef struct now_play {
    queue_play play;
    girt_queue_options options;
} now_play;

static girt_queue *make_queue(const girt_queue_options *options)
{
    girt_queue *queue;
    if (girt_queue_create(&queue, options) != GIRT_OK)
        abort();
    return queue;
}

static void now_setup(void *context)
{
    now_play *const p = context;
    queue_play_start(&p->play);
    p->play.capacity = 1 + (size_t)schedule_random(4);
    p->options.capacity = p->play.capacity;
    p->play.object = make_queue(&p->options);
}

static void now_body(void *context, size_t thread)
{
    queue_play_body(&((now_play *)context)->play, thread);
}

static void now_check(void *context)
{
    now_play *const p = context;
    schedule_check(girt__queue_is_valid(p->play.object), "an invariant");
    queue_play_judge(&p->play);
    schedule_check(girt_queue_count(p->play.object) == 0, "something is left");
    girt_queue_destroy(p->play.object);
}

static void play(const char *name, size_t threads, now_play p)
{
    p.play.push = push;
    p.play.pop = pop;
    p.play.strict_full = true;
    queue_play_init(&p.play);
    schedule const s = {.name = name,
                        .threads = threads,
                        .runs = 20000,
                        .context = &p,
                        .setup = now_setup,
                        .body = now_body,
                        .check = now_check};
    schedule_must_pass(&s);
    queue_play_free(&p.play);
}

static void answers_are_exact(void **state)
{
    (void)state;
    play("now", 3, (now_play){.play = {.calls = 4}});
}

static void answers_of_sides_are_exact(void **state)
{
    (void)state;
    play("sides", 4,
         (now_play){.play = {.calls = 3, .pushers = 2, .poppers = 4}});
    play("single", 2,
         (now_play){
             .play = {.calls = 6, .pushers = 1, .poppers = 2},
             .options = {.single_producer = true, .single_consumer = true}});
}

static void answers_of_batches_are_exact(void **state)
{
    (void)state;
    play("batches", 3,
         (now_play){.play = {.calls = 3,
                             .push_n = push_n,
                             .pop_n = pop_n,
                             .short_pop_says_nothing = true}});
}

/* ---- calls that wait ----------------------------------------------------- */

#define ITEMS_MAX 64

typedef struct traffic {
    girt_queue_options options;
    girt_queue *queue;
    size_t threads, pushers, each;
    size_t producing;  /* producers that have not ended */
    bool close_at_end; /* by the last producer; else at any time */
    bool never_closed; /* consumers take as many as come: a close would wake
                          those whose wake-up was lost */
    bool some_timeouts;
    unsigned bands;
    uint32_t accepted[ITEMS_MAX], out[ITEMS_MAX], dropped[ITEMS_MAX];
    /* The last item of each producer and band that each consumer saw. */
    size_t last[SCHEDULE_THREADS_MAX][SCHEDULE_THREADS_MAX][4];
    int fd;
} traffic;

static void count_dropped(void *context, void *item)
{
    traffic *const t = context;
    (void)girt_add_relaxed(&t->dropped[(uintptr_t)item], 1);
}

static void traffic_setup(void *context)
{
    traffic *const t = context;
    t->options.capacity = 1 + (size_t)schedule_random(3);
    t->options.bands = t->bands;
    t->options.context = t;
    t->queue = make_queue(&t->options);
    t->producing = t->pushers;
    memset(t->accepted, 0, sizeof t->accepted);
    memset(t->out, 0, sizeof t->out);
    memset(t->dropped, 0, sizeof t->dropped);
    memset(t->last, 0, sizeof t->last);
}

static int64_t some_timeout(const traffic *t)
{
    return t->some_timeouts && schedule_random(2) == 0
               ? (int64_t)schedule_random(4000)
               : GIRT_FOREVER;
}

static void produce(traffic *t, size_t thread)
{
    for (size_t i = 0; i < t->each; i++) {
        size_t const item = thread * t->each + i;
        unsigned const band =
            t->bands > 1 ? (unsigned)schedule_random(t->bands) : 0;
    again:;
        int64_t const timeout = some_timeout(t);
        int64_t const from = schedule_now();
        girt_status const status = girt_queue_push_band(
            t->queue, band, (void *)(item * 4 + band), timeout);
        t->accepted[item * 4 + band] = status == GIRT_OK;
        if (status == GIRT_TIMEOUT)
            schedule_check(schedule_now() - from >= timeout, "too early");
        else if (status == GIRT_FULL)
            schedule_check(timeout == 0, "full");
        else if (status != GIRT_OK)
            schedule_check(status == GIRT_CLOSED, "%d", status);
        if (t->never_closed && status != GIRT_OK)
            goto again;
    }
    if (girt_sub_acq_rel(&t->producing, 1) == 1 && t->close_at_end)
        girt_queue_close(t->queue);
}

static void came_out(traffic *t, size_t thread, void *item)
{
    size_t const value = (uintptr_t)item;
    schedule_check(value < ITEMS_MAX, "no such item");
    schedule_check(girt_add_relaxed(&t->out[value], 1) == 0, "twice");
    size_t *const last = &t->last[thread][value / 4 / t->each][value % 4];
    schedule_check(value + 1 > *last, "order of one producer");
    *last = value + 1;
}

/* Shares of all items. */
static size_t items_of(const traffic *t, size_t thread)
{
    size_t const consumers = t->threads - t->pushers;
    size_t const items = t->pushers * t->each;
    return items / consumers + (thread - t->pushers < items % consumers);
}

static void consume(traffic *t, size_t thread)
{
    size_t left = t->never_closed ? items_of(t, thread) : SIZE_MAX;
    while (left != 0) {
        void *item;
        int64_t const timeout = some_timeout(t);
        int64_t const from = schedule_now();
        girt_status const status = girt_queue_pop(t->queue, &item, timeout);
        if (status == GIRT_CLOSED)
            return;
        left -= status == GIRT_OK;
        if (status == GIRT_OK)
            came_out(t, thread, item);
        else if (status == GIRT_TIMEOUT)
            schedule_check(schedule_now() - from >= timeout, "too early");
        else
            schedule_check(status == GIRT_EMPTY && timeout == 0, "%d", status);
    }
}

static void close_some_time(traffic *t)
{
    for (uint64_t i = schedule_random(150); i != 0; i--)
        schedule_yield();
    girt_queue_close(t->queue);
}

static void traffic_body(void *context, size_t thread)
{
    traffic *const t = context;
    if (thread < t->pushers)
        produce(t, thread);
    else if (thread == t->threads - 1 && !t->close_at_end && !t->never_closed)
        close_some_time(t);
    else
        consume(t, thread);
}

static void all_came_out(traffic *t)
{
    for (size_t i = 0; i < ITEMS_MAX; i++)
        schedule_check(t->accepted[i] == t->out[i] + t->dropped[i],
                       "item %zu: accepted %u, out %u, dropped %u", i,
                       t->accepted[i], t->out[i], t->dropped[i]);
}

static void traffic_check(void *context)
{
    traffic *const t = context;
    schedule_check(girt__queue_is_valid(t->queue), "an invariant");
    girt_queue_destroy(t->queue);
    all_came_out(t);
}

static void run_traffic(const char *name, size_t runs, traffic t)
{
    schedule const s = {.name = name,
                        .threads = t.threads,
                        .runs = runs,
                        .context = &t,
                        .setup = traffic_setup,
                        .body = traffic_body,
                        .check = traffic_check,
                        .steps_max = 60000};
    schedule_must_pass(&s);
}

static void every_waiter_wakes(void **state)
{
    (void)state;
    run_traffic(
        "waits", 6000,
        (traffic){.threads = 4, .pushers = 2, .each = 3, .close_at_end = true});
    run_traffic("one_to_one", 6000,
                (traffic){.threads = 2,
                          .pushers = 1,
                          .each = 5,
                          .close_at_end = true,
                          .options = {.single_producer = true,
                                      .single_consumer = true}});
    run_traffic(
        "one_to_three", 6000,
        (traffic){.threads = 4, .pushers = 1, .each = 5, .close_at_end = true});
    run_traffic(
        "three_to_one", 6000,
        (traffic){.threads = 4, .pushers = 3, .each = 2, .close_at_end = true});
}

static void no_wake_up_is_lost(void **state)
{
    (void)state;
    traffic const t = {
        .threads = 4, .pushers = 2, .each = 4, .never_closed = true};
    run_traffic("exact", 8000, t);
    traffic other = t;
    other.options.per_producer_order = true;
    run_traffic("exact_lanes", 4000, other);
    other = t;
    other.bands = 2;
    run_traffic("exact_bands", 4000, other);
    other = t;
    other.pushers = 1;
    other.options.single_producer = true;
    run_traffic("exact_one_in", 4000, other);
    other = t;
    other.pushers = 3;
    other.options.single_consumer = true;
    run_traffic("exact_one_out", 4000, other);
    other = t;
    other.threads = 6;
    other.pushers = 3;
    run_traffic("exact_six", 3000, other);
    other.some_timeouts = true;
    run_traffic("exact_timeouts", 3000, other);
    other.options.per_producer_order = true;
    run_traffic("exact_lanes_timeouts", 2000, other);
}

/* Nobody takes anything: only close can wake who waits for room. */
static void close_wakes_who_waits_for_room(void **state)
{
    (void)state;
    traffic t = {.threads = 4,
                 .pushers = 3,
                 .each = 3,
                 .options = {.dropped = count_dropped}};
    run_traffic("close_full", 4000, t);
    t.options.per_producer_order = true;
    run_traffic("close_full_lanes", 4000, t);
}

static void close_loses_nothing(void **state)
{
    (void)state;
    run_traffic("close", 10000,
                (traffic){.threads = 4, .pushers = 2, .each = 3});
    run_traffic(
        "close_timeouts", 6000,
        (traffic){
            .threads = 5, .pushers = 2, .each = 3, .some_timeouts = true});
}

static void timeouts_end_on_time(void **state)
{
    (void)state;
    run_traffic("timeouts", 6000,
                (traffic){.threads = 4,
                          .pushers = 2,
                          .each = 3,
                          .close_at_end = true,
                          .some_timeouts = true});
}

static void lanes_and_bands(void **state)
{
    (void)state;
    run_traffic("lanes", 6000,
                (traffic){.threads = 4,
                          .pushers = 2,
                          .each = 3,
                          .close_at_end = true,
                          .options = {.per_producer_order = true}});
    run_traffic("lanes_close", 6000,
                (traffic){.threads = 4,
                          .pushers = 2,
                          .each = 3,
                          .some_timeouts = true,
                          .options = {.per_producer_order = true}});
    run_traffic("bands", 6000,
                (traffic){.threads = 4,
                          .pushers = 2,
                          .each = 3,
                          .close_at_end = true,
                          .bands = 3});
    run_traffic("lanes_bands", 4000,
                (traffic){.threads = 4,
                          .pushers = 2,
                          .each = 3,
                          .bands = 2,
                          .some_timeouts = true,
                          .options = {.per_producer_order = true}});
}

static void dropping_accounts_for_all(void **state)
{
    (void)state;
    run_traffic(
        "drops", 6000,
        (traffic){.threads = 4,
                  .pushers = 2,
                  .each = 3,
                  .close_at_end = true,
                  .options = {.drop_oldest = true, .dropped = count_dropped}});
    run_traffic("drops_lanes", 4000,
                (traffic){.threads = 4,
                          .pushers = 2,
                          .each = 3,
                          .options = {.drop_oldest = true,
                                      .dropped = count_dropped,
                                      .per_producer_order = true}});
}

/* ---- the eventfd --------------------------------------------------------- */

/* The counter of an eventfd: what epoll would say, without a wait. */
static bool readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void watch_body(void *context, size_t thread)
{
    traffic *const t = context;
    if (thread < t->pushers) {
        produce(t, thread);
        return;
    }
    int fd;
    if (girt_queue_fd(t->queue, &fd) != GIRT_OK)
        schedule_fail("no eventfd");
    for (;;) {
        void *item;
        girt_status const status = girt_queue_pop(t->queue, &item, GIRT_NOW);
        if (status == GIRT_CLOSED)
            return;
        if (status == GIRT_OK)
            came_out(t, thread, item);
        else /* for good if nobody tells it: too many steps */
            while (!readable(fd))
                schedule_yield();
    }
}

static void watch_check(void *context)
{
    traffic *const t = context;
    int fd;
    (void)girt_queue_fd(t->queue, &fd);
    schedule_check(readable(fd), "closed but not readable");
    traffic_check(context);
}

static void eventfd_tells_of_items(void **state)
{
    (void)state;
    traffic t = {.threads = 3, .pushers = 2, .each = 3, .close_at_end = true};
    schedule s = {.name = "watch",
                  .threads = 3,
                  .runs = 4000,
                  .context = &t,
                  .setup = traffic_setup,
                  .body = watch_body,
                  .check = watch_check,
                  .steps_max = 60000};
    schedule_must_pass(&s);
    t.threads = s.threads = 4; /* two who watch */
    s.name = "watch_two";
    schedule_must_pass(&s);
    t.options.per_producer_order = true;
    s.name = "watch_lanes";
    schedule_must_pass(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_exact),
        cmocka_unit_test(answers_of_sides_are_exact),
        cmocka_unit_test(answers_of_batches_are_exact),
        cmocka_unit_test(every_waiter_wakes),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(close_wakes_who_waits_for_room),
        cmocka_unit_test(close_loses_nothing),
        cmocka_unit_test(timeouts_end_on_time),
        cmocka_unit_test(lanes_and_bands),
        cmocka_unit_test(dropping_accounts_for_all),
        cmocka_unit_test(eventfd_tells_of_items),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
