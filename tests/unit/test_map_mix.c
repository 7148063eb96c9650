/* SPDX-License-Identifier: MIT */
/* Goal: the mixer is a bijection and spreads the keys that programs use.
 * Method: keys back from hashes; families of keys (counting, strides, high
 * bits, swapped halves) thrown into as many bins by the bits that name tag,
 * group and table, whose chi-square must look random. */
#include "map/map_mix.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

enum { SEEDS = 24, BINS = 1024, KEYS = 16 * BINS };

static void a_hash_gives_its_key_back(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int round = 0; round < 50; round++) {
        girt__mix mix;
        girt__mix_init(&mix, rng_next(&r));
        const uint64_t edges[] = {0, 1, UINT64_MAX, 1u, (uint64_t)1 << 63};
        for (size_t i = 0; i < 5; i++)
            assert_true(girt__mix_key(&mix, girt__mix_hash(&mix, edges[i])) ==
                        edges[i]);
        for (int i = 0; i < 1000; i++) {
            const uint64_t key = rng_next(&r);
            assert_true(girt__mix_key(&mix, girt__mix_hash(&mix, key)) == key);
        }
    }
}

static void seeds_give_different_hashes(void **state)
{
    (void)state;
    girt__mix a, b;
    girt__mix_init(&a, 1);
    girt__mix_init(&b, 2);
    uint32_t equal = 0;
    for (uint64_t key = 0; key < 1000; key++)
        equal += girt__mix_hash(&a, key) == girt__mix_hash(&b, key);
    assert_int_equal(equal, 0);
}

static uint64_t family(uint32_t which, uint64_t i)
{
    switch (which) {
    case 0:
        return i;
    case 1:
        return i << 12; /* pages */
    case 2:
        return i << 48;
    case 3:
        return 0x00007f5a00000000u + i * 48; /* addresses */
    case 4:
        return i * 0x9e3779b97f4a7c15u;
    case 5:
        return i << 32 | i;
    default:
        return ~i;
    }
}

/* The bits that are used: a window of ten from `shift` on. */
static double chi_square(const girt__mix *mix, uint32_t which, uint32_t shift)
{
    static uint32_t bins[BINS];
    memset(bins, 0, sizeof bins);
    for (uint64_t i = 0; i < KEYS; i++)
        bins[girt__mix_hash(mix, family(which, i)) >> shift & (BINS - 1)]++;
    double sum = 0;
    for (uint32_t i = 0; i < BINS; i++) {
        const double off = (double)bins[i] - (double)KEYS / BINS;
        sum += off * off / ((double)KEYS / BINS);
    }
    return sum;
}

static void families_spread_over_tag_group_and_table(void **state)
{
    (void)state;
    const uint32_t shifts[] = {0, 8, 44, 54};
    for (uint32_t which = 0; which < 7; which++) {
        for (uint32_t s = 0; s < 4; s++) {
            /* Fixed seeds: a limit that chance could cross is no test. The
             * mean of random keys is 1023, the deviation of a median of 24
             * far below 100. More even than random is welcome. */
            uint32_t uneven = 0;
            for (uint64_t seed = 1; seed <= SEEDS; seed++) {
                girt__mix mix;
                girt__mix_init(&mix, seed);
                uneven += chi_square(&mix, which, shifts[s]) > 1300;
            }
            if (uneven > SEEDS / 6)
                fail_msg("family %u, bits from %u: %u of %d seeds uneven",
                         which, shifts[s], uneven, SEEDS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_gives_its_key_back),
        cmocka_unit_test(seeds_give_different_hashes),
        cmocka_unit_test(families_spread_over_tag_group_and_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
