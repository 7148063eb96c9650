/* SPDX-License-Identifier: MIT */
/* queue_scq.c - SCQ [R. Nikolaev, "A scalable, portable, and memory-efficient
 * lock-free FIFO queue", DISC 2019], after the paper: two rings of indices, one
 * of the places that are free, one of those that are filled; lock-free. */
#define QUEUE_NAME scq
#include <stdint.h>
#include <stdlib.h>

#include "bench_queue.h"
#include "bench_team.h"

/* An entry: cycle, then "safe", then an index; all ones: none. */
typedef struct __attribute__((aligned(128))) scq_ring {
    uint64_t *entries; /* 2 * capacity of them */
    uint64_t none;     /* the mask of an index */
    unsigned bits;     /* of an index */
    uint64_t tail __attribute__((aligned(128)));
    uint64_t head __attribute__((aligned(128)));
    int64_t threshold __attribute__((aligned(128)));
} scq_ring;

typedef struct scq {
    scq_ring filled, vacant;
    void **items;
} scq;

static uint64_t cycle_of(const scq_ring *r, uint64_t entry)
{
    return entry >> (r->bits + 1);
}

static uint64_t entry_of(const scq_ring *r, uint64_t cycle, uint64_t safe,
                         uint64_t index)
{
    return cycle << (r->bits + 1) | safe << r->bits | index;
}

/* Neighbours in different lines, as the paper advises. */
static uint64_t *entry_at(const scq_ring *r, uint64_t ticket)
{
    uint64_t const i = ticket & r->none;
    return &r->entries[r->bits <= 3
                           ? i
                           : ((i << 3 | i >> (r->bits - 3)) & r->none)];
}

static int64_t threshold_of(const scq_ring *r)
{
    return (int64_t)((r->none + 1) / 2 * 3 - 1);
}

static bool swap_entry(uint64_t *at, uint64_t *saw, uint64_t wish)
{
    return __atomic_compare_exchange_n(at, saw, wish, false, __ATOMIC_ACQ_REL,
                                       __ATOMIC_ACQUIRE);
}

static void scq_put(scq_ring *r, uint64_t index)
{
    for (;;) {
        uint64_t const t = __atomic_fetch_add(&r->tail, 1, __ATOMIC_ACQ_REL);
        uint64_t const cycle = t >> r->bits;
        uint64_t *const at = entry_at(r, t);
        uint64_t entry = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        while (cycle_of(r, entry) < cycle && (entry & r->none) == r->none &&
               ((entry >> r->bits & 1) ||
                __atomic_load_n(&r->head, __ATOMIC_ACQUIRE) <= t)) {
            if (!swap_entry(at, &entry, entry_of(r, cycle, 1, index)))
                continue;
            if (__atomic_load_n(&r->threshold, __ATOMIC_SEQ_CST) !=
                threshold_of(r))
                __atomic_store_n(&r->threshold, threshold_of(r),
                                 __ATOMIC_SEQ_CST);
            return;
        }
    }
}

static void scq_catch_up(scq_ring *r, uint64_t tail, uint64_t head)
{
    while (!swap_entry(&r->tail, &tail, head)) {
        head = __atomic_load_n(&r->head, __ATOMIC_ACQUIRE);
        tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
        if (tail >= head)
            return;
    }
}

static bool scq_take(scq_ring *r, uint64_t *index)
{
    if (__atomic_load_n(&r->threshold, __ATOMIC_SEQ_CST) < 0)
        return false;
    for (;;) {
        uint64_t const h = __atomic_fetch_add(&r->head, 1, __ATOMIC_ACQ_REL);
        uint64_t const cycle = h >> r->bits;
        uint64_t *const at = entry_at(r, h);
        uint64_t entry = __atomic_load_n(at, __ATOMIC_ACQUIRE);
        for (bool done = false; !done;) {
            if (cycle_of(r, entry) == cycle) {
                (void)__atomic_fetch_or(at, r->none, __ATOMIC_ACQ_REL);
                *index = entry & r->none;
                return true;
            }
            uint64_t const wish =
                (entry & r->none) == r->none
                    ? entry_of(r, cycle, entry >> r->bits & 1, r->none)
                    : entry & ~(UINT64_C(1) << r->bits);
            done = cycle_of(r, entry) >= cycle || swap_entry(at, &entry, wish);
        }
        uint64_t const tail = __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE);
        if (tail <= h + 1) {
            scq_catch_up(r, tail, h + 1);
            (void)__atomic_fetch_sub(&r->threshold, 1, __ATOMIC_SEQ_CST);
            return false;
        }
        if (__atomic_fetch_sub(&r->threshold, 1, __ATOMIC_SEQ_CST) <= 0)
            return false;
    }
}

static void scq_ring_make(scq_ring *r, size_t capacity)
{
    unsigned bits = 1;
    while ((size_t)1 << bits < 2 * capacity)
        bits++;
    size_t const count = (size_t)1 << bits;
    size_t const bytes = count * sizeof(uint64_t);
    *r = (scq_ring){.entries = aligned_alloc(128, bytes < 128 ? 128 : bytes),
                    .none = count - 1,
                    .bits = bits,
                    .tail = count,
                    .head = count,
                    .threshold = -1};
    for (size_t i = 0; i < count; i++)
        r->entries[i] = entry_of(r, 0, 1, r->none);
}

static void scq_free(void *queue)
{
    scq *const q = queue;
    free(q->filled.entries);
    free(q->vacant.entries);
    free(q->items);
    free(q);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    scq *const q = aligned_alloc(128, sizeof *q);
    scq_ring_make(&q->filled, c->capacity);
    scq_ring_make(&q->vacant, c->capacity);
    q->items = calloc(c->capacity, sizeof *q->items);
    for (uint64_t i = 0; i < c->capacity; i++)
        scq_put(&q->vacant, i);
    *release = scq_free;
    return q;
}

static bool queue_can(const queue_case *c)
{
    return (c->capacity & (c->capacity - 1)) == 0;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    scq *const q = queue;
    uint64_t index;
    if (!scq_take(&q->vacant, &index))
        return false;
    q->items[index] = item;
    scq_put(&q->filled, index);
    return true;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    scq *const q = queue;
    uint64_t index;
    if (!scq_take(&q->filled, &index))
        return false;
    *item = q->items[index];
    scq_put(&q->vacant, index);
    return true;
}

#include "queue_driver.h"
