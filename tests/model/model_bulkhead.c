/* SPDX-License-Identifier: MIT */
/* Goal: places, the line and refusals are, call by call, those of a naive
 * bulkhead: a number, and a queue in the order of coming.
 * Method: one thread decides at random and does all that cannot wait; callers
 * who wait are threads that it sends one at a time, and it goes on only when
 * each is where the twin says: inside, in line (seen in the bulkhead's own
 * word) or refused. */
#include <girt/bulkhead.h>

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>

#include "core/atomic.h"
#include "guard/bulkhead_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { CALLERS = 6 };

/* What a thread that was sent has come to. */
enum { IDLE, SENT, INSIDE, REJECTED, TIMED_OUT };

typedef struct caller {
    pthread_t thread;
    sem_t go;
    girt_bulkhead *bulkhead; /* NULL: end */
    int64_t timeout_ns;
    uint32_t state;
} caller;

typedef struct twin {
    uint64_t inside_max, waiting_max;
    uint64_t inside;
    caller *line[CALLERS]; /* the first one first */
    uint64_t waiting;
    girt_bulkhead *bulkhead;
    caller *callers;
} twin;

static void *be_sent(void *argument)
{
    caller *const c = argument;
    for (;;) {
        while (sem_wait(&c->go) != 0)
            continue;
        if (c->bulkhead == NULL)
            return NULL;
        girt_status const status =
            girt_bulkhead_enter(c->bulkhead, c->timeout_ns);
        girt_store_release(&c->state, status == GIRT_OK         ? INSIDE
                                      : status == GIRT_REJECTED ? REJECTED
                                                                : TIMED_OUT);
    }
}

static uint32_t state_of(const caller *c)
{
    return girt_load_acquire(&c->state);
}

/* In line, by the bulkhead's word: it stands after what is written once, on a
 * line of its own. */
static uint64_t in_line(const girt_bulkhead *bulkhead)
{
    const uint64_t *const word = (const void *)((const char *)bulkhead + 128);
    return girt_load_relaxed(word) >> 32;
}

static void await(const caller *c, uint32_t state)
{
    while (state_of(c) == SENT)
        (void)sched_yield();
    assert_int_equal(state_of(c), state);
}

/* As many in line as the twin says, and those whose time is over are out. */
static void await_line(const twin *t)
{
    while (in_line(t->bulkhead) != t->waiting)
        (void)sched_yield();
    for (uint64_t i = 0; i < t->waiting; i++)
        assert_int_equal(state_of(t->line[i]), SENT);
}

static caller *find_idle(const twin *t)
{
    for (size_t i = 0; i < CALLERS; i++)
        if (state_of(&t->callers[i]) == IDLE)
            return &t->callers[i];
    return NULL;
}

static bool has_room(const twin *t)
{
    return t->inside < t->inside_max && t->waiting == 0;
}

static void send(const twin *t, caller *c, int64_t timeout_ns)
{
    c->bulkhead = t->bulkhead;
    c->timeout_ns = timeout_ns;
    girt_store_relaxed(&c->state, (uint32_t)SENT);
    assert_int_equal(sem_post(&c->go), 0);
}

static void let_wait(twin *t, caller *c)
{
    bool const room = has_room(t);
    send(t, c, GIRT_FOREVER);
    if (room) {
        t->inside++;
        await(c, INSIDE);
        girt_store_relaxed(&c->state,
                           (uint32_t)IDLE); /* its place is anyone's */
    } else if (t->waiting == t->waiting_max) {
        await(c, REJECTED);
        girt_store_relaxed(&c->state, (uint32_t)IDLE);
    } else {
        t->line[t->waiting++] = c;
        await_line(t);
    }
}

/* One with a time limit stands in line, others line up behind it, and it gives
 * up: those behind move up. */
static void give_up(twin *t, rng *r)
{
    caller *const c = find_idle(t);
    if (c == NULL || has_room(t) || t->waiting + 2 > t->waiting_max)
        return;
    send(t, c, (int64_t)rng_below(r, 300000));
    while (in_line(t->bulkhead) == t->waiting && state_of(c) == SENT)
        (void)sched_yield();
    caller *const behind = find_idle(t);
    if (behind != NULL) {
        send(t, behind, GIRT_FOREVER);
        t->line[t->waiting++] = behind;
    }
    await(c, TIMED_OUT);
    girt_store_relaxed(&c->state, (uint32_t)IDLE);
    await_line(t);
}

static void leave(twin *t)
{
    girt_bulkhead_leave(t->bulkhead);
    if (t->waiting == 0) {
        t->inside--;
        return;
    }
    caller *const first = t->line[0];
    t->waiting--;
    memmove(t->line, t->line + 1, t->waiting * sizeof *t->line);
    await(first, INSIDE);
    girt_store_relaxed(&first->state, (uint32_t)IDLE);
    await_line(t);
}

/* Many who come and go while it is half empty: then it lends its places to the
 * shards, from where the next to find none gathers them. */
static void calm_down(twin *t)
{
    for (int i = 0; has_room(t) && i < 300; i++) {
        check_status(girt_bulkhead_enter(t->bulkhead, GIRT_NOW), GIRT_OK);
        girt_bulkhead_leave(t->bulkhead);
    }
}

static void enter_now(twin *t)
{
    girt_status want = GIRT_TIMEOUT;
    if (has_room(t)) {
        want = GIRT_OK;
        t->inside++;
    } else if (t->waiting == t->waiting_max) {
        want = GIRT_REJECTED;
    }
    check_status(girt_bulkhead_enter(t->bulkhead, GIRT_NOW), want);
}

static void one_bulkhead(rng *r, caller *callers)
{
    twin t = {.inside_max = 1 + rng_below(r, rng_below(r, 2) == 0 ? 4 : 12),
              .waiting_max = rng_below(r, CALLERS + 2),
              .callers = callers};
    check_status(girt_bulkhead_create(
                     &t.bulkhead,
                     &(girt_bulkhead_options){.inside_max = t.inside_max,
                                              .waiting_max = t.waiting_max}),
                 GIRT_OK);
    for (int i = 0; i < 200; i++) {
        girt__bulkhead_count const count = girt__bulkhead_count_now(t.bulkhead);
        assert_int_equal(count.inside, t.inside);
        assert_int_equal(count.waiting, t.waiting);
        caller *const c = find_idle(&t);
        uint64_t const of_40 = rng_below(r, 40);
        if (rng_below(r, 64) == 0)
            calm_down(&t);
        else if (of_40 == 0)
            give_up(&t, r);
        else if (of_40 < 13 && c != NULL)
            let_wait(&t, c);
        else if (of_40 < 22)
            enter_now(&t);
        else if (t.inside > 0)
            leave(&t);
    }
    while (t.inside > 0)
        leave(&t);
    for (t.inside = 0; t.inside < t.inside_max; t.inside++)
        check_status(girt_bulkhead_enter(t.bulkhead, GIRT_NOW), GIRT_OK);
    enter_now(&t);
    for (; t.inside > 0; t.inside--)
        girt_bulkhead_leave(t.bulkhead);
    girt_bulkhead_destroy(t.bulkhead);
}

static void test_bulkhead(void **state)
{
    (void)state;
    static caller callers[CALLERS];
    rng r = {test_seed()};
    for (size_t i = 0; i < CALLERS; i++) {
        assert_int_equal(sem_init(&callers[i].go, 0, 0), 0);
        assert_int_equal(
            pthread_create(&callers[i].thread, NULL, be_sent, &callers[i]), 0);
    }
    for (size_t i = scaled(200); i > 0; i--)
        one_bulkhead(&r, callers);
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i].bulkhead = NULL;
        assert_int_equal(sem_post(&callers[i].go), 0);
        assert_int_equal(pthread_join(callers[i].thread, NULL), 0);
        (void)sem_destroy(&callers[i].go);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bulkhead)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
