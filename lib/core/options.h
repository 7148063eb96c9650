/* SPDX-License-Identifier: MIT */
/* options.h - what the options of every object share. */
#ifndef GIRT_CORE_OPTIONS_H
#define GIRT_CORE_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum { GIRT__NAME_MAX = 255, GIRT__RESERVED = 4 };

/* An object's name is NULL or 1 to GIRT__NAME_MAX bytes, there are no metrics
 * in this version, and what is reserved is zero. */
bool girt__options_are_plain(const char *name, const void *metrics,
                             const uint64_t reserved[GIRT__RESERVED]);

/* The same for an object that reports itself: metrics need a name to put
 * beside each number. */
bool girt__options_are_valid(const char *name, const void *metrics,
                             const uint64_t reserved[GIRT__RESERVED]);

#endif /* GIRT_CORE_OPTIONS_H */
