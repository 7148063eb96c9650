/* SPDX-License-Identifier: MIT */
/* code_point.h - UTF-8, one code point at a time. */
#ifndef GIRT_EXAMPLES_CODE_POINT_H
#define GIRT_EXAMPLES_CODE_POINT_H

#include <stdbool.h>
#include <stdint.h>

/* Takes one off the text's front, *at < end.  False, and *at where it was: what
 * stands there is not UTF-8 (cut short, longer than it must be, a surrogate,
 * beyond U+10FFFF). */
bool code_point_take(const char **at, const char *end, uint32_t *point);

#endif /* GIRT_EXAMPLES_CODE_POINT_H */
