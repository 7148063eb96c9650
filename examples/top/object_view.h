/* SPDX-License-Identifier: MIT */
/* object_view.h - what matters of each object, as lines of text.
 *
 * A section a part: a header with the titles of its columns, then a row an
 * object. Rates are of the time between two scrapes; so are hit ratios and
 * quantiles, unless there was no earlier scrape: then of all time. No terminal
 * is needed: screen.c and --once show the same lines. */
#ifndef GIRT_EXAMPLES_OBJECT_VIEW_H
#define GIRT_EXAMPLES_OBJECT_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "display_text.h"
#include "object_table.h"

enum {
    VIEW_COLUMNS_MAX = 12, /* of a section, the name aside */
    VIEW_NAME_LEAST = 14,
    VIEW_NAME_MOST = 40, /* columns of the terminal */
    VIEW_LINES_MAX = OBJECTS_MAX + 2 * PART_COUNT,
    VIEW_SPAN_MAX = VIEW_NAME_MOST * DISPLAY_BYTES_A_COLUMN + 1,
};

typedef enum view_tone {
    TONE_PLAIN,
    TONE_HEAD,
    TONE_GOOD,
    TONE_WARN,
    TONE_BAD
} view_tone;

/* Of one section. */
typedef struct view_sort {
    uint8_t column; /* 0: the name; then as shown */
    bool reversed;  /* names rise, numbers fall; reversed: the other way */
} view_sort;

/* What a line of the view is of. */
typedef struct view_place {
    object_part part;
    enum { VIEW_BLANK, VIEW_HEADER, VIEW_ROW } kind;
    uint16_t object; /* its index in the table, of a row */
} view_place;

typedef struct object_view {
    const object_table *now;    /* NULL: nothing read yet */
    const object_table *before; /* NULL: no earlier scrape */
    double seconds;             /* between the two */
    view_sort sort[PART_COUNT];
    object_part section; /* the one that keys speak of */
    bool alone;          /* no other section is shown */
    size_t name_columns;
    size_t line_count;
    view_place lines[VIEW_LINES_MAX];
} object_view;

/* A piece of a line, filled up to its columns. */
typedef struct view_span {
    char text[VIEW_SPAN_MAX];
    view_tone tone;
    bool marked; /* the title that its section is sorted by */
} view_span;

typedef struct view_line {
    size_t count;
    view_span spans[VIEW_COLUMNS_MAX + 1];
} view_line;

/* Sorted by name, all sections. */
void object_view_init(object_view *view);

/* Makes lines of what now and before hold; again after any change. The section
 * moves on where it has no object. */
void object_view_arrange(object_view *view);

/* Line i < line_count, in at most `columns` columns: what does not fit whole is
 * left out, from the right. */
void object_view_line(const object_view *view, size_t i, size_t columns,
                      view_line *line);

/* To the next section that has objects, or back; steps is 1 or -1. */
void object_view_move_section(object_view *view, int steps);

/* The section's sort goes a column right, or left, and around. */
void object_view_move_sort(object_view *view, int steps);

/* Sorts all sections that have a column of that title, in any case, by it;
 * "name" by name. False: none has. */
bool object_view_sort_by(object_view *view, const char *title);

/* Title of the column that the section is sorted by. */
const char *object_view_sort_title(const object_view *view);

/* Line of the section's header; 0 where it has none. */
size_t object_view_section_line(const object_view *view);

#endif /* GIRT_EXAMPLES_OBJECT_VIEW_H */
