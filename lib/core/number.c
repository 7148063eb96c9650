/* SPDX-License-Identifier: MIT */
/* number.c - numbers as text, whatever the program's locale.
 *
 * The shortest digits: 15 suffice for every decimal of up to 15 digits, and 17
 * for every double; between them the first that reads back as the same value is
 * taken. Only the digits of snprintf are used: a locale puts a comma, or
 * several bytes, where the point should be, and strtod reads what snprintf of
 * the same locale wrote. */
#include "core/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 17, DIGITS_SURE = 15 };

size_t girt__number_u64(char *out, uint64_t value)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    for (size_t i = 0; i < count; i++)
        out[i] = digits[count - 1 - i];
    return count;
}

typedef struct decimal {
    char digits[DIGITS_MAX]; /* the first is not 0 */
    size_t count;
    int exponent; /* of the first digit */
} decimal;

/* `value` is finite and above 0. */
static bool try_digits(decimal *d, double value, int digits)
{
    char text[64];
    (void)snprintf(text, sizeof text, "%.*e", digits - 1, value);
    d->count = 0;
    const char *at = text;
    for (; *at != 'e' && *at != '\0'; at++) {
        if (*at >= '0' && *at <= '9' && d->count < DIGITS_MAX)
            d->digits[d->count++] = *at;
    }
    d->exponent = *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    double const read = strtod(text, NULL);
    return memcmp(&read, &value, sizeof read) == 0;
}

static void find_shortest(decimal *d, double value)
{
    /* Below the smallest normal value fewer digits may do. */
    int digits = value < 0x1p-1022 ? 1 : DIGITS_SURE;
    while (!try_digits(d, value, digits) && digits < DIGITS_MAX)
        digits++;
    while (d->count > 1 && d->digits[d->count - 1] == '0')
        d->count--;
}

static char *add(char *out, const char *bytes, size_t size)
{
    memcpy(out, bytes, size);
    return out + size;
}

static char *add_zeros(char *out, int count)
{
    for (int i = 0; i < count; i++)
        *out++ = '0';
    return out;
}

/* 1e+300, 1.5e-07 */
static char *add_scientific(char *out, const decimal *d)
{
    *out++ = d->digits[0];
    if (d->count > 1) {
        *out++ = '.';
        out = add(out, d->digits + 1, d->count - 1);
    }
    *out++ = 'e';
    *out++ = d->exponent < 0 ? '-' : '+';
    unsigned const size = (unsigned)abs(d->exponent);
    if (size < 10)
        *out++ = '0';
    return out + girt__number_u64(out, size);
}

/* 1200, 1.5, 0.00012 */
static char *add_plain(char *out, const decimal *d)
{
    int const whole = d->exponent + 1; /* digits before the point */
    if (whole <= 0) {
        out = add_zeros(add(out, "0.", 2), -whole);
        return add(out, d->digits, d->count);
    }
    if ((size_t)whole >= d->count)
        return add_zeros(add(out, d->digits, d->count), whole - (int)d->count);
    out = add(out, d->digits, (size_t)whole);
    *out++ = '.';
    return add(out, d->digits + whole, d->count - (size_t)whole);
}

size_t girt__number_double(char out[GIRT__NUMBER_BYTES], double value)
{
    if (isnan(value))
        return (size_t)(add(out, "NaN", 3) - out);
    if (isinf(value))
        return (size_t)(add(out, value > 0 ? "+Inf" : "-Inf", 4) - out);
    char *end = out;
    if (signbit(value)) {
        *end++ = '-';
        value = -value;
    }
    if (value == 0) {
        *end++ = '0';
        return (size_t)(end - out);
    }
    decimal d;
    find_shortest(&d, value);
    /* At most 21 digits are written out, or 4 zeros after the point. */
    if (d.exponent < -5 || d.exponent > 20)
        end = add_scientific(end, &d);
    else
        end = add_plain(end, &d);
    return (size_t)(end - out);
}
