/* SPDX-License-Identifier: MIT */
/* code_point.c - UTF-8, one code point at a time (RFC 3629). */
#include "code_point.h"

static bool is_surrogate(uint32_t point)
{
    return point >= 0xd800 && point <= 0xdfff;
}

bool code_point_take(const char **at, const char *end, uint32_t *point)
{
    /* The least code point that needs 0, 1, 2, 3 bytes after the first. */
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *next = (const unsigned char *)*at;
    const unsigned char *const last = (const unsigned char *)end;
    const unsigned char first = *next++;
    const unsigned more = first < 0x80             ? 0
                          : (first & 0xe0) == 0xc0 ? 1
                          : (first & 0xf0) == 0xe0 ? 2
                          : (first & 0xf8) == 0xf0 ? 3
                                                   : 4;
    if (more == 4)
        return false;
    uint32_t value = more == 0 ? first : first & (0x3fu >> more);
    for (unsigned i = 0; i < more; i++, next++) {
        if (next == last || (*next & 0xc0) != 0x80)
            return false;
        value = value << 6 | (*next & 0x3f);
    }
    if (value < least[more] || value > 0x10ffff || is_surrogate(value))
        return false;
    *point = value;
    *at = (const char *)next;
    return true;
}
