/* SPDX-License-Identifier: MIT */
/* Goal: any sequence of calls by one thread answers as a plain bounded list
 * would, in every mode.  Method: random operations on a queue and on a naive
 * twin, every answer compared; bands are a list each, served by the written
 * schedule; lanes are one list, for one thread has one lane. */
#include <girt/queue.h>

#include <poll.h>

#include "queue/queue_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

#define MOST 64

/* One list a band; the whole is bounded. */
typedef struct twin {
    size_t capacity, bands, turn;
    void *lists[8][MOST];
    size_t counts[8];
    bool closed;
} twin;

static size_t twin_count(const twin *t)
{
    size_t count = 0;
    for (size_t b = 0; b < t->bands; b++)
        count += t->counts[b];
    return count;
}

static void *twin_take(twin *t, size_t band)
{
    void *const item = t->lists[band][0];
    t->counts[band]--;
    memmove(t->lists[band], t->lists[band] + 1,
            t->counts[band] * sizeof(void *));
    return item;
}

static void *twin_pop(twin *t)
{
    size_t band = 0;
    for (size_t turn = t->turn % (((size_t)1 << t->bands) - 1) + 1;
         turn % 2 == 0; turn /= 2)
        band++;
    if (t->counts[band] == 0)
        for (band = 0; t->counts[band] == 0;)
            band++;
    t->turn++;
    return twin_take(t, band);
}

typedef struct pair {
    girt_queue *queue;
    twin twin;
    bool drop;
    void *dropped[4 * MOST];
    size_t dropped_count, expected_count;
    void *expected[4 * MOST];
    size_t next;
    int fd; /* -1: not asked for */
} pair;

static void note_drop(void *context, void *item)
{
    pair *const p = context;
    p->dropped[p->dropped_count++] = item;
}

/* What a push of one item should answer, applied to the twin. */
static girt_status twin_push(pair *p, size_t band, void *item)
{
    twin *const t = &p->twin;
    if (t->closed)
        return GIRT_CLOSED;
    if (twin_count(t) == t->capacity) {
        if (!p->drop)
            return GIRT_FULL;
        size_t last = t->bands - 1;
        while (t->counts[last] == 0)
            last--;
        p->expected[p->expected_count++] = twin_take(t, last);
    }
    t->lists[band][t->counts[band]++] = item;
    return GIRT_OK;
}

static void push_one(pair *p, rng *random)
{
    size_t const band = rng_below(random, p->twin.bands);
    void *const item = (void *)p->next++;
    girt_status const expected = twin_push(p, band, item);
    check_status(girt_queue_push_band(p->queue, (unsigned)band, item, GIRT_NOW),
                 expected);
}

static void push_many(pair *p, rng *random)
{
    void *items[MOST];
    size_t const count = rng_below(random, 12);
    size_t expected_pushed = 0, pushed = 99;
    girt_status expected = GIRT_OK;
    for (size_t i = 0; i < count; i++)
        items[i] = (void *)p->next++;
    while (expected_pushed < count && expected == GIRT_OK) {
        expected = twin_push(p, 0, items[expected_pushed]);
        expected_pushed += expected == GIRT_OK;
    }
    check_status(girt_queue_push_n(p->queue, items, count, GIRT_NOW, &pushed),
                 expected);
    assert_int_equal(pushed, expected_pushed);
}

static bool readable(int fd)
{
    struct pollfd waiting = {.fd = fd, .events = POLLIN};
    return poll(&waiting, 1, 0) == 1;
}

static void pop_some(pair *p, rng *random, bool many)
{
    void *items[MOST];
    size_t const want = many ? 1 + rng_below(random, 12) : 1;
    size_t const there = twin_count(&p->twin);
    size_t const expected_popped = want < there ? want : there;
    girt_status const expected = there > 0        ? GIRT_OK
                                 : p->twin.closed ? GIRT_CLOSED
                                                  : GIRT_EMPTY;
    size_t popped = 0;
    girt_status const status =
        many ? girt_queue_pop_n(p->queue, items, want, GIRT_NOW, &popped)
             : girt_queue_pop(p->queue, items, GIRT_NOW);
    check_status(status, expected);
    if (!many)
        popped = status == GIRT_OK;
    assert_int_equal(popped, expected_popped);
    for (size_t i = 0; i < popped; i++)
        assert_ptr_equal(items[i], twin_pop(&p->twin));
    if (status == GIRT_EMPTY && p->fd >= 0)
        assert_false(readable(p->fd));
}

static void play(girt_queue_options options, rng *random, size_t steps)
{
    pair p = {.fd = -1, .drop = options.drop_oldest};
    p.twin.capacity = options.capacity;
    p.twin.bands = options.bands == 0 ? 1 : options.bands;
    options.dropped = note_drop;
    options.context = &p;
    check_status(girt_queue_create(&p.queue, &options), GIRT_OK);
    girt__queue_start(p.queue, rng_next(random));
    /* Whether pushes or pops prevail, by phases. */
    uint64_t lean = 5;
    for (size_t i = 0; i < steps; i++) {
        if (i % 64 == 0)
            lean = 2 + rng_below(random, 7);
        bool const many = rng_below(random, 3) == 0;
        if (rng_below(random, 10) >= lean)
            pop_some(&p, random, many);
        else if (many)
            push_many(&p, random);
        else
            push_one(&p, random);
        if (rng_below(random, 3000) == 0) {
            girt_queue_close(p.queue);
            p.twin.closed = true;
        }
        if (rng_below(random, 500) == 0)
            check_status(girt_queue_fd(p.queue, &p.fd), GIRT_OK);
        size_t const count = twin_count(&p.twin);
        assert_int_equal(girt_queue_count(p.queue), count);
        if (p.fd >= 0 && (count > 0 || p.twin.closed))
            assert_true(readable(p.fd));
        assert_int_equal(p.dropped_count, p.expected_count);
        assert_memory_equal(p.dropped, p.expected,
                            p.dropped_count * sizeof(void *));
        p.dropped_count = p.expected_count = 0;
        if (i % 50 == 0)
            assert_true(girt__queue_is_valid(p.queue));
    }
    size_t const left = twin_count(&p.twin);
    girt_queue_destroy(p.queue);
    assert_int_equal(p.dropped_count, left);
}

static void answers_are_those_of_a_list(void **state)
{
    (void)state;
    rng random = {test_seed()};
    for (size_t round = 0; round < scaled(300); round++) {
        uint64_t const bits = rng_next(&random);
        play(
            (girt_queue_options){
                .capacity = 1 + rng_below(&random, 40),
                .single_producer = bits & 1,
                .single_consumer = bits & 2,
                .per_producer_order = bits & 4,
                .bands = bits & 8 ? 0 : (unsigned)rng_below(&random, 9),
                .drop_oldest = bits & 16},
            &random, 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_a_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
