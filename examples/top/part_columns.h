/* SPDX-License-Identifier: MIT */
/* part_columns.h - which columns a section has, and what stands in them. */
#ifndef GIRT_EXAMPLES_PART_COLUMNS_H
#define GIRT_EXAMPLES_PART_COLUMNS_H

#include "object_view.h"

enum { COLUMN_NUMBER_WIDTH = 8, COLUMN_STATE_WIDTH = 13 };

/* What the number is, of slot a; or of histogram a. */
typedef enum column_kind {
    COLUMN_NONE,
    COLUMN_GAUGE,
    COLUMN_BYTES,
    COLUMN_SHARE,  /* a gauge from 0 to 1, as per cent */
    COLUMN_RATE,   /* a counter's, a second */
    COLUMN_CHANGE, /* a gauge's, a second */
    COLUMN_RATIO,  /* of a's rate to that of a and b, as per cent */
    COLUMN_P99,    /* ns */
    COLUMN_EVENTS, /* a histogram's count, a second */
    COLUMN_STATE
} column_kind;

typedef enum column_alarm {
    ALARM_NEVER,
    ALARM_ANY, /* if above 0 */
    ALARM_FULL /* if near slot b */
} column_alarm;

typedef struct part_column {
    const char *title;
    column_kind kind;
    uint8_t a, b;
    column_alarm alarm;
} part_column;

typedef struct column_cell {
    double key; /* to sort by; NaN: nothing known */
    char text[DISPLAY_NUMBER_MAX];
    view_tone tone;
} column_cell;

_Static_assert((int)OBJECT_STATE_MAX < (int)DISPLAY_NUMBER_MAX,
               "a state fits a cell");

/* "KEYED LIMITER" */
const char *part_title(object_part part);

/* NULL: it has not that many. */
const part_column *part_column_at(object_part part, size_t i);
size_t part_column_width(const part_column *column);

/* before: the same object, an earlier scrape; NULL: it was not there. */
void part_column_cell(const part_column *column, const object *now,
                      const object *before, double seconds, column_cell *cell);

#endif /* GIRT_EXAMPLES_PART_COLUMNS_H */
