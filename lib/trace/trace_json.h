/* SPDX-License-Identifier: MIT */
/* trace_json.h - spans as JSON: OTLP's and Chrome's. */
#ifndef GIRT_TRACE_TRACE_JSON_H
#define GIRT_TRACE_TRACE_JSON_H

#include "core/text.h"
#include "trace/trace_internal.h"

typedef struct girt__trace_document {
    girt__text *text;
    girt_trace_format format;
    const char *service;
    int64_t epoch_ns; /* added to the times of records */
    bool any;         /* span so far */
} girt__trace_document;

void girt__trace_document_begin(girt__trace_document *document);
void girt__trace_document_span(girt__trace_document *document,
                               const girt__span_record *record,
                               size_t thread_index);
void girt__trace_document_end(girt__trace_document *document);

#endif /* GIRT_TRACE_TRACE_JSON_H */
