/* SPDX-License-Identifier: MIT */
/* shared.c - finding the tables and traces of shared.h. */
#include "support/shared.h"

#include <stdlib.h>

FILE *shared_open(const char *name)
{
    const char *const place = getenv("GIRT_SHARED");
    char path[4096];
    int const size = snprintf(path, sizeof path, "%s/%s",
                              place != NULL ? place : GIRT_TEST_SHARED, name);
    if (size < 0 || (size_t)size >= sizeof path)
        return NULL;
    return fopen(path, "r");
}
