/* SPDX-License-Identifier: MIT */
/* cache_pin.c - the rarer halves of cache_pin.h, whose proof covers them. */
#include "cache/cache_pin.h"

#include <sched.h>

#include "core/assert.h"

girt__pin_record girt__pin_records[GIRT__PIN_RECORDS];
girt__pin_extent girt__pins;

__attribute__((noinline, cold)) void girt__pin_extend(uint32_t records)
{
    uint32_t known = girt_load_relaxed(&girt__pins.records);
    /* Each turn means that another thread raised it. */
    while (known < records &&
           !girt_cas_acq_rel(&girt__pins.records, &known, records))
        continue;
}

__attribute__((noinline, cold)) uintptr_t *girt__pin_pass(uintptr_t item)
{
    /* Of records in use only, the caller's first: those who evict look through
     * all of them.  Threads leave a passing slot within some ten
     * instructions. */
    for (uint32_t at = girt__thread_index() % GIRT__PIN_RECORDS;;) {
        uintptr_t *const slot = &girt__pin_records[at].passing;
        uintptr_t free_slot = 0;
        if (girt_load_relaxed(slot) == 0 &&
            girt_cas_acq_rel(slot, &free_slot, item)) {
            girt_fence_after_rmw(); /* N1, then N2 */
            return slot;
        }
        if (++at >= girt_load_relaxed(&girt__pins.records)) {
            at = 0;
            (void)sched_yield();
        }
    }
}

static void mark_slot(uintptr_t *slot, uintptr_t item, uint32_t *holders)
{
    if (girt_load_acquire(slot) != item) /* U2 -> N3 */
        return;
    /* Counted first: whoever finds the bit may take itself off at once. */
    (void)girt_add_relaxed(holders, 1);
    if (!girt_cas_acq_rel(slot, &item, item | 1))
        (void)girt_sub_relaxed(holders, 1); /* it left: we still hold one */
}

void girt__pin_mark(const void *item, uint32_t *holders)
{
    girt_fence_seq_cst(); /* U1, then U2 */
    const uint32_t records = girt_load_acquire(&girt__pins.records);
    for (uint32_t r = 0; r < records; r++) {
        girt__pin_record *const record = &girt__pin_records[r];
        for (uint32_t i = 0; i < GIRT__PIN_SLOTS; i++)
            mark_slot(&record->slots[i], (uintptr_t)item, holders);
        mark_slot(&record->passing, (uintptr_t)item, holders);
    }
}
