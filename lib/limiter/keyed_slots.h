/* SPDX-License-Identifier: MIT */
/* keyed_slots.h - the slots of a keyed table, one at a time; the protocol is in
 * keyed_table.c. */
#ifndef GIRT_LIMITER_KEYED_SLOTS_H
#define GIRT_LIMITER_KEYED_SLOTS_H

#include <stdbool.h>

#include "core/atomic.h"
#include "limiter/keyed_table.h"

/* A slot by its distance from the home group, in slots. */
typedef struct girt__keyed_place {
    girt_fast_pair *slot;
    uint64_t distance;
} girt__keyed_place;

static inline size_t girt__keyed_home(const girt__keyed_table *table,
                                      uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return (size_t)((wide)hash * table->groups_count >> 64);
}

static inline girt__keyed_group *girt__keyed_group_at(
    const girt__keyed_table *table, size_t home, size_t groups_on)
{
    size_t at = home + groups_on; /* both below groups_count <= 2^32 */
    if (at >= table->groups_count)
        at -= table->groups_count;
    return &table->groups[at];
}

static inline bool girt__keyed_is_settled(uint64_t state)
{
    return (state & 1) == 0;
}

/* How many groups on the keys of a home may be; where processes share the
 * table, it may say anything. */
static inline uint32_t girt__keyed_reach(const girt__keyed_table *table,
                                         size_t home)
{
    uint32_t const reach = girt_load_relaxed(&table->reaches[home]);
    return girt_likely(reach < table->groups_count)
               ? reach
               : (uint32_t)(table->groups_count - 1);
}

/* Like find, but reads the reach first. */
static inline bool girt__keyed_find_other(const girt__keyed_table *table,
                                          uint64_t hash, size_t home,
                                          const girt__keyed_place *except,
                                          uint64_t from,
                                          girt__keyed_place *found)
{
    uint32_t const reach = girt__keyed_reach(table, home);
    for (uint64_t at = from; at / GIRT__KEYED_SLOTS <= reach; at++) {
        girt__keyed_group *const group =
            girt__keyed_group_at(table, home, (size_t)(at / GIRT__KEYED_SLOTS));
        girt_fast_pair *const slot = &group->slots[at % GIRT__KEYED_SLOTS];
        if (slot != except->slot && girt_load_acquire(&slot->word[0]) == hash) {
            found->slot = slot;
            found->distance = at;
            return true;
        }
    }
    return false;
}

/* Both words of a slot that is `hash`'s; false: it is not any more. */
static inline bool girt__keyed_read_state(const girt_fast_pair *slot,
                                          uint64_t hash, uint64_t *state)
{
    *state = girt_load_acquire(&slot->word[1]);
    return girt_load_relaxed(&slot->word[0]) == hash;
}

/* false: the claim had ended already, settled or withdrawn. */
static inline bool girt__keyed_withdraw(girt__keyed_table *table,
                                        girt_fast_pair *slot, uint64_t hash,
                                        uint64_t ticket)
{
    if (!girt_fast_cas2_acq_rel(slot, hash, ticket, 0, 0))
        return false;
    (void)girt_sub_relaxed(&table->used, 1);
    return true;
}

/* Makes sure that `forgotten` covers a mark that is about to be lost. */
static inline void girt__keyed_forget(girt__keyed_table *table, int64_t mark)
{
    int64_t seen = girt_load_relaxed(&table->forgotten);
    /* A round fails only if another thread moved it on. */
    while (seen < mark && !girt_cas_relaxed(&table->forgotten, &seen, mark))
        ;
}

/* Takes a slot from the idle key that has it; the new owner is `hash` with
 * `state`, both 0 to leave it empty. */
static inline bool girt__keyed_take_over(girt__keyed_table *table,
                                         girt_fast_pair *slot,
                                         uint64_t old_hash, uint64_t mark,
                                         uint64_t hash, uint64_t state)
{
    girt__keyed_forget(table, (int64_t)mark);
    /* R1 -> A1. */
    return girt_fast_cas2_acq_rel(slot, old_hash, mark, hash, state);
}

/* What a bucket at `mark` answers; *after is where a take leaves it.  Without
 * branches: whether a bucket is full is anybody's guess. */
static inline bool girt__keyed_admits(const girt__keyed_ask *ask, int64_t mark,
                                      int64_t *after,
                                      girt__keyed_answer *answer)
{
    /* All ones when the bucket is full. */
    int64_t const is_full = -(int64_t)(mark <= ask->time);
    /* Without signs: where processes share the slots a mark may be anything. */
    uint64_t const from = (uint64_t)mark, full = (uint64_t)is_full;
    uint64_t const need = (uint64_t)ask->need;
    *after = (int64_t)(from + (((uint64_t)ask->time_up - from) & full) + need);
    answer->mark = mark;
    answer->due = (int64_t)(from + (((uint64_t)ask->time - from) & full) +
                            need - (uint64_t)ask->room);
    return answer->due <= ask->time;
}

/* The slot of its home group that a key gets if it is free. */
static inline unsigned girt__keyed_first(uint64_t hash)
{
    return (unsigned)hash % GIRT__KEYED_SLOTS;
}

/* The slot of the group that has the key, or else any: read_state tells.  All
 * are compared, without a branch, for which one it is nobody can guess, and a
 * wrong guess costs more than the line: it keeps the CPU from asking for the
 * next call's line meanwhile. */
static inline girt_fast_pair *girt__keyed_among(girt__keyed_group *group,
                                                uint64_t hash)
{
    /* Acquire as in find (keyed_table.c). */
    uint64_t const second = girt_load_acquire(&group->slots[1].word[0]) == hash;
    uint64_t const third = girt_load_acquire(&group->slots[2].word[0]) == hash;
    uint64_t const fourth = girt_load_acquire(&group->slots[3].word[0]) == hash;
    return &group->slots[(second + third * 2 + fourth * 3) & 3];
}

/* The key's settled slot in its home group, where nearly every live key is;
 * false: look everywhere.  The first slot is guessed, and mostly right: what
 * follows then hangs on one load, not on four and a choice, and as few
 * instructions as can be wait for the line in the CPU's small queues. */
static inline bool girt__keyed_at_home(const girt__keyed_table *table,
                                       uint64_t hash, girt_fast_pair **slot,
                                       uint64_t *state)
{
    girt__keyed_group *const group =
        &table->groups[girt__keyed_home(table, hash)];
    *slot = &group->slots[girt__keyed_first(hash)];
    if (girt_unlikely(girt_load_acquire(&(*slot)->word[0]) != hash))
        *slot = girt__keyed_among(group, hash);
    return girt_likely(girt__keyed_read_state(*slot, hash, state) &&
                       girt__keyed_is_settled(*state));
}

#endif /* GIRT_LIMITER_KEYED_SLOTS_H */
