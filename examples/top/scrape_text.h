/* SPDX-License-Identifier: MIT */
/* scrape_text.h - the text of one scrape, of 16 MiB at most. */
#ifndef GIRT_EXAMPLES_SCRAPE_TEXT_H
#define GIRT_EXAMPLES_SCRAPE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { SCRAPE_SIZE_MAX = 16 << 20 };

typedef struct scrape_text {
    char *bytes; /* size of them; NULL where size is 0 */
    size_t size, room;
} scrape_text;

/* False, and nothing appended: too much, or no memory. */
bool scrape_text_append(scrape_text *text, const char *bytes, size_t size);

/* Replaces the text with the file's; "-" is standard input. NULL, or why not,
 * for people: good until the next call. */
const char *scrape_text_load(scrape_text *text, const char *path);

void scrape_text_free(scrape_text *text);

#endif /* GIRT_EXAMPLES_SCRAPE_TEXT_H */
