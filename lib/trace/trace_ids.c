/* SPDX-License-Identifier: MIT */
/* trace_ids.c - numbers that no other thread, process or host makes.
 *
 * xoroshiro128+ [Blackman, Vigna 2018], a generator a thread, seeded with 128
 * bits from the kernel: 2^64 numbers among 2^128 starts, so that two threads
 * of all there are practically never meet. */
#include "trace/trace_ids.h"

#include <pthread.h>
#include <stdbool.h>

#include "core/random.h"
#include "core/thread.h"

__thread girt__trace_generator girt__trace_own;
uint32_t girt__trace_generation = 1;

/* A fork's child has its parent's states, whether there is a tracer or not. */
static void after_fork(girt__thread_observer *self, bool in_child)
{
    (void)self;
    if (in_child)
        (void)girt_add_relaxed(&girt__trace_generation, 1);
}

static void thread_ended(girt__thread_observer *self, uint32_t thread_index)
{
    (void)self;
    (void)thread_index;
}

static girt__thread_observer observer = {.ended = thread_ended,
                                         .after_fork = after_fork};
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void observe(void)
{
    girt__thread_observe(&observer);
}

void girt__trace_ids_seed(void)
{
    (void)pthread_once(&once, observe);
    /* Never 0, as the state must not be. */
    girt__trace_own.state[0] = girt__random_seed();
    girt__trace_own.state[1] = girt__random_seed();
    girt__trace_own.generation = girt_load_relaxed(&girt__trace_generation);
}
