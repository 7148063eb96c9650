/* SPDX-License-Identifier: MIT */
/* metrics_text.h - text that grows, or that goes out piece by piece; numbers
 * as text, in no locale. */
#ifndef GIRT_METRICS_METRICS_TEXT_H
#define GIRT_METRICS_METRICS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/metrics.h>

enum {
    GIRT__PIECE_BYTES = 4096,
    GIRT__NUMBER_BYTES = 32 /* what a number takes at most */
};

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
/* A backslash before \ and, in OpenMetrics, before "; newlines as \n. */
void girt__text_add_help(girt__text *text, girt_metrics_format format,
                         const char *help, size_t size);
/* As between the quotes of a label: what is not UTF-8 becomes U+FFFD. */
void girt__text_add_label(girt__text *text, const char *value, size_t size);

/* Without a terminator; how many bytes. */
size_t girt__number_u64(char out[GIRT__NUMBER_BYTES], uint64_t value);
/* The shortest that reads as the same double: 0.1, 1e+300, +Inf, NaN. */
size_t girt__number_double(char out[GIRT__NUMBER_BYTES], double value);

#endif /* GIRT_METRICS_METRICS_TEXT_H */
