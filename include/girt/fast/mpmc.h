/* SPDX-License-Identifier: MIT */
/* fast/mpmc.h - the layout and the bodies of girt_mpmc_push and girt_mpmc_pop.
 *
 * Comes in by <girt/mpmc.h> when GIRT_INLINE_FAST is defined; not an interface.
 * The argument why this is right stands at the head of lib/queue/mpmc.c.
 *
 * The first try is inlined, what follows a lost race is not; one body serves
 * the inlined calls, the exported ones and the batches. */
#ifndef GIRT_FAST_MPMC_H
#define GIRT_FAST_MPMC_H

#include <girt/alloc.h>
#include <girt/fast/atomic.h>
#include <girt/mpmc.h>

GIRT_BEGIN

/** How one side pauses when it finds no item, or no room: a guess, relaxed. */
typedef struct girt_fast_lull {
    /** The ticket whose lull brought nothing, plus 1; 0: none. */
    uint64_t vain;
    /** Of the next lull. */
    uint64_t pauses;
} girt_fast_lull;

/** Version 1 of the layout: a change renames girt_mpmc_layout_1. */
struct girt_mpmc {
    /** Written once at create: {state, item}, mask + 1 of them. */
    girt_fast_pair *slots;
    /** The number of slots, a power of two, less 1. */
    uint64_t mask;
    /** What was asked for; at most mask + 1. */
    uint64_t capacity;
    /** Where the memory came from. */
    girt_allocator allocator;
    /** Of the slots. */
    size_t slots_bytes;
    /** A hint: every ticket below it is filled. */
    uint64_t tail __attribute__((aligned(128)));
    /** Of the pushes. */
    girt_fast_lull push_lull;
    /** A hint: every ticket below it is consumed. */
    uint64_t head __attribute__((aligned(128)));
    /** Of the pops. */
    girt_fast_lull pop_lull;
};

/** There so that a program with another inlined layout does not load. */
extern GIRT_API const char girt_mpmc_layout_1;

#if defined(GIRT_FAST_INLINED) && !defined(GIRT_EMIT_FAST)
static const char *const girt_fast_mpmc_layout __attribute__((used)) =
    &girt_mpmc_layout_1;
#endif

/** What a ticket has passed, for good: its item came, its item went. */
enum { GIRT_FAST_FILLED = 1, GIRT_FAST_CONSUMED = 2 };

/** Did this ticket pass the phase?  Once true, true for ever, and true for all
 * tickets before it. */
static inline __attribute__((unused)) bool girt_fast_mpmc_passed(
    const girt_mpmc *queue, uint64_t ticket, unsigned phase)
{
    /* A1 <- R1 (fill, take). */
    uint64_t const state =
        girt_fast_load_acquire(&queue->slots[ticket & queue->mask].word[0]);
    return (int64_t)(state - (2 * ticket + phase)) >= 0;
}

/** The first ticket from `ticket` on that had not passed the phase, given that
 * all before `ticket` had: doubling steps, then halving ones, so that a hint
 * that lags by n costs 2 log2 n looks. */
static inline __attribute__((unused)) uint64_t girt_fast_mpmc_frontier(
    const girt_mpmc *queue, uint64_t ticket, unsigned phase)
{
    uint64_t step = 1;
    for (; girt_fast_mpmc_passed(queue, ticket + step - 1, phase); step *= 2)
        ticket += step;
    while (step > 1) {
        step /= 2;
        if (girt_fast_mpmc_passed(queue, ticket + step - 1, phase))
            ticket += step;
    }
    return ticket;
}

/** Where to look next, all before `ticket` having passed: there, or where the
 * hint says if that is later; every eighth turn, wherever the frontier is. */
static inline __attribute__((unused)) uint64_t girt_fast_mpmc_next(
    const girt_mpmc *queue, const uint64_t *hint, uint64_t ticket,
    unsigned phase, unsigned turn)
{
    /* A2 <- R2 (push, pop). */
    uint64_t const hinted = girt_fast_load_acquire(hint);
    uint64_t const next = (int64_t)(hinted - ticket) > 0 ? hinted : ticket;
    return turn % 8 == 0 ? girt_fast_mpmc_frontier(queue, next, phase) : next;
}

/** Pauses of a lull; the first one, tried once in so many tickets where lulls
 * have brought nothing. */
enum {
    GIRT_FAST_LULL_FIRST = 8,
    GIRT_FAST_LULL_MAX = 64,
    GIRT_FAST_LULL_TRIAL = 64
};

/** `awaited` has not passed the phase: pauses without a look, at most once for
 * this ticket, and answers whether it has now.
 *
 * A thread that takes each item of a stream the moment it comes shares the
 * slot's line with its producer at every item; a little later there are
 * dozens.  So a lull in which a ticket passed for every two pauses doubles the
 * next, any other halves it, down to none: a queue at rest, a dialogue and a
 * slow stream are answered at once, but for one lull in many tickets, which
 * notices that a fast stream began. */
static __attribute__((noinline, unused)) bool girt_fast_mpmc_lull(
    const girt_mpmc *queue, girt_fast_lull *lull, uint64_t awaited,
    unsigned phase)
{
    uint64_t most = GIRT_FAST_LULL_MAX;
    if (queue->capacity / 8 < most)
        most = queue->capacity / 8;
    uint64_t const before = girt_fast_load_relaxed(&lull->pauses);
    uint64_t length = before;
    if (before == 0 && awaited % GIRT_FAST_LULL_TRIAL == 0)
        length = GIRT_FAST_LULL_FIRST;
    if (length == 0 || length > most ||
        girt_fast_load_relaxed(&lull->vain) == awaited + 1)
        return false;
    for (uint64_t i = 0; i < length; i++)
        girt_fast_pause();
    bool const ready = girt_fast_mpmc_passed(queue, awaited, phase);
    bool const paid =
        ready && girt_fast_mpmc_passed(queue, awaited + length / 2, phase);
    uint64_t after = paid ? 2 * length : length / 2;
    if (after < GIRT_FAST_LULL_FIRST)
        after = 0;
    if (!ready)
        girt_fast_store_relaxed(&lull->vain, awaited + 1);
    if (after != before && after <= most)
        girt_fast_store_relaxed(&lull->pauses, after);
    return ready;
}

/** What became of a ticket that was tried. */
enum {
    GIRT_FAST_REFUSED, /* full, or empty */
    GIRT_FAST_DONE,
    GIRT_FAST_PASSED, /* by another thread, before */
    GIRT_FAST_LOST    /* by another thread, just now */
};

/** Tries to fill this ticket, all before which are filled. */
static inline __attribute__((always_inline, unused)) int girt_fast_mpmc_fill_at(
    girt_mpmc *queue, uint64_t ticket, void *item)
{
    girt_fast_pair *const slot = &queue->slots[ticket & queue->mask];
    girt_fast_prefetch_write(slot);
    /* A1 <- R1 (take): the slot's last item was read. */
    uint64_t const state = girt_fast_load_acquire(&slot->word[0]);
    if (__builtin_expect(state != 2 * ticket, 0))
        return (int64_t)(state - 2 * ticket) < 0 ? GIRT_FAST_REFUSED
                                                 : GIRT_FAST_PASSED;
    if (queue->capacity <= queue->mask &&
        !girt_fast_mpmc_passed(queue, ticket - queue->capacity,
                               GIRT_FAST_CONSUMED))
        return GIRT_FAST_REFUSED;
    /* R1 -> A1 (take): publishes the item; push happens here. */
    return girt_fast_cas2_acq_rel(slot, state, 0, state + 1,
                                  (uint64_t)(uintptr_t)item)
               ? GIRT_FAST_DONE
               : GIRT_FAST_LOST;
}

/** Goes on after `outcome` at *ticket: each turn means that another thread
 * filled a ticket, or after a lull consumed one. */
static __attribute__((noinline, unused)) bool girt_fast_mpmc_fill_on(
    girt_mpmc *queue, uint64_t *ticket, void *item, int outcome, bool lulls)
{
    unsigned pauses = 16;
    for (unsigned turn = 1; outcome != GIRT_FAST_DONE; turn++) {
        if (outcome == GIRT_FAST_REFUSED &&
            !(lulls && girt_fast_mpmc_lull(queue, &queue->push_lull,
                                           *ticket - queue->capacity,
                                           GIRT_FAST_CONSUMED)))
            return false;
        if (outcome == GIRT_FAST_PASSED)
            ++*ticket;
        else if (outcome == GIRT_FAST_LOST)
            girt_fast_back_off(&pauses);
        *ticket = girt_fast_mpmc_next(queue, &queue->tail, *ticket,
                                      GIRT_FAST_FILLED, turn);
        outcome = girt_fast_mpmc_fill_at(queue, *ticket, item);
    }
    return true;
}

/** Puts the item into the first free ticket from *ticket on, all before which
 * are filled, and leaves the one after it there.  false: full. */
static inline __attribute__((always_inline, unused)) bool girt_fast_mpmc_fill(
    girt_mpmc *queue, uint64_t *ticket, void *item, bool lulls)
{
    int const outcome = girt_fast_mpmc_fill_at(queue, *ticket, item);
    if (__builtin_expect(outcome != GIRT_FAST_DONE, 0)) {
        uint64_t from = *ticket;
        if (!girt_fast_mpmc_fill_on(queue, &from, item, outcome, lulls))
            return false;
        *ticket = from;
    }
    ++*ticket;
    return true;
}

/** Tries to take the item of this ticket, all before which are consumed. */
static inline __attribute__((always_inline, unused)) int girt_fast_mpmc_take_at(
    girt_mpmc *queue, uint64_t ticket, void **item)
{
    girt_fast_pair *const slot = &queue->slots[ticket & queue->mask];
    girt_fast_prefetch_write(slot);
    /* A1 <- R1 (fill): the item is there. */
    uint64_t const state = girt_fast_load_acquire(&slot->word[0]);
    if (__builtin_expect(state != 2 * ticket + 1, 0))
        return (int64_t)(state - 2 * ticket) <= 0 ? GIRT_FAST_REFUSED
                                                  : GIRT_FAST_PASSED;
    /* Relaxed: if the slot went on meanwhile, the swap fails. */
    uint64_t const held = girt_fast_load_relaxed(&slot->word[1]);
    /* R1 -> A1 (fill): gives the slot back; pop happens here. */
    if (!girt_fast_cas2_acq_rel(slot, state, held,
                                2 * (ticket + queue->mask + 1), 0))
        return GIRT_FAST_LOST;
    *item = (void *)(uintptr_t)held;
    return GIRT_FAST_DONE;
}

/** Goes on after `outcome` at *ticket: each turn means that another thread
 * consumed a ticket, or after a lull filled one. */
static __attribute__((noinline, unused)) bool girt_fast_mpmc_take_on(
    girt_mpmc *queue, uint64_t *ticket, void **item, int outcome, bool lulls)
{
    unsigned pauses = 16;
    for (unsigned turn = 1; outcome != GIRT_FAST_DONE; turn++) {
        if (outcome == GIRT_FAST_REFUSED &&
            !(lulls && girt_fast_mpmc_lull(queue, &queue->pop_lull, *ticket,
                                           GIRT_FAST_FILLED)))
            return false;
        if (outcome == GIRT_FAST_PASSED)
            ++*ticket;
        else if (outcome == GIRT_FAST_LOST)
            girt_fast_back_off(&pauses);
        *ticket = girt_fast_mpmc_next(queue, &queue->head, *ticket,
                                      GIRT_FAST_CONSUMED, turn);
        outcome = girt_fast_mpmc_take_at(queue, *ticket, item);
    }
    return true;
}

/** Takes the item of the first ticket from *ticket on that still has it, all
 * before which are consumed, and leaves the one after it there.  false:
 * empty. */
static inline __attribute__((always_inline, unused)) bool girt_fast_mpmc_take(
    girt_mpmc *queue, uint64_t *ticket, void **item, bool lulls)
{
    int const outcome = girt_fast_mpmc_take_at(queue, *ticket, item);
    if (__builtin_expect(outcome != GIRT_FAST_DONE, 0)) {
        uint64_t from = *ticket;
        if (!girt_fast_mpmc_take_on(queue, &from, item, outcome, lulls))
            return false;
        *ticket = from;
    }
    ++*ticket;
    return true;
}

#if defined(GIRT_FAST_INLINED) || defined(GIRT_EMIT_FAST)

GIRT_FAST bool girt_mpmc_push(girt_mpmc *queue, void *item)
{
    /* A2 <- R2. */
    uint64_t ticket = girt_fast_load_acquire(&queue->tail);
    if (!girt_fast_mpmc_fill(queue, &ticket, item, true))
        return false;
    /* R2 -> A2: whoever starts here knows that all before it are filled. */
    girt_fast_store_release(&queue->tail, ticket);
    return true;
}

GIRT_FAST bool girt_mpmc_pop(girt_mpmc *queue, void **item)
{
    /* A2 <- R2. */
    uint64_t ticket = girt_fast_load_acquire(&queue->head);
    if (!girt_fast_mpmc_take(queue, &ticket, item, true))
        return false;
    /* R2 -> A2: whoever starts here knows that all before it are consumed. */
    girt_fast_store_release(&queue->head, ticket);
    return true;
}

#endif

GIRT_END

#endif /* GIRT_FAST_MPMC_H */
