/* SPDX-License-Identifier: MIT */
/* text.h - text that goes out piece by piece, in bounded memory. */
#ifndef GIRT_CORE_TEXT_H
#define GIRT_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/status.h>

enum { GIRT__PIECE_BYTES = 4096 };

typedef bool (*girt__text_write)(void *context, const char *text, size_t size);

/* Either write is set, and data is the caller's buffer of GIRT__PIECE_BYTES; or
 * it is NULL, and data is grown from the allocator. The first failure is kept
 * and all that comes later dropped. */
typedef struct girt__text {
    char *data;
    size_t used, capacity;
    girt__text_write write;
    void *context;
    const girt_allocator *allocator;
    girt_status status; /* GIRT_OK, GIRT_E_IO, GIRT_E_NOMEM */
} girt__text;

void girt__text_begin(girt__text *text, char buffer[GIRT__PIECE_BYTES],
                      girt__text_write write, void *context);
void girt__text_grow(girt__text *text, const girt_allocator *allocator);
/* Gives the rest to write; releases what was grown. */
girt_status girt__text_end(girt__text *text);

void girt__text_add(girt__text *text, const char *bytes, size_t size);
/* Of a string, up to its zero. */
void girt__text_put(girt__text *text, const char *string);
void girt__text_add_u64(girt__text *text, uint64_t value);
void girt__text_add_double(girt__text *text, double value);

#endif /* GIRT_CORE_TEXT_H */
