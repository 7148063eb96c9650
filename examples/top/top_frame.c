/* SPDX-License-Identifier: MIT */
/* top_frame.c - what stands around the view, and all of it as plain text. */
#include "top_frame.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { PLAIN_COLUMNS = 1000 };

__attribute__((format(printf, 2, 3))) static void say(char out[TOP_STATUS_MAX],
                                                      const char *format, ...)
{
    const size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, TOP_STATUS_MAX - used, format, arguments);
    va_end(arguments);
}

void top_status(char out[TOP_STATUS_MAX], const char *what,
                const object_view *view)
{
    const object_table *const now = view->now;
    out[0] = '\0';
    say(out, "girt top: %.256s", what);
    if (now == NULL) {
        say(out, ", no scrape yet");
        return;
    }
    say(out, ", %zu object%s", now->count, now->count == 1 ? "" : "s");
    if (!isnan(now->epoch_backlog)) {
        char backlog[DISPLAY_NUMBER_MAX];
        display_number(backlog, now->epoch_backlog);
        say(out, ", epoch backlog %s", backlog);
    }
    if (now->others > 0)
        say(out, ", %zu other sample%s", now->others,
            now->others == 1 ? "" : "s");
    if (now->left_out > 0)
        say(out, ", %zu samples of more objects left out", now->left_out);
}

void top_print(FILE *out, const char *what, const object_view *view)
{
    static view_line line;
    char status[TOP_STATUS_MAX];
    char shown[TOP_STATUS_MAX * DISPLAY_BYTES_A_COLUMN + 1];
    top_status(status, what, view);
    display_fit(shown, status, display_columns(status));
    fprintf(out, "%s\n\n", shown);
    for (size_t i = 0; i < view->line_count; i++) {
        object_view_line(view, i, PLAIN_COLUMNS, &line);
        for (size_t s = 0; s < line.count; s++)
            fputs(line.spans[s].text, out);
        fputc('\n', out);
    }
}
