/* SPDX-License-Identifier: MIT */
/* spike_format.c - numbers and text for people. */
#include "spike_format.h"

#include <string.h>

short_text format_count(uint64_t count)
{
    char digits[24];
    int const size =
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    short_text result;
    char *at = result.text;
    for (int i = 0; i < size; i++) {
        if (i > 0 && (size - i) % 3 == 0)
            *at++ = ',';
        *at++ = digits[i];
    }
    *at = '\0';
    return result;
}

/* Three significant digits below 1000. */
static short_text three_digits(double value, const char *unit)
{
    short_text result;
    int const places = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
    snprintf(result.text, sizeof result.text, "%.*f %s", places, value, unit);
    return result;
}

short_text format_duration(double ns)
{
    static const char *const units[] = {"us", "ms", "s"};
    if (ns < 999.5) {
        short_text result;
        snprintf(result.text, sizeof result.text, "%.0f ns", ns);
        return result;
    }
    size_t unit = 0;
    double value = ns / 1000;
    while (unit < 2 && value >= 999.5) {
        value /= 1000;
        unit++;
    }
    return three_digits(value, units[unit]);
}

short_text format_bytes(uint64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        short_text result;
        snprintf(result.text, sizeof result.text, "%u B", (unsigned)bytes);
        return result;
    }
    size_t unit = 0;
    double value = (double)bytes / 1000;
    while (unit < 5 && value >= 999.5) {
        value /= 1000;
        unit++;
    }
    return three_digits(value, units[unit]);
}

short_text format_span(double seconds)
{
    if (seconds < 120)
        return three_digits(seconds, "s");
    if (seconds < 2 * 3600)
        return three_digits(seconds / 60, "minutes");
    if (seconds < 48 * 3600)
        return three_digits(seconds / 3600, "hours");
    return three_digits(seconds / 86400, "days");
}

static size_t width_of(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '\\' ? 1 : 4;
}

size_t print_safely(FILE *out, const char *text, size_t size, size_t width_max)
{
    size_t whole = 0;
    for (size_t i = 0; i < size && whole <= width_max; i++)
        whole += width_of((unsigned char)text[i]);
    bool const fits = whole <= width_max;
    size_t const room = fits ? width_max : width_max - 3;
    size_t width = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char const c = (unsigned char)text[i];
        if (width + width_of(c) > room)
            break;
        width += width_of(c);
        if (width_of(c) == 1)
            fputc(c, out);
        else
            fprintf(out, "\\x%02x", c);
    }
    if (!fits)
        fputs("...", out);
    return fits ? width : width + 3;
}

#define WRAP_INDENT  10
#define WRAP_COLUMNS 78

void print_wrapped(FILE *out, const char *paragraph)
{
    size_t column = 0;
    for (const char *at = paragraph; *at != '\0';) {
        size_t const size = strcspn(at, " ");
        if (column != 0 && column + 1 + size > WRAP_COLUMNS) {
            fputc('\n', out);
            column = 0;
        }
        if (column == 0)
            column = (size_t)fprintf(out, "%*s", WRAP_INDENT, "");
        else
            column += (size_t)fprintf(out, " ");
        column += fwrite(at, 1, size, out);
        at += size;
        at += strspn(at, " ");
    }
    fputc('\n', out);
}
