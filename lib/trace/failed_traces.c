/* SPDX-License-Identifier: MIT */
/* failed_traces.c - the traces with a failed span that were seen last.
 *
 * Open addressing, half full at most, so a search ends. Removal moves later
 * ones of the same run back (Knuth 6.4, algorithm R). Ids are random already,
 * or a stranger's choice: then a search takes at most GIRT__FAILED_TRACES
 * steps, under the tracer's mutex and in no request's way. */
#include "trace/failed_traces.h"

enum {
    SLOTS = 2 * GIRT__FAILED_TRACES,
    SLOT_MASK = SLOTS - 1,
    ID_MASK = GIRT__FAILED_TRACES - 1
};

static unsigned home_of(const uint64_t id[2])
{
    /* Fibonacci hashing. */
    return (unsigned)(((id[0] ^ id[1]) * 0x9e3779b97f4a7c15u) >> 32) &
           SLOT_MASK;
}

static bool is_id(const girt__failed_traces *failed, unsigned slot,
                  const uint64_t id[2])
{
    const uint64_t *const seen = failed->ids[failed->slots[slot] - 1u];
    return seen[0] == id[0] && seen[1] == id[1];
}

/* Where it is, or the free slot where it would be. */
static unsigned find(const girt__failed_traces *failed, const uint64_t id[2])
{
    unsigned slot = home_of(id);
    while (failed->slots[slot] != 0 && !is_id(failed, slot, id))
        slot = (slot + 1) & SLOT_MASK;
    return slot;
}

static void remove_slot(girt__failed_traces *failed, unsigned hole)
{
    failed->slots[hole] = 0;
    for (unsigned at = (hole + 1) & SLOT_MASK; failed->slots[at] != 0;
         at = (at + 1) & SLOT_MASK) {
        unsigned const home = home_of(failed->ids[failed->slots[at] - 1u]);
        /* It may fill the hole unless its home lies behind that. */
        if (((at - home) & SLOT_MASK) < ((at - hole) & SLOT_MASK))
            continue;
        failed->slots[hole] = failed->slots[at];
        failed->slots[at] = 0;
        hole = at;
    }
}

bool girt__failed_traces_has(const girt__failed_traces *failed,
                             const uint64_t id[2])
{
    return failed->slots[find(failed, id)] != 0;
}

void girt__failed_traces_add(girt__failed_traces *failed, const uint64_t id[2])
{
    if (girt__failed_traces_has(failed, id))
        return;
    unsigned const at = (unsigned)failed->count & ID_MASK;
    if (failed->count >= GIRT__FAILED_TRACES)
        remove_slot(failed, find(failed, failed->ids[at]));
    failed->ids[at][0] = id[0];
    failed->ids[at][1] = id[1];
    failed->slots[find(failed, id)] = (uint16_t)(at + 1);
    failed->count++;
}
