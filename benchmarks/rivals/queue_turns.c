/* SPDX-License-Identifier: MIT */
/* queue_turns.c - sequence slots as rigtorp's MPMCQueue has them, after its
 * description: a slot a cache line, try_push and try_pop that call the queue
 * full, or empty, when the slot's turn has not come and the ticket stands. */
#define QUEUE_NAME turns
#include <stdint.h>
#include <stdlib.h>

#include "bench_queue.h"
#include "bench_team.h"

typedef struct __attribute__((aligned(64))) slot {
    uint64_t turn;
    void *item;
} slot;

typedef struct __attribute__((aligned(128))) turns {
    slot *slots;
    uint64_t mask;
    unsigned bits;
    uint64_t tail __attribute__((aligned(128)));
    uint64_t head __attribute__((aligned(128)));
} turns;

static void turns_free(void *queue)
{
    free(((turns *)queue)->slots);
    free(queue);
}

static void *queue_make(const queue_case *c, void (**release)(void *))
{
    turns *const q = aligned_alloc(128, sizeof *q);
    *q = (turns){.slots = aligned_alloc(64, c->capacity * sizeof(slot)),
                 .mask = c->capacity - 1,
                 .bits = (unsigned)__builtin_ctzll(c->capacity)};
    for (size_t i = 0; i < c->capacity; i++)
        q->slots[i] = (slot){0, NULL};
    *release = turns_free;
    return q;
}

static bool queue_can(const queue_case *c)
{
    return (c->capacity & (c->capacity - 1)) == 0;
}

/* Claims a slot of this ticket counter whose turn is 2 * lap + full; NULL: its
 * turn has not come. */
static inline slot *claim(turns *q, uint64_t *counter, uint64_t full)
{
    uint64_t ticket = __atomic_load_n(counter, __ATOMIC_ACQUIRE);
    for (;;) {
        slot *const s = &q->slots[ticket & q->mask];
        if (__atomic_load_n(&s->turn, __ATOMIC_ACQUIRE) ==
            2 * (ticket >> q->bits) + full) {
            if (__atomic_compare_exchange_n(counter, &ticket, ticket + 1, false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
                return s;
            continue;
        }
        uint64_t const before = ticket;
        ticket = __atomic_load_n(counter, __ATOMIC_ACQUIRE);
        if (ticket == before)
            return NULL;
    }
}

static bool queue_try_push(void *queue, unsigned producer, void *item)
{
    (void)producer;
    turns *const q = queue;
    slot *const s = claim(q, &q->tail, 0);
    if (s == NULL)
        return false;
    s->item = item;
    __atomic_store_n(&s->turn, s->turn + 1, __ATOMIC_RELEASE);
    return true;
}

static bool queue_try_pop(void *queue, unsigned consumer, void **item)
{
    (void)consumer;
    turns *const q = queue;
    slot *const s = claim(q, &q->head, 1);
    if (s == NULL)
        return false;
    *item = s->item;
    __atomic_store_n(&s->turn, s->turn + 1, __ATOMIC_RELEASE);
    return true;
}

#include "queue_driver.h"
