/* SPDX-License-Identifier: MIT */
/* bench_ring_points.c - sorted points and a binary search. */
#include "bench_ring.h"

#include <girt/hash.h>
#include <pthread.h>
#include <stdlib.h>

enum { POINTS_EACH = 1024 };

typedef struct point {
    uint64_t at;
    uint32_t node;
} point;

typedef struct sorted {
    size_t count;
    point *points;
} sorted;

typedef struct points {
    pthread_rwlock_t lock;
    pthread_mutex_t loads_lock;
    size_t nodes;
    uint64_t total;
    uint32_t *loads;
    sorted now, with, without; /* one of the two others; the last node */
} points;

static int compare_points(const void *a, const void *b)
{
    uint64_t const x = ((const point *)a)->at, y = ((const point *)b)->at;
    return (x > y) - (x < y);
}

static sorted sort_points(size_t nodes)
{
    sorted s = {nodes * POINTS_EACH,
                malloc(nodes * POINTS_EACH * sizeof(point))};
    for (size_t i = 0; s.points != NULL && i < s.count; i++) {
        size_t const words[] = {i / POINTS_EACH, i % POINTS_EACH};
        s.points[i] = (point){girt_hash(words, sizeof words, 1),
                              (uint32_t)(i / POINTS_EACH)};
    }
    qsort(s.points, s.count, sizeof *s.points, compare_points);
    return s;
}

void *ring_points_make(const ring_case *c)
{
    points *const p = calloc(1, sizeof *p);
    p->nodes = c->nodes;
    p->loads = calloc(c->nodes + 1, sizeof *p->loads);
    p->now = p->without = sort_points(c->nodes);
    if (c->changes)
        p->with = sort_points(c->nodes + 1);
    (void)pthread_rwlock_init(&p->lock, NULL);
    (void)pthread_mutex_init(&p->loads_lock, NULL);
    return p;
}

void ring_points_free(void *subject)
{
    points *const p = subject;
    free(p->without.points);
    free(p->with.points);
    free(p->loads);
    free(p);
}

static size_t first_at(const sorted *s, const void *key, size_t size)
{
    uint64_t const at = girt_hash(key, size, 0);
    size_t low = 0, high = s->count;
    while (low < high) {
        size_t const middle = low + (high - low) / 2;
        if (s->points[middle].at < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low == s->count ? 0 : low;
}

uint64_t ring_points_find(void *subject, const void *key, size_t size)
{
    const points *const p = subject;
    return p->now.points[first_at(&p->now, key, size)].node;
}

uint64_t ring_points_find_locked(void *subject, const void *key, size_t size)
{
    points *const p = subject;
    (void)pthread_rwlock_rdlock(&p->lock);
    uint64_t const node = ring_points_find(subject, key, size);
    (void)pthread_rwlock_unlock(&p->lock);
    return node;
}

/* Acquires by the bound 1.25, releases at once. */
uint64_t ring_points_acquire(void *subject, const void *key, size_t size)
{
    points *const p = subject;
    size_t at = first_at(&p->now, key, size);
    (void)pthread_mutex_lock(&p->loads_lock);
    uint64_t const most = (p->total + 1) * 5 / 4 / p->nodes + 1;
    while (p->loads[p->now.points[at].node] >= most)
        at = at + 1 == p->now.count ? 0 : at + 1;
    uint32_t const node = p->now.points[at].node;
    p->loads[node]++;
    p->total++;
    (void)pthread_mutex_unlock(&p->loads_lock);

    (void)pthread_mutex_lock(&p->loads_lock);
    p->loads[node]--;
    p->total--;
    (void)pthread_mutex_unlock(&p->loads_lock);
    return node;
}

void ring_points_change(void *subject, bool comes)
{
    points *const p = subject;
    (void)pthread_rwlock_wrlock(&p->lock);
    p->now = comes ? p->with : p->without;
    (void)pthread_rwlock_unlock(&p->lock);
}
