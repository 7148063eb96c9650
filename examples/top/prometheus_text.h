/* SPDX-License-Identifier: MIT */
/* prometheus_text.h - samples out of Prometheus text 0.0.4, one by one.
 *
 *     prometheus_reader reader;
 *     prometheus_sample sample;
 *     prometheus_begin(&reader, text, size);
 *     while (prometheus_next(&reader, &sample))
 *         ...
 *     if (reader.error != NULL)
 *         the text is wrong in reader.line, and reading ended there
 *
 * Whoever wrote the text is not trusted: it may be of any bytes and any size.
 * Memory is the two structs, whatever it says; nothing is allocated. Strict: a
 * name or value outside the grammar, a label twice, text that is not UTF-8 or
 * has a NUL, a type that does not exist, a last line without its end are wrong.
 * Not looked at, for it would take memory: whether a sample stands there twice,
 * and whether a TYPE comes before its samples. */
#ifndef GIRT_EXAMPLES_PROMETHEUS_TEXT_H
#define GIRT_EXAMPLES_PROMETHEUS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PROMETHEUS_LABELS_MAX = 64,
    PROMETHEUS_STRINGS_MAX = 16384, /* bytes of a sample's names and values */
};

typedef struct prometheus_label {
    const char *name;
    const char *value; /* unescaped */
} prometheus_label;

/* Its strings are good until the next call. */
typedef struct prometheus_sample {
    const char *name;
    size_t label_count;
    prometheus_label labels[PROMETHEUS_LABELS_MAX];
    double value;
    int64_t time_ms; /* 0 where none is written */
} prometheus_sample;

typedef struct prometheus_reader {
    const char *at, *end;
    size_t line;       /* of the last sample, or of the error; from 1 */
    const char *error; /* NULL: none */
    size_t used;
    char strings[PROMETHEUS_STRINGS_MAX];
} prometheus_reader;

void prometheus_begin(prometheus_reader *reader, const char *text, size_t size);

/* False: there is no more, or reader->error says what is wrong. */
bool prometheus_next(prometheus_reader *reader, prometheus_sample *sample);

/* The label's value; NULL: the sample has no such label. */
const char *prometheus_label_value(const prometheus_sample *sample,
                                   const char *name);

/* A number as it stands in a sample, or in the label `le`. */
bool prometheus_number(const char *text, double *value);

#endif /* GIRT_EXAMPLES_PROMETHEUS_TEXT_H */
