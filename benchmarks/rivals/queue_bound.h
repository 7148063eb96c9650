/* SPDX-License-Identifier: MIT */
/* queue_bound.h - a bound for queues that have none: each producer counts its
 * pushes and each consumer its pops on lines of their own; a producer sums them
 * when what it knew runs out.  Without it a fast producer would fill the
 * memory and no capacity would be compared. */
#ifndef GIRT_QUEUE_BOUND_H
#define GIRT_QUEUE_BOUND_H

#include <stdbool.h>
#include <stdint.h>

enum { QUEUE_BOUND_SIDES = 16 };

typedef struct __attribute__((aligned(128))) queue_bound_side {
    uint64_t count; /* pushed, or popped */
    uint64_t room;  /* a producer's: pushes before it must look again */
} queue_bound_side;

typedef struct queue_bound {
    uint64_t capacity;
    unsigned producers, consumers;
    queue_bound_side pushed[QUEUE_BOUND_SIDES], popped[QUEUE_BOUND_SIDES];
} queue_bound;

static inline void queue_bound_add(queue_bound_side *side)
{
    __atomic_store_n(&side->count, side->count + 1, __ATOMIC_RELAXED);
}

static inline bool queue_bound_has_room(queue_bound *bound, unsigned producer)
{
    queue_bound_side *const mine = &bound->pushed[producer];
    if (mine->room > 0) {
        mine->room--;
        return true;
    }
    int64_t room = (int64_t)bound->capacity;
    for (unsigned i = 0; i < bound->consumers; i++)
        room +=
            (int64_t)__atomic_load_n(&bound->popped[i].count, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < bound->producers; i++)
        room -=
            (int64_t)__atomic_load_n(&bound->pushed[i].count, __ATOMIC_RELAXED);
    if (room <= 0)
        return false;
    mine->room = (uint64_t)room / bound->producers;
    return true;
}

#endif /* GIRT_QUEUE_BOUND_H */
