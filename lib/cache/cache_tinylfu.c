/* SPDX-License-Identifier: MIT */
/* cache_tinylfu.c - W-TinyLFU: a sketch of frequencies decides who stays.
 *
 * [Einziger, Friedman, Manes, ACM TOS 2017] with a window of one hundredth.
 * New items enter the window, an LRU; what leaves it competes with the oldest
 * of a segmented LRU (probation, and protected with four fifths of the room)
 * and stays if the sketch saw it more often.  Probation keeps to its fifth:
 * what a promotion pushes beyond it leaves next, without a contest, so that a
 * newcomer gets in now and then.  A contest that is won may go on, in the
 * evictions that follow.  The sketch counts insertions, hits outside the window
 * and competitions, in a counting Bloom filter of ten hashes and an error of
 * 0.001, halved every 32 hits an entry: as the simulator does whose figures the
 * tests compare with. */
#include "cache/cache_policy.h"

#include "core/assert.h"

enum { HASHES = 10, FIRST_ENTRIES = 64, HALVE_AFTER = 32 };
/* -ln 0.001 / ln(2)^2, in thousandths. */
#define COUNTERS_PER_1000 14378u

/* ---- the sketch --------------------------------------------------------- */

static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ hash >> 30) * 0xbf58476d1ce4e5b9u;
    return hash ^ hash >> 31;
}

static uint16_t *counter(girt__sketch *sketch, uint64_t mixed, uint32_t i)
{
    const uint32_t at = (uint32_t)mixed + i * (uint32_t)(mixed >> 32);
    return &sketch->counters[at % sketch->count];
}

static uint32_t estimate(girt__sketch *sketch, uint64_t hash)
{
    if (sketch->counters == NULL)
        return 0;
    uint32_t lowest = UINT32_MAX;
    const uint64_t mixed = mix(hash);
    for (uint32_t i = 0; i < HASHES; i++) {
        const uint32_t count = *counter(sketch, mixed, i);
        lowest = count < lowest ? count : lowest;
    }
    return lowest;
}

static void count_one(girt__sketch *sketch, uint64_t hash)
{
    if (sketch->counters == NULL)
        return;
    const uint64_t mixed = mix(hash);
    for (uint32_t i = 0; i < HASHES; i++) {
        uint16_t *const c = counter(sketch, mixed, i);
        *c = (uint16_t)(*c + (*c != UINT16_MAX));
    }
}

static void halve_when_due(girt__sketch *sketch)
{
    if (sketch->counters == NULL ||
        ++sketch->hits < (uint64_t)HALVE_AFTER * sketch->entries)
        return;
    sketch->hits = 0;
    for (uint32_t i = 0; i < sketch->count; i++)
        sketch->counters[i] = (uint16_t)(sketch->counters[i] >> 1);
}

static size_t sketch_bytes(size_t entries)
{
    const size_t counters = entries * COUNTERS_PER_1000 / 1000 + 1;
    return (counters < 2 * HASHES ? 2 * HASHES : counters) * sizeof(uint16_t);
}

static uint32_t entries_of(size_t bytes)
{
    return (uint32_t)(bytes / sizeof(uint16_t) * 1000 / COUNTERS_PER_1000);
}

/* One for all entries that may come where their number is known and the
 * counters are few beside the bytes; else one that doubles, and forgets. */
girt__want girt__sketch_wants(const girt__policy *policy, size_t items)
{
    const girt__sketch *const sketch = &policy->sketch;
    const size_t share = policy->share_entries;
    size_t entries = sketch->entries;
    if (share != 0 && share < (size_t)1 << 26 &&
        sketch_bytes(share) <= policy->share_bytes / 8)
        entries = share - share / 100;
    else if (items > entries)
        entries = entries == 0 ? FIRST_ENTRIES : 2 * entries;
    if (sketch->counters != NULL &&
        sketch->count * sizeof(uint16_t) >= sketch_bytes(entries))
        return (girt__want){GIRT__WANT_NOTHING, 0};
    if (entries > (size_t)1 << 26)
        return (girt__want){GIRT__WANT_NOTHING, 0};
    return (girt__want){GIRT__WANT_SKETCH, sketch_bytes(entries)};
}

void girt__sketch_feed(girt__sketch *sketch, void *block, size_t bytes)
{
    sketch->counters = block;
    sketch->count = (uint32_t)(bytes / sizeof(uint16_t));
    sketch->entries = entries_of(bytes);
    sketch->hits = 0;
}

/* ---- the three lists ---------------------------------------------------- */

/* Entries where their number is bounded, else bytes. */
static size_t load_of(const girt__policy *policy, int list)
{
    const girt__item_list *const l = &policy->lists[list];
    return policy->share_entries != 0 ? l->count : l->bytes;
}

static size_t weight_of(const girt__policy *policy, const girt__item *item)
{
    return policy->share_entries != 0 ? 1 : girt__item_size(item);
}

/* What the main lists may hold: all but a hundredth of the items there are,
 * and at least one. */
static size_t main_room(const girt__policy *policy)
{
    const size_t count = girt__policy_count(policy);
    const size_t bytes = girt__policy_bytes(policy);
    if (count == 0)
        return 0;
    const size_t window = count < 200 ? 1 : count / 100;
    return policy->share_entries != 0 ? count - window
                                      : bytes - bytes / count * window;
}

static size_t probation_room(size_t room)
{
    return room / 5;
}

static size_t protected_room(size_t room)
{
    return room / 5 * 4 + room % 5 * 4 / 5;
}

static void move(girt__policy *policy, girt__item *item, uint8_t list)
{
    girt__list_remove(&policy->lists[item->list], item);
    girt__list_push(&policy->lists[list], item, list);
}

void girt__tinylfu_insert(girt__policy *policy, girt__item *item)
{
    girt__list_push(&policy->lists[GIRT__WINDOW], item, GIRT__WINDOW);
    count_one(&policy->sketch, item->hash);
}

static void admit(girt__policy *policy, girt__item *item, size_t room)
{
    const size_t weight = weight_of(policy, item);
    const bool probation =
        load_of(policy, GIRT__PROBATION) + weight <= probation_room(room) ||
        load_of(policy, GIRT__PROTECTED) + weight > protected_room(room);
    move(policy, item, probation ? GIRT__PROBATION : GIRT__PROTECTED);
}

void girt__tinylfu_touch(girt__policy *policy, girt__item *item)
{
    if (item->list == GIRT__WINDOW) {
        move(policy, item, GIRT__WINDOW);
        return;
    }
    move(policy, item, GIRT__PROTECTED);
    girt__item_list *const protected = &policy->lists[GIRT__PROTECTED];
    const size_t room = main_room(policy);
    /* Each turn moves one item out. */
    while (load_of(policy, GIRT__PROTECTED) > protected_room(room) &&
           protected->count > 1) {
        move(policy, protected->oldest, GIRT__PROBATION);
        policy->probation_is_over =
            load_of(policy, GIRT__PROBATION) > probation_room(room);
    }
    count_one(&policy->sketch, item->hash);
    halve_when_due(&policy->sketch);
}

/* ---- who leaves --------------------------------------------------------- */

static girt__item *oldest_of_main(girt__policy *policy)
{
    girt__item *const oldest = policy->lists[GIRT__PROBATION].oldest;
    return oldest != NULL ? oldest : policy->lists[GIRT__PROTECTED].oldest;
}

/* Whoever leaves without a contest; NULL: nobody does. */
static girt__item *next_without_contest(girt__policy *policy)
{
    girt__item *const over = policy->lists[GIRT__PROBATION].oldest;
    const bool probation_is_over = policy->probation_is_over;
    policy->probation_is_over = false;
    if (probation_is_over && over != NULL)
        return over;
    if (policy->lists[GIRT__WINDOW].oldest != NULL &&
        !(policy->contest_goes_on && policy->contestants == 0))
        return NULL;
    policy->contest_goes_on = false;
    return oldest_of_main(policy);
}

/* Where entries are bounded, a contest that the window's item won goes on with
 * the next, until one loses or all who were in the window then are through. */
static void note_contest(girt__policy *policy, bool won, bool lost)
{
    if (policy->share_entries == 0)
        return;
    if (policy->contest_goes_on)
        policy->contestants--;
    else if (won)
        policy->contestants = policy->lists[GIRT__WINDOW].count;
    policy->contest_goes_on = !lost && (won || policy->contest_goes_on);
}

/* The window's oldest goes to main if there is room, else against main's
 * oldest.  The loser, out of its list; NULL: there was room. */
static girt__item *contest(girt__policy *policy)
{
    girt__item *const candidate = policy->lists[GIRT__WINDOW].oldest;
    girt__item *const rival = oldest_of_main(policy);
    const uint64_t hash = candidate->hash;
    const size_t room = main_room(policy);
    const size_t main =
        load_of(policy, GIRT__PROBATION) + load_of(policy, GIRT__PROTECTED);
    girt__item *loser = NULL;
    if (main + weight_of(policy, candidate) > room) {
        const bool wins =
            rival != NULL && estimate(&policy->sketch, hash) >
                                 estimate(&policy->sketch, rival->hash);
        loser = wins ? rival : candidate;
        girt__list_remove(&policy->lists[loser->list], loser);
    }
    if (loser != candidate)
        admit(policy, candidate, room);
    count_one(&policy->sketch, hash);
    note_contest(policy, loser == rival && rival != NULL, loser == candidate);
    return loser;
}

girt__item *girt__tinylfu_victim(girt__policy *policy)
{
    /* Each turn takes one item from the window. */
    for (;;) {
        girt__item *victim = next_without_contest(policy);
        if (victim != NULL)
            girt__list_remove(&policy->lists[victim->list], victim);
        else if (policy->lists[GIRT__WINDOW].oldest != NULL)
            victim = contest(policy);
        else
            return NULL;
        if (victim != NULL)
            return victim;
    }
}
