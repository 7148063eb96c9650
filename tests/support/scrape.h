/* SPDX-License-Identifier: MIT */
/* scrape.h - the text of a registry in memory, its lines, and what any such
 * text must be. */
#ifndef GIRT_TESTS_SCRAPE_H
#define GIRT_TESTS_SCRAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/metrics.h>

typedef struct scrape {
    char *text; /* terminated */
    size_t size;
    size_t pieces;
} scrape;

/* Writes and checks it: scrape_check. */
void scrape_take(scrape *s, girt_metrics *metrics, girt_metrics_format format);
void scrape_free(scrape *s);

/* The value of the sample whose line begins with `sample` and a space:
 * `x_total{a="b"}`; NULL: there is none. Good until the next call. */
const char *scrape_value(const scrape *s, const char *sample);
bool scrape_has_line(const scrape *s, const char *line);
size_t scrape_count(const scrape *s, const char *part);

/* Every line is a comment or a sample; a metric has one TYPE, before its
 * samples, which stand together; no sample twice; buckets rise, end in +Inf and
 * agree with _count. Fails the test. */
void scrape_check(const scrape *s, girt_metrics_format format);

#endif /* GIRT_TESTS_SCRAPE_H */
