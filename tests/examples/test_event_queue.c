/* SPDX-License-Identifier: MIT */
/* Goal: events happen by time, and by the order of adding within one instant.
 * Method: random delays, added before and from within events, beside a twin
 * that looks for the least of all each time. */
#include "event_queue.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { EVENTS_MAX = 600 };

typedef struct scene {
    event_queue queue;
    rng r;
    int64_t at_ns[EVENTS_MAX]; /* by ticket, which is the order; -1: done */
    uint64_t added, done;
} scene;

static void happen(void *object, uint64_t ticket);

static void add_one(scene *s)
{
    if (s->added == EVENTS_MAX)
        return;
    int64_t const delay_ns = (int64_t)rng_below(&s->r, 20);
    s->at_ns[s->added] = s->queue.now_ns + delay_ns;
    event_queue_add(&s->queue, delay_ns, happen, s, s->added++);
}

static void happen(void *object, uint64_t ticket)
{
    scene *const s = object;
    uint64_t least = ticket;
    for (uint64_t i = 0; i < s->added; i++)
        if (s->at_ns[i] >= 0 && (s->at_ns[i] < s->at_ns[least] ||
                                 (s->at_ns[i] == s->at_ns[least] && i < least)))
            least = i;
    assert_true(least == ticket);
    assert_true(s->queue.now_ns == s->at_ns[ticket]);
    s->at_ns[ticket] = -1;
    s->done++;
    for (uint64_t i = rng_below(&s->r, 3); i > 0; i--)
        add_one(s);
}

static void test_order(void **state)
{
    (void)state;
    uint64_t const seed = test_seed();
    for (size_t round = scaled(100); round > 0; round--) {
        scene s = {.r = {seed + round}};
        for (uint64_t i = rng_below(&s.r, 100); i > 0; i--)
            add_one(&s);
        while (event_queue_step(&s.queue))
            continue;
        assert_true(s.done == s.added);
        event_queue_free(&s.queue);
    }
}

static void test_none(void **state)
{
    (void)state;
    event_queue queue = {.now_ns = 7};
    assert_false(event_queue_step(&queue));
    assert_true(queue.now_ns == 7);
    event_queue_free(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
