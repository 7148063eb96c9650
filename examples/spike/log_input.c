/* SPDX-License-Identifier: MIT */
/* log_input.c - reading and splitting for log_input.h. */
#include "log_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "access_log.h"

#define READ_STEP ((size_t)1 << 18)

/* Counts newlines in what was just read; true once `lines_max` are there. */
static bool enough_lines(const char *text, size_t size, size_t lines_max,
                         size_t *lines)
{
    const char *at = text;
    const char *const end = text + size;
    while (at != end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (++*lines > lines_max) /* one more: a header may be dropped */
            return true;
    }
    return false;
}

/* Reads until the end or a limit. NULL with errno set on failure. */
static char *read_all(int fd, size_t lines_max, size_t *size)
{
    size_t room = READ_STEP;
    size_t lines = 0;
    char *text = malloc(room + 1);
    *size = 0;
    while (text != NULL && *size <= LOG_TEXT_MAX) {
        if (room - *size < READ_STEP) {
            char *const more = realloc(text, room * 2 + 1);
            if (more == NULL)
                break;
            text = more;
            room *= 2;
        }
        ssize_t const got = read(fd, text + *size, READ_STEP);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        if (got == 0)
            return text;
        bool const enough =
            enough_lines(text + *size, (size_t)got, lines_max, &lines);
        *size += (size_t)got;
        if (enough)
            return text;
    }
    if (text != NULL && *size > LOG_TEXT_MAX)
        return text;
    int const error = text == NULL ? ENOMEM : errno;
    free(text);
    errno = error;
    return NULL;
}

/* Names the program that unpacks a compressed log, else NULL. */
static const char *unpacker(const char *text, size_t size)
{
    static const struct {
        const char *tool;
        size_t size;
        unsigned char magic[8];
    } packers[] = {
        {"zcat", 2, {0x1f, 0x8b}},
        {"bzcat", 3, {'B', 'Z', 'h'}},
        {"zstdcat", 4, {0x28, 0xb5, 0x2f, 0xfd}},
        {"xzcat", 5, {0xfd, '7', 'z', 'X', 'Z'}},
    };
    for (size_t i = 0; i < sizeof packers / sizeof *packers; i++)
        if (size >= packers[i].size &&
            memcmp(text, packers[i].magic, packers[i].size) == 0)
            return packers[i].tool;
    return NULL;
}

bool log_input_read(log_input *input, const char *path, size_t lines_max,
                    char *why, size_t why_size)
{
    memset(input, 0, sizeof *input);
    bool const from_stdin = strcmp(path, "-") == 0;
    int const fd = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        snprintf(why, why_size, "%s", strerror(errno));
        return false;
    }
    size_t size = 0;
    char *const text = read_all(fd, lines_max, &size);
    int const error = errno;
    if (!from_stdin)
        close(fd);
    if (text == NULL) {
        snprintf(why, why_size, "%s", strerror(error));
        return false;
    }
    const char *const tool = unpacker(text, size);
    if (tool != NULL) {
        snprintf(why, why_size, "compressed; unpack it: %s FILE | spike -",
                 tool);
        free(text);
        return false;
    }
    if (!log_input_take(input, text, size, lines_max)) {
        snprintf(why, why_size, "%s", strerror(ENOMEM));
        return false;
    }
    return true;
}

/* The first byte after the line at `from`. */
static size_t line_end(const char *text, size_t size, size_t from)
{
    const char *const newline = memchr(text + from, '\n', size - from);
    return newline == NULL ? size : (size_t)(newline - text) + 1;
}

static size_t skip_head(const char *text, size_t size)
{
    size_t at = 0;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    if (access_is_header(text + at, size - at))
        at = line_end(text, size, at);
    return at;
}

bool log_input_take(log_input *input, char *text, size_t text_size,
                    size_t lines_max)
{
    memset(input, 0, sizeof *input);
    size_t const kept = text_size < LOG_TEXT_MAX ? text_size : LOG_TEXT_MAX;
    size_t const first = skip_head(text, kept);

    size_t lines = 0;
    size_t at = first;
    for (; at < kept && lines < lines_max; lines++)
        at = line_end(text, kept, at);
    bool const cut = at < text_size;
    /* A line that the byte limit cut in two is not a line of the log. */
    if (kept < text_size && at == kept && lines > 0 && text[at - 1] != '\n')
        lines--;

    size_t *const starts = malloc((lines + 1) * sizeof *starts);
    if (starts == NULL) {
        free(text);
        return false;
    }
    at = first;
    for (size_t i = 0; i < lines; i++) {
        starts[i] = at;
        at = line_end(text, kept, at);
    }
    starts[lines] = at;
    *input = (log_input){text, text_size, starts, lines, cut};
    return true;
}

void log_input_free(log_input *input)
{
    free(input->text);
    free(input->starts);
    memset(input, 0, sizeof *input);
}
