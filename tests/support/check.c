/* SPDX-License-Identifier: MIT */
/* check.c - checks that name girt's statuses. */
#include "support/check.h"

void check_status_at(girt_status actual, girt_status expected,
                     const char *what, const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s is %s, expected %s\n", what, girt_status_name(actual),
                girt_status_name(expected));
    _fail(file, line);
}
