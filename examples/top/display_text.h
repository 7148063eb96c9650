/* SPDX-License-Identifier: MIT */
/* display_text.h - numbers and names as a terminal shows them. */
#ifndef GIRT_EXAMPLES_DISPLAY_TEXT_H
#define GIRT_EXAMPLES_DISPLAY_TEXT_H

#include <stddef.h>

enum {
    DISPLAY_NUMBER_MAX = 16,    /* bytes, with the end */
    DISPLAY_BYTES_A_COLUMN = 4, /* of a name's text, at most */
};

/* At most 7 columns each, ASCII; what is not finite is "-". */
void display_number(char out[DISPLAY_NUMBER_MAX], double x);
void display_bytes(char out[DISPLAY_NUMBER_MAX], double bytes);
void display_duration(char out[DISPLAY_NUMBER_MAX], double ns);
void display_percent(char out[DISPLAY_NUMBER_MAX], double ratio);

/* Text in exactly `columns` columns: cut (then it ends in ~), or filled with
 * spaces. What the locale cannot show, and all that controls a terminal or has
 * no width, is ?. out has room for columns * DISPLAY_BYTES_A_COLUMN + 1. */
void display_fit(char *out, const char *text, size_t columns);

/* Columns that display_fit needs to cut nothing. */
size_t display_columns(const char *text);

#endif /* GIRT_EXAMPLES_DISPLAY_TEXT_H */
