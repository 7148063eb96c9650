/* SPDX-License-Identifier: MIT */
/* Goal: no two living threads share an index, and each end is told once, before
 * the index is given again.  Method: threads that begin and end in unequal
 * waves write their mark where their index points; an observer wipes it and
 * must find it there; other observers come and go. */
#include "core/thread.h"

#include <pthread.h>

#include "core/atomic.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

enum { STARTERS = 4 };

static uint64_t marks[GIRT__THREADS_MAX];
static uint64_t begun, ended, wrong;
static uint64_t seed;

static void wipe(girt__thread_observer *self, uint32_t index)
{
    (void)self;
    if (girt_swap_relaxed(&marks[index], (uint64_t)0) == 0)
        (void)girt_add_relaxed(&wrong, 1);
    (void)girt_add_relaxed(&ended, 1);
}

static void ignore(girt__thread_observer *self, uint32_t index)
{
    (void)self;
    (void)index;
}

static void *live_shortly(void *context)
{
    uint64_t const mark = girt_add_relaxed(&begun, 1) + 1;
    uint32_t const index = girt__thread_index();
    if (girt_swap_relaxed(&marks[index], mark) != 0)
        (void)girt_add_relaxed(&wrong, 1);
    for (uint64_t n = *(uint64_t *)context; n > 0; n--)
        girt_pause();
    if (girt_load_relaxed(&marks[index]) != mark ||
        girt__thread_index() != index)
        (void)girt_add_relaxed(&wrong, 1);
    return NULL;
}

static void start_waves(void *context, size_t me)
{
    (void)context;
    rng r = {seed ^ me};
    for (size_t wave = 0, n = scaled(400); wave < n; wave++) {
        pthread_t threads[8];
        uint64_t lengths[8];
        size_t const count = 1 + rng_below(&r, 8);
        girt__thread_observer passing = {.ended = ignore};
        girt__thread_observe(&passing);
        for (size_t i = 0; i < count; i++) {
            lengths[i] = rng_below(&r, 500);
            assert_int_equal(
                pthread_create(&threads[i], NULL, live_shortly, &lengths[i]),
                0);
        }
        girt__thread_unobserve(&passing);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

static void indices_are_never_shared(void **state)
{
    (void)state;
    seed = test_seed();
    girt__thread_observer observer = {.ended = wipe};
    girt__thread_observe(&observer);
    threads_run(STARTERS, start_waves, NULL);
    girt__thread_unobserve(&observer);
    assert_int_equal(wrong, 0);
    assert_int_equal(ended, begun);
    /* All are free again: the next thread gets a low one. */
    uint64_t length = 0;
    pthread_t last;
    assert_int_equal(pthread_create(&last, NULL, live_shortly, &length), 0);
    assert_int_equal(pthread_join(last, NULL), 0);
    assert_true(marks[0] != 0 || marks[1] != 0);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_are_never_shared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
