/* SPDX-License-Identifier: MIT */
/* assert.c - where a failed assertion ends. */
#include "core/assert.h"

#include <stdlib.h>

void girt__assert_failed(const char *condition, const char *file, int line)
{
    /* Kept in the frame for whoever opens the core dump. */
    const char *volatile failed_condition = condition;
    const char *volatile failed_file = file;
    int volatile failed_line = line;
    (void)failed_condition;
    (void)failed_file;
    (void)failed_line;
    abort();
}
