/* SPDX-License-Identifier: MIT */
/* text.c - text that goes out piece by piece. */
#include "core/text.h"

#include <string.h>

#include "core/alloc_internal.h"
#include "core/number.h"

void girt__text_begin(girt__text *text, char buffer[GIRT__PIECE_BYTES],
                      girt__text_write write, void *context)
{
    *text = (girt__text){.data = buffer,
                         .capacity = GIRT__PIECE_BYTES,
                         .write = write,
                         .context = context};
}

void girt__text_grow(girt__text *text, const girt_allocator *allocator)
{
    *text = (girt__text){.allocator = allocator};
}

static void flush(girt__text *text)
{
    if (text->used != 0 && text->status == GIRT_OK &&
        !text->write(text->context, text->data, text->used))
        text->status = GIRT_E_IO;
    text->used = 0;
}

girt_status girt__text_end(girt__text *text)
{
    if (text->write != NULL)
        flush(text);
    else
        girt__release(text->allocator, text->data, text->capacity);
    text->data = NULL;
    return text->status;
}

/* Room for `size` more bytes; false: the text has failed. */
static bool make_room(girt__text *text, size_t size)
{
    size_t needed, capacity;
    if (!girt__size_add(text->used, size, &needed) ||
        !girt__size_multiply(needed, 2, &capacity))
        return false;
    char *const data = girt__allocate(text->allocator, capacity, 0);
    if (data == NULL)
        return false;
    if (text->used != 0)
        memcpy(data, text->data, text->used);
    girt__release(text->allocator, text->data, text->capacity);
    text->data = data;
    text->capacity = capacity;
    return true;
}

void girt__text_add(girt__text *text, const char *bytes, size_t size)
{
    if (text->write == NULL && text->status == GIRT_OK &&
        size > text->capacity - text->used && !make_room(text, size))
        text->status = GIRT_E_NOMEM;
    /* At most size / GIRT__PIECE_BYTES + 2 turns. */
    while (size != 0 && text->status == GIRT_OK) {
        size_t const room = text->capacity - text->used;
        size_t const part = size < room ? size : room;
        memcpy(text->data + text->used, bytes, part);
        text->used += part;
        bytes += part;
        size -= part;
        if (text->write != NULL && text->used == text->capacity)
            flush(text);
    }
}

void girt__text_put(girt__text *text, const char *string)
{
    girt__text_add(text, string, strlen(string));
}

void girt__text_add_u64(girt__text *text, uint64_t value)
{
    char number[GIRT__NUMBER_BYTES];
    girt__text_add(text, number, girt__number_u64(number, value));
}

void girt__text_add_double(girt__text *text, double value)
{
    char number[GIRT__NUMBER_BYTES];
    girt__text_add(text, number, girt__number_double(number, value));
}
