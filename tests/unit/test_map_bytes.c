/* SPDX-License-Identifier: MIT */
/* Goal: keys of every size are equal only when every byte is, and a copy writes
 * its bytes and no other.  Method: all sizes around where the ways of doing it
 * change, each byte changed in turn, at addresses of every alignment and at the
 * end of a block, where reading on would be seen by AddressSanitizer. */
#include "map/map_bytes.h"

#include <stdlib.h>

#include "support/check.h"

enum { SIZE_MAX_TRIED = 150 };

static void fill(unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(i * 7 + 1);
}

/* A block that ends after its `size` bytes, which begin `shift` after what
 * malloc aligned. */
static unsigned char *at_the_end(size_t shift, size_t size, void **block)
{
    *block = malloc(shift + size + (shift + size == 0));
    assert_non_null(*block);
    unsigned char *const bytes = (unsigned char *)*block + shift;
    fill(bytes, size);
    return bytes;
}

static void one_byte_makes_keys_differ(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        void *blocks[2];
        unsigned char *const a = at_the_end(0, size, &blocks[0]);
        unsigned char *const b = at_the_end(size % 16, size, &blocks[1]);
        assert_true(girt__bytes_equal(a, b, size));
        for (size_t i = 0; i < 8 * size; i++) {
            const unsigned char bit = (unsigned char)(1u << i % 8);
            b[i / 8] ^= bit;
            assert_false(girt__bytes_equal(a, b, size));
            assert_false(girt__bytes_equal(b, a, size));
            b[i / 8] ^= bit;
        }
        free(blocks[0]);
        free(blocks[1]);
    }
    assert_true(girt__bytes_equal(NULL, NULL, 0));
}

static void a_copy_writes_its_bytes_only(void **state)
{
    (void)state;
    for (size_t size = 0; size <= SIZE_MAX_TRIED; size++) {
        void *block;
        const unsigned char *const from = at_the_end(size % 16, size, &block);
        unsigned char to[SIZE_MAX_TRIED + 32];
        memset(to, 0xee, sizeof to);
        girt__bytes_copy(to + 16, from, size);
        assert_memory_equal(to + 16, from, size);
        for (size_t i = 0; i < sizeof to; i++)
            if (i < 16 || i >= 16 + size)
                assert_int_equal(to[i], 0xee);
        free(block);
    }
    girt__bytes_copy(NULL, NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_byte_makes_keys_differ),
        cmocka_unit_test(a_copy_writes_its_bytes_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
