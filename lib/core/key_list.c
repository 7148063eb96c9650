/* SPDX-License-Identifier: MIT */
/* key_list.c - whether a girt_keys says what is true, before anything is done
 * for any of its keys. */
#include "core/key_list.h"

static girt_status check_sizes(const girt_keys *keys, size_t size_max)
{
    uint64_t total = 0;
    uint32_t largest = 0;
    for (size_t i = 0; i < keys->count; i++) {
        total += keys->sizes[i]; /* 2^32 keys of 2^32 bytes at most */
        largest = keys->sizes[i] > largest ? keys->sizes[i] : largest;
    }
    if (total != keys->size)
        return GIRT_E_INVALID;
    return largest > size_max ? GIRT_E_TOO_LARGE : GIRT_OK;
}

static girt_status check_zeros(const girt_keys *keys, size_t size_max)
{
    const unsigned char *const bytes = keys->bytes;
    size_t zeros = 0;
    for (size_t i = 0; i < keys->size;) {
        /* Counts in bytes, sixteen at a time: as many as one can hold. */
        size_t const end = keys->size - i < 255 ? keys->size : i + 255;
        uint8_t some = 0;
        for (; i < end; i++)
            some = (uint8_t)(some + (bytes[i] == 0));
        zeros += some;
    }
    if (zeros != keys->count - 1)
        return GIRT_E_INVALID;
    if (keys->size <= size_max)
        return GIRT_OK;
    girt__key_list list = {
        .at = bytes, .end = bytes + keys->size, .ahead = bytes};
    for (size_t i = 0; i < keys->count; i++) {
        size_t size;
        (void)girt__key_list_next(&list, &size);
        if (size > size_max)
            return GIRT_E_TOO_LARGE;
    }
    return GIRT_OK;
}

girt_status girt__key_list_begin(girt__key_list *list, const girt_keys *keys,
                                 size_t size_max)
{
    static const unsigned char nothing[1];
    if (keys == NULL || (keys->bytes == NULL && keys->size != 0))
        return GIRT_E_INVALID;
    if (keys->count == 0 && keys->size != 0)
        return GIRT_E_INVALID;
    girt_status status = GIRT_OK;
    if (keys->count != 0)
        status = keys->sizes != NULL ? check_sizes(keys, size_max)
                                     : check_zeros(keys, size_max);
    if (status != GIRT_OK)
        return status;
    list->at = keys->bytes == NULL ? nothing : keys->bytes;
    list->end = list->at + keys->size;
    list->sizes = keys->sizes;
    list->block = list->ahead = list->at;
    list->zeros = 0;
    return GIRT_OK;
}
