/* SPDX-License-Identifier: MIT */
/* Goal: the stream is a valid log, the same for a seed, and Zipf-distributed.
 * Method: all lines parsed; two streams compared byte by byte; popularity of
 * the first ranks against the law's probabilities. */
#include <math.h>
#include <stdlib.h>

#include "log_tally.h"
#include "support/check.h"
#include "support/scale.h"
#include "zipf_stream.h"

static void test_same_for_a_seed(void **state)
{
    (void)state;
    size_t sizes[3];
    char *const texts[3] = {zipf_stream(5000, 7, &sizes[0]),
                            zipf_stream(5000, 7, &sizes[1]),
                            zipf_stream(5000, 8, &sizes[2])};
    for (int i = 0; i < 3; i++)
        assert_non_null(texts[i]);
    assert_int_equal(sizes[0], sizes[1]);
    assert_memory_equal(texts[0], texts[1], sizes[0]);
    assert_true(sizes[0] != sizes[2] ||
                memcmp(texts[0], texts[2], sizes[0]) != 0);
    for (int i = 0; i < 3; i++)
        free(texts[i]);
}

static void test_law(void **state)
{
    (void)state;
    size_t const lines = scaled(400000);
    size_t size;
    char *const text = zipf_stream(lines, 1, &size);
    assert_non_null(text);
    log_input input;
    assert_true(log_input_take(&input, text, size, lines));
    log_tally t;
    assert_true(log_tally_build(&t, &input));
    assert_true(t.requests == lines && t.unparsed == 0);
    assert_true(t.last_s - t.first_s > 80000);

    double sum = 0;
    for (int k = 1; k <= ZIPF_URLS; k++)
        sum += pow(k, -0.9);
    const tally_entry **const sorted = tally_by_hits(&t.urls);
    assert_non_null(sorted);
    for (int k = 1; k <= 5; k++) {
        double const expected = (double)lines * pow(k, -0.9) / sum;
        double const error = (double)sorted[k - 1]->hits - expected;
        /* The seed is fixed: no luck involved. */
        assert_true(fabs(error) < 6 * sqrt(expected));
    }
    free(sorted);
    log_tally_free(&t);
    log_input_free(&input);
}

static void test_absurd_size(void **state)
{
    (void)state;
    size_t size = 1;
    assert_null(zipf_stream(SIZE_MAX / 2, 1, &size));
    assert_int_equal(size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_for_a_seed),
        cmocka_unit_test(test_law),
        cmocka_unit_test(test_absurd_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
