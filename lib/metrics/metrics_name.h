/* SPDX-License-Identifier: MIT */
/* metrics_name.h - what may be a name, a label, a text; and labels as they are
 * written. */
#ifndef GIRT_METRICS_METRICS_NAME_H
#define GIRT_METRICS_METRICS_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <girt/alloc.h>
#include <girt/metrics.h>

typedef enum girt__metric_kind {
    GIRT__METRIC_COUNTER,
    GIRT__METRIC_GAUGE,
    GIRT__METRIC_HISTOGRAM
} girt__metric_kind;

/* A name in the metrics' grammar. GIRT_E_TOO_LARGE, GIRT_E_INVALID. */
girt_status girt__metric_name_check(const char *name, size_t *size);
/* One in the labels' grammar that a series may have. */
girt_status girt__label_name_check(const char *name, size_t *size);
/* NULL is the empty text here. */
girt_status girt__help_check(const char *help, size_t *size);

/* A counter's without "_total"; others' as they are. */
size_t girt__metric_base(girt__metric_kind kind, const char *name, size_t size);

/* Would two metrics, named by their bases and not the same, write a sample or a
 * TYPE line of one name? */
bool girt__metrics_clash(girt__metric_kind a_kind, const char *a, size_t a_size,
                         girt__metric_kind b_kind, const char *b,
                         size_t b_size);

/* Labels as they stand between braces, sorted by name and escaped:
 * method="GET",path="\"". The same labels are the same bytes. */
typedef struct girt__labels {
    char *text;
    size_t size;
    size_t bytes;     /* of text, if it is the allocator's */
    char buffer[512]; /* else text is here */
} girt__labels;

/* GIRT_E_INVALID, GIRT_E_TOO_LARGE, GIRT_E_NOMEM. */
girt_status girt__labels_init(girt__labels *labels, const char *const pairs[],
                              const girt_allocator *allocator);
void girt__labels_destroy(girt__labels *labels,
                          const girt_allocator *allocator);

#endif /* GIRT_METRICS_METRICS_NAME_H */
