/* SPDX-License-Identifier: MIT */
/* Goal: tracestate is read, changed and cut as W3C Trace Context, level 1,
 * says.  Method: tables of good and bad lists; every byte in key and value; the
 * bounds of members and bytes; states that no call made. */
#include <girt/trace.h>

#include "support/check.h"

static girt_status parse(girt_tracestate *state, const char *text)
{
    return girt_tracestate_parse(state, text, strlen(text));
}

static void check_parse(const char *text, const char *expected)
{
    girt_tracestate state = {0};
    check_status(parse(&state, text), GIRT_OK);
    assert_string_equal(state.text, expected);
    assert_int_equal(state.size, strlen(expected));
}

static void good_lists(void **state)
{
    (void)state;
    check_parse("", "");
    check_parse("rojo=00f067aa0ba902b7", "rojo=00f067aa0ba902b7");
    check_parse("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE",
                "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
    check_parse(" a=1 ,\t,  b=2,,", "a=1,b=2");
    check_parse("fw529a3039@dt=FfxNJ,0t@v=1", "fw529a3039@dt=FfxNJ,0t@v=1");
    check_parse("a= x y", "a= x y");
    check_parse("a-b_c*d/e=1", "a-b_c*d/e=1");
    girt_tracestate several = {0};
    check_status(parse(&several, "a=1"), GIRT_OK);
    check_status(parse(&several, "b=2, c=3"), GIRT_OK);
    assert_string_equal(several.text, "a=1,b=2,c=3");
    check_status(girt_tracestate_parse(&several, NULL, 0), GIRT_OK);
}

static void bad_lists(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "a",       "=1",      "a=",
        "a=1,a=2", "A=1",     "1a=1",
        "a=1=2",   "a b=1",   "a@=1",
        "@a=1",    "a@@b=1",  "a@b@c=1",
        "a@1b=1",  "a=\x7f",  "a=\n",
        "a.b=1",   "a=1;b=2", "t@abcdefghijklmno=1", /* system over 14 */
    };
    girt_tracestate before = {0};
    check_status(parse(&before, "keep=me"), GIRT_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        girt_tracestate now = before;
        check_status(parse(&now, bad[i]), GIRT_E_PROTOCOL);
        assert_memory_equal(&now, &before, sizeof now);
    }
    check_status(parse(&before, "keep=again"), GIRT_E_PROTOCOL);
    check_status(girt_tracestate_parse(NULL, "a=1", 3), GIRT_E_INVALID);
    check_status(girt_tracestate_parse(&before, NULL, 3), GIRT_E_INVALID);
}

static void each_byte(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        char key[] = "aXa=1", value[] = "a=1X1";
        key[1] = (char)c;
        value[3] = (char)c;
        bool const lower = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool const key_good =
            lower || c == '_' || c == '-' || c == '*' || c == '/' || c == '@';
        bool const value_good = c >= 0x20 && c <= 0x7e && c != ',' && c != '=';
        girt_tracestate now = {0};
        /* "a=a=1" has two signs of equality, "a,a=1" a member without. */
        check_status(girt_tracestate_parse(&now, key, 5),
                     key_good ? GIRT_OK : GIRT_E_PROTOCOL);
        now = (girt_tracestate){0};
        /* A comma makes two members, the second of which has no value. */
        check_status(girt_tracestate_parse(&now, value, 5),
                     value_good ? GIRT_OK : GIRT_E_PROTOCOL);
    }
}

static void sizes(void **state)
{
    (void)state;
    char text[2048];
    girt_tracestate now = {0};
    /* 32 members are the most. */
    size_t size = 0;
    for (int i = 0; i < 33; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "k%d=v,", i);
    check_status(girt_tracestate_parse(&now, text, size), GIRT_E_PROTOCOL);
    check_status(girt_tracestate_parse(&now, text, size - 6), GIRT_OK);
    /* A key of 256 and a value of 256 are too long together. */
    memset(text, 'k', 256);
    text[256] = '=';
    memset(text + 257, 'v', 256);
    now = (girt_tracestate){0};
    check_status(girt_tracestate_parse(&now, text, 513), GIRT_OK);
    assert_int_equal(now.size, 0); /* cut, being the last and long */
    check_status(girt_tracestate_parse(&now, text, 512), GIRT_OK);
    assert_int_equal(now.size, 512);
    now = (girt_tracestate){0};
    text[513] = 'v';
    check_status(girt_tracestate_parse(&now, text, 514), GIRT_E_PROTOCOL);
    check_status(girt_tracestate_parse(&now, text + 1, 257), GIRT_OK);
    memset(text, 'k', 257);
    text[257] = '=';
    check_status(girt_tracestate_parse(&now, text, 259), GIRT_E_PROTOCOL);

    /* Long members leave before short ones, from the end. */
    char list[1200];
    int const written = snprintf(list, sizeof list,
                                 "a=%0130d,b=%0250d,c=1,d=%0140d,e=2", 1, 2, 3);
    now = (girt_tracestate){0};
    check_status(girt_tracestate_parse(&now, list, (size_t)written), GIRT_OK);
    assert_int_equal(now.size, 132 + 1 + 252 + 1 + 3 + 1 + 3);
    assert_null(strstr(now.text, "d="));
    assert_non_null(strstr(now.text, ",c=1,e=2"));
    /* Short ones: the last leave. */
    size = 0;
    for (int i = 0; i < 6; i++)
        size += (size_t)snprintf(text + size, sizeof text - size, "k%d=%0100d,",
                                 i, i);
    now = (girt_tracestate){0};
    check_status(girt_tracestate_parse(&now, text, size), GIRT_OK);
    assert_int_equal(now.size, 4 * 103 + 3);
    assert_null(strstr(now.text, "k4="));
}

static void changes(void **state)
{
    (void)state;
    girt_tracestate now = {0};
    const char *value;
    size_t size;
    check_status(girt_tracestate_set(&now, "a", "1"), GIRT_OK);
    check_status(girt_tracestate_set(&now, "b@c", "2"), GIRT_OK);
    assert_string_equal(now.text, "b@c=2,a=1");
    check_status(girt_tracestate_set(&now, "a", "3 x"), GIRT_OK);
    assert_string_equal(now.text, "a=3 x,b@c=2"); /* what changed is first */
    check_status(girt_tracestate_get(&now, "a", &value, &size), GIRT_OK);
    assert_int_equal(size, 3);
    assert_memory_equal(value, "3 x", 3);
    check_status(girt_tracestate_get(&now, "b", &value, &size), GIRT_MISSING);
    check_status(girt_tracestate_get(&now, "b@c", &value, &size), GIRT_OK);
    check_status(girt_tracestate_set(&now, "zz", NULL), GIRT_OK);
    check_status(girt_tracestate_set(&now, "a", NULL), GIRT_OK);
    assert_string_equal(now.text, "b@c=2");

    static const char *const keys[] = {"", "A", "a b", "a=", "a,"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        check_status(girt_tracestate_set(&now, keys[i], "1"), GIRT_E_INVALID);
    static const char *const values[] = {"",   "a ", "a,",
                                         "a=", "\t", "\xc3\xa9"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        check_status(girt_tracestate_set(&now, "k", values[i]), GIRT_E_INVALID);
    check_status(girt_tracestate_set(&now, NULL, "1"), GIRT_E_INVALID);
    check_status(girt_tracestate_set(NULL, "a", "1"), GIRT_E_INVALID);
    check_status(girt_tracestate_get(&now, NULL, &value, &size),
                 GIRT_E_INVALID);
    check_status(girt_tracestate_get(&now, "a", NULL, &size), GIRT_E_INVALID);
    check_status(girt_tracestate_get(&now, "a", &value, NULL), GIRT_E_INVALID);
    check_status(girt_tracestate_get(NULL, "a", &value, &size), GIRT_E_INVALID);
    assert_string_equal(now.text, "b@c=2");

    /* Of 32 the last one leaves for a new one. */
    now = (girt_tracestate){0};
    char key[8];
    for (int i = 0; i < 40; i++) {
        snprintf(key, sizeof key, "k%d", i);
        check_status(girt_tracestate_set(&now, key, "v"), GIRT_OK);
    }
    check_status(girt_tracestate_get(&now, "k39", &value, &size), GIRT_OK);
    check_status(girt_tracestate_get(&now, "k8", &value, &size), GIRT_OK);
    check_status(girt_tracestate_get(&now, "k7", &value, &size), GIRT_MISSING);
    /* One that fills the state by itself. */
    char large[257];
    memset(large, 'v', 256);
    large[256] = '\0';
    check_status(girt_tracestate_set(&now, large, large), GIRT_E_INVALID);
    char name[255];
    memset(name, 'n', 254);
    name[254] = '\0';
    check_status(girt_tracestate_set(&now, name, large), GIRT_OK);
    assert_int_equal(now.size, 511); /* nothing else fits beside it */
}

static void states_that_no_call_made(void **state)
{
    (void)state;
    girt_tracestate now = {0};
    const char *value;
    size_t size;
    now.size = 513;
    check_status(parse(&now, "a=1"), GIRT_E_INVALID);
    now.size = 3;
    check_status(parse(&now, "a=1"), GIRT_E_INVALID); /* NULs are no member */
    memset(now.text, 'x', sizeof now.text);
    check_status(girt_tracestate_get(&now, "a", &value, &size), GIRT_E_INVALID);
    now.size = 512;
    check_status(girt_tracestate_set(&now, "a", "1"), GIRT_E_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_lists),
        cmocka_unit_test(bad_lists),
        cmocka_unit_test(each_byte),
        cmocka_unit_test(sizes),
        cmocka_unit_test(changes),
        cmocka_unit_test(states_that_no_call_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
