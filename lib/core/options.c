/* SPDX-License-Identifier: MIT */
/* options.c - the checks of options.h. */
#include "core/options.h"

#include <string.h>

bool girt__options_are_valid(const char *name, const void *metrics,
                             const uint64_t reserved[GIRT__RESERVED])
{
    for (int i = 0; i < GIRT__RESERVED; i++) {
        if (reserved[i] != 0)
            return false;
    }
    if (name != NULL &&
        (*name == '\0' || strnlen(name, GIRT__NAME_MAX + 1) > GIRT__NAME_MAX))
        return false;
    return metrics == NULL || name != NULL;
}
