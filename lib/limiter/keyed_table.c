/* SPDX-License-Identifier: MIT */
/* keyed_table.c - open addressing in which idle keys are free slots.
 *
 *   home group        next group        ...
 *   [s s s s]         [s s s s]                   s = {hash, state}, 16 bytes
 *
 * A key lives in the first group from its home that had a usable slot: an empty
 * one, or an idle one, whose mark has passed.  A bucket that is full says the
 * same as no bucket, so an idle slot is taken over without telling anybody, and
 * nothing needs to be swept.  reaches[home] says how many groups on a key may
 * be; a lookup that finds its key in the home group does not read it.
 *
 * I1: no key has two settled slots.
 * I2: tokens are taken from settled slots only, by a compare-and-swap of hash
 *     and mark together, so never from a slot that became another key's.
 * I3: used <= keys_max: slots that are not empty.  There are half as many slots
 *     again, so runs stay short, and `keys_max` live keys always fit.
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
 * F1: sequentially consistent fences between writing the claim and searching,
 *     and between meeting a claim and searching: store, then load of another
 *     word, in both threads. */
#include "limiter/keyed_table.h"

#include "core/alloc_internal.h"
#include "core/assert.h"
#include "core/atomic.h"

enum {
    SWEEP_ENOUGH = 16, /* slots that one sweep frees */
    SWEEP_GROUPS = 64  /* ... in at least this many groups */
};

girt_status girt__keyed_table_create(girt__keyed_table *table, uint64_t keys,
                                     const girt_allocator *allocator)
{
    /* 3/2 slots a key. */
    uint64_t const groups = keys / 8 * 3 + (keys % 8 * 3 + 7) / 8;
    size_t bytes, reach_bytes;
    if (groups > UINT32_MAX ||
        !girt__size_multiply((size_t)groups, sizeof(girt__keyed_group),
                             &bytes) ||
        !girt__size_multiply((size_t)groups, sizeof(uint32_t), &reach_bytes))
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
    table->groups_count = (size_t)groups;
    table->keys_max = keys;
    table->used = 0;
    table->tickets = 0;
    table->hand = 0;
    table->forgotten = -(INT64_C(1) << 62);
    table->full_until = INT64_MIN;
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

/* A slot by its distance from the home group, in slots. */
typedef struct place {
    girt_fast_pair *slot;
    uint64_t distance;
} place;

static size_t home_of(const girt__keyed_table *table, uint64_t hash)
{
    __extension__ typedef unsigned __int128 wide;
    return (size_t)((wide)hash * table->groups_count >> 64);
}

static girt__keyed_group *group_at(const girt__keyed_table *table, size_t home,
                                   size_t groups_on)
{
    size_t at = home + groups_on; /* both below groups_count <= 2^32 */
    if (at >= table->groups_count)
        at -= table->groups_count;
    return &table->groups[at];
}

static bool is_settled(uint64_t state)
{
    return (state & 1) == 0;
}

/* The key's next slot from `from` on; false: none within reach. */
static bool find(const girt__keyed_table *table, uint64_t hash, size_t home,
                 uint64_t from, place *found)
{
    uint32_t reach = 0;
    for (size_t on = (size_t)(from / GIRT__KEYED_SLOTS); on <= reach; on++) {
        girt__keyed_group *const group = group_at(table, home, on);
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
            reach = girt_load_relaxed(&table->reaches[home]);
    }
    return false;
}

/* Like find, but reads the reach first. */
static bool find_other(const girt__keyed_table *table, uint64_t hash,
                       size_t home, const place *except, uint64_t from,
                       place *found)
{
    uint32_t const reach = girt_load_relaxed(&table->reaches[home]);
    for (uint64_t at = from; at / GIRT__KEYED_SLOTS <= reach; at++) {
        girt__keyed_group *const group =
            group_at(table, home, (size_t)(at / GIRT__KEYED_SLOTS));
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
static bool read_state(const girt_fast_pair *slot, uint64_t hash,
                       uint64_t *state)
{
    *state = girt_load_acquire(&slot->word[1]);
    return girt_load_relaxed(&slot->word[0]) == hash;
}

/* false: the claim had ended already, settled or withdrawn. */
static bool withdraw(girt__keyed_table *table, girt_fast_pair *slot,
                     uint64_t hash, uint64_t ticket)
{
    if (!girt_fast_cas2_acq_rel(slot, hash, ticket, 0, 0))
        return false;
    (void)girt_sub_relaxed(&table->used, 1);
    return true;
}

/* What a bucket at `mark` answers; *after is where a take leaves it.  Without
 * branches: whether a bucket is full is anybody's guess. */
static inline bool admits(const girt__keyed_ask *ask, int64_t mark,
                          int64_t *after, girt__keyed_answer *answer)
{
    /* All ones when the bucket is full. */
    int64_t const is_full = -(int64_t)(mark <= ask->time);
    *after = mark + ((ask->time_up - mark) & is_full) + ask->need;
    answer->mark = mark;
    answer->due = mark + ((ask->time - mark) & is_full) + ask->need - ask->room;
    return answer->due <= ask->time;
}

/* Ends the claim {hash, ticket} at `mine`, taking the tokens as it settles.
 * false: it ended otherwise, begin again. */
static bool settle(girt__keyed_table *table, const girt__keyed_ask *ask,
                   size_t home, const place *mine, uint64_t ticket,
                   girt_status *status, girt__keyed_answer *answer)
{
    girt_fence_seq_cst(); /* F1 */
    place other;
    for (uint64_t from = 0;
         find_other(table, ask->hash, home, mine, from, &other);
         from = other.distance + 1) {
        uint64_t state;
        if (!read_state(other.slot, ask->hash, &state))
            return false;
        if (is_settled(state) || other.distance < mine->distance) {
            (void)withdraw(table, mine->slot, ask->hash, ticket);
            return false;
        }
        if (!withdraw(table, other.slot, ask->hash, state))
            return false; /* it may have settled: then mine must not */
    }
    int64_t after;
    if (!admits(ask, girt_load_relaxed(&table->forgotten), &after, answer)) {
        (void)withdraw(table, mine->slot, ask->hash, ticket);
        *status = GIRT_LIMITED;
        return true;
    }
    if (!girt_fast_cas2_acq_rel(mine->slot, ask->hash, ticket, ask->hash,
                                (uint64_t)after))
        return false;
    answer->mark = after;
    *status = GIRT_OK;
    return true;
}

/* Makes sure that `forgotten` covers a mark that is about to be lost. */
static void forget(girt__keyed_table *table, int64_t mark)
{
    int64_t seen = girt_load_relaxed(&table->forgotten);
    /* A round fails only if another thread moved it on. */
    while (seen < mark && !girt_cas_relaxed(&table->forgotten, &seen, mark))
        ;
}

/* Takes a slot from the idle key that has it; the new owner is `hash` with
 * `state`, both 0 to leave it empty. */
static bool take_over(girt__keyed_table *table, girt_fast_pair *slot,
                      uint64_t old_hash, uint64_t mark, uint64_t hash,
                      uint64_t state)
{
    forget(table, (int64_t)mark);
    /* R1 -> A1. */
    return girt_fast_cas2_acq_rel(slot, old_hash, mark, hash, state);
}

/* Counts one more slot used; false: all are. */
static bool count_one(girt__keyed_table *table)
{
    uint64_t used = girt_load_relaxed(&table->used);
    /* A round fails only if another thread counted. */
    while (used < table->keys_max)
        if (girt_cas_relaxed(&table->used, &used, used + 1))
            return true;
    return false;
}

typedef struct sweep {
    int64_t time;
    uint64_t hash;
    uint64_t freed;
    int64_t soonest; /* the smallest mark seen */
    bool unsettled;  /* there were claims */
    bool mine;       /* ... for `hash` */
} sweep;

static void sweep_group(girt__keyed_table *table, girt__keyed_group *group,
                        sweep *s)
{
    for (int i = 0; i < GIRT__KEYED_SLOTS; i++) {
        girt_fast_pair *const slot = &group->slots[i];
        uint64_t const hash = girt_load_acquire(&slot->word[0]);
        uint64_t state;
        if (hash == 0)
            continue;
        if (!read_state(slot, hash, &state) || !is_settled(state)) {
            s->unsettled = true;
            s->mine |= hash == s->hash;
        } else if ((int64_t)state > s->time) {
            if ((int64_t)state < s->soonest)
                s->soonest = (int64_t)state;
        } else if (take_over(table, slot, hash, state, 0, 0)) {
            (void)girt_sub_relaxed(&table->used, 1);
            s->freed++;
        } else {
            s->unsettled = true; /* somebody uses it */
        }
    }
}

/* Empties idle slots. false: there is none, *soonest says when there will be;
 * a search of all slots then is not repeated before that. */
static bool free_some(girt__keyed_table *table, const girt__keyed_ask *ask,
                      int64_t *soonest)
{
    *soonest = girt_load_relaxed(&table->full_until);
    if (ask->time < *soonest)
        return false;
    sweep s = {ask->time, ask->hash, 0, INT64_MAX, false, false};
    size_t const count = table->groups_count;
    size_t at = (size_t)(girt_load_relaxed(&table->hand) % count);
    for (size_t i = 0; i < count; i++) {
        sweep_group(table, &table->groups[at], &s);
        at = at + 1 == count ? 0 : at + 1;
        if (s.freed >= SWEEP_ENOUGH && i >= SWEEP_GROUPS)
            break;
    }
    girt_store_relaxed(&table->hand, at);
    if (s.freed != 0 || s.mine)
        return true;
    *soonest = s.soonest == INT64_MAX ? ask->time + 2 : s.soonest;
    if (!s.unsettled)
        girt_store_relaxed(&table->full_until, s.soonest);
    return false;
}

/* Writes an unsettled claim into the nearest group with room. EMPTY: begin
 * again; FULL: no slot is to be had before `answer->due`. */
static girt_status claim(girt__keyed_table *table, const girt__keyed_ask *ask,
                         size_t home, uint64_t ticket, place *mine,
                         girt__keyed_answer *answer)
{
    for (size_t on = 0; on < table->groups_count; on++) {
        girt__keyed_group *const group = group_at(table, home, on);
        girt_fast_pair *empty = NULL, *idle = NULL;
        uint64_t idle_hash = 0, idle_mark = 0;
        for (int i = 0; i < GIRT__KEYED_SLOTS; i++) {
            girt_fast_pair *const slot = &group->slots[i];
            uint64_t const hash = girt_load_acquire(&slot->word[0]);
            uint64_t state;
            if (hash == ask->hash)
                return GIRT_EMPTY; /* another claimed it meanwhile */
            if (hash == 0) {
                empty = empty == NULL ? slot : empty;
            } else if (idle == NULL && read_state(slot, hash, &state) &&
                       is_settled(state) && (int64_t)state <= ask->time) {
                idle = slot;
                idle_hash = hash;
                idle_mark = state;
            }
        }
        if (empty == NULL && idle == NULL)
            continue;
        uint32_t reach = girt_load_relaxed(&table->reaches[home]);
        /* A round fails only if another thread moved it on. */
        while (reach < on &&
               !girt_cas_relaxed(&table->reaches[home], &reach, (uint32_t)on))
            ;
        /* Empty first: who comes back soon finds his slot still his. */
        bool const counted = empty != NULL && count_one(table);
        if (!counted && idle == NULL)
            return free_some(table, ask, &answer->due) ? GIRT_EMPTY : GIRT_FULL;
        mine->slot = counted ? empty : idle;
        mine->distance =
            on * GIRT__KEYED_SLOTS + (uint64_t)(mine->slot - group->slots);
        if (!counted)
            return take_over(table, idle, idle_hash, idle_mark, ask->hash,
                             ticket)
                       ? GIRT_OK
                       : GIRT_EMPTY;
        if (girt_fast_cas2_acq_rel(empty, 0, 0, ask->hash, ticket))
            return GIRT_OK;
        (void)girt_sub_relaxed(&table->used, 1);
        return GIRT_EMPTY;
    }
    return GIRT_EMPTY; /* others held every slot for a moment (I3) */
}

/* The key is not there. false: begin again. */
static bool take_new(girt__keyed_table *table, const girt__keyed_ask *ask,
                     size_t home, girt_status *status,
                     girt__keyed_answer *answer)
{
    int64_t after;
    /* A key that would be refused, or takes nothing, needs no slot. */
    *status = admits(ask, girt_load_relaxed(&table->forgotten), &after, answer)
                  ? GIRT_OK
                  : GIRT_LIMITED;
    if (*status != GIRT_OK || ask->need == 0)
        return true;
    uint64_t const ticket = girt_add_relaxed(&table->tickets, 1) * 2 + 1;
    place mine;
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
     * tokens, claimed, settled or withdrew. */
    for (;;) {
        place found;
        uint64_t state;
        girt_status status;
        if (!find(table, ask->hash, home, 0, &found)) {
            if (take_new(table, ask, home, &status, answer))
                return status;
            continue;
        }
        if (!read_state(found.slot, ask->hash, &state))
            continue;
        if (girt_unlikely(!is_settled(state))) {
            if (settle(table, ask, home, &found, state, &status, answer))
                return status;
            continue;
        }
        int64_t after;
        if (!admits(ask, (int64_t)state, &after, answer))
            return GIRT_LIMITED;
        if (ask->need == 0)
            return GIRT_OK;
        if (girt_likely(girt_fast_cas2_acq_rel(found.slot, ask->hash, state,
                                               ask->hash, (uint64_t)after))) {
            answer->mark = after;
            return GIRT_OK;
        }
    }
}

girt_status girt__keyed_table_take(girt__keyed_table *table,
                                   const girt__keyed_ask *ask,
                                   girt__keyed_answer *answer)
{
    size_t const home = home_of(table, ask->hash);
    girt__keyed_group *const group = &table->groups[home];
    /* Nearly every live key is in its home group, and settled.  Which slot has
     * it is anybody's guess too, and a wrong one would cost more than the line:
     * it keeps the CPU from asking for the next call's line meanwhile. */
    /* Acquire as in find. */
    uint64_t const second =
        girt_load_acquire(&group->slots[1].word[0]) == ask->hash;
    uint64_t const third =
        girt_load_acquire(&group->slots[2].word[0]) == ask->hash;
    uint64_t const fourth =
        girt_load_acquire(&group->slots[3].word[0]) == ask->hash;
    /* Of none, the first is looked at: read_state tells. */
    uint64_t const at = (second + third * 2 + fourth * 3) & 3;
    girt_fast_pair *const slot = &group->slots[at];
    uint64_t state;
    int64_t after;
    if (girt_likely(read_state(slot, ask->hash, &state) && is_settled(state))) {
        if (!admits(ask, (int64_t)state, &after, answer))
            return GIRT_LIMITED;
        if (ask->need == 0)
            return GIRT_OK;
        if (girt_likely(girt_fast_cas2_acq_rel(slot, ask->hash, state,
                                               ask->hash, (uint64_t)after))) {
            answer->mark = after;
            return GIRT_OK;
        }
    }
    return take_anywhere(table, ask, home, answer);
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
            if (!is_settled(slot->word[1]))
                return false;
            place first, second;
            size_t const home = home_of(table, hash);
            if (!find(table, hash, home, 0, &first) ||
                find_other(table, hash, home, &first, 0, &second))
                return false;
        }
    }
    return used == table->used && used <= table->keys_max;
}
