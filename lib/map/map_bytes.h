/* SPDX-License-Identifier: MIT */
/* map_bytes.h - comparing keys and copying values, inlined for 16 to 64 bytes.
 *
 * What is read here is a node that nobody has touched for long.  A load that
 * crosses from one missing line into the next is slow, and the C library's 32
 * bytes at a time cross twice as often as 16 bytes of what is aligned to 16,
 * which never do. */
#ifndef GIRT_MAP_BYTES_H
#define GIRT_MAP_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* 16 bytes that may stand anywhere and be of any type. */
typedef unsigned long long girt__piece __attribute__((vector_size(16)));

static inline girt__piece girt__piece_at(const unsigned char *bytes, size_t at)
{
    girt__piece piece;
    memcpy(&piece, bytes + at, sizeof piece);
    return piece;
}

static inline void girt__piece_put(unsigned char *bytes, size_t at,
                                   girt__piece piece)
{
    memcpy(bytes + at, &piece, sizeof piece);
}

/* The bits in which 16 bytes of two keys differ. */
static inline girt__piece girt__piece_differs(const unsigned char *a,
                                              const unsigned char *b, size_t at)
{
    return girt__piece_at(a, at) ^ girt__piece_at(b, at);
}

/* 16 to 64: four pieces, or two, that overlap, cover it. */
static inline bool girt__bytes_are_some(size_t size)
{
    return size - 16 <= 64 - 16;
}

static inline bool girt__bytes_equal(const unsigned char *a,
                                     const unsigned char *b, size_t size)
{
    if (!girt__bytes_are_some(size))
        return size == 0 || memcmp(a, b, size) == 0;
    girt__piece bits =
        girt__piece_differs(a, b, 0) | girt__piece_differs(a, b, size - 16);
    if (size > 32)
        bits |= girt__piece_differs(a, b, 16) |
                girt__piece_differs(a, b, size - 32);
    return (bits[0] | bits[1]) == 0;
}

static inline void girt__bytes_copy(unsigned char *to,
                                    const unsigned char *from, size_t size)
{
    if (!girt__bytes_are_some(size)) {
        if (size != 0)
            memcpy(to, from, size);
        return;
    }
    const girt__piece first = girt__piece_at(from, 0);
    const girt__piece last = girt__piece_at(from, size - 16);
    if (size > 32) {
        girt__piece_put(to, 16, girt__piece_at(from, 16));
        girt__piece_put(to, size - 32, girt__piece_at(from, size - 32));
    }
    girt__piece_put(to, 0, first);
    girt__piece_put(to, size - 16, last);
}

#endif /* GIRT_MAP_BYTES_H */
