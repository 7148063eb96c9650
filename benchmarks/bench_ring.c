/* SPDX-License-Identifier: MIT */
/* bench_ring.c - the suite: lookups of each kind at 10, 100 and 1000 nodes,
 * while nodes come and go, and by load; beside a binary search and
 * libmemcached. */
#include "bench_ring.h"

#include <girt/ring.h>
#include <girt/version.h>
#include <stdlib.h>
#include <string.h>

#include "bench_map.h"
#include "bench_team.h"

enum { STRIDE = 64, KEYS = 1 << 16 };

typedef struct ring_run {
    const ring_case *c;
    void *subject;
    uint64_t (*find)(void *subject, const void *key, size_t size);
    void (*change)(void *subject, bool comes);
} ring_run;

typedef struct contest {
    girt_ring_kind kind; /* of girt's */
    double bound;
    void *(*make)(const struct contest *how, const ring_case *c);
    void (*release)(void *subject);
    uint64_t (*find)(void *subject, const void *key, size_t size);
    void (*change)(void *subject, bool comes);
} contest;

void ring_node_name(char name[static 32], size_t index)
{
    snprintf(name, 32, "node-%05zu", index);
}

static void find_all(bench_member *member)
{
    ring_run *const run = member->context;
    uint64_t sum = 0, index = member->index * 7919;
    while (!bench_stopped(member)) {
        for (unsigned i = 0; i < STRIDE; i++) {
            index = (index + 1) % KEYS;
            map_bytes_key const key = map_bytes_key_at(index);
            sum += run->find(run->subject, key.data, key.size);
        }
        bench_count(member, STRIDE);
    }
    __asm__ __volatile__("" ::"r"(sum));
}

/* The member after the last one that finds changes the membership. */
static void find_or_change(bench_member *member)
{
    ring_run *const run = member->context;
    if (member->index < run->c->threads) {
        find_all(member);
        return;
    }
    for (bool comes = true; !bench_stopped(member); comes = !comes) {
        bench_sleep_until(bench_now() + 10000000);
        run->change(run->subject, comes);
    }
}

double ring_race(const ring_case *c, double seconds, void *subject,
                 uint64_t (*find)(void *subject, const void *key, size_t size),
                 void (*change)(void *subject, bool comes))
{
    ring_run run = {c, subject, find, change};
    return bench_team_run(&(bench_team){.size = c->threads + c->changes,
                                        .busy = c->threads,
                                        .pinned = true,
                                        .seconds = seconds,
                                        .body = find_or_change,
                                        .context = &run});
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const contest *const how = adapter;
    const ring_case *const c = bench_case;
    void *const subject = how->make(how, c);
    if (subject == NULL)
        return BENCH_UNABLE;
    double const cost = ring_race(c, seconds, subject, how->find, how->change);
    how->release(subject);
    return cost;
}

static void *make_ring(const contest *how, const ring_case *c)
{
    girt_ring *ring = NULL;
    girt_ring_options const options = {.kind = how->kind, .bound = how->bound};
    char(*const names)[32] = malloc(c->nodes * sizeof *names);
    girt_node *const nodes = calloc(c->nodes, sizeof *nodes);
    for (size_t i = 0; i < c->nodes; i++) {
        ring_node_name(names[i], i);
        nodes[i].name = names[i];
    }
    if (girt_ring_create(&ring, &options) == GIRT_OK)
        (void)girt_ring_set(ring, nodes, c->nodes);
    free(nodes);
    free(names);
    return ring;
}

static void free_ring(void *ring)
{
    girt_ring_destroy(ring);
}

static uint64_t find_in_ring(void *ring, const void *key, size_t size)
{
    uint32_t node = 0;
    (void)girt_ring_find(ring, key, size, &node);
    return node;
}

static uint64_t acquire_of_ring(void *ring, const void *key, size_t size)
{
    uint32_t node = 0;
    if (girt_ring_acquire(ring, key, size, &node) == GIRT_OK)
        girt_ring_release(ring, node);
    return node;
}

static void change_ring(void *ring, bool comes)
{
    if (comes)
        (void)girt_ring_add(ring, "node-99999", 1);
    else
        (void)girt_ring_remove(ring, "node-99999");
}

static void *make_points(const contest *how, const ring_case *c)
{
    (void)how;
    return ring_points_make(c);
}

/* libmemcached's, where it is found. */
#define RIVAL(label, name, version)                                            \
    double ring_##name(const void *adapter, const void *bench_case,            \
                       double seconds);
#define MISSING(label, package)
#include "ring_rivals.h"
#undef RIVAL
#undef MISSING

#define RIVAL(label, name, version) {label, version, true, ring_##name, NULL},
#define MISSING(label, package)     {label, package, true, NULL, NULL},
#define KIND(label, kind, bound, find)                                         \
    {label, GIRT_VERSION, false, measure,                                      \
     &(const contest){kind, bound, make_ring, free_ring, find, change_ring}},
#define POINTS(label, find)                                                    \
    {label, "", true, measure,                                                 \
     &(const contest){GIRT_RING_NATIVE, 0, make_points, ring_points_free,      \
                      find, ring_points_change}},

static void run_row(const bench_suite *suite, const bench_options *options,
                    const char *name, const bench_contestant *racers,
                    size_t count, ring_case c)
{
    static const unsigned threads[] = {1, 2, 8};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        c.threads = threads[t];
        bench_row(suite, options, name, c.threads, "ns", racers, count, &c);
    }
}

static void run(const bench_suite *suite, const bench_options *options)
{
    const bench_contestant finders[] = {
        KIND("girt_ring, native", GIRT_RING_NATIVE, 0, find_in_ring) KIND(
            "girt_ring, maglev", GIRT_RING_MAGLEV, 0, find_in_ring)
            KIND("girt_ring, jump", GIRT_RING_JUMP, 0, find_in_ring) KIND(
                "girt_ring, rendezvous", GIRT_RING_RENDEZVOUS, 0, find_in_ring)
                KIND("girt_ring, ketama", GIRT_RING_KETAMA, 0, find_in_ring)
                    POINTS("sorted points, binary search", ring_points_find)
#include "ring_rivals.h"
    };
    const bench_contestant changers[] = {
        KIND("girt_ring, native", GIRT_RING_NATIVE, 0, find_in_ring)
            KIND("girt_ring, ketama", GIRT_RING_KETAMA, 0, find_in_ring) POINTS(
                "binary search + reader-writer lock", ring_points_find_locked)};
    const bench_contestant bounded[] = {
        KIND("girt_ring, native, bound 1.25", GIRT_RING_NATIVE, 1.25,
             acquire_of_ring)
            POINTS("binary search, loads + mutex", ring_points_acquire)};
    static const size_t sizes[] = {10, 100, 1000};
    char name[64];
    map_bytes_keys_prepare(KEYS);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        snprintf(name, sizeof name, "find: %zu nodes", sizes[s]);
        run_row(suite, options, name, finders, sizeof finders / sizeof *finders,
                (ring_case){.nodes = sizes[s]});
    }
    run_row(suite, options, "100 changes a second: find, 100 nodes", changers,
            sizeof changers / sizeof *changers,
            (ring_case){.nodes = 100, .changes = true});
    run_row(suite, options, "bounded load: acquire + release, 100 nodes",
            bounded, sizeof bounded / sizeof *bounded,
            (ring_case){.nodes = 100});
}

const bench_suite bench_ring_suite = {"ring", "find the node that owns a key",
                                      5, run};
