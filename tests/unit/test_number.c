/* SPDX-License-Identifier: MIT */
/* Goal: numbers as text read back as the same number, are as short as can be,
 * and know no locale.  Method: known texts; random bits read back by strtod;
 * lengths against the shortest precision that snprintf needs; the same under a
 * locale with a comma, where there is one. */
#include "core/number.h"

#include <locale.h>
#include <math.h>

#include "support/check.h"
#include "support/rng.h"
#include "support/threads.h"

static const char *text_of(double value)
{
    static char text[GIRT__NUMBER_BYTES + 1];
    memset(text, '#', sizeof text);
    const size_t size = girt__number_double(text, value);
    assert_true(size < GIRT__NUMBER_BYTES);
    text[size] = '\0';
    return text;
}

static void known(void **state)
{
    (void)state;
    static const struct {
        double value;
        const char *text;
    } table[] = {
        {0, "0"},
        {-0.0, "-0"},
        {1, "1"},
        {-1, "-1"},
        {0.1, "0.1"},
        {1.5, "1.5"},
        {100, "100"},
        {1e6, "1000000"},
        {1e20, "100000000000000000000"},
        {1e21, "1e+21"},
        {1e300, "1e+300"},
        {0.00001, "0.00001"},
        {0.000001, "1e-06"},
        {1.25e-7, "1.25e-07"},
        {5e-324, "5e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {0.1 + 0.2, "0.30000000000000004"},
        {9007199254740993.0, "9007199254740992"},
        {123456.789, "123456.789"},
        {INFINITY, "+Inf"},
        {-INFINITY, "-Inf"},
        {NAN, "NaN"},
        {-NAN, "NaN"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        assert_string_equal(text_of(table[i].value), table[i].text);
}

/* The digits of a text, without the zeros before and after. */
static size_t digits_of(const char *text)
{
    size_t count = 0, zeros = 0;
    for (; *text != '\0' && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count == 0 && *text == '0'))
            continue;
        zeros = *text == '0' ? zeros + 1 : 0;
        count++;
    }
    return count - zeros;
}

static size_t shortest(double value)
{
    char text[64];
    for (int digits = 1;; digits++) {
        (void)snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strtod(text, NULL) == value)
            return digits_of(text);
    }
}

static void random_bits(void **state)
{
    (void)state;
    rng r = {test_seed()};
    for (int i = 0; i < 50000; i++) {
        uint64_t bits = rng_next(&r);
        if (i % 4 == 0)
            bits &= ~(UINT64_C(0x7ff) << 52); /* below the normal ones */
        double value;
        memcpy(&value, &bits, sizeof value);
        if (i % 4 == 1)
            value = (double)(int64_t)(bits >> 40) / 1000;
        if (isnan(value) || isinf(value))
            continue;
        const char *const text = text_of(value);
        assert_true(strtod(text, NULL) == value);
        if (value != 0)
            assert_true(digits_of(text) <= shortest(value));
    }
}

static void whole_numbers(void **state)
{
    (void)state;
    rng r = {test_seed()};
    char text[GIRT__NUMBER_BYTES + 1], expected[32];
    for (int i = 0; i < 10000; i++) {
        const uint64_t value = i == 0   ? 0
                               : i == 1 ? UINT64_MAX
                                        : rng_next(&r) >> rng_below(&r, 64);
        text[girt__number_u64(text, value)] = '\0';
        (void)snprintf(expected, sizeof expected, "%llu",
                       (unsigned long long)value);
        assert_string_equal(text, expected);
    }
}

static void no_locale(void **state)
{
    (void)state;
    static const char *const with_comma[] = {"de_DE.UTF-8", "fr_FR.UTF-8",
                                             "de_DE", "fr_FR"};
    bool found = false;
    for (size_t i = 0; !found && i < 4; i++)
        found = setlocale(LC_NUMERIC, with_comma[i]) != NULL;
    if (!found)
        skip_because("no locale with a decimal comma");
    assert_string_equal(localeconv()->decimal_point, ",");
    assert_string_equal(text_of(1.5), "1.5");
    assert_string_equal(text_of(0.1 + 0.2), "0.30000000000000004");
    assert_string_equal(text_of(1.25e-7), "1.25e-07");
    (void)setlocale(LC_NUMERIC, "C");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known),
        cmocka_unit_test(random_bits),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(no_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
