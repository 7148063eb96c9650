/* SPDX-License-Identifier: MIT */
/* queue_vyukov.c - the sequence-slot queue as it is commonly written [Vyukov],
 * slots of 16 bytes side by side: the measure for girt_mpmc's price of being
 * lock-free.  A producer stopped between claim and publication stops all. */
#define QUEUE_NAME vyukov
#include <stdint.h>
#include <stdlib.h>

#include "bench_queue.h"
#include "bench_team.h"

typedef struct slot {
    uint64_t sequence;
    void *item;
} slot;

typedef struct __attribute__((aligned(128))) vyukov {
    slot *slots;
    uint64_t mask;
    uint64_t tail __attribute__((aligned(128)));
    uint64_t head __attribute__((aligned(128)));
} vyukov;

static void vyukov_free(void *queue)
{
    free(((vyukov *)queue)->slots);
    free(queue);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    vyukov *const q = aligned_alloc(128, sizeof *q);
    *q = (vyukov){.slots = aligned_alloc(128, c->capacity * sizeof(slot)),
                  .mask = c->capacity - 1};
    for (uint64_t i = 0; i < c->capacity; i++)
        q->slots[i] = (slot){i, NULL};
    *release = vyukov_free;
    return q;
}

static bool queue_can(const queue_case *c)
{
    return (c->capacity & (c->capacity - 1)) == 0;
}

/* Pauses after a lost compare-and-swap, longer each time, as girt does. */
static inline void back_off(unsigned *pauses)
{
    for (unsigned i = 0; i < *pauses; i++)
        bench_pause();
    *pauses = *pauses < 256 ? *pauses * 2 : 256;
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    vyukov *const q = queue;
    unsigned pauses = 16;
    uint64_t tail = __atomic_load_n(&q->tail, __ATOMIC_RELAXED);
    for (;;) {
        slot *const s = &q->slots[tail & q->mask];
        uint64_t const sequence =
            __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE);
        int64_t const ahead = (int64_t)(sequence - tail);
        if (ahead < 0)
            return false;
        if (ahead > 0) {
            tail = __atomic_load_n(&q->tail, __ATOMIC_RELAXED);
            continue;
        }
        if (__atomic_compare_exchange_n(&q->tail, &tail, tail + 1, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            s->item = item;
            __atomic_store_n(&s->sequence, tail + 1, __ATOMIC_RELEASE);
            return true;
        }
        back_off(&pauses);
        tail = __atomic_load_n(&q->tail, __ATOMIC_RELAXED);
    }
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    vyukov *const q = queue;
    unsigned pauses = 16;
    uint64_t head = __atomic_load_n(&q->head, __ATOMIC_RELAXED);
    for (;;) {
        slot *const s = &q->slots[head & q->mask];
        uint64_t const sequence =
            __atomic_load_n(&s->sequence, __ATOMIC_ACQUIRE);
        int64_t const ahead = (int64_t)(sequence - (head + 1));
        if (ahead < 0)
            return false;
        if (ahead > 0) {
            head = __atomic_load_n(&q->head, __ATOMIC_RELAXED);
            continue;
        }
        if (__atomic_compare_exchange_n(&q->head, &head, head + 1, false,
                                        __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
            *item = s->item;
            __atomic_store_n(&s->sequence, head + q->mask + 1,
                             __ATOMIC_RELEASE);
            return true;
        }
        back_off(&pauses);
        head = __atomic_load_n(&q->head, __ATOMIC_RELAXED);
    }
}

#include "queue_driver.h"
