/* SPDX-License-Identifier: MIT */
/* trace_ids.c - numbers that no other thread, process or host makes.
 *
 * xoroshiro128+ [Blackman, Vigna 2018], a generator a thread, seeded with 128
 * bits from the kernel: 2^64 numbers among 2^128 starts, so that two threads
 * of all there are practically never meet. */
#include "trace/trace_ids.h"

#include <pthread.h>
#include <stdbool.h>

#include "core/atomic.h"
#include "core/random.h"
#include "core/thread.h"

typedef struct generator {
    uint64_t state[2];
    uint32_t generation; /* of the process that seeded it; 0: not seeded */
} generator;

static __thread generator own;
static uint32_t generation = 1;

/* A fork's child has its parent's states, whether there is a tracer or not. */
static void after_fork(girt__thread_observer *self, bool in_child)
{
    (void)self;
    if (in_child)
        (void)girt_add_relaxed(&generation, 1);
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

static inline uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

static __attribute__((noinline)) void seed(uint32_t current)
{
    (void)pthread_once(&once, observe);
    own.state[0] = girt__random_seed(); /* never 0, as the state must not */
    own.state[1] = girt__random_seed();
    own.generation = current;
}

/* The state before this step. */
static inline generator step(void)
{
    /* Relaxed: it changes in a fork's child, before its one thread goes on. */
    uint32_t const current = girt_load_relaxed(&generation);
    if (__builtin_expect(own.generation != current, 0))
        seed(current);
    generator const before = own;
    uint64_t const mixed = before.state[1] ^ before.state[0];
    own.state[0] = rotate(before.state[0], 24) ^ mixed ^ (mixed << 16);
    own.state[1] = rotate(mixed, 37);
    return before;
}

uint64_t girt__trace_id(void)
{
    generator const at = step();
    uint64_t const sum = at.state[0] + at.state[1];
    /* One of 2^64 sums is 0, and 1 is as good. */
    return sum != 0 ? sum : 1;
}

/* The state, as it is: no two steps of a generator have the same. */
girt__trace_pair girt__trace_pair_next(void)
{
    generator const at = step();
    return (girt__trace_pair){{at.state[0], at.state[1]}};
}
