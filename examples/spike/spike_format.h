/* SPDX-License-Identifier: MIT */
/* spike_format.h - numbers and text for people.
 *
 * Every function writes into a small buffer by value, so that several can
 * stand in one printf. */
#ifndef GIRT_EXAMPLES_SPIKE_FORMAT_H
#define GIRT_EXAMPLES_SPIKE_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct short_text {
    char text[40];
} short_text;

/* 1234567 -> "1,234,567" */
short_text format_count(uint64_t count);
/* Three digits and a unit: "831 ns", "12.3 us", "4.56 ms", "78.0 s". */
short_text format_duration(double ns);
/* "512 B", "1.23 MB"; decimal units. */
short_text format_bytes(uint64_t bytes);
/* "45 s", "23.9 hours", "12.0 days" */
short_text format_span(double seconds);

/* Bytes of a log, harmless on any terminal: what is not printable ASCII, and
 * the backslash, becomes \xHH. What is wider than width_max (3 and up) columns
 * is cut and ends in "...". Returns the columns written. */
size_t print_safely(FILE *out, const char *text, size_t size, size_t width_max);

/* Words of a paragraph, broken between spaces so that no line has more than 78
 * columns; each line is indented by 10. */
void print_wrapped(FILE *out, const char *paragraph);

#endif /* GIRT_EXAMPLES_SPIKE_FORMAT_H */
