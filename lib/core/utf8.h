/* SPDX-License-Identifier: MIT */
/* utf8.h - which bytes are characters [RFC 3629]. */
#ifndef GIRT_CORE_UTF8_H
#define GIRT_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The length of the UTF-8 character at text, of which `size` bytes are there;
 * 0: none begins here (nothing overlong, no surrogates). */
size_t girt__utf8_character(const char *text, size_t size);
bool girt__utf8_is_valid(const char *text, size_t size);

#endif /* GIRT_CORE_UTF8_H */
