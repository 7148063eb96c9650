/* SPDX-License-Identifier: MIT */
/* instructions.c - operations to be counted: so many of one kind, on one thread
 * that nobody disturbs.  What they cost there, in instructions and in time, is
 * the part of a benchmark that no contention explains; beside them, the
 * machine's own locked instructions.
 *
 *     girt-instructions --list
 *     girt-instructions OPERATION COUNT
 *
 * instructions.py runs each under callgrind, twice, so that making the object
 * does not count, and once without. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define GIRT_INLINE_FAST
#include <girt/girt.h>

enum { BATCH = 32, KEYS = 1 << 16, KEY_SIZE = 16 };

/* The objects of all operations; made where they are needed. */
static girt_queue *queue;
static girt_mpmc *mpmc;
static girt_spsc *spsc;
static girt_map64 *map;
static girt_keyed_limiter *keyed;
static girt_limiter *limiter;
static girt_breaker *breaker;
static girt_bulkhead *bulkhead;
static char keys[KEYS][KEY_SIZE];
static void *items[BATCH];
static uint64_t sink;
/* It always admits. */
static const girt_rate fast = {1000000000, 1000000000, 1000000000};

static void need(girt_status status)
{
    if (status == GIRT_OK)
        return;
    (void)fprintf(stderr, "girt-instructions: %s\n", girt_status_text(status));
    exit(1);
}

static void make_queue(void)
{
    need(girt_queue_create(&queue, &(girt_queue_options){.capacity = 1024}));
}
static void queue_single(uint64_t i)
{
    void *item;
    (void)girt_queue_push(queue, items[i % BATCH], GIRT_NOW);
    (void)girt_queue_pop(queue, &item, GIRT_NOW);
}
static void queue_batch(uint64_t i)
{
    size_t count;
    (void)i;
    (void)girt_queue_push_n(queue, items, BATCH, GIRT_NOW, &count);
    (void)girt_queue_pop_n(queue, items, BATCH, GIRT_NOW, &count);
}

static void make_mpmc(void)
{
    need(girt_mpmc_create(&mpmc, 1024, NULL));
}
static void mpmc_single(uint64_t i)
{
    void *item;
    (void)girt_mpmc_push(mpmc, items[i % BATCH]);
    (void)girt_mpmc_pop(mpmc, &item);
}
static void mpmc_batch(uint64_t i)
{
    (void)i;
    (void)girt_mpmc_push_n(mpmc, items, BATCH);
    (void)girt_mpmc_pop_n(mpmc, items, BATCH);
}

static void make_spsc(void)
{
    need(girt_spsc_create(&spsc, 1024, NULL));
}
static void spsc_single(uint64_t i)
{
    void *item;
    (void)girt_spsc_push(spsc, items[i % BATCH]);
    (void)girt_spsc_pop(spsc, &item);
}
static void spsc_batch(uint64_t i)
{
    (void)i;
    (void)girt_spsc_push_n(spsc, items, BATCH);
    (void)girt_spsc_pop_n(spsc, items, BATCH);
}

static void make_map(void)
{
    need(girt_map64_create(&map, KEYS, NULL));
    for (uint64_t i = 0; i < KEYS; i++)
        need(girt_map64_put(map, i, i));
}
static void map_get(uint64_t i)
{
    uint64_t value = 0;
    (void)girt_map64_get(map, i % KEYS, &value);
    sink += value;
}
static void map_put(uint64_t i)
{
    (void)girt_map64_put(map, i % KEYS, i);
}
static void map_churn(uint64_t i)
{
    (void)girt_map64_put(map, i + KEYS, i);
    (void)girt_map64_remove(map, i, NULL);
}

static void keyed_take(uint64_t i)
{
    sink += (uint64_t)girt_keyed_limiter_take_at(
        keyed, keys[i % KEYS], KEY_SIZE - 1, 1, (int64_t)i, NULL);
}

static void make_keyed(void)
{
    need(girt_keyed_limiter_create(
        &keyed, &(girt_keyed_limiter_options){.rate = fast, .keys = KEYS}));
    for (size_t i = 0; i < KEYS; i++)
        (void)snprintf(keys[i], KEY_SIZE, "client-%08zu", i);
    for (uint64_t i = 0; i < KEYS; i++)
        keyed_take(i);
}
static void make_limiter(void)
{
    need(girt_limiter_create(&limiter, &(girt_limiter_options){.rate = fast}));
}
static void limiter_take(uint64_t i)
{
    sink += (uint64_t)girt_limiter_take_at(limiter, 1, (int64_t)i, NULL);
}

static void make_guards(void)
{
    need(girt_breaker_create(&breaker, &(girt_breaker_options){0}));
    need(girt_bulkhead_create(&bulkhead,
                              &(girt_bulkhead_options){.inside_max = 100}));
}
static void breaker_call(uint64_t i)
{
    girt_permit permit;
    (void)i;
    if (girt_breaker_enter(breaker, &permit) == GIRT_OK)
        girt_breaker_leave(breaker, &permit, GIRT_SUCCESS);
}
static void bulkhead_call(uint64_t i)
{
    (void)i;
    if (girt_bulkhead_enter(bulkhead, GIRT_NOW) == GIRT_OK)
        girt_bulkhead_leave(bulkhead);
}

/* The machine's own. */
static uint64_t word;
static girt_fast_pair wide;
static void nothing(void)
{
}
static void add_8(uint64_t i)
{
    (void)__atomic_fetch_add(&word, i, __ATOMIC_RELAXED);
}
static void cas_8(uint64_t i)
{
    uint64_t seen = __atomic_load_n(&word, __ATOMIC_RELAXED);
    (void)__atomic_compare_exchange_n(&word, &seen, i, false, __ATOMIC_ACQ_REL,
                                      __ATOMIC_RELAXED);
}
static void cas_16(uint64_t i)
{
    (void)girt_fast_cas2_acq_rel(&wide, i, i, i + 1, i + 1);
}

static const struct operation {
    const char *name;
    void (*make)(void);
    void (*run)(uint64_t i);
    unsigned items; /* that one run handles */
} operations[] = {
    {"fetch-and-add of 8 bytes", nothing, add_8, 1},
    {"compare-and-swap of 8 bytes", nothing, cas_8, 1},
    {"compare-and-swap of 16 bytes", nothing, cas_16, 1},
    {"girt_spsc: push, pop", make_spsc, spsc_single, 1},
    {"girt_spsc: an item of 32", make_spsc, spsc_batch, BATCH},
    {"girt_queue: push, pop", make_queue, queue_single, 1},
    {"girt_queue: an item of 32", make_queue, queue_batch, BATCH},
    {"girt_mpmc: push, pop", make_mpmc, mpmc_single, 1},
    {"girt_mpmc: an item of 32", make_mpmc, mpmc_batch, BATCH},
    {"girt_map64: get", make_map, map_get, 1},
    {"girt_map64: put, present", make_map, map_put, 1},
    {"girt_map64: put a new key, remove one", make_map, map_churn, 1},
    {"girt_limiter: take_at", make_limiter, limiter_take, 1},
    {"girt_keyed_limiter: take_at", make_keyed, keyed_take, 1},
    {"girt_breaker: enter, leave", make_guards, breaker_call, 1},
    {"girt_bulkhead: enter, leave", make_guards, bulkhead_call, 1},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static int64_t now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Prints how many items it was and how long an item took. */
static void count(const struct operation *o, uint64_t runs)
{
    o->make();
    int64_t const begun = now();
    for (uint64_t i = 0; i < runs; i++)
        o->run(i);
    uint64_t const all = runs * o->items;
    printf("%" PRIu64 " %.3f\n", all, (double)(now() - begun) / (double)all);
    __asm__ __volatile__("" ::"r"(sink));
}

int main(int arguments, char *argument[])
{
    bool const list = arguments == 2 && strcmp(argument[1], "--list") == 0;
    char *end = NULL;
    uint64_t const runs = arguments == 3 ? strtoull(argument[2], &end, 10) : 0;
    for (size_t i = 0; i < OPERATIONS; i++) {
        if (list) {
            puts(operations[i].name);
        } else if (runs > 0 && *end == '\0' &&
                   strcmp(argument[1], operations[i].name) == 0) {
            count(&operations[i], runs);
            return 0;
        }
    }
    if (list)
        return 0;
    fputs("usage: girt-instructions --list | OPERATION COUNT\n", stderr);
    return 2;
}
