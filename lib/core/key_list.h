/* SPDX-License-Identifier: MIT */
/* key_list.h - going through a girt_keys, checked once before. */
#ifndef GIRT_CORE_KEY_LIST_H
#define GIRT_CORE_KEY_LIST_H

#include <string.h>

#include <girt/keys.h>
#include <girt/status.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/* The keys that are left.  Where zero bytes divide them, those are looked for
 * 64 bytes at a time: to find each from where the last one was would make every
 * key wait for the one before (4.3 ns a key of ten bytes by memchr, 1.5 so). */
typedef struct girt__key_list {
    const unsigned char *at;
    const unsigned char *end;
    const uint32_t *sizes;
    const unsigned char *block; /* what `zeros` tells of */
    const unsigned char *ahead; /* what was not looked at */
    uint64_t zeros;             /* those of the block that are left */
} girt__key_list;

/* GIRT_OK: `keys` says what is true, so `count` calls of next are safe;
 * GIRT_E_INVALID: it does not; GIRT_E_TOO_LARGE: a key is over size_max. */
girt_status girt__key_list_begin(girt__key_list *list, const girt_keys *keys,
                                 size_t size_max);

/* The zero bytes of the next blocks, until there is one; 0: fewer than 64 bytes
 * are left, or this machine has no such instructions. */
static inline uint64_t girt__key_list_zeros(girt__key_list *list)
{
#if defined(__SSE2__)
    __m128i const none = _mm_setzero_si128();
    while (list->zeros == 0 && list->end - list->ahead >= 64) {
        const unsigned char *const p = list->ahead;
        for (int i = 0; i < 4; i++) {
            __m128i const some =
                _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
            uint64_t const mask =
                (uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(some, none));
            list->zeros |= mask << 16 * i;
        }
        list->block = p;
        list->ahead = p + 64;
    }
#endif
    return list->zeros;
}

/* The next key, of those that begin counted. */
static inline const void *girt__key_list_next(girt__key_list *list,
                                              size_t *size)
{
    const unsigned char *const key = list->at;
    if (list->sizes != NULL) {
        *size = *list->sizes++;
        list->at = key + *size;
        return key;
    }
    const unsigned char *zero = list->end;
    if (girt__key_list_zeros(list) != 0) {
        zero = list->block + __builtin_ctzll(list->zeros);
        list->zeros &= list->zeros - 1;
    } else {
        const unsigned char *const from = key > list->ahead ? key : list->ahead;
        const unsigned char *const found =
            from == zero ? NULL : memchr(from, 0, (size_t)(zero - from));
        zero = found == NULL ? zero : found;
    }
    *size = (size_t)(zero - key);
    list->at = zero == list->end ? zero : zero + 1;
    return key;
}

#endif /* GIRT_CORE_KEY_LIST_H */
