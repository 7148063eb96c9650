/* SPDX-License-Identifier: MIT */
/* Goal: girt_hash is XXH3 to the bit, and the tables' keyed hash cannot be
 * flooded by the keys that flood XXH3 with a seed.  Method: the known answers
 * of libxxhash, then two families of keys made to collide, under many seeds:
 * girt_hash must fall for them, or the method shows nothing. */
#include <girt/hash.h>

#include "core/keyed_hash.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/shared.h"

static void known_answers_hold(void **state)
{
    (void)state;
    FILE *const table = shared_open("vectors/murmur3_siphash_xxh_known.tsv");
    if (table == NULL)
        skip_because("no table of known hashes");
    char line[4096];
    size_t rows = 0;
    while (fgets(line, sizeof line, table) != NULL) {
        char *rest = line;
        if (strcmp(strsep(&rest, "\t"), "xxh3_64") != 0)
            continue;
        uint64_t const seed = strtoull(strsep(&rest, "\t"), NULL, 0);
        const char *const text = strsep(&rest, "\t");
        uint64_t const digest = strtoull(strsep(&rest, "\t"), NULL, 16);
        size_t const size = strlen(text);
        char input[sizeof line + 1];
        memcpy(input + 1, text, size);
        assert_true(girt_hash(input + 1, size, seed) == digest);
        /* and where it is aligned otherwise */
        memmove(input, input + 1, size);
        assert_true(girt_hash(input, size, seed) == digest);
        rows++;
    }
    fclose(table);
    assert_true(rows > 0);
}

static void nothing_can_be_hashed(void **state)
{
    (void)state;
    assert_true(girt_hash(NULL, 0, 0) == 0x2d06800538d394c2u);
    assert_true(girt_hash("", 0, 0) == girt_hash(NULL, 0, 0));
    assert_true(girt_hash(NULL, 0, 1) != girt_hash(NULL, 0, 0));
    girt__hash_key key;
    girt__hash_key_init(&key, 1);
    assert_true(girt__keyed_hash(&key, NULL, 0) ==
                girt__keyed_hash(&key, "", 0));
}

static void keys_come_from_seeds(void **state)
{
    (void)state;
    girt__hash_key a, b;
    girt__hash_key_init(&a, 5);
    girt__hash_key_init(&b, 5);
    assert_memory_equal(&a, &b, sizeof a);
    girt__hash_key_init(&b, 6);
    assert_memory_not_equal(&a, &b, sizeof a);
    girt__hash_key_init(&a, 0);
    girt__hash_key_init(&b, 0);
    assert_memory_not_equal(&a, &b, sizeof a);
}

static void the_keyed_hash_depends_on_every_bit(void **state)
{
    (void)state;
    static const size_t sizes[] = {1,  3,  4,   8,   9,   16,  17,
                                   32, 64, 128, 129, 240, 241, 1500};
    girt__hash_key key;
    girt__hash_key_init(&key, 9);
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        unsigned char data[1500];
        memset(data, 0x5a, sizeof data);
        uint64_t const before = girt__keyed_hash(&key, data, sizes[s]);
        for (size_t bit = 0; bit < sizes[s] * 8; bit++) {
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_true(girt__keyed_hash(&key, data, sizes[s]) != before);
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    }
}

/* The 32-byte pair of xxHash's issue 1127: one block and its complement. */
static void make_pair(unsigned char pair[2][32])
{
    static const unsigned char block[16] = {0x51, 0x15, 0x12, 0x10, 0x40, 0x44,
                                            0,    0,    0,    0,    0,    0x82,
                                            0,    0x04, 0x01, 0x05};
    memset(pair, 0, 64);
    for (size_t i = 0; i < 16; i++) {
        pair[0][16 + i] = block[i];
        pair[1][16 + i] = (unsigned char)~block[i];
    }
}

static void pairs_do_not_flood_tables(void **state)
{
    (void)state;
    unsigned char pair[2][32];
    make_pair(pair);
    rng r = {1};
    uint32_t seeded = 0, keyed = 0;
    for (size_t i = 0, n = 80000; i < n; i++) {
        uint64_t const seed = rng_next(&r);
        girt__hash_key key;
        girt__hash_key_init(&key, seed);
        seeded += girt_hash(pair[0], 32, seed) == girt_hash(pair[1], 32, seed);
        keyed += girt__keyed_hash(&key, pair[0], 32) ==
                 girt__keyed_hash(&key, pair[1], 32);
    }
    assert_true(seeded > 0); /* 2^-10.5 of the seeds */
    assert_int_equal(keyed, 0);
}

/* Keys of 1000 bytes.  Lane 0 of stripe 0 is mixed with secret word 0, lane 0
 * of stripe 12 with word 12; with `difference` between the data their low
 * halves are equal after that for one seed in 70.  Each bit of `variant` then
 * moves between the high halves, which leaves the sums as they are wherever
 * the two secrets agree in that bit. */
enum { LONG = 1000, VARIANTS = 256 };

static void make_long(unsigned char data[LONG], uint32_t variant)
{
    uint64_t const difference = 0x0a0a0410;
    uint64_t first = 0, second = difference;
    for (unsigned bit = 0; bit < 8; bit++) {
        uint64_t const at = (uint64_t)1 << (32 + 4 * bit);
        if ((variant >> bit & 1) != 0)
            first |= at;
        else
            second |= at;
    }
    memset(data, 0, LONG);
    memcpy(data, &first, 8);
    memcpy(data + 12 * 64, &second, 8);
}

static int compare(const void *a, const void *b)
{
    uint64_t const x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint32_t repeats(uint64_t hashes[VARIANTS])
{
    uint32_t count = 0;
    qsort(hashes, VARIANTS, sizeof *hashes, compare);
    for (size_t i = 1; i < VARIANTS; i++)
        count += hashes[i] == hashes[i - 1];
    return count;
}

static void long_keys_do_not_flood_tables(void **state)
{
    (void)state;
    static unsigned char data[VARIANTS][LONG];
    for (uint32_t v = 0; v < VARIANTS; v++)
        make_long(data[v], v);
    rng r = {2};
    uint32_t flooded_seeds = 0, keyed = 0;
    for (size_t i = 0, n = 1200; i < n; i++) {
        uint64_t const seed = rng_next(&r);
        girt__hash_key key;
        girt__hash_key_init(&key, seed);
        uint64_t hashes[VARIANTS];
        for (size_t v = 0; v < VARIANTS; v++)
            hashes[v] = girt_hash(data[v], LONG, seed);
        flooded_seeds += repeats(hashes) >= VARIANTS / 2;
        for (size_t v = 0; v < VARIANTS; v++)
            hashes[v] = girt__keyed_hash(&key, data[v], LONG);
        keyed += repeats(hashes);
    }
    assert_true(flooded_seeds > 0); /* about 1 in 70 */
    assert_int_equal(keyed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_hold),
        cmocka_unit_test(nothing_can_be_hashed),
        cmocka_unit_test(keys_come_from_seeds),
        cmocka_unit_test(the_keyed_hash_depends_on_every_bit),
        cmocka_unit_test(pairs_do_not_flood_tables),
        cmocka_unit_test(long_keys_do_not_flood_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
