/* SPDX-License-Identifier: MIT */
/* Goal: what a finished push put in is found from then on, in the order of the
 * whole machine.  Method: two threads push to a queue each, then pop from the
 * other's; both coming first, so that both find nothing, is impossible, though
 * a store buffer makes it look possible: without the fences of queue_ring.c
 * some of the rounds end so.  The seeded scheduler knows no store buffers. */
#include <girt/queue.h>

#include <sched.h>

#include "support/check.h"
#include "support/scale.h"
#include "support/threads.h"

typedef struct crossing {
    girt_queue *queues[2];
    size_t rounds;
    size_t arrived; /* of both threads, ever */
    size_t blind;   /* rounds of each thread that found nothing */
    bool found[2];
    bool fills; /* thread 0 meets a full queue instead of an empty one */
} crossing;

static void meet(crossing *c, size_t *meetings)
{
    *meetings += 2;
    __atomic_fetch_add(&c->arrived, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 1;
         __atomic_load_n(&c->arrived, __ATOMIC_SEQ_CST) < *meetings; i++) {
        if (i % 256 == 0)
            (void)sched_yield();
    }
}

static void cross(void *context, size_t index)
{
    crossing *const c = context;
    size_t meetings = 0;
    void *item = NULL;
    for (size_t round = 0; round < c->rounds; round++) {
        meet(c, &meetings);
        if (c->fills && index == 1)
            check_status(girt_queue_pop(c->queues[1], &item, GIRT_NOW),
                         GIRT_OK);
        else
            check_status(girt_queue_push(c->queues[index], c, GIRT_NOW),
                         GIRT_OK);
        girt_status const status =
            c->fills && index == 0
                ? girt_queue_push(c->queues[1], c, GIRT_NOW)
                : girt_queue_pop(c->queues[1 - index], &item, GIRT_NOW);
        c->found[index] = status == GIRT_OK;
        meet(c, &meetings);
        if (index == 0)
            c->blind += !c->found[0] && !c->found[1];
        if (!c->found[index])
            check_status(
                c->fills && index == 0
                    ? girt_queue_push(c->queues[1], c, GIRT_NOW)
                    : girt_queue_pop(c->queues[1 - index], &item, GIRT_NOW),
                GIRT_OK);
    }
}

static void run_crossing(bool fills)
{
    crossing c = {.rounds = scaled(200000), .fills = fills};
    for (size_t i = 0; i < 2; i++)
        check_status(girt_queue_create(
                         &c.queues[i],
                         &(girt_queue_options){.capacity = i == 1 ? 3 : 64}),
                     GIRT_OK);
    for (int i = 0; fills && i < 3; i++)
        check_status(girt_queue_push(c.queues[1], &c, GIRT_NOW), GIRT_OK);
    threads_run(2, cross, &c);
    assert_int_equal(c.blind, 0);
    girt_queue_destroy(c.queues[0]);
    girt_queue_destroy(c.queues[1]);
}

/* Push and pop-that-finds-nothing. */
static void empty_is_exact_across_queues(void **state)
{
    (void)state;
    run_crossing(false);
}

/* Push, then a push that finds no room; pop, then a pop that finds nothing. */
static void full_is_exact_across_queues(void **state)
{
    (void)state;
    run_crossing(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_is_exact_across_queues),
        cmocka_unit_test(full_is_exact_across_queues),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
