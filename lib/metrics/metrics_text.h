/* SPDX-License-Identifier: MIT */
/* metrics_text.h - help texts and label values, escaped. */
#ifndef GIRT_METRICS_METRICS_TEXT_H
#define GIRT_METRICS_METRICS_TEXT_H

#include <stddef.h>

#include <girt/metrics.h>

#include "core/text.h"

/* A backslash before \ and, in OpenMetrics, before "; newlines as \n. */
void girt__text_add_help(girt__text *text, girt_metrics_format format,
                         const char *help, size_t size);
/* As between the quotes of a label: what is not UTF-8 becomes U+FFFD. */
void girt__text_add_label(girt__text *text, const char *value, size_t size);

#endif /* GIRT_METRICS_METRICS_TEXT_H */
