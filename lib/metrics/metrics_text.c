/* SPDX-License-Identifier: MIT */
/* metrics_text.c - help texts and label values, escaped. */
#include "metrics/metrics_text.h"

#include "core/utf8.h"

static void add_character(girt__text *text, const char *at, size_t size,
                          bool quotes)
{
    if (*at == '\n')
        girt__text_add(text, "\\n", 2);
    else if (*at == '\\')
        girt__text_add(text, "\\\\", 2);
    else if (*at == '"' && quotes)
        girt__text_add(text, "\\\"", 2);
    else
        girt__text_add(text, at, size);
}

void girt__text_add_help(girt__text *text, girt_metrics_format format,
                         const char *help, size_t size)
{
    for (size_t i = 0; i < size; i++)
        add_character(text, help + i, 1, format == GIRT_OPENMETRICS_TEXT);
}

void girt__text_add_label(girt__text *text, const char *value, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t const length = girt__utf8_character(value + at, size - at);
        if (length == 0)
            girt__text_put(text, "\xef\xbf\xbd");
        else
            add_character(text, value + at, length, true);
        at += length == 0 ? 1 : length;
    }
}
