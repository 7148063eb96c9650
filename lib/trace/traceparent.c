/* SPDX-License-Identifier: MIT */
/* traceparent.c - the header that tells whose child a request is.
 *
 *   00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
 *   version, trace id, parent id, flags       [W3C Trace Context, level 1]
 *
 * A later version is read as this one, and may go on behind a '-'. */
#include <string.h>

#include <girt/trace.h>

enum { VERSION_AT = 0, TRACE_AT = 3, SPAN_AT = 36, FLAGS_AT = 53 };

/* Of lower-case hex, as the standard has it; -1: none. */
static int value_of(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* false: not hex. */
static bool read_bytes(const char *text, uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int const high = value_of(text[2 * i]), low = value_of(text[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t any = 0;
    for (size_t i = 0; i < count; i++)
        any |= bytes[i];
    return any == 0;
}

girt_status girt_traceparent_parse(const char *text, size_t size,
                                   girt_trace_context *context)
{
    if (text == NULL || context == NULL)
        return GIRT_E_INVALID;
    uint8_t version, flags;
    girt_trace_context read = {{0}, {0}, 0, {0}};
    if (size < GIRT_TRACEPARENT_SIZE || text[TRACE_AT - 1] != '-' ||
        text[SPAN_AT - 1] != '-' || text[FLAGS_AT - 1] != '-' ||
        !read_bytes(text + VERSION_AT, &version, 1) ||
        !read_bytes(text + TRACE_AT, read.trace_id, sizeof read.trace_id) ||
        !read_bytes(text + SPAN_AT, read.span_id, sizeof read.span_id) ||
        !read_bytes(text + FLAGS_AT, &flags, 1))
        return GIRT_E_PROTOCOL;
    if (version == 0xff || (version == 0 && size != GIRT_TRACEPARENT_SIZE) ||
        (size > GIRT_TRACEPARENT_SIZE && text[GIRT_TRACEPARENT_SIZE] != '-') ||
        is_zero(read.trace_id, sizeof read.trace_id) ||
        is_zero(read.span_id, sizeof read.span_id))
        return GIRT_E_PROTOCOL;
    /* Other flags mean nothing in this version, and are not handed on. */
    read.flags = flags & GIRT_TRACE_SAMPLED;
    *context = read;
    return GIRT_OK;
}

static void write_bytes(char *text, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
}

girt_status girt_traceparent_write(const girt_trace_context *context,
                                   char buffer[GIRT_TRACEPARENT_SIZE + 1])
{
    if (context == NULL || buffer == NULL ||
        is_zero(context->trace_id, sizeof context->trace_id) ||
        is_zero(context->span_id, sizeof context->span_id))
        return GIRT_E_INVALID;
    uint8_t const flags = context->flags & GIRT_TRACE_SAMPLED;
    memcpy(buffer, "00-", 3);
    write_bytes(buffer + TRACE_AT, context->trace_id, sizeof context->trace_id);
    buffer[SPAN_AT - 1] = '-';
    write_bytes(buffer + SPAN_AT, context->span_id, sizeof context->span_id);
    buffer[FLAGS_AT - 1] = '-';
    write_bytes(buffer + FLAGS_AT, &flags, 1);
    buffer[GIRT_TRACEPARENT_SIZE] = '\0';
    return GIRT_OK;
}
