/* SPDX-License-Identifier: MIT */
/* options.h - what the options of every object share. */
#ifndef GIRT_CORE_OPTIONS_H
#define GIRT_CORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { GIRT__NAME_MAX = 255, GIRT__RESERVED = 4 };

/* An object's name is NULL or 1 to GIRT__NAME_MAX bytes; metrics need one to
 * put beside each number; and what is reserved is zero. */
bool girt__options_are_valid(const char *name, const void *metrics,
                             const uint64_t reserved[GIRT__RESERVED]);

#endif /* GIRT_CORE_OPTIONS_H */
