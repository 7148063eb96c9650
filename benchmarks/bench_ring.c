/* SPDX-License-Identifier: MIT */
/* bench_ring.c - the suite: lookups of each kind at 10, 100 and 1000 nodes,
 * beside a binary search and libmemcached. */
#include "bench_ring.h"

#include <girt/hash.h>
#include <girt/ring.h>
#include <girt/version.h>
#include <stdlib.h>
#include <string.h>

#include "bench_map.h"
#include "bench_team.h"

enum { STRIDE = 64, KEYS = 1 << 16 };

typedef struct ring_run {
    void *subject;
    uint64_t (*find)(void *subject, const void *key, size_t size);
} ring_run;

typedef struct contest {
    girt_ring_kind kind; /* of girt's */
    void *(*make)(const struct contest *how, const ring_case *c);
    void (*release)(void *subject);
    uint64_t (*find)(void *subject, const void *key, size_t size);
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
            index = (index + 40503) % KEYS;
            map_bytes_key const key = map_bytes_key_at(index);
            sum += run->find(run->subject, key.data, key.size);
        }
        bench_count(member, STRIDE);
    }
    __asm__ __volatile__("" ::"r"(sum));
}

static double measure(const void *adapter, const void *bench_case,
                      double seconds)
{
    const contest *const how = adapter;
    const ring_case *const c = bench_case;
    map_bytes_keys_prepare(KEYS);
    ring_run run = {how->make(how, c), how->find};
    if (run.subject == NULL)
        return -1;
    double const cost = bench_team_run(&(bench_team){.size = c->threads,
                                                     .pinned = true,
                                                     .seconds = seconds,
                                                     .body = find_all,
                                                     .context = &run});
    how->release(run.subject);
    return cost;
}

static void *make_ring(const contest *how, const ring_case *c)
{
    girt_ring *ring = NULL;
    girt_ring_options const options = {.kind = how->kind};
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

/* What people write: sorted points and a binary search. */
typedef struct point {
    uint64_t at;
    uint32_t node;
} point;
typedef struct points {
    size_t count;
    point points[];
} points;

static int compare_points(const void *a, const void *b)
{
    uint64_t const x = ((const point *)a)->at, y = ((const point *)b)->at;
    return (x > y) - (x < y);
}

static void *make_points(const contest *how, const ring_case *c)
{
    (void)how;
    enum { EACH = 1024 };
    points *const p = malloc(sizeof *p + c->nodes * EACH * sizeof *p->points);
    p->count = c->nodes * EACH;
    for (size_t i = 0; i < p->count; i++) {
        size_t const words[] = {i / EACH, i % EACH};
        p->points[i] =
            (point){girt_hash(words, sizeof words, 1), (uint32_t)(i / EACH)};
    }
    qsort(p->points, p->count, sizeof *p->points, compare_points);
    return p;
}

static uint64_t find_by_halves(void *subject, const void *key, size_t size)
{
    const points *const p = subject;
    uint64_t const at = girt_hash(key, size, 0);
    size_t low = 0, high = p->count;
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        if (p->points[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return p->points[low == p->count ? 0 : low].node;
}

#ifdef GIRT_BENCH_LIBMEMCACHED
static void *make_memcached(const contest *how, const ring_case *c)
{
    (void)how;
    return ring_memcached_make(c);
}
#endif

static void run(const bench_suite *suite, const bench_options *options)
{
#define KIND(label, kind)                                                      \
    {                                                                          \
        label, GIRT_VERSION, false, measure, &(const contest)                  \
        {                                                                      \
            kind, make_ring, free_ring, find_in_ring                           \
        }                                                                      \
    }
    const bench_contestant racers[] = {
        KIND("girt_ring, native", GIRT_RING_NATIVE),
        KIND("girt_ring, maglev", GIRT_RING_MAGLEV),
        KIND("girt_ring, jump", GIRT_RING_JUMP),
        KIND("girt_ring, rendezvous", GIRT_RING_RENDEZVOUS),
        KIND("girt_ring, ketama", GIRT_RING_KETAMA),
        {"sorted points, binary search", "", true, measure,
         &(const contest){GIRT_RING_NATIVE, make_points, free, find_by_halves}},
#ifdef GIRT_BENCH_LIBMEMCACHED
        {"libmemcached weighted ketama", GIRT_BENCH_LIBMEMCACHED, true, measure,
         &(const contest){GIRT_RING_KETAMA, make_memcached, ring_memcached_free,
                          ring_memcached_find}},
#endif
    };
    static const size_t sizes[] = {10, 100, 1000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (unsigned threads = 1; threads <= 2; threads++) {
            char name[32];
            snprintf(name, sizeof name, "find: %zu nodes", sizes[s]);
            bench_row(suite, options, name, threads, "ns", racers,
                      sizeof racers / sizeof *racers,
                      &(ring_case){sizes[s], threads});
        }
    }
}

const bench_suite bench_ring_suite = {"ring", "find the node that owns a key",
                                      run};
