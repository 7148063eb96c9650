/* SPDX-License-Identifier: MIT */
/* log_input.h - a whole log in memory, line by line.
 *
 * A burst must not wait for a disk, so the text is read before the clock
 * starts. Memory is bounded: at most `lines_max` lines and LOG_TEXT_MAX bytes
 * are kept; what lies beyond is not read and `cut` says so. */
#ifndef GIRT_EXAMPLES_LOG_INPUT_H
#define GIRT_EXAMPLES_LOG_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOG_TEXT_MAX  ((size_t)1 << 30)
#define LOG_LINES_MAX ((size_t)100000000)

typedef struct log_input {
    char *text;
    size_t text_size;
    size_t *starts; /* of every line, and the end of the last one */
    size_t line_count;
    bool cut; /* there was more than the limits allow */
} log_input;

/* Reads a file, or standard input for "-". A header line of the tab-separated
 * form and a UTF-8 byte order mark are dropped. On failure *input is empty and
 * `why` (of why_size bytes) says what happened. */
bool log_input_read(log_input *input, const char *path, size_t lines_max,
                    char *why, size_t why_size);

/* Splits text from malloc, which *input owns afterwards. */
bool log_input_take(log_input *input, char *text, size_t text_size,
                    size_t lines_max);

void log_input_free(log_input *input);

static inline const char *log_line(const log_input *input, size_t index,
                                   size_t *size)
{
    *size = input->starts[index + 1] - input->starts[index];
    return input->text + input->starts[index];
}

#ifdef __cplusplus
}
#endif

#endif /* GIRT_EXAMPLES_LOG_INPUT_H */
