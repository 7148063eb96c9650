/* SPDX-License-Identifier: MIT */
/* bench_queue.c - the suite: shapes, capacities, batches, waiting. */
#include "bench_queue.h"

#include <girt/version.h>

#define GIRT_CONTESTANTS(X)                                                    \
    X("girt_spsc, inlined", girt_spsc, GIRT_VERSION)                           \
    X("girt_spsc, called", girt_spsc_call, GIRT_VERSION)                       \
    X("girt_queue", girt_queue, GIRT_VERSION)                                  \
    X("girt_queue, inlined", girt_queue_inline, GIRT_VERSION)                  \
    X("girt_queue, per_producer_order", girt_queue_lanes, GIRT_VERSION)        \
    X("girt_queue, both promises", girt_queue_pair, GIRT_VERSION)              \
    X("girt_mpmc, inlined", girt_mpmc, GIRT_VERSION)                           \
    X("girt_mpmc, called", girt_mpmc_call, GIRT_VERSION)                       \
    X("girt.hpp spsc", girt_hpp_spsc, GIRT_VERSION)                            \
    X("girt.hpp mpmc", girt_hpp_mpmc, GIRT_VERSION)
#define OWN_RIVALS(X)                                                          \
    X("sequence slots (Vyukov), packed", vyukov, "")                           \
    X("sequence slots (rigtorp), a line each", turns, "")                      \
    X("SCQ (lock-free)", scq, "")                                              \
    X("mutex + condvar ring", mutex, "")

/* Each adapter is one function; see queue_driver.h. */
#define RIVAL(label, name, version)                                            \
    double queue_##name(const void *adapter, const void *bench_case,           \
                        double seconds);
#define MISSING(label, package)
GIRT_CONTESTANTS(RIVAL)
OWN_RIVALS(RIVAL)
#include "queue_rivals.h"
#undef RIVAL
#undef MISSING

static const bench_contestant contestants[] = {
#define OURS(label, name, version) {label, version, false, queue_##name, NULL},
    GIRT_CONTESTANTS(OURS)
#define RIVAL(label, name, version) {label, version, true, queue_##name, NULL},
#define MISSING(label, package)     {label, package, true, NULL, NULL},
        OWN_RIVALS(RIVAL)
#include "queue_rivals.h"
};

enum { CONTESTANTS = sizeof contestants / sizeof *contestants };

static void run_case(const bench_suite *suite, const bench_options *options,
                     const queue_case *c)
{
    char name[64];
    int at = snprintf(name, sizeof name, "capacity %zu", c->capacity);
    if (c->batch > 1)
        at += snprintf(name + at, sizeof name - (size_t)at, ", batches of %zu",
                       c->batch);
    if (c->waits)
        at += snprintf(name + at, sizeof name - (size_t)at, ", waiting");
    if (c->consumers == 0)
        snprintf(name + at, sizeof name - (size_t)at, ": push+pop");
    else
        snprintf(name + at, sizeof name - (size_t)at, ": %uP%uC", c->producers,
                 c->consumers);
    bench_row(suite, options, name, c->producers + c->consumers, "ns",
              contestants, CONTESTANTS, c);
}

static void run_rates(const bench_suite *suite, const bench_options *options)
{
    static const struct {
        unsigned producers, consumers;
    } shapes[] = {{1, 1}, {2, 2}, {4, 4}, {3, 1}, {1, 3}, {4, 1}};
    static const size_t capacities[] = {1024, 65536};
    static const struct {
        size_t batch;
        bool waits;
    } ways[] = {{1, false}, {32, false}, {1, true}};

    run_case(suite, options,
             &(queue_case){.producers = 1, .capacity = 1024, .batch = 1});
    for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
        for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
            for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
                run_case(suite, options,
                         &(queue_case){.producers = shapes[s].producers,
                                       .consumers = shapes[s].consumers,
                                       .capacity = capacities[c],
                                       .batch = ways[w].batch,
                                       .waits = ways[w].waits});
        }
    }
}

/* What happens to the others, to the clock and to the CPU. */
static void run_trials(const bench_suite *suite, const bench_options *options)
{
    static const struct {
        const char *name, *unit;
        queue_case c;
    } trials[] = {
        {"one thread stopped 300 ms, slowdown of the others: a producer",
         "x",
         {2, 2, 1024, 1, false, QUEUE_STOP_PRODUCER, 0}},
        {"one thread stopped 300 ms, slowdown of the others: a consumer",
         "x",
         {2, 2, 1024, 1, false, QUEUE_STOP_CONSUMER, 0}},
        {"oversubscribed 2 s, median to worst 100 ms: capacity 1024",
         "x",
         {4, 4, 1024, 1, false, QUEUE_WORST_WINDOW, 0}},
        {"oversubscribed 2 s, median to worst 100 ms: capacity 65536",
         "x",
         {4, 4, 65536, 1, false, QUEUE_WORST_WINDOW, 0}},
        {"idle: CPU of four poppers in 2 s",
         "ms",
         {0, 4, 1024, 1, true, QUEUE_IDLE, 0}},
        {"round trip: p50", "ns", {1, 1, 1024, 1, false, QUEUE_TRIP, 0.5}},
        {"round trip: p99", "ns", {1, 1, 1024, 1, false, QUEUE_TRIP, 0.99}},
        {"round trip: waiting p50",
         "ns",
         {1, 1, 1024, 1, true, QUEUE_TRIP, 0.5}},
        {"round trip: waiting p99",
         "ns",
         {1, 1, 1024, 1, true, QUEUE_TRIP, 0.99}},
    };
    for (size_t t = 0; t < sizeof trials / sizeof *trials; t++) {
        const queue_case *const c = &trials[t].c;
        bench_row(suite, options, trials[t].name, c->producers + c->consumers,
                  trials[t].unit, contestants, CONTESTANTS, c);
    }
}

static void run(const bench_suite *suite, const bench_options *options)
{
    run_rates(suite, options);
    run_trials(suite, options);
}

const bench_suite bench_queue_suite = {
    "queue", "hand pointers from producers to consumers", 5, run};
