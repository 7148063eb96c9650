/* SPDX-License-Identifier: MIT */
/* scrape_text.c - the text of one scrape, within bounds. */
#include "scrape_text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool scrape_text_append(scrape_text *text, const char *bytes, size_t size)
{
    if (size > SCRAPE_SIZE_MAX - text->size)
        return false;
    if (size > text->room - text->size) {
        size_t room = text->room == 0 ? 65536 : text->room;
        while (room < text->size + size) /* at most SCRAPE_SIZE_MAX * 2 */
            room *= 2;
        char *const moved = realloc(text->bytes, room);
        if (moved == NULL)
            return false;
        text->bytes = moved;
        text->room = room;
    }
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    return true;
}

static const char *read_all(scrape_text *text, FILE *file)
{
    char piece[65536];
    size_t size;
    text->size = 0;
    while ((size = fread(piece, 1, sizeof piece, file)) > 0)
        if (!scrape_text_append(text, piece, size))
            return "more than 16 MiB, or no memory";
    return ferror(file) ? strerror(errno) : NULL;
}

const char *scrape_text_load(scrape_text *text, const char *path)
{
    if (strcmp(path, "-") == 0)
        return read_all(text, stdin);
    FILE *const file = fopen(path, "re");
    if (file == NULL)
        return strerror(errno);
    const char *const why = read_all(text, file);
    fclose(file);
    return why;
}

void scrape_text_free(scrape_text *text)
{
    free(text->bytes);
    *text = (scrape_text){NULL, 0, 0};
}
