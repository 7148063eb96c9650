/* SPDX-License-Identifier: MIT */
/* Goal: text comes out whole, in pieces of at most 4096 bytes, escaped as its
 * place wants, and stops at a refusal.  Method: lengths around a piece's size;
 * every byte as a label's value; a callback that refuses piece k. */
#include "metrics/metrics_text.h"

#include "core/alloc_internal.h"
#include "support/check.h"
#include "support/failing.h"

typedef struct taker {
    char text[20000];
    size_t size, pieces, refuse_at;
} taker;

static bool take(void *context, const char *text, size_t size)
{
    taker *const t = context;
    assert_true(size >= 1 && size <= GIRT__PIECE_BYTES);
    if (++t->pieces == t->refuse_at)
        return false;
    memcpy(t->text + t->size, text, size);
    t->size += size;
    t->text[t->size] = '\0';
    return true;
}

static void pieces(void **state)
{
    (void)state;
    static char bytes[9000], buffer[GIRT__PIECE_BYTES];
    static taker t;
    memset(bytes, 'x', sizeof bytes);
    static const size_t sizes[] = {0, 1, 4095, 4096, 4097, 8191, 8192, 9000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        for (size_t first = 0; first <= 4096; first += 4095) {
            t = (taker){.size = 0};
            girt__text text;
            girt__text_begin(&text, buffer, take, &t);
            girt__text_add(&text, bytes, first);
            girt__text_add(&text, bytes, sizes[i]);
            check_status(girt__text_end(&text), GIRT_OK);
            assert_int_equal(t.size, first + sizes[i]);
            assert_int_equal(t.pieces, (t.size + 4095) / 4096);
        }
    }
}

static void refused(void **state)
{
    (void)state;
    static char bytes[16000], buffer[GIRT__PIECE_BYTES];
    static taker t;
    memset(bytes, 'x', sizeof bytes);
    for (size_t k = 1; k <= 4; k++) {
        t = (taker){.refuse_at = k};
        girt__text text;
        girt__text_begin(&text, buffer, take, &t);
        girt__text_add(&text, bytes, sizeof bytes);
        girt__text_put(&text, "more");
        check_status(girt__text_end(&text), GIRT_E_IO);
        assert_int_equal(t.pieces, k); /* not asked again */
        assert_int_equal(t.size, (k - 1) * 4096);
    }
}

static void growing(void **state)
{
    (void)state;
    failing f;
    failing_init(&f);
    girt__text text;
    girt__text_grow(&text, &f.allocator);
    for (int i = 0; i < 1000; i++)
        girt__text_add_u64(&text, 1234567890);
    assert_int_equal(text.used, 10000);
    for (size_t i = 0; i < text.used; i++)
        assert_int_equal(text.data[i], "1234567890"[i % 10]);
    check_status(girt__text_end(&text), GIRT_OK);
    assert_int_equal(f.live_blocks, 0);

    girt__text_grow(&text, &f.allocator);
    girt__text_put(&text, "abc");
    f.fail_at = f.calls + 1;
    f.fail_all_after = true;
    for (int i = 0; i < 100; i++)
        girt__text_put(&text, "abc");
    check_status(girt__text_end(&text), GIRT_E_NOMEM);
    assert_int_equal(f.live_blocks, 0);
}

static const char *grown(girt__text *text)
{
    girt__text_add(text, "", 1);
    return text->data;
}

static void escapes(void **state)
{
    (void)state;
    girt_allocator allocator;
    check_status(girt__allocator_resolve(&allocator, NULL), GIRT_OK);
    girt__text text;
    static const char hostile[] = "a\\b\"c\nd\\n";
    girt__text_grow(&text, &allocator);
    girt__text_add_help(&text, GIRT_PROMETHEUS_TEXT, hostile,
                        sizeof hostile - 1);
    assert_string_equal(grown(&text), "a\\\\b\"c\\nd\\\\n");
    (void)girt__text_end(&text);
    girt__text_grow(&text, &allocator);
    girt__text_add_help(&text, GIRT_OPENMETRICS_TEXT, hostile,
                        sizeof hostile - 1);
    assert_string_equal(grown(&text), "a\\\\b\\\"c\\nd\\\\n");
    (void)girt__text_end(&text);
    girt__text_grow(&text, &allocator);
    girt__text_add_label(&text, hostile, sizeof hostile - 1);
    assert_string_equal(grown(&text), "a\\\\b\\\"c\\nd\\\\n");
    (void)girt__text_end(&text);

    static const struct {
        const char *in, *out;
    } repaired[] = {
        {"\xff", "\xef\xbf\xbd"},
        {"a\xc3", "a\xef\xbf\xbd"},
        {"\xc3\xbc\xc3", "\xc3\xbc\xef\xbf\xbd"},
        {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof repaired / sizeof *repaired; i++) {
        girt__text_grow(&text, &allocator);
        girt__text_add_label(&text, repaired[i].in, strlen(repaired[i].in));
        assert_string_equal(grown(&text), repaired[i].out);
        (void)girt__text_end(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),
        cmocka_unit_test(refused),
        cmocka_unit_test(growing),
        cmocka_unit_test(escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
