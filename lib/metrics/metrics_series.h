/* SPDX-License-Identifier: MIT */
/* metrics_series.h - metrics and series in an arena, found or made.
 *
 *   head -> family -> family -> ...          each list grows at its end, by one
 *             |                              compare-and-swap of the last link
 *           series -> series -> ...
 *             |
 *           cells
 *
 * I1: a family has a series before it is linked; a series has cells.
 * I2: no two families clash, no two series of a family have the same labels:
 *     who adds has compared all up to the link that it changes, and the change
 *     fails if that is not the last one any more.
 * I3: what is linked never changes but for its link and its counts.
 *
 * A process killed at any instruction leaves either nothing linked or all of
 * it; what it had taken and not linked is lost, a few KiB at most. */
#ifndef GIRT_METRICS_METRICS_SERIES_H
#define GIRT_METRICS_METRICS_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "core/tally.h"
#include "metrics/metrics_arena.h"
#include "metrics/metrics_name.h"

typedef struct girt__family {
    uint64_t next;   /* offset; 0: the last */
    uint64_t series; /* offset of the first */
    uint32_t kind;   /* girt__metric_kind */
    uint32_t name_size, help_size;
    uint32_t reserved;
    char text[]; /* the base name, then the help */
} girt__family;

typedef struct girt__series_node {
    uint64_t next;
    uint64_t hash;  /* of the labels */
    uint64_t cells; /* offset of the first word */
    uint32_t labels_size;
    uint32_t shards; /* of a histogram */
    char labels[];
} girt__series_node;

/* What of a node is the same each time it is looked at, checked. */
typedef struct girt__family_view {
    girt__family *node;
    girt__metric_kind kind;
    const char *name, *help;
    size_t name_size, help_size;
} girt__family_view;

typedef struct girt__series_view {
    girt__series_node *node;
    uint64_t hash;
    const char *labels;
    size_t labels_size;
    uint64_t *cells;
    uint32_t shards;
} girt__series_view;

/* What is looked for. */
typedef struct girt__series_key {
    girt__metric_kind kind;
    const char *name; /* its base */
    size_t name_size;
    const char *help;
    size_t help_size;
    const char *labels;
    size_t labels_size;
    uint64_t hash; /* girt__labels_hash(labels) */
} girt__series_key;

uint64_t girt__labels_hash(const char *labels, size_t size);

/* The labels of the series that stands for all beyond the limit. */
#define GIRT__OVERFLOW_LABELS "overflow=\"true\""

/* Finds the series, or makes it with its family where there is none; the
 * overflow series once the family has series_max others. GIRT_E_INVALID: the
 * name clashes; GIRT_E_TOO_LARGE: no more families; GIRT_E_NOMEM;
 * GIRT_E_CORRUPT. One thread at a time in a private arena. */
girt_status girt__series_find_or_add(girt__arena *arena,
                                     const girt__series_key *key,
                                     uint64_t series_max,
                                     girt__family_view *family,
                                     girt__series_view *series);

/* Does a metric of this name clash with one that is there, one of the same name
 * and kind included? GIRT_E_INVALID: yes. */
girt_status girt__series_clash(const girt__arena *arena, girt__metric_kind kind,
                               const char *name, size_t name_size);

/* The node that *link leads to, while other threads add: GIRT_OK; GIRT_EMPTY:
 * none; GIRT_E_CORRUPT. */
girt_status girt__family_at(const girt__arena *arena, const uint64_t *link,
                            girt__family_view *view);
girt_status girt__series_at(const girt__arena *arena, girt__metric_kind kind,
                            const uint64_t *link, girt__series_view *view);

/* The bytes of a kind's cells, in an arena. A counter's word is one of the
 * slab's, and its cells are GIRT__TALLY_STEP words apart. */
enum { GIRT__SHARDS_MAX = 64 };
uint32_t girt__histogram_shards(void); /* on this machine */

#endif /* GIRT_METRICS_METRICS_SERIES_H */
