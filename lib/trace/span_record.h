/* SPDX-License-Identifier: MIT */
/* span_record.h - a span as words, on its caller's stack and in a ring. */
#ifndef GIRT_TRACE_SPAN_RECORD_H
#define GIRT_TRACE_SPAN_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/trace.h>

enum { GIRT__SPAN_TEXT_BYTES = 120 };

typedef enum girt__attribute_type {
    GIRT__ATTRIBUTE_INT,
    GIRT__ATTRIBUTE_DOUBLE,
    GIRT__ATTRIBUTE_TEXT
} girt__attribute_type;

typedef struct girt__span_record {
    uint64_t trace[2]; /* as in the context: bytes in order */
    uint64_t id;
    uint64_t parent;    /* 0: none */
    const char *name;   /* a constant */
    int64_t start, end; /* ns of the tracer's clock */
    uint8_t kind;       /* girt_span_kind */
    bool failed;
    bool sampled;
    uint8_t attributes;
    uint8_t types; /* two bits an attribute, a girt__attribute_type */
    uint8_t text_used;
    uint16_t reserved;
    struct {
        const char *key; /* a constant */
        /* An int64_t, the bits of a double, or offset << 32 | size in text. */
        uint64_t value;
    } attribute[GIRT_SPAN_ATTRIBUTES_MAX];
    char text[GIRT__SPAN_TEXT_BYTES];
} girt__span_record;

enum {
    GIRT__SPAN_RECORD_WORDS = sizeof(girt__span_record) / 8,
    /* Those in front of the text. */
    GIRT__SPAN_HEAD_WORDS = offsetof(girt__span_record, text) / 8
};
_Static_assert(sizeof(girt__span_record) == sizeof(((girt_span *)0)->record),
               "a span holds its record");

#endif /* GIRT_TRACE_SPAN_RECORD_H */
