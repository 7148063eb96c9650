/* SPDX-License-Identifier: MIT */
/* keys.h - many keys in one piece of memory, for calls that take a batch.
 *
 * A call for one key costs a caller in C a few nanoseconds, and one in another
 * language some hundred: batches make both a part of the whole.
 *
 *     girt_keys const keys = {"ann\0bob\0carla", 13, NULL, 3};
 *
 * or, where keys may hold zero bytes, with their sizes:
 *
 *     girt_keys const keys = {"annbobcarla", 11, (uint32_t[]){3, 3, 5}, 3}; */
#ifndef GIRT_KEYS_H
#define GIRT_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include <girt/export.h>

GIRT_BEGIN

/** Keys, one after the other; read during the call only. */
typedef struct girt_keys {
    /** The bytes of all keys; NULL only with size 0. */
    const void *bytes;
    /** How many bytes there are. */
    size_t size;
    /** The size of each key, `size` in all; NULL: a zero byte stands between
     * one key and the next, and none in a key. */
    const uint32_t *sizes;
    /** How many keys there are; 0 only with size 0. A call answers
     * GIRT_E_INVALID, and does nothing, when they are not as many. */
    size_t count;
} girt_keys;

GIRT_END

#endif /* GIRT_KEYS_H */
