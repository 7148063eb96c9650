/* SPDX-License-Identifier: MIT */
/* Goal: the plain count that everything is compared with is itself right.
 * Method: a small log counted by hand; a large one whose keys and totals the
 * test knows because it made them. */
#include <stdlib.h>

#include "log_tally.h"
#include "support/check.h"

static void take(log_input *input, const char *text)
{
    assert_true(log_input_take(input, strdup(text), strlen(text), 1000000));
}

static void check_entry(const tally_entry *e, const char *key, uint64_t hits,
                        uint64_t bytes)
{
    assert_non_null(e);
    assert_int_equal(e->key_size, strlen(key));
    assert_memory_equal(e->key, key, e->key_size);
    assert_true(e->hits == hits && e->bytes == bytes);
}

static void test_by_hand(void **state)
{
    (void)state;
    log_input input;
    take(&input, "a\t-\t10\tGET\t/x\t200\t5\n"
                 "nonsense\n"
                 "b\t-\t7\tGET\t/y\t200\t-\n"
                 "\n"
                 "a\t-\t30\tGET\t/x\t304\t7\n"
                 "a\t-\t20\tGET\t/xy\t200\t100\n"
                 "\n");
    log_tally t;
    assert_true(log_tally_build(&t, &input));
    assert_true(t.requests == 4 && t.bytes == 112 && t.unparsed == 3);
    assert_true(t.faults[ACCESS_BLANK] == 2);
    assert_true(t.faults[ACCESS_NO_CLIENT] == 1);
    assert_int_equal(t.first_unparsed, 1);
    assert_true(t.first_s == 7 && t.last_s == 30);
    assert_int_equal(t.clients.count, 2);
    assert_int_equal(t.urls.count, 3);
    check_entry(tally_find(&t.urls, "/x", 2), "/x", 2, 12);
    check_entry(tally_find(&t.urls, "/xy", 3), "/xy", 1, 100);
    assert_null(tally_find(&t.urls, "/", 1));
    /* a has three requests, b has one. */
    static const uint64_t admitted[] = {0, 2, 3, 4, 4};
    for (uint64_t burst = 0; burst < 5; burst++)
        assert_true(log_tally_admitted(&t, burst) == admitted[burst]);
    const tally_entry **const sorted = tally_by_hits(&t.urls);
    assert_non_null(sorted);
    check_entry(sorted[0], "/x", 2, 12);
    check_entry(sorted[1], "/xy", 1, 100);
    check_entry(sorted[2], "/y", 1, 0);
    free(sorted);
    log_tally_free(&t);
    log_input_free(&input);
}

/* URL k (of 5,000) k % 7 + 1 times, client the same, k bytes each. */
static void test_many(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    char *const text = malloc((size_t)KEYS * 7 * 48);
    assert_non_null(text);
    size_t size = 0;
    for (int k = 0; k < KEYS; k++)
        for (int i = 0; i <= k % 7; i++)
            size += (size_t)sprintf(
                text + size, "client%d\t-\t1\tGET\t/u%d\t200\t%d\n", k, k, k);
    log_input input;
    assert_true(log_input_take(&input, text, size, 1000000));
    log_tally t;
    assert_true(log_tally_build(&t, &input));
    assert_int_equal(t.urls.count, KEYS);
    assert_int_equal(t.clients.count, KEYS);
    uint64_t admitted = 0;
    for (unsigned k = 0; k < KEYS; k++) {
        char url[16];
        int const url_size = sprintf(url, "/u%u", k);
        check_entry(tally_find(&t.urls, url, (size_t)url_size), url, k % 7 + 1,
                    (uint64_t)k * (k % 7 + 1));
        admitted += k % 7 + 1 < 3 ? k % 7 + 1 : 3;
    }
    assert_true(log_tally_admitted(&t, 3) == admitted);
    const tally_entry **const sorted = tally_by_hits(&t.urls);
    assert_non_null(sorted);
    for (size_t i = 1; i < KEYS; i++)
        assert_true(sorted[i - 1]->hits >= sorted[i]->hits);
    free(sorted);
    log_tally_free(&t);
    log_input_free(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_hand),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
