/* SPDX-License-Identifier: MIT */
/* deque.c - a bounded Chase-Lev deque [Chase, Lev 2005; Le et al. 2013].
 *
 *            top                     bottom
 *   thieves -> | i | i+1 | ... | b-1 |  <- owner
 *
 * The items are those of index top .. bottom - 1, in slots index modulo a power
 * of two that is at least the capacity.  Only the owner writes bottom; top
 * only grows, by a CAS of whoever takes its item.
 *
 *   I1: 0 <= bottom - top <= capacity, but for the moment in which a pop has
 *       lowered bottom and found nothing: then it may be -1.
 *   I2: each index is taken once: by the CAS on top, or by the owner while
 *       top < bottom after its store, when no thief can reach that index.
 *
 * The pair that needs sequential consistency (S1, S2): the owner's pop stores
 * bottom = b and then loads top; a thief loads top and then bottom.  Were the
 * thief's load of bottom to miss the store while the owner's load of top
 * misses the CASes that brought top to b, both would take index b.  In the
 * total order of these four accesses the thief's come first then, its load of
 * top has seen those CASes, and so must the owner's later one.  Le et al. have
 * fences between relaxed accesses; we order the accesses themselves, which
 * costs the same on x86_64 and arm64 (an exchange, and load-acquires) and is
 * the form that ThreadSanitizer understands.
 *
 * A slot may be read by a thief while the owner, a lap later, writes it: the
 * thief's CAS then fails and it forgets what it read.  Slots are therefore
 * atomic, relaxed; D1 -> D2 carries what an item points to.
 *
 * Indexes are unsigned and compared by difference, so they may wrap. */
#include "queue/deque_internal.h"

#include <stddef.h>

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/power.h"

#define DEQUE_CAPACITY_MAX ((uint64_t)1 << 32)

struct girt_deque {
    /* Written once at create. */
    void **slots;
    uint64_t index_mask;
    uint64_t capacity;
    girt_allocator allocator;
    /* Whoever takes the oldest item. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t top;
    /* The owner's. */
    GIRT_ALIGNED(GIRT_DESTRUCTIVE) uint64_t bottom;
    uint64_t top_seen; /* a top of the past; not atomic */
};

_Static_assert(offsetof(struct girt_deque, top) % GIRT_CACHELINE == 0,
               "thieves own their line");
_Static_assert(offsetof(struct girt_deque, bottom) % GIRT_CACHELINE == 0,
               "the owner owns its line");

static void **slot_of(const girt_deque *deque, uint64_t index)
{
    return &deque->slots[index & deque->index_mask];
}

girt_status girt_deque_create(girt_deque **out, size_t capacity,
                              const girt_allocator *allocator)
{
    if (out == NULL || capacity == 0)
        return GIRT_E_INVALID;
    if (capacity > DEQUE_CAPACITY_MAX)
        return GIRT_E_TOO_LARGE;
    girt_allocator source;
    girt_status const status = girt__allocator_resolve(&source, allocator);
    if (status != GIRT_OK)
        return status;
    size_t const slots = girt__power_from(capacity);
    girt_deque *const deque =
        girt__allocate_zeroed(&source, sizeof(girt_deque), GIRT_DESTRUCTIVE);
    if (deque == NULL)
        return GIRT_E_NOMEM;
    /* No product overflows: at most 2^32 slots of 8 bytes. */
    deque->slots =
        girt__allocate(&source, slots * sizeof(void *), GIRT_CACHELINE);
    if (deque->slots == NULL) {
        girt__release(&source, deque, sizeof(girt_deque));
        return GIRT_E_NOMEM;
    }
    deque->index_mask = slots - 1;
    deque->capacity = capacity;
    deque->allocator = source;
    *out = deque;
    return GIRT_OK;
}

void girt_deque_destroy(girt_deque *deque)
{
    if (deque == NULL)
        return;
    girt_audit(girt__deque_is_valid(deque));
    girt_allocator const allocator = deque->allocator;
    girt__release(&allocator, deque->slots,
                  (size_t)(deque->index_mask + 1) * sizeof(void *));
    girt__release(&allocator, deque, sizeof(girt_deque));
}

bool girt_deque_push(girt_deque *deque, void *item)
{
    girt_require(deque != NULL);
    uint64_t const bottom = girt_load_relaxed(&deque->bottom); /* own */
    if (girt_unlikely(bottom - deque->top_seen >= deque->capacity)) {
        /* Acquire: the thief of this slot's last item has read it, if it is
         * one whose CAS succeeded (D3 -> D4). */
        deque->top_seen = girt_load_acquire(&deque->top);
        if (bottom - deque->top_seen >= deque->capacity)
            return false;
    }
    girt_store_relaxed(slot_of(deque, bottom), item);
    /* D1 -> D2: the slot, and all that the item points to. */
    girt_store_release(&deque->bottom, bottom + 1);
    return true;
}

bool girt_deque_pop(girt_deque *deque, void **item)
{
    girt_require(deque != NULL);
    girt_require(item != NULL);
    uint64_t const bottom = girt_load_relaxed(&deque->bottom) - 1; /* own */
    /* S1: bottom, then top; against the thief's top, then bottom. */
    girt_store_seq_cst(&deque->bottom, bottom);
    uint64_t top = girt_load_seq_cst(&deque->top);
    int64_t const left = (int64_t)(bottom - top);
    if (girt_likely(left > 0)) {
        *item = girt_load_relaxed(slot_of(deque, bottom)); /* own store */
        return true;
    }
    bool won = false;
    if (left == 0) {
        /* The last one: thieves may be at it. */
        void *const last = girt_load_relaxed(slot_of(deque, bottom));
        won = girt_cas_acq_rel(&deque->top, &top, bottom + 1);
        if (won)
            *item = last;
    }
    girt_store_release(&deque->bottom, bottom + 1);
    return won;
}

bool girt_deque_steal(girt_deque *deque, void **item)
{
    girt_require(deque != NULL);
    girt_require(item != NULL);
    /* S2: top, then bottom. */
    uint64_t top = girt_load_seq_cst(&deque->top);
    /* D2: what was pushed below bottom is visible. */
    uint64_t const bottom = girt_load_seq_cst(&deque->bottom);
    if ((int64_t)(bottom - top) <= 0)
        return false;
    /* May be overwritten meanwhile; then the CAS fails. */
    void *const oldest = girt_load_relaxed(slot_of(deque, top));
    /* D3 -> D4: read before top says that the slot is free. */
    if (!girt_cas_acq_rel(&deque->top, &top, top + 1))
        return false;
    *item = oldest;
    return true;
}

void girt__deque_start(girt_deque *deque, uint64_t index)
{
    girt_store_relaxed(&deque->top, index);
    girt_store_relaxed(&deque->bottom, index);
    deque->top_seen = index;
}

bool girt__deque_is_valid(const girt_deque *deque)
{
    return deque->bottom - deque->top <= deque->capacity &&
           deque->top - deque->top_seen <= deque->bottom - deque->top_seen &&
           deque->bottom - deque->top_seen <= deque->capacity &&
           deque->capacity <= deque->index_mask + 1;
}
