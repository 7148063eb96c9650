/* SPDX-License-Identifier: MIT */
/* Goal: MD5 is MD5 for every size around its block borders.  Method: the test
 * suite of RFC 1321, libhashkit's table, and md5sum where it is installed. */
#include "ring/md5.h"

#include "unit/ring_tables.h"

static void to_hex(const uint32_t digest[4], char hex[33])
{
    for (int i = 0; i < 16; i++)
        snprintf(hex + 2 * i, 3, "%02x",
                 (unsigned)(digest[i / 4] >> (8 * (i % 4)) & 0xff));
}

static void rfc_1321_suite(void **state)
{
    (void)state;
    static const struct {
        const char *text, *digest;
    } suite[] = {
        {"", "d41d8cd98f00b204e9800998ecf8427e"},
        {"a", "0cc175b9c0f1b6a831c399e269772661"},
        {"abc", "900150983cd24fb0d6963f7d28e17f72"},
        {"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
        {"abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"},
        {"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
         "d174ab98d277d9f5a5611c2c9f419d9f"},
        {"1234567890123456789012345678901234567890123456789012345678901234567"
         "8901234567890",
         "57edf4a22be3c955ac49da2e2107b67a"},
    };
    for (size_t i = 0; i < sizeof suite / sizeof *suite; i++) {
        uint32_t digest[4];
        char hex[33];
        girt__md5(suite[i].text, strlen(suite[i].text), digest);
        to_hex(digest, hex);
        assert_string_equal(hex, suite[i].digest);
    }
    uint32_t of_null[4];
    char hex[33];
    girt__md5(NULL, 0, of_null);
    to_hex(of_null, hex);
    assert_string_equal(hex, suite[0].digest);
}

/* One digest of the digests of 0, 1, .. 299 bytes, known from md5sum: always
 * there, and every size around 55, 56, 63, 64, 119, 120, 128 is in it. */
static void sizes_around_block_borders(void **state)
{
    (void)state;
    unsigned char data[300];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * 7 + 1);
    char all[300 * 32 + 1];
    for (size_t size = 0; size < sizeof data; size++) {
        uint32_t digest[4];
        girt__md5(data, size, digest);
        to_hex(digest, all + size * 32);
    }
    uint32_t digest[4];
    char hex[33];
    girt__md5(all, sizeof all - 1, digest);
    to_hex(digest, hex);
    assert_string_equal(hex, "1c1373b5f4391e601feb48d73ea9df78");
}

/* What another implementation makes of a few sizes. */
static void agrees_with_md5sum(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 55, 56, 63, 64, 65, 119, 120, 1000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char command[128], theirs[33] = "", ours[33];
        snprintf(command, sizeof command,
                 "head -c %zu /dev/zero 2>/dev/null | md5sum 2>/dev/null",
                 sizes[i]);
        FILE *const pipe = popen(command, "r");
        if (pipe == NULL || fread(theirs, 1, 32, pipe) != 32) {
            if (pipe != NULL)
                (void)pclose(pipe);
            skip_because("no md5sum");
        }
        (void)pclose(pipe);
        static const unsigned char zeros[1000];
        uint32_t digest[4];
        girt__md5(zeros, sizes[i], digest);
        to_hex(digest, ours);
        assert_string_equal(ours, theirs);
    }
}

static void libhashkit_table(void **state)
{
    (void)state;
    FILE *const file = shared_open("vectors/libhashkit_hashes.tsv");
    if (file == NULL)
        skip_because("no vectors/libhashkit_hashes.tsv");
    table_row row;
    size_t checked = 0;
    while (table_read(file, &row)) {
        if (row.count != 3 || strcmp(row.field[0], "md5") != 0)
            continue;
        uint32_t digest[4];
        girt__md5(row.field[1], strlen(row.field[1]), digest);
        assert_int_equal(digest[0], table_number(&row, 2));
        checked++;
    }
    fclose(file);
    assert_int_equal(checked, 28);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rfc_1321_suite),
        cmocka_unit_test(sizes_around_block_borders),
        cmocka_unit_test(agrees_with_md5sum),
        cmocka_unit_test(libhashkit_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
