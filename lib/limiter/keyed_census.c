/* SPDX-License-Identifier: MIT */
/* keyed_census.c - whether a keyed table has room for one more key; what for,
 * and why it is right, is said in keyed_table.c. */
#include "core/atomic.h"
#include "limiter/keyed_slots.h"

enum {
    FREED_ENOUGH = 16, /* idle slots that one census empties */
    GROUPS_LEAST = 64  /* ... in at least this many groups */
};

typedef struct census {
    uint64_t ticket; /* newer claims have to make room */
    uint64_t freed;
    uint64_t live;   /* other keys */
    uint64_t claims; /* of other keys, which will be */
    int64_t soonest; /* the smallest mark of the live ones */
} census;

/* Whether the claim at `slot` is one too many for its key: there is a settled
 * slot, or a claim nearer home. */
static bool is_spare(const girt__keyed_table *table, girt_fast_pair *slot,
                     size_t group, uint64_t hash)
{
    size_t const home = girt__keyed_home(table, hash);
    size_t const on =
        group >= home ? group - home : group + table->groups_count - home;
    girt__keyed_place const claim = {
        slot,
        on * GIRT__KEYED_SLOTS + (uint64_t)(slot - table->groups[group].slots)};
    girt__keyed_place other;
    for (uint64_t from = 0;
         girt__keyed_find_other(table, hash, home, &claim, from, &other);
         from = other.distance + 1) {
        uint64_t state;
        if (girt__keyed_read_state(other.slot, hash, &state) &&
            (girt__keyed_is_settled(state) || other.distance < claim.distance))
            return true;
    }
    return false;
}

/* Counts the key in a slot, or empties the slot if nothing is lost. */
static void count_slot(girt__keyed_table *table, const girt__keyed_ask *ask,
                       size_t group, girt_fast_pair *slot, census *c)
{
    /* A round fails only if another thread changed the slot. */
    for (;;) {
        uint64_t const hash = girt_load_acquire(&slot->word[0]);
        uint64_t state;
        if (hash == 0 || hash == ask->hash)
            return;
        if (!girt__keyed_read_state(slot, hash, &state))
            continue;
        if (!girt__keyed_is_settled(state)) {
            if (state < c->ticket && !is_spare(table, slot, group, hash)) {
                c->claims++;
                return;
            }
            if (girt__keyed_withdraw(table, slot, hash, state))
                return;
        } else if ((int64_t)state > ask->time) {
            c->live++;
            if ((int64_t)state < c->soonest)
                c->soonest = (int64_t)state;
            return;
        } else if (girt__keyed_take_over(table, slot, hash, state, 0, 0)) {
            (void)girt_sub_relaxed(&table->used, 1);
            c->freed++;
            return;
        }
    }
}

bool girt__keyed_table_has_room(girt__keyed_table *table,
                                const girt__keyed_ask *ask, uint64_t ticket,
                                int64_t *due)
{
    if (girt_load_relaxed(&table->used) <= table->keys_max)
        return true;
    census c = {ticket, 0, 0, 0, INT64_MAX};
    size_t const count = table->groups_count;
    size_t at = (size_t)(girt_load_relaxed(&table->hand) % count);
    for (size_t i = 0; i < count; i++) {
        for (int k = 0; k < GIRT__KEYED_SLOTS; k++)
            count_slot(table, ask, at, &table->groups[at].slots[k], &c);
        at = at + 1 == count ? 0 : at + 1;
        if (c.freed >= FREED_ENOUGH && i >= GROUPS_LEAST &&
            girt_load_relaxed(&table->used) <= table->keys_max) {
            girt_store_relaxed(&table->hand, at);
            return true;
        }
    }
    girt_store_relaxed(&table->hand, at);
    if (c.live + c.claims < table->keys_max ||
        girt_load_relaxed(&table->used) <= table->keys_max)
        return true;
    *due = c.soonest == INT64_MAX ? ask->time + 2 : c.soonest;
    if (c.live >= table->keys_max)
        girt_store_relaxed(&table->full_until, c.soonest);
    return false;
}
