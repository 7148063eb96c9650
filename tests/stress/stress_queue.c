/* SPDX-License-Identifier: MIT */
/* Goal: no item is lost, doubled or out of order, no wake-up is lost and no
 * accepted push is forgotten at close, in every mode and shape.  Method: each
 * item carries its producer and number and is ticked off once; sleepers are
 * released by items of their own, never by a broadcast that would hide a lost
 * wake-up: then the test hangs and its time limit fails it. */
#include <girt/queue.h>

#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

#define THREADS_MAX 64

static uint64_t seed;

typedef struct run {
    girt_queue *queue;
    size_t producers, consumers, each, batch, capacity;
    bool in_order, with_timeouts, by_fd, bands;
    uint8_t *ticked;  /* one byte an item */
    size_t popped;    /* relaxed count of all */
    size_t producing; /* producers not done; the last one closes */
    size_t dropped;
} run;

static void tick(run *r, void *item)
{
    size_t const index = (size_t)item;
    assert_true(index < r->producers * r->each);
    assert_int_equal(__atomic_fetch_add(&r->ticked[index], 1, __ATOMIC_RELAXED),
                     0);
    __atomic_fetch_add(&r->popped, 1, __ATOMIC_RELAXED);
}

static int64_t some_timeout(run *r, rng *random)
{
    if (!r->with_timeouts)
        return GIRT_FOREVER;
    static const int64_t choices[] = {GIRT_NOW, 1,      500,
                                      20000,    200000, GIRT_FOREVER};
    return choices[rng_below(random, 6)];
}

static void push_all(run *r, size_t index, rng *random)
{
    void *items[64];
    size_t next = 0;
    while (next < r->each) {
        size_t const most =
            r->each - next < r->batch ? r->each - next : r->batch;
        int64_t const timeout = some_timeout(r, random);
        size_t pushed = 0;
        girt_status status;
        if (most == 1) {
            void *const item = (void *)(index * r->each + next);
            status = girt_queue_push_band(
                r->queue, r->bands ? (unsigned)rng_below(random, 2) : 0, item,
                timeout);
            pushed = status == GIRT_OK;
        } else {
            for (size_t i = 0; i < most; i++)
                items[i] = (void *)(index * r->each + next + i);
            status = girt_queue_push_n(r->queue, items, most, timeout, &pushed);
            assert_true((status == GIRT_OK) == (pushed == most));
        }
        assert_true(status == GIRT_OK ||
                    status == (timeout == GIRT_NOW ? GIRT_FULL : GIRT_TIMEOUT));
        assert_true(status == GIRT_OK || timeout != GIRT_FOREVER);
        if (status == GIRT_FULL)
            sched_yield();
        next += pushed;
    }
    if (__atomic_sub_fetch(&r->producing, 1, __ATOMIC_ACQ_REL) == 0)
        girt_queue_close(r->queue);
}

static void see(run *r, void *item, int64_t *last)
{
    tick(r, item);
    size_t const producer = (size_t)item / r->each;
    int64_t const number = (int64_t)((size_t)item % r->each);
    if (r->in_order)
        assert_true(number > last[producer]);
    last[producer] = number;
}

static girt_status pop_some(run *r, rng *random, int64_t *last, int64_t timeout)
{
    void *items[64];
    size_t const most = 1 + rng_below(random, r->batch);
    size_t popped = 0;
    girt_status status;
    if (most == 1) {
        status = girt_queue_pop(r->queue, items, timeout);
        popped = status == GIRT_OK;
    } else {
        status = girt_queue_pop_n(r->queue, items, most, timeout, &popped);
        assert_true((status == GIRT_OK) == (popped > 0));
    }
    for (size_t i = 0; i < popped; i++)
        see(r, items[i], last);
    return status;
}

static void pop_by_fd(run *r, rng *random, int64_t *last, size_t index)
{
    int fd = -1, again = -1;
    check_status(girt_queue_fd(r->queue, &fd), GIRT_OK);
    check_status(girt_queue_fd(r->queue, &again), GIRT_OK);
    assert_int_equal(fd, again);
    int const loop = epoll_create1(EPOLL_CLOEXEC);
    assert_true(loop >= 0);
    struct epoll_event event = {.events =
                                    EPOLLIN | (index % 2 == 0 ? EPOLLET : 0u)};
    assert_int_equal(epoll_ctl(loop, EPOLL_CTL_ADD, fd, &event), 0);
    girt_status status = GIRT_EMPTY;
    while (status != GIRT_CLOSED) {
        assert_int_equal(epoll_wait(loop, &event, 1, -1), 1);
        do
            status = pop_some(r, random, last, GIRT_NOW);
        while (status == GIRT_OK);
    }
    (void)close(loop);
}

static void take_part(void *context, size_t index)
{
    run *const r = context;
    rng random = {seed + index};
    if (index < r->producers) {
        push_all(r, index, &random);
        return;
    }
    int64_t last[THREADS_MAX];
    for (size_t i = 0; i < THREADS_MAX; i++)
        last[i] = -1;
    if (r->by_fd) {
        pop_by_fd(r, &random, last, index);
        return;
    }
    girt_status status = GIRT_OK;
    while (status != GIRT_CLOSED) {
        int64_t const timeout = some_timeout(r, &random);
        status = pop_some(r, &random, last, timeout);
        assert_true(status != GIRT_EMPTY || timeout == GIRT_NOW);
        assert_true(status != GIRT_TIMEOUT ||
                    (timeout != GIRT_NOW && timeout != GIRT_FOREVER));
        assert_true(girt_queue_count(r->queue) <= r->capacity);
        if (status == GIRT_EMPTY)
            sched_yield();
    }
}

static void conserve(run r, girt_queue_options options)
{
    options.capacity = r.capacity;
    r.bands = options.bands > 1;
    r.in_order = !r.bands;
    r.producing = r.producers;
    r.each = r.each / r.producers + 1;
    check_status(girt_queue_create(&r.queue, &options), GIRT_OK);
    girt__queue_start(r.queue, UINT64_MAX - 5);
    r.ticked = calloc(r.producers * r.each, 1);
    assert_non_null(r.ticked);
    threads_run(r.producers + r.consumers, take_part, &r);
    assert_int_equal(r.popped, r.producers * r.each);
    assert_true(girt__queue_is_valid(r.queue));
    free(r.ticked);
    girt_queue_destroy(r.queue);
}

static const struct {
    size_t producers, consumers, capacity, batch;
} shapes[] = {
    {1, 1, 1, 1},  {1, 1, 7, 3},   {2, 2, 1, 1},   {2, 2, 3, 8},
    {3, 1, 64, 1}, {1, 3, 64, 1},  {4, 4, 100, 1}, {4, 4, 100, 32},
    {8, 8, 10, 4}, {16, 16, 5, 1}, {24, 8, 2, 1},  {2, 2, 1024, 32},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void in_all_shapes(girt_queue_options options, bool timeouts, bool fd,
                          size_t items)
{
    for (size_t i = 0; i < SHAPES; i++) {
        if ((options.single_producer && shapes[i].producers > 1) ||
            (options.single_consumer && shapes[i].consumers > 1))
            continue;
        conserve((run){.producers = shapes[i].producers,
                       .consumers = shapes[i].consumers,
                       .capacity = shapes[i].capacity,
                       .batch = shapes[i].batch,
                       .each = scaled(items),
                       .with_timeouts = timeouts,
                       .by_fd = fd},
                 options);
    }
}

static void default_queue_conserves(void **state)
{
    (void)state;
    in_all_shapes((girt_queue_options){0}, false, false, 12000);
    in_all_shapes((girt_queue_options){0}, true, false, 6000);
}

static void lanes_conserve(void **state)
{
    (void)state;
    girt_queue_options const options = {.per_producer_order = true};
    in_all_shapes(options, false, false, 12000);
    in_all_shapes(options, true, false, 6000);
}

static void bands_conserve(void **state)
{
    (void)state;
    girt_queue_options const options = {.bands = 2};
    in_all_shapes(options, false, false, 12000);
    in_all_shapes(options, true, false, 6000);
    in_all_shapes((girt_queue_options){.bands = 2, .per_producer_order = true},
                  true, false, 6000);
}

static void promised_singles_conserve(void **state)
{
    (void)state;
    for (int i = 1; i < 4; i++) {
        girt_queue_options const options = {.single_producer = i & 1,
                                            .single_consumer = i & 2};
        in_all_shapes(options, false, false, 24000);
        in_all_shapes(options, true, false, 12000);
    }
}

static void epoll_loops_miss_nothing(void **state)
{
    (void)state;
    in_all_shapes((girt_queue_options){0}, false, true, 6000);
    in_all_shapes((girt_queue_options){.per_producer_order = true}, true, true,
                  10000);
    in_all_shapes((girt_queue_options){.bands = 2}, false, true, 6000);
    in_all_shapes(
        (girt_queue_options){.single_producer = true, .single_consumer = true},
        true, true, 20000);
}

/* ---- each sleeper is woken by an item of its own ---- */

typedef struct sleepers {
    girt_queue *queue;
    size_t count, rounds;
    bool pushers;
    size_t done;
} sleepers;

static void sleep_or_feed(void *context, size_t index)
{
    sleepers *const s = context;
    rng random = {seed + index};
    if (index < s->count) {
        /* Each takes exactly `rounds`, so the feeder's last one matters. */
        for (size_t i = 0; i < s->rounds; i++) {
            void *item = NULL;
            check_status(s->pushers
                             ? girt_queue_push(s->queue, NULL, GIRT_FOREVER)
                             : girt_queue_pop(s->queue, &item, GIRT_FOREVER),
                         GIRT_OK);
            __atomic_fetch_add(&s->done, 1, __ATOMIC_RELEASE);
        }
        return;
    }
    for (size_t i = 0; i < s->rounds * s->count;) {
        size_t const burst = 1 + rng_below(&random, s->count + 1);
        for (size_t k = 0; k < burst && i < s->rounds * s->count; k++, i++) {
            void *item = NULL;
            check_status(s->pushers
                             ? girt_queue_pop(s->queue, &item, GIRT_FOREVER)
                             : girt_queue_push(s->queue, NULL, GIRT_FOREVER),
                         GIRT_OK);
        }
        /* Wait until all that were fed are up, sometimes, so that all sleep
         * when the next burst comes. */
        while (rng_below(&random, 4) != 0 &&
               __atomic_load_n(&s->done, __ATOMIC_ACQUIRE) < i)
            sched_yield();
    }
}

static void feed(girt_queue_options options, size_t count, bool pushers)
{
    sleepers s = {
        .count = count, .rounds = scaled(4000) / count + 1, .pushers = pushers};
    check_status(girt_queue_create(&s.queue, &options), GIRT_OK);
    for (size_t i = 0; pushers && i < girt_queue_capacity(s.queue); i++)
        check_status(girt_queue_push(s.queue, NULL, GIRT_NOW), GIRT_OK);
    threads_run(count + 1, sleep_or_feed, &s);
    assert_int_equal(girt_queue_count(s.queue),
                     pushers ? girt_queue_capacity(s.queue) : 0);
    girt_queue_destroy(s.queue);
}

static void no_wake_is_lost(void **state)
{
    (void)state;
    static const size_t counts[] = {1, 2, 3, 8, 16};
    for (int m = 0; m < 4; m++)
        feed((girt_queue_options){.capacity = m / 2 ? 5 : 1,
                                  .single_producer = true,
                                  .single_consumer = true},
             1, m % 2);
    for (size_t i = 0; i < 5; i++) {
        for (int pushers = 0; pushers < 2; pushers++) {
            feed((girt_queue_options){.capacity = 1}, counts[i], pushers);
            feed((girt_queue_options){.capacity = 5}, counts[i], pushers);
            feed((girt_queue_options){.capacity = 5, .bands = 3}, counts[i],
                 pushers);
            feed(
                (girt_queue_options){.capacity = 9, .per_producer_order = true},
                counts[i], pushers);
        }
    }
}

/* ---- close races with everything ---- */

typedef struct closing {
    girt_queue *queue;
    size_t accepted, delivered;
} closing;

static void race_with_close(void *context, size_t index)
{
    closing *const c = context;
    rng random = {seed + index};
    size_t mine = 0;
    if (index == 0) {
        for (uint64_t i = rng_below(&random, 300); i > 0; i--)
            girt_pause();
        girt_queue_close(c->queue);
        return;
    }
    for (;;) {
        void *items[4] = {NULL};
        size_t n = 0;
        int64_t const timeout = rng_below(&random, 2) ? GIRT_FOREVER : GIRT_NOW;
        girt_status const status =
            index % 2 ? girt_queue_push_n(c->queue, items, 3, timeout, &n)
                      : girt_queue_pop_n(c->queue, items, 4, timeout, &n);
        mine += n;
        if (status == GIRT_CLOSED)
            break;
    }
    __atomic_fetch_add(index % 2 ? &c->accepted : &c->delivered, mine,
                       __ATOMIC_RELAXED);
}

static void close_loses_nothing(void **state)
{
    (void)state;
    static const girt_queue_options modes[] = {
        {.capacity = 1},
        {.capacity = 6},
        {.capacity = 6, .bands = 2},
        {.capacity = 6, .per_producer_order = true}};
    for (size_t round = 0; round < scaled(600); round++) {
        closing c = {0};
        seed++;
        check_status(girt_queue_create(&c.queue, &modes[round % 4]), GIRT_OK);
        threads_run(3 + round % 5, race_with_close, &c);
        /* Without a popper the rest is still inside. */
        void *item = NULL;
        while (girt_queue_pop(c.queue, &item, GIRT_NOW) == GIRT_OK)
            c.delivered++;
        assert_int_equal(c.accepted, c.delivered);
        assert_true(girt__queue_is_valid(c.queue));
        girt_queue_destroy(c.queue);
    }
}

static void close_races_on_promised_singles(void **state)
{
    (void)state;
    for (size_t round = 0; round < scaled(600); round++) {
        closing c = {0};
        seed++;
        check_status(
            girt_queue_create(
                &c.queue, &(girt_queue_options){.capacity = 1 + round % 5,
                                                .single_producer = true,
                                                .single_consumer = round % 2}),
            GIRT_OK);
        threads_run(3, race_with_close, &c);
        assert_int_equal(c.accepted, c.delivered);
        girt_queue_destroy(c.queue);
    }
}

/* ---- dropping ---- */

static void count_drop(void *context, void *item)
{
    run *const r = context;
    tick(r, item);
    __atomic_fetch_add(&r->dropped, 1, __ATOMIC_RELAXED);
}

static void dropping_conserves(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        run r = {.producers = 3,
                 .consumers = 2,
                 .capacity = 8,
                 .batch = 4,
                 .each = scaled(30000),
                 .in_order = mode < 2,
                 .producing = 3};
        r.ticked = calloc(r.producers * r.each, 1);
        assert_non_null(r.ticked);
        girt_queue_options const options = {.capacity = 8,
                                            .per_producer_order = mode == 1,
                                            .bands = mode == 2 ? 2 : 1,
                                            .drop_oldest = true,
                                            .dropped = count_drop,
                                            .context = &r};
        r.bands = mode == 2;
        check_status(girt_queue_create(&r.queue, &options), GIRT_OK);
        threads_run(5, take_part, &r);
        assert_int_equal(r.popped, r.producers * r.each);
        girt_queue_destroy(r.queue);
        free(r.ticked);
    }
}

int main(void)
{
    seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(default_queue_conserves),
        cmocka_unit_test(lanes_conserve),
        cmocka_unit_test(bands_conserve),
        cmocka_unit_test(promised_singles_conserve),
        cmocka_unit_test(epoll_loops_miss_nothing),
        cmocka_unit_test(no_wake_is_lost),
        cmocka_unit_test(close_loses_nothing),
        cmocka_unit_test(close_races_on_promised_singles),
        cmocka_unit_test(dropping_conserves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
