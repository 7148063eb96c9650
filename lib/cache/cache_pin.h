/* SPDX-License-Identifier: MIT */
/* cache_pin.h - holding an item without writing where others write.
 *
 *   records:  [ 15 slots | passing ] [ 15 slots | passing ] ...  256 of them
 *
 * A reader announces the item in a slot of its thread's record (a hazard
 * pointer [Michael 2004]), then looks whether the index still names it.  Who
 * unlinked an item looks through the slots, and where it finds the item it
 * sets the slot's low bit and counts one more holder: the reader finds the bit
 * when it empties the slot and takes itself off the count.  The last holder
 * frees the item, at once: nothing waits for a later scan.
 *
 * Slots are taken by compare-and-swap, so that threads beyond 256 share
 * records and a pin may be given back by any thread.  A thread that holds 15
 * pins already counts further ones in the item; the passing slot protects the
 * item while it does.
 *
 * P1: an item that is linked is held by its cache: holders >= 1.
 * P2: a slot with item | 1 owns one of the item's holders.
 * P3: an item announced in a slot while it was linked is not freed before the
 *     slot is emptied: the reader's announcement (N1), fence, load of the
 *     index's word (N2) against the remover's unlinking store (U1), fence,
 *     load of the slot (U2).  One of the two sees the other: either the reader
 *     finds the item gone and withdraws, or the remover finds the slot.
 *     Emptying a slot releases (N3 -> U2), so that a remover that finds it
 *     empty frees after the reader's last look.
 * P4: an address in a slot whose look failed may be that of a new item by now.
 *     A remover of that may count it; the reader finds the bit as it
 *     withdraws and takes it back. */
#ifndef GIRT_CACHE_PIN_H
#define GIRT_CACHE_PIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/atomic.h"
#include "core/cacheline.h"
#include "core/thread.h"

#ifndef GIRT__PIN_RECORDS /* tests make both smaller */
#define GIRT__PIN_RECORDS 256u
#define GIRT__PIN_SLOTS   15u
#endif

typedef struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__pin_record {
    uintptr_t slots[GIRT__PIN_SLOTS];
    uintptr_t passing;
} girt__pin_record;

_Static_assert(sizeof(girt__pin_record) == GIRT_DESTRUCTIVE,
               "a thread's slots are two lines of its own");

extern girt__pin_record girt__pin_records[GIRT__PIN_RECORDS];

/* How many records may have been used; never falls. */
typedef struct GIRT_ALIGNED(GIRT_DESTRUCTIVE) girt__pin_extent {
    uint32_t records;
} girt__pin_extent;
extern girt__pin_extent girt__pins;

void girt__pin_extend(uint32_t records);
/* A passing slot that now holds `item`; spins while all of them are in use. */
uintptr_t *girt__pin_pass(uintptr_t item);

/* Announces an item (N1); *passing: the slot must be emptied soon. */
static inline uintptr_t *girt__pin_announce(const void *item, bool *passing)
{
    const uint32_t index = girt__thread_index() % GIRT__PIN_RECORDS;
    if (girt_unlikely(index >= girt_load_relaxed(&girt__pins.records)))
        girt__pin_extend(index + 1);
    girt__pin_record *const record = &girt__pin_records[index];
    *passing = false;
    for (uint32_t i = 0; i < GIRT__PIN_SLOTS; i++) {
        uintptr_t free_slot = 0;
        if (girt_load_relaxed(&record->slots[i]) == 0 &&
            girt_cas_acq_rel(&record->slots[i], &free_slot, (uintptr_t)item)) {
            girt_fence_after_rmw(); /* N1, then N2 */
            return &record->slots[i];
        }
    }
    *passing = true;
    return girt__pin_pass((uintptr_t)item);
}

/* Empties a slot (N3); not NULL: the item, and one of its holders is the
 * caller's now. */
static inline void *girt__pin_withdraw(uintptr_t *slot)
{
    const uintptr_t held = girt_swap_acq_rel(slot, (uintptr_t)0);
    return girt_unlikely((held & 1) != 0) ? (void *)(held & ~(uintptr_t)1)
                                          : NULL;
}

/* Marks every slot that holds the item, counting each in *holders, which the
 * caller holds one of.  The item is unlinked (U1). */
void girt__pin_mark(const void *item, uint32_t *holders);

#endif /* GIRT_CACHE_PIN_H */
