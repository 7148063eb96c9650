/* SPDX-License-Identifier: MIT */
/* utf8.c - which bytes are characters: no overlong forms, no surrogates,
 * nothing beyond U+10FFFF. */
#include "core/utf8.h"

size_t girt__utf8_character(const char *text, size_t size)
{
    const unsigned char *const t = (const unsigned char *)text;
    if (size == 0)
        return 0;
    if (t[0] < 0x80)
        return 1;
    size_t const length = t[0] < 0xc2   ? 0
                          : t[0] < 0xe0 ? 2
                          : t[0] < 0xf0 ? 3
                          : t[0] < 0xf5 ? 4
                                        : 0;
    if (length == 0 || length > size)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if ((t[i] & 0xc0) != 0x80)
            return 0;
    }
    bool const overlong =
        (t[0] == 0xe0 && t[1] < 0xa0) || (t[0] == 0xf0 && t[1] < 0x90);
    bool const surrogate = t[0] == 0xed && t[1] >= 0xa0;
    bool const beyond = t[0] == 0xf4 && t[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : length;
}

bool girt__utf8_is_valid(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t const length = girt__utf8_character(text + at, size - at);
        if (length == 0)
            return false;
        at += length;
    }
    return true;
}
