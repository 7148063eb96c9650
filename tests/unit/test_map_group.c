/* SPDX-License-Identifier: MIT */
/* Goal: a group finds exactly the slots whose tag is asked for, and its lock,
 * version and away bits do not disturb each other.  Method: random groups
 * against a loop over their bytes, both ways of matching. */
#include "map/map_group.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

static uint32_t match_by_hand(const girt__group *group, uint8_t tag)
{
    uint32_t match = 0;
    for (uint32_t slot = 0; slot < GIRT__GROUP_SLOTS; slot++)
        match |= (uint32_t)(group->part.tags[slot] == tag) << slot;
    return match;
}

/* What machines without SSE2 use. */
static uint32_t match_in_words(girt__header header, uint8_t tag)
{
    return girt__match_eight(header.low, tag) >> 5 |
           girt__match_eight(header.high, tag) << 3;
}

static void match_finds_exactly_the_tag(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int round = 0; round < 20000; round++) {
        girt__group group = {.words = {rng_next(&r), rng_next(&r)}};
        /* Few different tags, so that neighbours are equal, 0 and 0x80. */
        for (uint32_t i = 0; i < GIRT__GROUP_SLOTS; i++)
            group.part.tags[i] =
                (uint8_t)("\x00\x01\x80\xff\x7f"[rng_below(&r, 5)]);
        const girt__header header = girt__group_read(&group);
        for (uint32_t tag = 0; tag < 256; tag += 1 + (tag > 2) * 41) {
            const uint32_t want = match_by_hand(&group, (uint8_t)tag);
            assert_int_equal(girt__header_match(header, (uint8_t)tag), want);
            assert_int_equal(match_in_words(header, (uint8_t)tag), want);
        }
    }
}

static void tags_are_never_free(void **state)
{
    (void)state;
    for (uint64_t hash = 0; hash < 512; hash++) {
        assert_int_not_equal(girt__tag(hash), 0);
        if ((hash & 255) != 0)
            assert_int_equal(girt__tag(hash), hash & 255);
    }
}

static void lock_and_version_are_apart(void **state)
{
    (void)state;
    girt__group group = {.words = {0, 0}};
    uint64_t slots[2 * GIRT__GROUP_SLOTS] = {0};
    const uint32_t before = girt__header_version(girt__group_read(&group));
    girt__group_lock(&group);
    assert_false(girt__group_trylock(&group));
    assert_int_equal(girt__header_version(girt__group_read(&group)), before);
    girt__group_fill(&group, slots, GIRT__WIDE, 4, 0x1234, 99);
    assert_int_not_equal(girt__header_version(girt__group_read(&group)),
                         before);
    assert_false(girt__group_trylock(&group));
    girt__group_unlock(&group);
    assert_true(girt__group_trylock(&group));
    assert_int_equal(slots[8], 0x1234);
    assert_int_equal(slots[9], 99);
    assert_int_equal(girt__header_match(girt__group_read(&group), 0x34),
                     1u << 4);
    assert_int_equal(girt__header_away(girt__group_read(&group)), 0);
}

static void version_wraps_without_touching_the_rest(void **state)
{
    (void)state;
    girt__group group = {.words = {0, 0}};
    uint64_t slots[2 * GIRT__GROUP_SLOTS] = {0};
    group.part.lock = UINT32_MAX; /* the last version, locked */
    girt__group_fill(&group, slots, GIRT__WIDE, 0, 7, 7);
    assert_int_equal(group.part.lock, 1);
    assert_int_equal(group.part.away, 0);
    girt__group_unlock(&group);
    assert_int_equal(group.part.lock, 0);
}

static void a_line_has_six_slots(void **state)
{
    (void)state;
    girt__group group = {.words = {0, 0}};
    uint64_t slots[6] = {0};
    const uint64_t hashes[6] = {1, 2, 3, 4, 5, 6};
    girt__group_lock(&group);
    for (uint32_t i = 0; i < 6; i++) {
        const girt__header header = girt__group_read(&group);
        assert_int_equal(girt__header_free(header, GIRT__LINE),
                         63 & ~((1u << i) - 1));
        girt__group_fill(&group, slots, GIRT__LINE, i, hashes[i],
                         (uint64_t)(uintptr_t)&hashes[i]);
        assert_int_equal(
            girt__slot_hash(girt__slot_at(slots, GIRT__LINE, i), GIRT__LINE),
            hashes[i]);
    }
    girt__group_unlock(&group);
    assert_int_equal(girt__header_free(girt__group_read(&group), GIRT__LINE),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_finds_exactly_the_tag),
        cmocka_unit_test(tags_are_never_free),
        cmocka_unit_test(lock_and_version_are_apart),
        cmocka_unit_test(a_line_has_six_slots),
        cmocka_unit_test(version_wraps_without_touching_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
