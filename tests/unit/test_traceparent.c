/* SPDX-License-Identifier: MIT */
/* Goal: traceparent is read and written as W3C Trace Context, level 1, says.
 * Method: the standard's examples; each byte of a good header replaced by each
 * other byte, beside the grammar; all lengths. */
#include <girt/trace.h>

#include "support/check.h"

#define GOOD "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static girt_status parse(const char *text, girt_trace_context *context)
{
    return girt_traceparent_parse(text, strlen(text), context);
}

static void good_headers(void **state)
{
    (void)state;
    static const uint8_t trace[16] = {0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd,
                                      0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21,
                                      0x1c, 0x80, 0x31, 0x9c};
    static const uint8_t span[8] = {0xb7, 0xad, 0x6b, 0x71,
                                    0x69, 0x20, 0x33, 0x31};
    girt_trace_context context;
    memset(&context, 0xff, sizeof context);
    check_status(parse(GOOD, &context), GIRT_OK);
    assert_memory_equal(context.trace_id, trace, 16);
    assert_memory_equal(context.span_id, span, 8);
    assert_int_equal(context.flags, GIRT_TRACE_SAMPLED);
    for (size_t i = 0; i < sizeof context.reserved; i++)
        assert_int_equal(context.reserved[i], 0);
    char text[GIRT_TRACEPARENT_SIZE + 1];
    check_status(girt_traceparent_write(&context, text), GIRT_OK);
    assert_string_equal(text, GOOD);

    /* Flags that this version does not know are not handed on. */
    check_status(
        parse("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe",
              &context),
        GIRT_OK);
    assert_int_equal(context.flags, 0);
    context.flags = 0xff;
    check_status(girt_traceparent_write(&context, text), GIRT_OK);
    assert_string_equal(text, GOOD);
    /* Later versions may go on. */
    check_status(
        parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
              &context),
        GIRT_OK);
    check_status(
        parse("cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what",
              &context),
        GIRT_OK);
}

static void bad_headers(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "00",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        " 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-1",
    };
    girt_trace_context const before = {{1}, {2}, 1, {0}};
    girt_trace_context context = before;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        check_status(parse(bad[i], &context), GIRT_E_PROTOCOL);
    for (size_t size = 0; size < GIRT_TRACEPARENT_SIZE; size++)
        check_status(girt_traceparent_parse(GOOD, size, &context),
                     GIRT_E_PROTOCOL);
    assert_memory_equal(&context, &before, sizeof before);
    check_status(girt_traceparent_parse(NULL, 0, &context), GIRT_E_INVALID);
    check_status(girt_traceparent_parse(GOOD, 55, NULL), GIRT_E_INVALID);

    char text[GIRT_TRACEPARENT_SIZE + 1];
    check_status(girt_traceparent_write(NULL, text), GIRT_E_INVALID);
    check_status(girt_traceparent_write(&before, NULL), GIRT_E_INVALID);
    girt_trace_context const no_trace = {{0}, {2}, 1, {0}};
    girt_trace_context const no_span = {{1}, {0}, 1, {0}};
    check_status(girt_traceparent_write(&no_trace, text), GIRT_E_INVALID);
    check_status(girt_traceparent_write(&no_span, text), GIRT_E_INVALID);
}

static bool is_hex(int c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static void each_byte_replaced(void **state)
{
    (void)state;
    for (size_t at = 0; at < GIRT_TRACEPARENT_SIZE; at++) {
        bool const dash = at == 2 || at == 35 || at == 52;
        for (int c = 0; c < 256; c++) {
            char text[] = GOOD;
            text[at] = (char)c;
            bool const good = dash ? c == '-' : is_hex(c);
            girt_trace_context context;
            /* With one byte changed no id becomes zero, and no version ff. */
            check_status(
                girt_traceparent_parse(text, GIRT_TRACEPARENT_SIZE, &context),
                good ? GIRT_OK : GIRT_E_PROTOCOL);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_headers),
        cmocka_unit_test(bad_headers),
        cmocka_unit_test(each_byte_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
