/* SPDX-License-Identifier: MIT */
/* map_table.c - the rarer halves of map_table.h, whose proof covers them. */
#include "map/map_table.h"

#include <sched.h>

#include "core/assert.h"

/* Spins before giving the CPU away: a holder that runs is gone by then. */
#define SPINS 64

void girt__group_lock_wait(girt__group *group)
{
    /* Ends when the holder, which waits for nobody but for groups with higher
     * numbers and for the allocator never, has left. */
    for (unsigned turn = 0; !girt__group_trylock(group); turn++) {
        if (turn < SPINS)
            girt_pause();
        else
            (void)sched_yield();
    }
}

static girt__shape shape_of(girt__entry entry)
{
    return (girt__shape)girt__entry_table(entry)->shape;
}

/* For what is not worth two copies of the code. */
static girt__group *group_at(girt__entry entry, uint32_t group)
{
    return girt__table_group(entry, shape_of(entry), group);
}

static uint64_t *slots_at(girt__entry entry, uint32_t group)
{
    return girt__table_slots(entry, shape_of(entry), group);
}

void girt__table_lock(girt__table *table)
{
    const girt__entry entry = girt__table_entry(table);
    for (uint32_t g = 0; g < girt__entry_groups(entry); g++)
        girt__group_lock(group_at(entry, g));
}

void girt__table_unlock(girt__table *table)
{
    const girt__entry entry = girt__table_entry(table);
    for (uint32_t g = 0; g < girt__entry_groups(entry); g++)
        girt__group_unlock(group_at(entry, g));
}

size_t girt__table_used(girt__table *table)
{
    const girt__entry entry = girt__table_entry(table);
    size_t used = 0;
    for (uint32_t g = 0; g < girt__entry_groups(entry); g++) {
        const girt__header header = girt__group_read(group_at(entry, g));
        used += girt__shape_slots(shape_of(entry)) -
                (size_t)__builtin_popcount(
                    girt__header_free(header, shape_of(entry)));
    }
    return used;
}

/* Fills a slot of `group`, which is not home, if there is one and nobody else
 * is filling. */
static girt_status insert_in(girt__place *place, girt__group *group,
                             uint64_t *slots, uint8_t away, uint64_t word)
{
    if (!girt__group_trylock(group))
        return GIRT_E_BUSY;
    const uint32_t free_slots =
        girt__header_free(girt__group_read(group), place->shape);
    if (free_slots != 0) {
        /* I4: before the tag.  Both are stores of home's holder. */
        const uint8_t now = girt_load_relaxed(&place->home->part.away);
        girt_store_relaxed(&place->home->part.away, (uint8_t)(now | away));
        girt__group_fill(group, slots, place->shape,
                         (uint32_t)__builtin_ctz(free_slots), place->hash,
                         word);
    }
    girt__group_unlock(group);
    return free_slots != 0 ? GIRT_OK : GIRT_E_BUSY;
}

/* The alternative with the most room, 0 if none has any: filling the emptiest
 * lets a table reach 89 % before it must grow, filling the first 86 %. */
static uint32_t roomiest(girt__entry entry, uint32_t home)
{
    uint32_t best = 0;
    int best_room = 0;
    for (uint32_t i = 1; i <= girt__table_alternatives(entry); i++) {
        const uint32_t at = girt__table_alternative(entry, home, i);
        const girt__header header = girt__group_read(group_at(entry, at));
        const int room =
            __builtin_popcount(girt__header_free(header, shape_of(entry)));
        if (room > best_room) {
            best = i;
            best_room = room;
        }
    }
    return best;
}

static girt_status insert_in_spill(girt__place *place, uint64_t word)
{
    girt_status status = GIRT_FULL;
    girt__spill *spill =
        girt_load_acquire(&girt__entry_table(place->entry)->spill);
    for (; spill != NULL; spill = spill->next) {
        if (girt__header_free(girt__group_read(&spill->group), place->shape) ==
            0)
            continue;
        status = insert_in(place, &spill->group, spill->slots, GIRT__AWAY_SPILL,
                           word);
        if (status == GIRT_OK)
            return GIRT_OK;
    }
    return status;
}

girt_status girt__place_insert_away(girt__place *place, uint64_t word)
{
    const girt__entry entry = place->entry;
    const uint32_t home = girt__table_home(entry, place->hash);
    const uint32_t i = roomiest(entry, home);
    if (i == 0)
        return insert_in_spill(place, word);
    const uint32_t at = girt__table_alternative(entry, home, i);
    return insert_in(place, group_at(entry, at), slots_at(entry, at),
                     (uint8_t)(1u << (i - 1)), word);
}

/* Whether a key of the place's home is in `group`.  Keys of that home stand
 * still; a slot that others are filling cannot show an old key of it, for its
 * tag is set after its hash (T1 -> A1). */
static bool holds_home(const girt__place *place, girt__group *group,
                       uint64_t *slots)
{
    const uint32_t home = girt__table_home(place->entry, place->hash);
    const girt__header header = girt__group_read(group);
    uint32_t used =
        ~girt__header_match(header, 0) & girt__shape_all(place->shape);
    for (; used != 0; used &= used - 1) {
        uint64_t *const slot =
            girt__slot_at(slots, place->shape, (uint32_t)__builtin_ctz(used));
        const uint64_t hash = girt__slot_hash(slot, place->shape);
        if (girt__table_home(place->entry, hash) == home)
            return true;
    }
    return false;
}

void girt__place_forget_away(girt__place *place)
{
    const girt__entry entry = place->entry;
    if (place->away == GIRT__AWAY_SPILL) {
        girt__spill *spill =
            girt_load_acquire(&girt__entry_table(entry)->spill);
        for (; spill != NULL; spill = spill->next)
            if (holds_home(place, &spill->group, spill->slots))
                return;
    } else {
        const uint32_t at =
            girt__table_alternative(entry, girt__table_home(entry, place->hash),
                                    (uint32_t)__builtin_ctz(place->away) + 1);
        if (holds_home(place, place->group, slots_at(entry, at)))
            return;
    }
    const uint8_t now = girt_load_relaxed(&place->home->part.away);
    girt_store_relaxed(&place->home->part.away, (uint8_t)(now & ~place->away));
}
