/* SPDX-License-Identifier: MIT */
/* Goal: characters are told from other bytes.  Method: all pairs of bytes, with
 * likely and unlikely ones behind, beside a decoder. */
#include "core/utf8.h"

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

/* A decoder as RFC 3629's table is read: code points, then ranges. */
static size_t decode(const unsigned char *t, size_t size)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const size_t length = t[0] < 0x80             ? 1
                          : (t[0] & 0xe0) == 0xc0 ? 2
                          : (t[0] & 0xf0) == 0xe0 ? 3
                          : (t[0] & 0xf8) == 0xf0 ? 4
                                                  : 0;
    if (length < 2 || length > size)
        return length == 1 && size > 0 ? 1 : 0;
    uint32_t point = t[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0;
        point = point << 6 | (t[i] & 0x3f);
    }
    const bool bad = point < least[length] || point > 0x10ffff ||
                     (point >= 0xd800 && point <= 0xdfff);
    return bad ? 0 : length;
}

static void utf8(void **state)
{
    (void)state;
    rng r = {test_seed()};
    char text[4];
    /* All pairs of bytes, with likely and unlikely ones behind. */
    for (unsigned pair = 0; pair < 65536; pair++) {
        text[0] = (char)(pair >> 8);
        text[1] = (char)pair;
        for (int i = 0; i < 8; i++) {
            const uint64_t more = rng_next(&r);
            text[2] = (char)(i % 2 ? more : 0x80 | (more & 0x3f));
            text[3] = (char)(i % 2 ? more >> 8 : 0x80 | (more >> 8 & 0x3f));
            for (size_t size = 1; size <= 4; size++)
                assert_int_equal(girt__utf8_character(text, size),
                                 decode((unsigned char *)text, size));
        }
    }
    assert_true(girt__utf8_is_valid("", 0));
    assert_true(girt__utf8_is_valid("gr\xc3\xbc\xc3\x9f", 6));
    assert_false(girt__utf8_is_valid("gr\xc3", 3));
    assert_false(girt__utf8_is_valid("\xed\xa0\x80", 3));
    assert_int_equal(girt__utf8_character("a", 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
