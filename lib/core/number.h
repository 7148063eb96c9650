/* SPDX-License-Identifier: MIT */
/* number.h - numbers as text, in no locale. */
#ifndef GIRT_CORE_NUMBER_H
#define GIRT_CORE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

enum { GIRT__NUMBER_BYTES = 32 /* what a number takes at most */ };

/* Without a terminator, 20 bytes at most; how many. */
size_t girt__number_u64(char *out, uint64_t value);
/* The shortest that reads as the same double: 0.1, 1e+300, +Inf, NaN. */
size_t girt__number_double(char out[GIRT__NUMBER_BYTES], double value);

#endif /* GIRT_CORE_NUMBER_H */
