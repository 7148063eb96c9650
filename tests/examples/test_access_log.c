/* SPDX-License-Identifier: MIT */
/* Goal: every line is taken apart right or refused with the right reason.
 * Method: tables of lines; then every prefix of good lines and lines with
 * random bytes changed, in blocks of exactly their size, so that
 * AddressSanitizer sees a read beyond the end. */
#include <stdlib.h>

#include "access_log.h"
#include "support/check.h"
#include "support/rng.h"
#include "support/scale.h"
#include "support/threads.h"

typedef struct good_line {
    const char *line;
    const char *client;
    const char *url;
    uint64_t bytes;
    int64_t time_s;
    unsigned status;
} good_line;

#define NOON "[01/Aug/1995:12:00:00 +0000] "

static const good_line good_lines[] = {
    /* common, combined, what follows the bytes is anything */
    {"h - - [01/Aug/1995:00:00:01 -0400] \"GET /a HTTP/1.0\" 200 1839", "h",
     "/a", 1839, 807249601, 200},
    {"::1 - bob [17/May/2015:10:05:03 +0000] \"POST /b?c=d HTTP/1.1\" 404 - "
     "\"http://r/\" \"agent \\\"x\\\" y\"\r\n",
     "::1", "/b?c=d", 0, 1431857103, 404},
    {"h - - " NOON "\"GET / HTTP/1.1\" 200 1 whatever else", "h", "/", 1,
     807278400, 200},
    /* users with spaces and brackets */
    {"h - john [doe] smith " NOON "\"GET /a HTTP/1.0\" 200 1", "h", "/a", 1,
     807278400, 200},
    {"h - [01/Aug/1995:12:00 " NOON "\"GET /a HTTP/1.0\" 200 1", "h", "/a", 1,
     807278400, 200},
    /* requests: no protocol, spaces, escapes, one word, tricks */
    {"h - - " NOON "\"GET /old\" 200 7", "h", "/old", 7, 807278400, 200},
    {"h - - " NOON "\"GET /a b c HTTP/1.0\" 200 7", "h", "/a b c", 7, 807278400,
     200},
    {"h - - " NOON "\"GET /q\\\"uote\\\\ HTTP/1.0\" 200 7", "h",
     "/q\\\"uote\\\\", 7, 807278400, 200},
    {"h - - " NOON "\"-\" 408 -", "h", "-", 0, 807278400, 408},
    {"h - - " NOON "\"GET HTTP/1.0\" 400 0", "h", "HTTP/1.0", 0, 807278400,
     400},
    {"h - - " NOON "\"\\x16\\x03\\x01\" 400 226", "h", "\\x16\\x03\\x01", 226,
     807278400, 400},
    {"h - - " NOON "\"GET  /two  HTTP/1.0\" 200 1", "h", "/two", 1, 807278400,
     200},
    /* times: leap years, leap seconds, zones */
    {"h - - [29/Feb/2000:23:59:60 +0530] \"GET / HTTP/1.0\" 200 1", "h", "/", 1,
     951868800 - 19800, 200},
    {"h - - [31/Dec/1969:23:59:59 +0000] \"GET / HTTP/1.0\" 200 1", "h", "/", 1,
     -1, 200},
    /* the largest number of bytes */
    {"h - - " NOON "\"GET / HTTP/1.0\" 200 274877906944", "h", "/",
     ACCESS_BYTES_MAX, 807278400, 200},
    /* tab-separated, with and without the columns after bytes */
    {"h\t-\t807256800\tGET\t/x.gif\t200\t1713\t\t\n", "h", "/x.gif", 1713,
     807256800, 200},
    {"h\t-\t0\tGET\t/x y\t304\t-\r\n", "h", "/x y", 0, 0, 304},
    {"h\t\t5\t\t/\t200\t0", "h", "/", 0, 5, 200},
};

static void copy_into_exact_block(const char *line, size_t size, char **block)
{
    *block = malloc(size == 0 ? 1 : size);
    assert_non_null(*block);
    memcpy(*block, line, size);
}

static void check_text(const char *actual, size_t size, const char *expected)
{
    assert_int_equal(size, strlen(expected));
    assert_memory_equal(actual, expected, size);
}

static void test_good_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good_lines / sizeof *good_lines; i++) {
        const good_line *const g = &good_lines[i];
        char *block;
        copy_into_exact_block(g->line, strlen(g->line), &block);
        access_entry e;
        access_fault const fault = access_parse(block, strlen(g->line), &e);
        if (fault != ACCESS_FINE)
            fail_msg("%s: %s", g->line, access_fault_text(fault));
        check_text(e.client, e.client_size, g->client);
        check_text(e.url, e.url_size, g->url);
        assert_true(e.bytes == g->bytes);
        if (e.time_s != g->time_s)
            fail_msg("%s: %lld", g->line, (long long)e.time_s);
        assert_int_equal(e.status, g->status);
        free(block);
    }
}

static const struct {
    const char *line;
    access_fault fault;
} bad_lines[] = {
    {"", ACCESS_BLANK},
    {"\n", ACCESS_BLANK},
    {"\r\n", ACCESS_BLANK},
    {"word", ACCESS_NO_CLIENT},
    {" - - " NOON "\"GET / HTTP/1.0\" 200 1", ACCESS_NO_CLIENT},
    {"h - - ", ACCESS_NO_TIME},
    {"h - - \"GET / HTTP/1.0\" 200 1", ACCESS_NO_TIME},
    {"h - - [32/Aug/1995:12:00:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [00/Aug/1995:12:00:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [29/Feb/1900:12:00:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aux/1995:12:00:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/1995:24:00:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/1995:12:60:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/1995:12:00:61 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/1995:12:00:00 0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/1995:12:00:00 +0060] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/0000:12:00:00 +0000] \"GET / H\" 200 1", ACCESS_NO_TIME},
    {"h - - [01/Aug/1995:12:00:00 +0000", ACCESS_NO_TIME},
    {"h - - " NOON, ACCESS_NO_REQUEST},
    {"h - - " NOON "GET / HTTP/1.0 200 1", ACCESS_NO_REQUEST},
    {"h - - " NOON "\"GET / HTTP/1.0 200 1", ACCESS_NO_REQUEST},
    {"h - - " NOON "\"GET / HTTP/1.0\\\" 200 1", ACCESS_NO_REQUEST},
    {"h - - " NOON "\"\" 400 1", ACCESS_NO_REQUEST},
    {"h - - " NOON "\"   \" 400 1", ACCESS_NO_REQUEST},
    {"h - - " NOON "\"GET  HTTP/1.0\" 200 1", ACCESS_NO_REQUEST},
    {"h - - " NOON "\"GET / HTTP/1.0\"", ACCESS_NO_STATUS},
    {"h - - " NOON "\"GET / HTTP/1.0\" - 1", ACCESS_NO_STATUS},
    {"h - - " NOON "\"GET / HTTP/1.0\" 20 1", ACCESS_NO_STATUS},
    {"h - - " NOON "\"GET / HTTP/1.0\" 099 1", ACCESS_NO_STATUS},
    {"h - - " NOON "\"GET / HTTP/1.0\" 2000 1", ACCESS_NO_BYTES},
    {"h - - " NOON "\"GET / HTTP/1.0\" 200", ACCESS_NO_BYTES},
    {"h - - " NOON "\"GET / HTTP/1.0\" 200 ", ACCESS_NO_BYTES},
    {"h - - " NOON "\"GET / HTTP/1.0\" 200 -1", ACCESS_NO_BYTES},
    {"h - - " NOON "\"GET / HTTP/1.0\" 200 12x", ACCESS_NO_BYTES},
    {"h - - " NOON "\"GET / HTTP/1.0\" 200 274877906945", ACCESS_NO_BYTES},
    {"h - - " NOON "\"GET / HTTP/1.0\" 200 18446744073709551616",
     ACCESS_NO_BYTES},
    {"\t-\t1\tGET\t/\t200\t1", ACCESS_NO_CLIENT},
    {"h\t-\t1", ACCESS_NO_REQUEST},
    {"h\t-\tx\tGET\t/\t200\t1", ACCESS_NO_TIME},
    {"h\t-\t-1\tGET\t/\t200\t1", ACCESS_NO_TIME},
    {"h\t-\t9223372036854775808\tGET\t/\t200\t1", ACCESS_NO_TIME},
    {"h\t-\t1\tGET\t\t200\t1", ACCESS_NO_REQUEST},
    {"h\t-\t1\tGET\t/\t2000\t1", ACCESS_NO_STATUS},
    {"h\t-\t1\tGET\t/\t200", ACCESS_NO_BYTES},
    {"h\t-\t1\tGET\t/\t200\t1 ", ACCESS_NO_BYTES},
};

static void test_bad_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
        const char *const line = bad_lines[i].line;
        char *block;
        copy_into_exact_block(line, strlen(line), &block);
        access_entry e = {.bytes = 12345};
        access_fault const fault = access_parse(block, strlen(line), &e);
        if (fault != bad_lines[i].fault)
            fail_msg("%s: %s, expected %s", line, access_fault_text(fault),
                     access_fault_text(bad_lines[i].fault));
        assert_int_equal(e.bytes, 12345); /* untouched */
        free(block);
    }
}

static void test_size_and_nul(void **state)
{
    (void)state;
    static const char tail[] = " - - " NOON "\"GET / HTTP/1.0\" 200 1";
    size_t const tail_size = sizeof tail - 1;
    char *const line = malloc(ACCESS_LINE_MAX + 1);
    assert_non_null(line);
    memset(line, 'h', ACCESS_LINE_MAX + 1);
    memcpy(line + ACCESS_LINE_MAX - tail_size, tail, tail_size);
    access_entry e;
    assert_int_equal(access_parse(line, ACCESS_LINE_MAX, &e), ACCESS_FINE);
    assert_int_equal(e.client_size, ACCESS_LINE_MAX - tail_size);
    line[ACCESS_LINE_MAX] = '2';
    assert_int_equal(access_parse(line, ACCESS_LINE_MAX + 1, &e),
                     ACCESS_TOO_LONG);
    line[7] = '\0';
    assert_int_equal(access_parse(line, ACCESS_LINE_MAX, &e), ACCESS_BINARY);
    free(line);
}

/* Whatever it answers, it stays inside the line. */
static void parse_and_look(const char *line, size_t size)
{
    char *block;
    copy_into_exact_block(line, size, &block);
    access_entry e;
    if (access_parse(block, size, &e) == ACCESS_FINE) {
        assert_true(e.client >= block && e.client_size > 0 &&
                    e.client + e.client_size <= block + size);
        assert_true(e.url >= block && e.url_size > 0 &&
                    e.url + e.url_size <= block + size);
        assert_in_range(e.status, 100, 999);
    }
    free(block);
}

static void test_prefixes_and_noise(void **state)
{
    (void)state;
    rng r = {test_seed()};
    size_t const rounds = scaled(2000);
    for (size_t i = 0; i < sizeof good_lines / sizeof *good_lines; i++) {
        const char *const line = good_lines[i].line;
        size_t const size = strlen(line);
        for (size_t k = 0; k <= size; k++)
            parse_and_look(line, k);
        for (size_t k = 0; k < rounds; k++) {
            static const char noise[] = "\0\t\n\r \"\\[]/:+-0aZ\xff";
            char changed[512];
            memcpy(changed, line, size);
            for (uint64_t n = rng_below(&r, 4) + 1; n > 0; n--)
                changed[rng_below(&r, size)] =
                    noise[rng_below(&r, sizeof noise - 1)];
            parse_and_look(changed, size);
        }
    }
}

static void test_header(void **state)
{
    (void)state;
    static const char header[] = "host\tlogname\ttime\tmethod\turl\tresponse\t"
                                 "bytes\treferer\tuseragent\n";
    assert_true(access_is_header(header, sizeof header - 1));
    assert_false(access_is_header(header, 20));
    assert_false(access_is_header("host - -", 8));
    assert_false(access_is_header("", 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_lines),
        cmocka_unit_test(test_bad_lines),
        cmocka_unit_test(test_size_and_nul),
        cmocka_unit_test(test_prefixes_and_noise),
        cmocka_unit_test(test_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
