/* SPDX-License-Identifier: MIT */
/* Goal: the short keyed hash tells keys apart, spreads them evenly by its upper
 * bits whatever they are, and hangs on every bit of key and secret.  Method:
 * keys of all sizes, rows of numbers at many strides under many secrets, single
 * bits turned. */
#include "core/keyed_hash_short.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

enum { PLACES = 1 << 12 };

static uint64_t hash_number(const girt__hash_key *key, uint64_t number)
{
    return girt__keyed_hash_short(key, &number, sizeof number);
}

static void every_size_is_another_key(void **state)
{
    (void)state;
    girt__hash_key key;
    girt__hash_key_init(&key, test_seed() | 1);
    for (unsigned fill = 0; fill < 256; fill += 51) {
        unsigned char bytes[GIRT__KEYED_HASH_SHORT];
        memset(bytes, (int)fill, sizeof bytes);
        uint64_t hashes[GIRT__KEYED_HASH_SHORT + 1];
        for (size_t size = 0; size <= sizeof bytes; size++) {
            /* From a block of its own, so that sanitizers see the ends. */
            void *const copy = malloc(size + 1);
            memcpy(copy, bytes, size);
            hashes[size] = girt__keyed_hash_short(&key, copy, size);
            free(copy);
            for (size_t i = 0; i < size; i++)
                assert_true(hashes[i] != hashes[size]);
        }
        assert_true(girt__keyed_hash_short(&key, NULL, 0) == hashes[0]);
    }
}

/* Each byte of a key counts, at each size. */
static void every_byte_counts(void **state)
{
    (void)state;
    girt__hash_key key;
    girt__hash_key_init(&key, test_seed() | 1);
    for (size_t size = 1; size <= GIRT__KEYED_HASH_SHORT; size++) {
        unsigned char bytes[GIRT__KEYED_HASH_SHORT] = {0};
        uint64_t const zero = girt__keyed_hash_short(&key, bytes, size);
        for (size_t bit = 0; bit < size * 8; bit++) {
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
            assert_true(girt__keyed_hash_short(&key, bytes, size) != zero);
            bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        }
    }
}

/* As many numbers as places, the place by the upper bits: a random function
 * uses 63.2 % of them, 2589, give or take 31, and none of them twelve times but
 * in one case of 100,000. */
static void rows_of_numbers_spread(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (uint64_t seed = 1; seed <= 200; seed++) {
        girt__hash_key key;
        girt__hash_key_init(&key, rng_next(&r) | 1);
        for (unsigned shift = 0; shift < 52; shift += 4) {
            uint8_t used[PLACES] = {0};
            unsigned places = 0, most = 0;
            for (uint64_t i = 0; i < PLACES; i++) {
                uint8_t *const place =
                    &used[hash_number(&key, i << shift) >> 52];
                places += ++*place == 1;
                most = *place > most ? *place : most;
            }
            assert_in_range(places, 2589 - 260, 2589 + 260);
            assert_true(most <= 16);
        }
    }
}

/* A bit of a key, of 8 or 16 bytes, or of the secret turns each bit of the
 * result every other time. */
static void bits_turn_bits(void **state)
{
    (void)state;
    enum { KEYS = 2000, BITS = 64 * 6 };
    rng r = {test_seed()};
    for (unsigned bit = 0; bit < BITS; bit++) {
        unsigned turned[64] = {0};
        for (unsigned i = 0; i < KEYS; i++) {
            girt__hash_key key;
            girt__hash_key_init(&key, rng_next(&r) | 1);
            uint64_t words[2] = {rng_next(&r), rng_next(&r)};
            size_t const size = i % 2 == 0 && bit < 64 ? 8 : 16;
            uint64_t const before = girt__keyed_hash_short(&key, words, size);
            if (bit < 128)
                words[bit / 64] ^= (uint64_t)1 << bit % 64;
            else
                key.words[bit / 64 - 2] ^= (uint64_t)1 << bit % 64;
            uint64_t const change =
                before ^ girt__keyed_hash_short(&key, words, size);
            for (unsigned b = 0; b < 64; b++)
                turned[b] += change >> b & 1;
        }
        for (unsigned b = 0; b < 64; b++)
            /* Half of the time; the ends of a product in two of five. */
            assert_in_range(turned[b], KEYS / 4, KEYS * 3 / 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_size_is_another_key),
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(rows_of_numbers_spread),
        cmocka_unit_test(bits_turn_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
