/* SPDX-License-Identifier: MIT */
/* toy_queues.c - queues with one mistake each; see toys.h. */
#include "core/atomic.h"
#include "schedule/toys/toys.h"

void toy_slots_init(toy_slots *q, uint64_t capacity)
{
    *q = (toy_slots){.capacity = capacity};
    for (uint64_t i = 0; i < capacity; i++)
        q->slots[i].sequence = i;
}

bool toy_slots_push(toy_slots *q, uint64_t item)
{
    uint64_t tail = girt_load_relaxed(&q->tail);
    for (;;) {
        uint64_t *const sequence = &q->slots[tail % q->capacity].sequence;
        uint64_t const seen = girt_load_acquire(sequence);
        if (seen == tail) {
            if (girt_cas_relaxed(&q->tail, &tail, tail + 1))
                break;
        } else if ((int64_t)(seen - tail) < 0) {
            return false;
        } else {
            tail = girt_load_relaxed(&q->tail);
        }
    }
    uint64_t *const sequence = &q->slots[tail % q->capacity].sequence;
    if (q->publish_first)
        girt_store_release(sequence, tail + 1);
    q->slots[tail % q->capacity].item = item;
    if (!q->publish_first)
        girt_store_release(sequence, tail + 1);
    return true;
}

bool toy_slots_pop(toy_slots *q, uint64_t *item)
{
    uint64_t head = girt_load_relaxed(&q->head);
    for (;;) {
        uint64_t *const sequence = &q->slots[head % q->capacity].sequence;
        uint64_t const seen = girt_load_acquire(sequence);
        if (seen == head + 1) {
            if (girt_cas_relaxed(&q->head, &head, head + 1))
                break;
        } else if ((int64_t)(seen - head - 1) < 0) {
            return false;
        } else {
            head = girt_load_relaxed(&q->head);
        }
    }
    *item = q->slots[head % q->capacity].item;
    girt_store_release(&q->slots[head % q->capacity].sequence,
                       head + q->capacity);
    return true;
}

/* ---- one lock ---------------------------------------------------------- */

static void lock(toy_locked *q)
{
    while (girt_swap_acquire(&q->lock, 1) != 0)
        girt_pause();
}

static void unlock(toy_locked *q)
{
    girt_store_release(&q->lock, 0);
}

void toy_locked_init(toy_locked *q, uint64_t capacity)
{
    *q = (toy_locked){.capacity = capacity};
}

bool toy_locked_push(toy_locked *q, uint64_t item)
{
    bool full = girt_load_relaxed(&q->count) >= q->capacity;
    if (q->check_early && full)
        return false;
    lock(q);
    full = q->count >= q->capacity;
    if (q->check_early || !full) {
        q->items[q->count] = item;
        girt_store_relaxed(&q->count, q->count + 1);
        full = false;
    }
    unlock(q);
    return !full;
}

bool toy_locked_pop(toy_locked *q, uint64_t *item)
{
    lock(q);
    bool const some = q->count != 0;
    if (some) {
        *item = q->items[0];
        for (uint64_t i = 1; i < q->count; i++)
            q->items[i - 1] = q->items[i];
        girt_store_relaxed(&q->count, q->count - 1);
    }
    unlock(q);
    return some;
}

/* ---- a stack ------------------------------------------------------------ */

void toy_stack_init(toy_stack *s)
{
    *s = (toy_stack){.top = 1, .next = {2, 3, 0, 0}};
}

static uint64_t with_tag(const toy_stack *s, uint64_t old, uint64_t link)
{
    return s->tagged ? ((old >> 32) + 1) << 32 | link : link;
}

bool toy_stack_pop(toy_stack *s, uint32_t *node)
{
    uint64_t top = girt_load_acquire(&s->top);
    for (;;) {
        uint64_t const link = (uint32_t)top;
        if (link == 0)
            return false;
        uint64_t const next = girt_load_relaxed(&s->next[link - 1]);
        if (girt_cas_acq_rel(&s->top, &top, with_tag(s, top, next))) {
            *node = (uint32_t)(link - 1);
            return true;
        }
    }
}

void toy_stack_push(toy_stack *s, uint32_t node)
{
    uint64_t top = girt_load_relaxed(&s->top);
    do
        girt_store_relaxed(&s->next[node], (uint64_t)(uint32_t)top);
    while (!girt_cas_acq_rel(&s->top, &top, with_tag(s, top, node + 1u)));
}

/* ---- a deque ------------------------------------------------------------ */

void toy_deque_push(toy_deque *d, uint64_t item)
{
    int64_t const bottom = girt_load_relaxed(&d->bottom);
    girt_store_relaxed(&d->items[bottom % TOY_CAPACITY], item);
    girt_store_release(&d->bottom, bottom + 1);
}

bool toy_deque_pop(toy_deque *d, uint64_t *item)
{
    int64_t const bottom = girt_load_relaxed(&d->bottom) - 1;
    girt_store_relaxed(&d->bottom, bottom);
    if (!d->no_fence)
        girt_fence_seq_cst();
    int64_t top = girt_load_relaxed(&d->top);
    bool some = top <= bottom;
    if (some)
        *item = girt_load_relaxed(&d->items[bottom % TOY_CAPACITY]);
    if (top < bottom)
        return true;
    if (some && !d->no_race)
        some = girt_cas_acq_rel(&d->top, &top, top + 1);
    else if (some)
        girt_store_relaxed(&d->top, top + 1);
    girt_store_relaxed(&d->bottom, bottom + 1);
    return some;
}

bool toy_deque_steal(toy_deque *d, uint64_t *item)
{
    int64_t top = girt_load_acquire(&d->top);
    girt_fence_seq_cst();
    int64_t const bottom = girt_load_acquire(&d->bottom);
    if (top >= bottom)
        return false;
    *item = girt_load_relaxed(&d->items[top % TOY_CAPACITY]);
    return girt_cas_acq_rel(&d->top, &top, top + 1);
}
