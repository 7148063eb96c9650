/* SPDX-License-Identifier: MIT */
/* Goal: each item of a deque is taken once, thieves see them in order, and
 * what an item points to was written whole.  Method: an owner that pushes and
 * pops at random against thieves, at capacities where the last item is fought
 * over; each item is ticked off once. */
#include <girt/deque.h>

#include <sched.h>

#include "queue/deque_internal.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

static uint64_t seed;

typedef struct payload {
    size_t number, again; /* plain: the deque must order them */
    uint8_t taken;
} payload;

typedef struct run {
    girt_deque *deque;
    payload *items;
    size_t count, taken;
    size_t pops_in_ten;
    int done;
} run;

static void take(run *r, void *item)
{
    payload *const p = item;
    assert_int_equal(p->number, p->again);
    assert_ptr_equal(p, &r->items[p->number]);
    assert_int_equal(__atomic_fetch_add(&p->taken, 1, __ATOMIC_RELAXED), 0);
    __atomic_fetch_add(&r->taken, 1, __ATOMIC_RELAXED);
}

static void own(run *r)
{
    rng random = {seed};
    void *item = NULL;
    for (size_t i = 0; i < r->count;) {
        if (rng_below(&random, 10) < r->pops_in_ten) {
            if (girt_deque_pop(r->deque, &item))
                take(r, item);
            continue;
        }
        r->items[i].number = r->items[i].again = i;
        if (girt_deque_push(r->deque, &r->items[i]))
            i++;
        else if (girt_deque_pop(r->deque, &item))
            take(r, item);
    }
    while (girt_deque_pop(r->deque, &item))
        take(r, item);
    __atomic_store_n(&r->done, 1, __ATOMIC_RELEASE);
}

static void own_or_steal(void *context, size_t index)
{
    run *const r = context;
    if (index == 0) {
        own(r);
        return;
    }
    size_t last = 0;
    while (!__atomic_load_n(&r->done, __ATOMIC_ACQUIRE)) {
        void *item = NULL;
        if (!girt_deque_steal(r->deque, &item)) {
            if (index > 1)
                sched_yield();
            continue;
        }
        size_t const number = ((payload *)item)->number;
        assert_true(last <= number);
        last = number;
        take(r, item);
    }
}

static void each_item_is_taken_once(void **state)
{
    (void)state;
    static const size_t capacities[] = {1, 2, 3, 64};
    for (size_t c = 0; c < 4; c++) {
        for (size_t thieves = 1; thieves <= 4; thieves += 3) {
            for (size_t pops = 1; pops <= 5; pops += 2) {
                run r = {.count = scaled(300000), .pops_in_ten = pops};
                r.items = calloc(r.count, sizeof *r.items);
                assert_non_null(r.items);
                check_status(girt_deque_create(&r.deque, capacities[c], NULL),
                             GIRT_OK);
                girt__deque_start(r.deque, UINT64_MAX - r.count / 2);
                threads_run(1 + thieves, own_or_steal, &r);
                assert_int_equal(r.taken, r.count);
                assert_true(girt__deque_is_valid(r.deque));
                girt_deque_destroy(r.deque);
                free(r.items);
                seed++;
            }
        }
    }
}

int main(void)
{
    seed = test_seed();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_item_is_taken_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
