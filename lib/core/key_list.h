/* SPDX-License-Identifier: MIT */
/* key_list.h - going through a girt_keys, checked once before. */
#ifndef GIRT_CORE_KEY_LIST_H
#define GIRT_CORE_KEY_LIST_H

#include <stdbool.h>
#include <string.h>

#include <girt/keys.h>
#include <girt/status.h>

/* The keys that are left. */
typedef struct girt__key_list {
    const unsigned char *at;
    const unsigned char *end;
    const uint32_t *sizes;
} girt__key_list;

/* GIRT_OK: `keys` says what is true, so `count` calls of next are safe;
 * GIRT_E_INVALID: it does not; GIRT_E_TOO_LARGE: a key is over size_max. */
girt_status girt__key_list_begin(girt__key_list *list, const girt_keys *keys,
                                 size_t size_max);

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
    const unsigned char *const zero =
        key == list->end ? NULL : memchr(key, 0, (size_t)(list->end - key));
    *size = (size_t)((zero == NULL ? list->end : zero) - key);
    list->at = zero == NULL ? list->end : zero + 1;
    return key;
}

#endif /* GIRT_CORE_KEY_LIST_H */
