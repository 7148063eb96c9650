/* SPDX-License-Identifier: MIT */
/* traffic.c - producers, consumers and an onlooker over one queue. */
#include "support/traffic.h"

#include <sched.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

/* Items: the producer in the upper 24 bits, its sequence number below. */
#define SEQUENCE_BITS 40
#define BATCH_MAX     48

typedef struct running {
    const traffic *plan;
    void *queue;
    uint8_t *seen; /* one for each item, added to by its consumer */
    /* Items: begun counts all wanted ones before the call and takes back after
     * it what did not move; done counts after the call. */
    size_t pushes_begun, pushes_done, pops_begun, pops_done;
    size_t left;   /* producers and consumers still at work */
    size_t faults; /* items out of order or out of range */
    size_t false_full, false_empty, bad_counts;
} running;

static size_t load(const size_t *p)
{
    return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

static void add(size_t *p, size_t n)
{
    (void)__atomic_fetch_add(p, n, __ATOMIC_ACQ_REL);
}

static void produce(running *r, size_t index)
{
    const traffic *const plan = r->plan;
    rng random = {plan->seed + index};
    void *items[BATCH_MAX];
    for (size_t done = 0; done < plan->each;) {
        size_t want = 1 + rng_below(&random, plan->batch_max);
        want = want < plan->each - done ? want : plan->each - done;
        for (size_t i = 0; i < want; i++)
            items[i] = (void *)(((uintptr_t)index << SEQUENCE_BITS) + done + i);
        size_t const popped = load(&r->pops_done);
        add(&r->pushes_begun, want);
        size_t const went = want == 1
                                ? (size_t)plan->kind->push(r->queue, items[0])
                                : plan->kind->push_n(r->queue, items, want);
        done += went;
        add(&r->pushes_done, went);
        if (went == want)
            continue;
        /* All that may have been pushed and was not known to be popped before
         * must fill it. */
        size_t const begun = load(&r->pushes_begun) - (want - went);
        if (begun - popped < plan->capacity)
            add(&r->false_full, 1);
        add(&r->pushes_begun, went - want);
        sched_yield();
    }
    add(&r->left, (size_t)-1);
}

static void judge(running *r, uint64_t *next, void *item)
{
    const traffic *const plan = r->plan;
    uint64_t const sequence =
        (uintptr_t)item & ((UINT64_C(1) << SEQUENCE_BITS) - 1);
    uint64_t const from = (uintptr_t)item >> SEQUENCE_BITS;
    if (from >= plan->producers || sequence >= plan->each ||
        sequence < next[from]) {
        add(&r->faults, 1);
        return;
    }
    next[from] = sequence + 1;
    (void)__atomic_fetch_add(&r->seen[from * plan->each + sequence], 1,
                             __ATOMIC_RELAXED);
}

static void consume(running *r, size_t index)
{
    const traffic *const plan = r->plan;
    rng random = {plan->seed - 1 - index};
    uint64_t *const next = calloc(plan->producers, sizeof *next);
    size_t const all = plan->producers * plan->each;
    void *items[BATCH_MAX];
    while (next != NULL && load(&r->pops_done) < all) {
        size_t const want = 1 + rng_below(&random, plan->batch_max);
        size_t const pushed = load(&r->pushes_done);
        add(&r->pops_begun, want);
        size_t const came = want == 1
                                ? (size_t)plan->kind->pop(r->queue, items)
                                : plan->kind->pop_n(r->queue, items, want);
        for (size_t i = 0; i < came; i++)
            judge(r, next, items[i]);
        add(&r->pops_done, came);
        if (came == want)
            continue;
        /* All that was known to be pushed before may have been popped. */
        size_t const begun = load(&r->pops_begun) - (want - came);
        if (pushed > begun)
            add(&r->false_empty, 1);
        add(&r->pops_begun, came - want);
        sched_yield();
    }
    free(next);
    add(&r->left, (size_t)-1);
}

static void look_on(running *r)
{
    while (load(&r->left) > 0) {
        if (r->plan->kind->count(r->queue) > r->plan->capacity)
            add(&r->bad_counts, 1);
        sched_yield();
    }
}

static void play(void *context, size_t index)
{
    running *const r = context;
    if (index < r->plan->producers)
        produce(r, index);
    else if (index < r->plan->producers + r->plan->consumers)
        consume(r, index);
    else
        look_on(r);
}

void traffic_run(const traffic *plan)
{
    assert_in_range(plan->batch_max, 1, BATCH_MAX);
    size_t const all = plan->producers * plan->each;
    running r = {.plan = plan, .left = plan->producers + plan->consumers};
    r.queue = fifo_made(plan->kind, plan->capacity, plan->first);
    r.seen = calloc(all, 1);
    assert_non_null(r.seen);
    threads_run(plan->producers + plan->consumers + 1, play, &r);
    assert_int_equal(r.faults, 0);
    assert_int_equal(r.false_full, 0);
    assert_int_equal(r.false_empty, 0);
    assert_int_equal(r.bad_counts, 0);
    assert_int_equal(r.pops_done, all);
    for (size_t i = 0; i < all; i++)
        if (r.seen[i] != 1)
            fail_msg("item %zu came %d times", i, r.seen[i]);
    assert_int_equal(plan->kind->count(r.queue), 0);
    assert_true(plan->kind->is_valid(r.queue));
    plan->kind->destroy(r.queue);
    free(r.seen);
}
