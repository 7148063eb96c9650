/* SPDX-License-Identifier: MIT */
/* trace_json.c - spans as JSON.
 *
 * OTLP: protobuf's JSON form of opentelemetry.proto.collector.trace.v1's
 * ExportTraceServiceRequest. Ids are hex there, against protobuf's rule for
 * bytes; 64-bit numbers are strings, doubles that JSON lacks as well.
 * Chrome: "Trace Event Format", complete events; times are microseconds. */
#include "trace/trace_json.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include <girt/version.h>

#include "core/number.h"
#include "core/utf8.h"

static void put_escaped(girt__text *text, const char *bytes, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    for (size_t at = 0; at < size;) {
        unsigned char const c = (unsigned char)bytes[at];
        size_t const length = girt__utf8_character(bytes + at, size - at);
        if (length == 0) {
            girt__text_put(text, "\xef\xbf\xbd");
        } else if (c == '"' || c == '\\') {
            girt__text_add(text, "\\", 1);
            girt__text_add(text, bytes + at, 1);
        } else if (c < 0x20) {
            char const escape[6] = {'\\', 'u',         '0',
                                    '0',  hex[c >> 4], hex[c & 15]};
            girt__text_add(text, escape, sizeof escape);
        } else {
            girt__text_add(text, bytes + at, length);
        }
        at += length == 0 ? 1 : length;
    }
}

static void put_string(girt__text *text, const char *bytes, size_t size)
{
    girt__text_add(text, "\"", 1);
    put_escaped(text, bytes, size);
    girt__text_add(text, "\"", 1);
}

static void put_hex(girt__text *text, const void *bytes, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *const b = bytes;
    for (size_t i = 0; i < size; i++) {
        char const pair[2] = {hex[b[i] >> 4], hex[b[i] & 15]};
        girt__text_add(text, pair, sizeof pair);
    }
}

static void put_int(girt__text *text, int64_t value)
{
    if (value < 0)
        girt__text_add(text, "-", 1);
    girt__text_add_u64(text, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

/* A number, or the string that stands for one that JSON lacks. */
static void put_double(girt__text *text, double value)
{
    if (isnan(value))
        girt__text_put(text, "\"NaN\"");
    else if (isinf(value))
        girt__text_put(text, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        girt__text_add_double(text, value);
}

static int64_t add_saturating(int64_t a, int64_t b)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

static girt__attribute_type type_of(const girt__span_record *record, unsigned i)
{
    return (girt__attribute_type)(record->types >> (2 * i) & 3);
}

/* Of a text attribute. */
static const char *text_of(const girt__span_record *record, unsigned i,
                           size_t *size)
{
    *size = (uint32_t)record->attribute[i].value;
    return record->text + (record->attribute[i].value >> 32);
}

static double double_of(const girt__span_record *record, unsigned i)
{
    double value;
    memcpy(&value, &record->attribute[i].value, sizeof value);
    return value;
}

/* ---- OTLP --------------------------------------------------------------- */

static void otlp_begin(girt__trace_document *document)
{
    girt__text *const text = document->text;
    girt__text_put(text,
                   "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{"
                   "\"key\":\"service.name\",\"value\":{\"stringValue\":");
    put_string(text, document->service, strlen(document->service));
    girt__text_put(text, "}}]},\"scopeSpans\":[{\"scope\":{\"name\":\"girt\","
                         "\"version\":\"" GIRT_VERSION "\"},\"spans\":[");
}

static void otlp_attributes(girt__text *text, const girt__span_record *record)
{
    girt__text_put(text, ",\"attributes\":[");
    for (unsigned i = 0; i < record->attributes; i++) {
        const char *const key = record->attribute[i].key;
        size_t size;
        girt__text_put(text, i == 0 ? "{\"key\":" : ",{\"key\":");
        put_string(text, key, strlen(key));
        switch (type_of(record, i)) {
        case GIRT__ATTRIBUTE_INT:
            girt__text_put(text, ",\"value\":{\"intValue\":\"");
            put_int(text, (int64_t)record->attribute[i].value);
            girt__text_put(text, "\"}}");
            break;
        case GIRT__ATTRIBUTE_DOUBLE:
            girt__text_put(text, ",\"value\":{\"doubleValue\":");
            put_double(text, double_of(record, i));
            girt__text_put(text, "}}");
            break;
        case GIRT__ATTRIBUTE_TEXT: {
            const char *const value = text_of(record, i, &size);
            girt__text_put(text, ",\"value\":{\"stringValue\":");
            put_string(text, value, size);
            girt__text_put(text, "}}");
            break;
        }
        }
    }
    girt__text_put(text, "]");
}

/* proto's times are unsigned: before 1970 is 0. */
static void otlp_time(girt__text *text, const char *key, int64_t ns)
{
    girt__text_put(text, key);
    girt__text_add_u64(text, ns < 0 ? 0 : (uint64_t)ns);
    girt__text_put(text, "\"");
}

static void otlp_span(girt__trace_document *document,
                      const girt__span_record *record)
{
    girt__text *const text = document->text;
    girt__text_put(text,
                   document->any ? ",{\"traceId\":\"" : "{\"traceId\":\"");
    put_hex(text, record->trace, sizeof record->trace);
    girt__text_put(text, "\",\"spanId\":\"");
    put_hex(text, &record->id, sizeof record->id);
    if (record->parent != 0) {
        girt__text_put(text, "\",\"parentSpanId\":\"");
        put_hex(text, &record->parent, sizeof record->parent);
    }
    girt__text_put(text, record->sampled ? "\",\"flags\":1,\"name\":"
                                         : "\",\"flags\":0,\"name\":");
    put_string(text, record->name, strlen(record->name));
    girt__text_put(text, ",\"kind\":");
    girt__text_add_u64(text, 1u + record->kind); /* 0 is "unspecified" */
    otlp_time(text, ",\"startTimeUnixNano\":\"",
              add_saturating(record->start, document->epoch_ns));
    otlp_time(text, ",\"endTimeUnixNano\":\"",
              add_saturating(record->end, document->epoch_ns));
    otlp_attributes(text, record);
    girt__text_put(text, record->failed ? ",\"status\":{\"code\":2}}"
                                        : ",\"status\":{}}");
}

/* ---- Chrome ------------------------------------------------------------- */

/* Microseconds with the nanoseconds behind the point. */
static void put_microseconds(girt__text *text, int64_t ns)
{
    put_int(text, ns / 1000);
    uint64_t const rest = (uint64_t)(ns < 0 ? -(ns % 1000) : ns % 1000);
    char const digits[4] = {'.', (char)('0' + rest / 100),
                            (char)('0' + rest / 10 % 10),
                            (char)('0' + rest % 10)};
    girt__text_add(text, digits, sizeof digits);
}

static void chrome_begin(girt__trace_document *document)
{
    girt__text *const text = document->text;
    girt__text_put(text, "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[{"
                         "\"name\":\"process_name\",\"ph\":\"M\",\"pid\":");
    put_int(text, getpid());
    girt__text_put(text, ",\"args\":{\"name\":");
    put_string(text, document->service, strlen(document->service));
    girt__text_put(text, "}}");
}

static void chrome_arguments(girt__text *text, const girt__span_record *record)
{
    girt__text_put(text, ",\"args\":{\"trace\":\"");
    put_hex(text, record->trace, sizeof record->trace);
    girt__text_put(text, "\",\"span\":\"");
    put_hex(text, &record->id, sizeof record->id);
    if (record->parent != 0) {
        girt__text_put(text, "\",\"parent\":\"");
        put_hex(text, &record->parent, sizeof record->parent);
    }
    /* Attributes apart: one may be named as what stands above. */
    girt__text_put(text, record->failed
                             ? "\",\"failed\":true,\"attributes\":{"
                             : "\",\"failed\":false,\"attributes\":{");
    for (unsigned i = 0; i < record->attributes; i++) {
        const char *const key = record->attribute[i].key;
        size_t size;
        girt__text_put(text, i == 0 ? "\"" : ",\"");
        put_escaped(text, key, strlen(key));
        girt__text_put(text, "\":");
        switch (type_of(record, i)) {
        case GIRT__ATTRIBUTE_INT:
            put_int(text, (int64_t)record->attribute[i].value);
            break;
        case GIRT__ATTRIBUTE_DOUBLE:
            put_double(text, double_of(record, i));
            break;
        case GIRT__ATTRIBUTE_TEXT: {
            const char *const value = text_of(record, i, &size);
            put_string(text, value, size);
            break;
        }
        }
    }
    girt__text_put(text, "}}");
}

static void chrome_span(girt__trace_document *document,
                        const girt__span_record *record, size_t thread_index)
{
    static const char *const kinds[] = {"internal", "server", "client",
                                        "producer", "consumer"};
    girt__text *const text = document->text;
    girt__text_put(text, ",{\"name\":");
    put_string(text, record->name, strlen(record->name));
    girt__text_put(text, ",\"cat\":\"");
    girt__text_put(text, kinds[record->kind]);
    girt__text_put(text, "\",\"ph\":\"X\",\"ts\":");
    put_microseconds(text, add_saturating(record->start, document->epoch_ns));
    girt__text_put(text, ",\"dur\":");
    /* end >= start; far apart they saturate. */
    int64_t length;
    if (__builtin_sub_overflow(record->end, record->start, &length))
        length = INT64_MAX;
    put_microseconds(text, length);
    girt__text_put(text, ",\"pid\":");
    put_int(text, getpid());
    girt__text_put(text, ",\"tid\":");
    girt__text_add_u64(text, thread_index);
    chrome_arguments(text, record);
    girt__text_put(text, "}");
}

/* ---- either ------------------------------------------------------------- */

void girt__trace_document_begin(girt__trace_document *document)
{
    document->any = false;
    if (document->format == GIRT_TRACE_OTLP_JSON)
        otlp_begin(document);
    else
        chrome_begin(document);
}

void girt__trace_document_span(girt__trace_document *document,
                               const girt__span_record *record,
                               size_t thread_index)
{
    if (document->format == GIRT_TRACE_OTLP_JSON)
        otlp_span(document, record);
    else
        chrome_span(document, record, thread_index);
    document->any = true;
}

void girt__trace_document_end(girt__trace_document *document)
{
    girt__text_put(document->text, document->format == GIRT_TRACE_OTLP_JSON
                                       ? "]}]}]}\n"
                                       : "]}\n");
}
