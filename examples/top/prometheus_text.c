/* SPDX-License-Identifier: MIT */
/* prometheus_text.c - samples out of Prometheus text 0.0.4.
 *
 * A line is cut off first, and what reads it never looks beyond its end (I1).
 * Each of its strings is copied, unescaped and terminated, into the reader's
 * room; where that is full the line is refused (I2). The grammar is that of
 * "Exposition formats" in Prometheus' documentation. */
#include "prometheus_text.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "code_point.h"

enum { NUMBER_MAX = 64 };

/* The rest of a line. */
typedef struct cursor {
    const char *at, *stop;
} cursor;

static bool refuse(prometheus_reader *r, const char *why)
{
    r->error = why;
    r->at = r->end;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static void skip_blanks(cursor *c)
{
    while (c->at < c->stop && is_blank(*c->at))
        c->at++;
}

static bool skip(cursor *c, char wanted)
{
    if (c->at == c->stop || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_text(cursor c)
{
    uint32_t point;
    while (c.at < c.stop)
        if (!code_point_take(&c.at, c.stop, &point) || point == 0)
            return false;
    return true;
}

/* ---- strings ---- */

static bool keep(prometheus_reader *r, char c)
{
    if (r->used == sizeof r->strings)
        return refuse(r, "names and labels are too long");
    r->strings[r->used++] = c;
    return true;
}

/* NULL: refused. */
static const char *take_name(prometheus_reader *r, cursor *c, bool colons)
{
    const char *const name = r->strings + r->used;
    const char *const start = c->at;
    while (c->at < c->stop && (is_letter(*c->at) || (colons && *c->at == ':') ||
                               (c->at > start && is_digit(*c->at))))
        if (!keep(r, *c->at++))
            return NULL;
    if (c->at == start) {
        refuse(r, "no name where one must be");
        return NULL;
    }
    return keep(r, '\0') ? name : NULL;
}

static const char *take_quoted(prometheus_reader *r, cursor *c)
{
    const char *const value = r->strings + r->used;
    if (!skip(c, '"')) {
        refuse(r, "a label's value is not quoted");
        return NULL;
    }
    while (c->at < c->stop && *c->at != '"') {
        char byte = *c->at++;
        if (byte == '\\') {
            byte = c->at == c->stop ? '\0' : *c->at++;
            if (byte != '\\' && byte != '"' && byte != 'n') {
                refuse(r, "a backslash before what needs none");
                return NULL;
            }
            byte = byte == 'n' ? '\n' : byte;
        }
        if (!keep(r, byte))
            return NULL;
    }
    if (!skip(c, '"')) {
        refuse(r, "a label's value does not end");
        return NULL;
    }
    return keep(r, '\0') ? value : NULL;
}

/* ---- numbers ---- */

static size_t digits(const char **at)
{
    size_t count = 0;
    for (; is_digit(**at); ++*at)
        count++;
    return count;
}

/* What strtod takes is more: spaces, hexadecimal, "infinity". */
static bool is_number(const char *at)
{
    at += *at == '+' || *at == '-';
    if (strcmp(at, "Inf") == 0 || strcmp(at, "NaN") == 0)
        return true;
    size_t count = digits(&at);
    if (*at == '.') {
        at++;
        count += digits(&at);
    }
    if (count == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '+' || *at == '-';
        if (digits(&at) == 0)
            return false;
    }
    return *at == '\0';
}

bool prometheus_number(const char *text, double *value)
{
    if (!is_number(text))
        return false;
    errno = 0;
    const double number = strtod(text, NULL);
    if (errno == ERANGE && isinf(number))
        return false;
    *value = number;
    return true;
}

/* Up to a blank; false: too long to be a number, or nothing there. */
static bool take_word(cursor *c, char word[NUMBER_MAX])
{
    size_t size = 0;
    for (; c->at < c->stop && !is_blank(*c->at); c->at++) {
        if (size == NUMBER_MAX - 1)
            return false;
        word[size++] = *c->at;
    }
    word[size] = '\0';
    return size > 0;
}

static bool take_time(prometheus_reader *r, cursor *c, int64_t *time_ms)
{
    char word[NUMBER_MAX];
    *time_ms = 0;
    if (c->at == c->stop)
        return true;
    if (take_word(c, word)) {
        const char *at = word + (*word == '-');
        errno = 0;
        const long long time = strtoll(word, NULL, 10);
        if (digits(&at) > 0 && *at == '\0' && errno == 0) {
            *time_ms = time;
            skip_blanks(c);
            if (c->at == c->stop)
                return true;
        }
    }
    return refuse(r, "something else than a time behind the value");
}

/* ---- lines ---- */

static bool same_name_before(const prometheus_sample *s, const char *name)
{
    for (size_t i = 0; i < s->label_count; i++)
        if (strcmp(s->labels[i].name, name) == 0)
            return true;
    return false;
}

/* Behind the opening brace. */
static bool take_labels(prometheus_reader *r, cursor *c, prometheus_sample *s)
{
    for (skip_blanks(c); !skip(c, '}'); skip_blanks(c)) { /* a turn a label */
        if (s->label_count == PROMETHEUS_LABELS_MAX)
            return refuse(r, "too many labels");
        const char *const name = take_name(r, c, false);
        if (name == NULL)
            return false;
        if (same_name_before(s, name))
            return refuse(r, "a label stands there twice");
        skip_blanks(c);
        if (!skip(c, '='))
            return refuse(r, "no = behind a label's name");
        skip_blanks(c);
        const char *const value = take_quoted(r, c);
        if (value == NULL)
            return false;
        s->labels[s->label_count++] = (prometheus_label){name, value};
        skip_blanks(c);
        if (!skip(c, ',') && (c->at == c->stop || *c->at != '}'))
            return refuse(r, "no comma between labels");
    }
    return true;
}

static bool take_sample(prometheus_reader *r, cursor c, prometheus_sample *s)
{
    char word[NUMBER_MAX];
    r->used = 0;
    s->label_count = 0;
    s->name = take_name(r, &c, true);
    if (s->name == NULL)
        return false;
    const char *const behind = c.at;
    skip_blanks(&c);
    const bool apart = c.at > behind;
    if (skip(&c, '{')) {
        if (!take_labels(r, &c, s))
            return false;
    } else if (!apart)
        return refuse(r, "a name with a character that names do not have");
    skip_blanks(&c);
    if (!take_word(&c, word) || !prometheus_number(word, &s->value))
        return refuse(r, "no number for a value");
    skip_blanks(&c);
    return take_time(r, &c, &s->time_ms);
}

static bool is_kind(const char *word)
{
    static const char *const kinds[] = {
        "counter", "gauge",    "histogram", "summary",       "untyped",
        "info",    "stateset", "unknown",   "gaugehistogram"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(word, kinds[i]) == 0)
            return true;
    return false;
}

/* Behind the #: HELP and TYPE must be well-formed, all else is a remark. */
static bool check_comment(prometheus_reader *r, cursor c)
{
    char word[NUMBER_MAX];
    skip_blanks(&c);
    if (!take_word(&c, word))
        return true;
    const bool type = strcmp(word, "TYPE") == 0;
    if (!type && strcmp(word, "HELP") != 0)
        return true;
    r->used = 0;
    skip_blanks(&c);
    if (take_name(r, &c, true) == NULL)
        return false;
    if (c.at < c.stop && !is_blank(*c.at))
        return refuse(r, "a name with a character that names do not have");
    skip_blanks(&c);
    if (!type)
        return true;
    if (!take_word(&c, word) || !is_kind(word))
        return refuse(r, "a type that does not exist");
    skip_blanks(&c);
    return c.at == c.stop || refuse(r, "more than a type");
}

void prometheus_begin(prometheus_reader *reader, const char *text, size_t size)
{
    reader->at = size == 0 ? "" : text; /* no text may be NULL */
    reader->end = reader->at + size;
    reader->line = 0;
    reader->error = NULL;
    reader->used = 0;
}

bool prometheus_next(prometheus_reader *r, prometheus_sample *sample)
{
    while (r->at < r->end) { /* a turn a line */
        cursor c = {r->at, memchr(r->at, '\n', (size_t)(r->end - r->at))};
        r->line++;
        if (c.stop == NULL)
            return refuse(r, "the last line does not end");
        r->at = c.stop + 1;
        if (!is_text(c))
            return refuse(r, "not UTF-8");
        skip_blanks(&c);
        if (c.at == c.stop)
            continue;
        if (!skip(&c, '#'))
            return take_sample(r, c, sample);
        if (!check_comment(r, c))
            return false;
    }
    return false;
}

const char *prometheus_label_value(const prometheus_sample *sample,
                                   const char *name)
{
    for (size_t i = 0; i < sample->label_count; i++)
        if (strcmp(sample->labels[i].name, name) == 0)
            return sample->labels[i].value;
    return NULL;
}
