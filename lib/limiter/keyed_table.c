/* SPDX-License-Identifier: MIT */
/* keyed_table.c - open addressing in which idle keys are free slots.
 *
 *   home group        next group        ...
 *   [s s s s]         [s s s s]                   s = {hash, state}, 16 bytes
 *
 * A key lives in the first group from its home that had a usable slot: an empty
 * one, or an idle one, whose mark has passed.  A bucket that is full says the
 * same as no bucket, so an idle slot is taken over without telling anybody, and
 * nothing needs to be swept.  Of a group it gets the slot that its hash names,
 * if that is usable.  reaches[home] says how many groups on a key may be; a
 * lookup that finds its key in the home group does not read it.
 *
 * I1: no key has two settled slots.
 * I2: tokens are taken from settled slots only, by a compare-and-swap of hash
 *     and mark together, so never from a slot that became another key's.
 * I3: at most keys_max slots are settled, but for idle ones that a newer time
 *     than theirs has not met.  There are half as many slots again, so runs
 *     stay short.
 * I4: `forgotten` is at or beyond every mark that was ever thrown away.  A key
 *     that is not there starts from it: a caller with a stale time does not
 *     find a full bucket where one with a newer time threw away a used one.
 *
 * Claiming (I1).  Two threads can claim two slots for one key, because "usable"
 * depends on their times.  So a claim is first written down unsettled, with a
 * ticket that is never used again, then its whole range is searched for the
 * same key:
 *   - a settled one, or an unsettled one nearer home: withdraw, begin again;
 *   - an unsettled one farther from home: withdraw that one;
 *   - none: settle.
 * Withdrawing and settling are compare-and-swaps from {hash, ticket}, so each
 * claim ends once.  Whoever meets an unsettled claim for his key goes on with
 * it in the owner's place; a thread that stops stops nobody.
 *
 * Proof of I1.  Say two claims of a key settled, at s and t, both there at
 * once.  Each was searched for after it was written (F1).  Whichever was
 * written second, its search came after both were written and saw the other,
 * unsettled or settled, and then withdrew one of the two; a withdrawn claim
 * never settles, as its ticket never comes again.  A range that had been longer
 * was announced in reaches[] before the slot was written, and a search reads
 * reaches[] after its own slot was written: the same argument.
 *
 * Room (I3).  `used` is never less than the slots that are not empty: it is
 * raised before a claim is written and lowered after a slot was emptied.  So it
 * may count one key twice, or a slot that a stopped thread never filled, and
 * "too many" is only a reason to look.  Before a claim settles, `used`, itself
 * counted, is at most keys_max, or a census (keyed_census.c) has gone over all
 * slots, emptied the idle ones, and found fewer than keys_max other keys live
 * or claimed by an older ticket; newer claims it withdrew, so that of several
 * for the last place the oldest gets it and somebody always goes on.  Who is
 * told FULL has withdrawn his claim, so each key is refused for keys_max others
 * and no thread holds more than one place, its key's.
 *
 * Proof of I3.  Take the last census that began, of those whose claims settled.
 * Of the slots that were written before it, fewer than keys_max others are left
 * (F1: a claim that it did not see sees its `used`).  A claim that was written
 * later had no census, so its `used` was at most keys_max, all counted.
 *
 * F1: sequentially consistent fences between writing the claim and searching,
 *     and between meeting a claim and searching, or reading `used`: store, then
 *     load of another word, in both threads. */
#include "limiter/keyed_table.h"

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"
#include "limiter/keyed_slots.h"

enum { ROUNDS_MOST = 1 << 16 };

bool girt__keyed_table_shape(uint64_t keys, size_t *groups, size_t *bytes,
                             size_t *reach_bytes)
{
    /* 3/2 slots a key. */
    uint64_t const count = keys / 8 * 3 + (keys % 8 * 3 + 7) / 8;
    *groups = (size_t)count;
    return count <= UINT32_MAX &&
           girt__size_multiply((size_t)count, sizeof(girt__keyed_group),
                               bytes) &&
           girt__size_multiply((size_t)count, sizeof(uint32_t), reach_bytes);
}

void girt__keyed_table_reset(girt__keyed_table *table)
{
    table->used = 0;
    table->tickets = 0;
    table->hand = 0;
    table->forgotten = -(INT64_C(1) << 62);
    table->full_until = INT64_MIN;
}

girt_status girt__keyed_table_create(girt__keyed_table *table, uint64_t keys,
                                     const girt_allocator *allocator)
{
    size_t groups, bytes, reach_bytes;
    if (!girt__keyed_table_shape(keys, &groups, &bytes, &reach_bytes))
        return GIRT_E_TOO_LARGE;
    girt__keyed_group *const slots =
        girt__allocate_zeroed(allocator, bytes, GIRT_CACHELINE);
    if (slots == NULL)
        return GIRT_E_NOMEM;
    uint32_t *const reaches = girt__allocate_zeroed(allocator, reach_bytes, 0);
    if (reaches == NULL) {
        girt__release(allocator, slots, bytes);
        return GIRT_E_NOMEM;
    }
    table->groups = slots;
    table->reaches = reaches;
    table->groups_count = groups;
    table->keys_max = keys;
    girt__keyed_table_reset(table);
    return GIRT_OK;
}

void girt__keyed_table_destroy(girt__keyed_table *table,
                               const girt_allocator *allocator)
{
    girt__release(allocator, table->groups,
                  table->groups_count * sizeof *table->groups);
    girt__release(allocator, table->reaches,
                  table->groups_count * sizeof *table->reaches);
}

/* The key's next slot from `from` on; false: none within reach. */
static bool find(const girt__keyed_table *table, uint64_t hash, size_t home,
                 uint64_t from, girt__keyed_place *found)
{
    uint32_t reach = 0;
    for (size_t on = (size_t)(from / GIRT__KEYED_SLOTS); on <= reach; on++) {
        girt__keyed_group *const group = girt__keyed_group_at(table, home, on);
        for (uint64_t i =
                 on * GIRT__KEYED_SLOTS < from ? from % GIRT__KEYED_SLOTS : 0;
             i < GIRT__KEYED_SLOTS; i++) {
            /* A1 <- R1: what was forgotten before the slot changed hands. */
            if (girt_load_acquire(&group->slots[i].word[0]) == hash) {
                found->slot = &group->slots[i];
                found->distance = on * GIRT__KEYED_SLOTS + i;
                return true;
            }
        }
        if (on == 0) /* most keys end above */
            reach = girt__keyed_reach(table, home);
    }
    return false;
}

/* Ends the claim {hash, ticket} at `mine`, taking the tokens as it settles.
 * false: it ended otherwise, begin again. */
static bool settle(girt__keyed_table *table, const girt__keyed_ask *ask,
                   size_t home, const girt__keyed_place *mine, uint64_t ticket,
                   girt_status *status, girt__keyed_answer *answer)
{
    girt_fence_seq_cst(); /* F1 */
    girt__keyed_place other;
    for (uint64_t from = 0;
         girt__keyed_find_other(table, ask->hash, home, mine, from, &other);
         from = other.distance + 1) {
        uint64_t state;
        if (!girt__keyed_read_state(other.slot, ask->hash, &state)) {
            /* Not the key's any more.  Going on leaves no claim behind. */
            girt_fence_acquire(); /* A1 <- R1 */
            continue;
        }
        if (girt__keyed_is_settled(state) || other.distance < mine->distance) {
            (void)girt__keyed_withdraw(table, mine->slot, ask->hash, ticket);
            return false;
        }
        if (!girt__keyed_withdraw(table, other.slot, ask->hash, state))
            return false; /* it may have settled: then mine must not */
    }
    int64_t after;
    if (!girt__keyed_admits(ask, girt_load_relaxed(&table->forgotten), &after,
                            answer)) {
        (void)girt__keyed_withdraw(table, mine->slot, ask->hash, ticket);
        *status = GIRT_LIMITED;
        return true;
    }
    if (!girt__keyed_table_has_room(table, ask, ticket, &answer->due)) {
        (void)girt__keyed_withdraw(table, mine->slot, ask->hash, ticket);
        *status = GIRT_FULL;
        return true;
    }
    if (!girt_fast_cas2_acq_rel(mine->slot, ask->hash, ticket, ask->hash,
                                (uint64_t)after))
        return false;
    answer->mark = after;
    *status = GIRT_OK;
    return true;
}

/* What a group has for a newcomer; the slots are NULL if it has none. */
typedef struct offer {
    girt_fast_pair *empty;
    girt_fast_pair *idle;
    uint64_t idle_hash;
    uint64_t idle_mark;
} offer;

/* false: the key is there, another claimed it meanwhile. */
static bool look_around(girt__keyed_group *group, const girt__keyed_ask *ask,
                        offer *o)
{
    *o = (offer){NULL, NULL, 0, 0};
    /* From the key's first slot on, where the next take looks first. */
    unsigned const first = girt__keyed_first(ask->hash);
    for (unsigned i = 0; i < GIRT__KEYED_SLOTS; i++) {
        girt_fast_pair *const slot =
            &group->slots[(first + i) % GIRT__KEYED_SLOTS];
        uint64_t const hash = girt_load_acquire(&slot->word[0]);
        uint64_t state;
        if (hash == ask->hash)
            return false;
        if (hash == 0) {
            o->empty = o->empty == NULL ? slot : o->empty;
        } else if (o->idle == NULL &&
                   girt__keyed_read_state(slot, hash, &state) &&
                   girt__keyed_is_settled(state) &&
                   (int64_t)state <= ask->time) {
            o->idle = slot;
            o->idle_hash = hash;
            o->idle_mark = state;
        }
    }
    return true;
}

static bool claim_empty(girt__keyed_table *table, girt_fast_pair *slot,
                        uint64_t hash, uint64_t ticket)
{
    (void)girt_add_relaxed(&table->used, 1); /* before, for I3 */
    if (girt_fast_cas2_acq_rel(slot, 0, 0, hash, ticket))
        return true;
    (void)girt_sub_relaxed(&table->used, 1);
    return false;
}

/* Writes an unsettled claim into the nearest group with room. EMPTY: begin
 * again; FULL: `keys` other keys are live, until `answer->due`. */
static girt_status claim(girt__keyed_table *table, const girt__keyed_ask *ask,
                         size_t home, uint64_t ticket, girt__keyed_place *mine,
                         girt__keyed_answer *answer)
{
    for (size_t on = 0; on < table->groups_count; on++) {
        girt__keyed_group *const group = girt__keyed_group_at(table, home, on);
        offer o;
        if (!look_around(group, ask, &o))
            return GIRT_EMPTY;
        if (o.empty == NULL && o.idle == NULL)
            continue;
        bool const all_used =
            girt_load_relaxed(&table->used) >= table->keys_max;
        answer->due = girt_load_relaxed(&table->full_until);
        if (o.idle == NULL && all_used && ask->time < answer->due)
            return GIRT_FULL;
        uint32_t reach = girt_load_relaxed(&table->reaches[home]);
        /* A round fails only if another thread moved it on. */
        while (reach < on &&
               !girt_cas_relaxed(&table->reaches[home], &reach, (uint32_t)on))
            ;
        /* Empty first, while there are enough: who comes back soon finds his
         * slot still his. */
        bool const takes_idle = o.empty == NULL || (all_used && o.idle != NULL);
        mine->slot = takes_idle ? o.idle : o.empty;
        mine->distance =
            on * GIRT__KEYED_SLOTS + (uint64_t)(mine->slot - group->slots);
        bool const done =
            takes_idle ? girt__keyed_take_over(table, o.idle, o.idle_hash,
                                               o.idle_mark, ask->hash, ticket)
                       : claim_empty(table, o.empty, ask->hash, ticket);
        return done ? GIRT_OK : GIRT_EMPTY;
    }
    /* Every slot has somebody in it: half as many again as there may be. */
    return girt__keyed_table_has_room(table, ask, UINT64_MAX, &answer->due)
               ? GIRT_EMPTY
               : GIRT_FULL;
}

/* The key is not there. false: begin again. */
static bool take_new(girt__keyed_table *table, const girt__keyed_ask *ask,
                     size_t home, girt_status *status,
                     girt__keyed_answer *answer)
{
    int64_t after;
    /* A key that would be refused, or takes nothing, needs no slot. */
    *status = girt__keyed_admits(ask, girt_load_relaxed(&table->forgotten),
                                 &after, answer)
                  ? GIRT_OK
                  : GIRT_LIMITED;
    if (*status != GIRT_OK || ask->need == 0)
        return true;
    uint64_t const ticket = girt_add_relaxed(&table->tickets, 1) * 2 + 1;
    girt__keyed_place mine;
    girt_status const claimed = claim(table, ask, home, ticket, &mine, answer);
    if (claimed == GIRT_FULL) {
        *status = GIRT_FULL;
        return true;
    }
    return claimed == GIRT_OK &&
           settle(table, ask, home, &mine, ticket, status, answer);
}

/* Wherever the key is, and if it is nowhere. */
static __attribute__((noinline)) girt_status take_anywhere(
    girt__keyed_table *table, const girt__keyed_ask *ask, size_t home,
    girt__keyed_answer *answer)
{
    /* Each round that fails saw a slot change under it: another thread took
     * tokens, claimed, settled or withdrew.  So many in a row there never are;
     * but shared memory may hold slots that nobody could have written. */
    for (uint32_t round = 0; round < ROUNDS_MOST; round++) {
        girt__keyed_place found;
        uint64_t state;
        girt_status status;
        if (!find(table, ask->hash, home, 0, &found)) {
            if (take_new(table, ask, home, &status, answer))
                return status;
            continue;
        }
        if (!girt__keyed_read_state(found.slot, ask->hash, &state))
            continue;
        if (girt_unlikely(!girt__keyed_is_settled(state))) {
            if (settle(table, ask, home, &found, state, &status, answer))
                return status;
            continue;
        }
        int64_t after;
        if (!girt__keyed_admits(ask, (int64_t)state, &after, answer))
            return GIRT_LIMITED;
        if (ask->need == 0)
            return GIRT_OK;
        if (girt_likely(girt_fast_cas2_acq_rel(found.slot, ask->hash, state,
                                               ask->hash, (uint64_t)after))) {
            answer->mark = after;
            return GIRT_OK;
        }
    }
    answer->mark = ask->time;
    answer->due = ask->time + 2;
    return GIRT_LIMITED;
}

girt_status girt__keyed_table_take(girt__keyed_table *table,
                                   const girt__keyed_ask *ask,
                                   girt__keyed_answer *answer)
{
    uint64_t state;
    int64_t after;
    girt_fast_pair *slot;
    if (girt_likely(girt__keyed_at_home(table, ask->hash, &slot, &state))) {
        if (!girt__keyed_admits(ask, (int64_t)state, &after, answer))
            return GIRT_LIMITED;
        if (ask->need == 0)
            return GIRT_OK;
        if (girt_likely(girt_fast_cas2_acq_rel(slot, ask->hash, state,
                                               ask->hash, (uint64_t)after))) {
            answer->mark = after;
            return GIRT_OK;
        }
    }
    return take_anywhere(table, ask, girt__keyed_home(table, ask->hash),
                         answer);
}

bool girt__keyed_table_is_valid(const girt__keyed_table *table)
{
    uint64_t used = 0;
    for (size_t g = 0; g < table->groups_count; g++) {
        for (int i = 0; i < GIRT__KEYED_SLOTS; i++) {
            const girt_fast_pair *const slot = &table->groups[g].slots[i];
            uint64_t const hash = slot->word[0];
            if (hash == 0)
                continue;
            used++;
            if (!girt__keyed_is_settled(slot->word[1]))
                return false;
            girt__keyed_place first, second;
            size_t const home = girt__keyed_home(table, hash);
            if (!find(table, hash, home, 0, &first) ||
                girt__keyed_find_other(table, hash, home, &first, 0, &second))
                return false;
        }
    }
    return used == table->used && used <= table->keys_max;
}
