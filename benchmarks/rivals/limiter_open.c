/* SPDX-License-Identifier: MIT */
/* limiter_open.c - the tightest that people write: 64 mutexes, each with open
 * addressing over 16-byte slots of key and arrival time.  It has room for every
 * key for ever, never forgets one, and its hash can be aimed at. */
#include <pthread.h>
#include <stdlib.h>

#include "bench_limiter.h"

enum { SHARDS = 64, BURST = 100, EACH_NS = 1000000 };

typedef struct slot {
    uint64_t key; /* plus one; 0: free */
    int64_t arrival_ns;
} slot;

typedef struct shard {
    pthread_mutex_t lock;
    slot *slots;
} __attribute__((aligned(64))) shard;

typedef struct table {
    size_t mask;
    shard shards[SHARDS];
} table;

void *limiter_open_make(size_t keys)
{
    size_t size = 16;
    while (size < keys / SHARDS * 3 / 2)
        size *= 2;
    table *const t = aligned_alloc(64, sizeof *t);
    if (t == NULL)
        return NULL;
    t->mask = size - 1;
    for (size_t i = 0; i < SHARDS; i++) {
        (void)pthread_mutex_init(&t->shards[i].lock, NULL);
        t->shards[i].slots = calloc(size, sizeof(slot));
        if (t->shards[i].slots == NULL)
            abort();
    }
    return t;
}

void limiter_open_free(void *subject)
{
    table *const t = subject;
    for (size_t i = 0; i < SHARDS; i++)
        free(t->shards[i].slots);
    free(t);
}

bool limiter_open_take(void *subject, uint64_t key, int64_t now_ns)
{
    table *const t = subject;
    uint64_t hash = key * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
    shard *const one = &t->shards[hash % SHARDS];
    size_t at = (size_t)(hash / SHARDS) & t->mask;
    (void)pthread_mutex_lock(&one->lock);
    while (one->slots[at].key != key + 1 && one->slots[at].key != 0)
        at = (at + 1) & t->mask;
    slot *const s = &one->slots[at];
    s->key = key + 1;
    int64_t const start = s->arrival_ns > now_ns ? s->arrival_ns : now_ns;
    bool const admitted =
        start - now_ns <= (int64_t)(BURST - 1) * (int64_t)EACH_NS;
    if (admitted)
        s->arrival_ns = start + EACH_NS;
    (void)pthread_mutex_unlock(&one->lock);
    return admitted;
}
