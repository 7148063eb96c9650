/* SPDX-License-Identifier: MIT */
/* display_text.c - numbers and names as a terminal shows them.
 *
 * A name comes from outside: an escape sequence in it would move the cursor,
 * a mark without width would shift all that stands right of it. Both are "?".
 */
#include "display_text.h"

#include <langinfo.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include "code_point.h"

/* ---- numbers ---- */

/* Three digits, and the unit that they are of. */
static void scaled(char out[DISPLAY_NUMBER_MAX], double x, double unit,
                   const char *letters)
{
    const double y = x / unit;
    const double size = fabs(y);
    snprintf(out, DISPLAY_NUMBER_MAX, "%.*f%s",
             size >= 99.95   ? 0
             : size >= 9.995 ? 1
                             : 2,
             y, letters);
}

static void dash(char out[DISPLAY_NUMBER_MAX])
{
    memcpy(out, "-", 2);
}

void display_number(char out[DISPLAY_NUMBER_MAX], double x)
{
    const double size = fabs(x);
    if (!isfinite(x))
        dash(out);
    else if (size >= 999.5e12)
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0e", x);
    else if (size >= 999.5e9)
        scaled(out, x, 1e12, "T");
    else if (size >= 999.5e6)
        scaled(out, x, 1e9, "G");
    else if (size >= 999.5e3)
        scaled(out, x, 1e6, "M");
    else if (size >= 99999.5)
        scaled(out, x, 1e3, "k");
    else if (x == floor(x))
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0f", x + 0.0); /* no -0 */
    else
        scaled(out, x, 1, "");
}

void display_bytes(char out[DISPLAY_NUMBER_MAX], double bytes)
{
    static const char *const letters[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t i = 0;
    double unit = 1;
    while (i < 4 && fabs(bytes) >= 999.5 * unit) {
        unit *= 1024;
        i++;
    }
    if (!isfinite(bytes))
        dash(out);
    else if (fabs(bytes) >= 9999.5 * unit)
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0e", bytes);
    else if (i == 0)
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0fB", bytes + 0.0);
    else
        scaled(out, bytes, unit, letters[i]);
}

void display_duration(char out[DISPLAY_NUMBER_MAX], double ns)
{
    const double size = fabs(ns);
    if (!isfinite(ns))
        dash(out);
    else if (size >= 99999.5e9)
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0es", ns / 1e9);
    else if (size >= 999.5e6)
        scaled(out, ns, 1e9, "s");
    else if (size >= 999.5e3)
        scaled(out, ns, 1e6, "ms");
    else if (size >= 999.5)
        scaled(out, ns, 1e3, "us");
    else
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0fns", ns + 0.0);
}

void display_percent(char out[DISPLAY_NUMBER_MAX], double ratio)
{
    if (!isfinite(ratio))
        dash(out);
    else if (fabs(ratio) >= 99.995)
        snprintf(out, DISPLAY_NUMBER_MAX, "%.0e", ratio * 100);
    else
        snprintf(out, DISPLAY_NUMBER_MAX, "%.1f", ratio * 100 + 0.0);
}

/* ---- names ---- */

/* Takes one off; what to show for it, and in how many columns. */
static size_t take(const char **at, const char *end, char shown[5])
{
    const char *const start = *at;
    const bool unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    uint32_t point;
    memcpy(shown, "?", 2);
    if (!code_point_take(at, end, &point)) {
        ++*at;
        return 1;
    }
    const int width = point < 0x80 ? (point >= ' ' && point < 0x7f)
                      : unicode    ? wcwidth((wchar_t)point)
                                   : 0;
    if (width < 1)
        return 1;
    memcpy(shown, start, (size_t)(*at - start));
    shown[*at - start] = '\0';
    return (size_t)width;
}

size_t display_columns(const char *text)
{
    const char *const end = text + strlen(text);
    char shown[5];
    size_t columns = 0;
    while (text < end)
        columns += take(&text, end, shown);
    return columns;
}

void display_fit(char *out, const char *text, size_t columns)
{
    const char *const end = text + strlen(text);
    const bool whole = display_columns(text) <= columns;
    const size_t most = whole || columns == 0 ? columns : columns - 1;
    char shown[5];
    size_t used = 0;
    while (text < end) {
        const size_t width = take(&text, end, shown);
        if (used + width > most)
            break;
        memcpy(out, shown, strlen(shown));
        out += strlen(shown);
        used += width;
    }
    if (!whole && used < columns) {
        *out++ = '~';
        used++;
    }
    memset(out, ' ', columns - used);
    out[columns - used] = '\0';
}
