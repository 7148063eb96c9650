/* SPDX-License-Identifier: MIT */
/* object_view.c - what matters of each object, as lines of text. */
#include "object_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "part_columns.h"

/* What a section's rows are sorted by. */
typedef struct sort_key {
    double number; /* NaN: nothing known, which comes last */
    const char *name;
    uint16_t object;
    bool reversed;
    bool by_name;
} sort_key;

void object_view_init(object_view *view)
{
    memset(view, 0, sizeof *view);
    view->seconds = NAN;
    view->name_columns = VIEW_NAME_LEAST;
}

/* ---- order ---- */

static int by_key(const void *left, const void *right)
{
    const sort_key *const a = left;
    const sort_key *const b = right;
    const int names = strcmp(a->name, b->name);
    if (a->by_name)
        return a->reversed ? -names : names;
    if (isnan(a->number) != isnan(b->number))
        return isnan(a->number) ? 1 : -1;
    if (a->number < b->number)
        return a->reversed ? -1 : 1;
    if (a->number > b->number)
        return a->reversed ? 1 : -1;
    return names;
}

static const object *earlier(const object_view *view, const object *o)
{
    return view->before == NULL
               ? NULL
               : object_table_find(view->before, o->part, o->name);
}

static sort_key key_of(const object_view *view, uint16_t i)
{
    const object *const o = &view->now->objects[i];
    const view_sort sort = view->sort[o->part];
    sort_key key = {NAN, o->name, i, sort.reversed, sort.column == 0};
    const part_column *const column =
        sort.column == 0 ? NULL : part_column_at(o->part, sort.column - 1u);
    if (column != NULL) {
        column_cell cell;
        part_column_cell(column, o, earlier(view, o), view->seconds, &cell);
        key.number = cell.key;
    }
    return key;
}

static bool has_objects(const object_view *view, object_part part)
{
    for (size_t i = 0; view->now != NULL && i < view->now->count; i++)
        if (view->now->objects[i].part == part)
            return true;
    return false;
}

static void add_line(object_view *view, object_part part, int kind,
                     uint16_t object_index)
{
    view_place *const place = &view->lines[view->line_count++];
    place->part = part;
    place->object = object_index;
    place->kind = kind;
}

static void add_section(object_view *view, object_part part)
{
    static sort_key keys[OBJECTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < view->now->count; i++)
        if (view->now->objects[i].part == part)
            keys[count++] = key_of(view, (uint16_t)i);
    if (count == 0)
        return;
    qsort(keys, count, sizeof *keys, by_key);
    if (view->line_count > 0)
        add_line(view, part, VIEW_BLANK, 0);
    add_line(view, part, VIEW_HEADER, 0);
    for (size_t i = 0; i < count; i++)
        add_line(view, part, VIEW_ROW, keys[i].object);
}

void object_view_arrange(object_view *view)
{
    view->line_count = 0;
    view->name_columns = VIEW_NAME_LEAST;
    if (view->now == NULL)
        return;
    if (!has_objects(view, view->section))
        object_view_move_section(view, 1);
    for (unsigned p = 0; p < PART_COUNT; p++)
        if (!view->alone || p == view->section)
            add_section(view, (object_part)p);
    for (size_t i = 0; i < view->now->count; i++) {
        const size_t columns = display_columns(view->now->objects[i].name);
        if (columns > view->name_columns)
            view->name_columns = columns;
    }
    if (view->name_columns > VIEW_NAME_MOST)
        view->name_columns = VIEW_NAME_MOST;
}

/* ---- text ---- */

/* Names get what seven columns of numbers leave of the terminal. */
static size_t name_columns(const object_view *view, size_t columns)
{
    enum { NUMBERS = 7 * (COLUMN_NUMBER_WIDTH + 1) };
    size_t most = columns > NUMBERS ? columns - NUMBERS : 0;
    if (most < VIEW_NAME_LEAST)
        most = VIEW_NAME_LEAST;
    if (most > columns)
        most = columns;
    return view->name_columns < most ? view->name_columns : most;
}

static view_span *add_span(view_line *line, view_tone tone)
{
    view_span *const span = &line->spans[line->count++];
    span->tone = tone;
    span->marked = false;
    return span;
}

static void header_cell(const object_view *view, view_place place, size_t i,
                        const part_column *column, view_span *span)
{
    snprintf(span->text, sizeof span->text, " %*s",
             (int)part_column_width(column), column->title);
    span->marked = view->sort[place.part].column == i + 1;
}

static void row_cell(const object_view *view, view_place place,
                     const part_column *column, view_span *span)
{
    const object *const o = &view->now->objects[place.object];
    column_cell cell;
    part_column_cell(column, o, earlier(view, o), view->seconds, &cell);
    snprintf(span->text, sizeof span->text, " %*s",
             (int)part_column_width(column), cell.text);
    span->tone = cell.tone;
}

void object_view_line(const object_view *view, size_t i, size_t columns,
                      view_line *line)
{
    const view_place place = view->lines[i];
    const bool header = place.kind == VIEW_HEADER;
    const view_tone tone = header ? TONE_HEAD : TONE_PLAIN;
    line->count = 0;
    if (place.kind == VIEW_BLANK)
        return;
    size_t used = name_columns(view, columns);
    view_span *const name = add_span(line, tone);
    display_fit(name->text,
                header ? part_title(place.part)
                       : view->now->objects[place.object].name,
                used);
    name->marked = header && view->sort[place.part].column == 0;
    for (size_t c = 0; c < VIEW_COLUMNS_MAX; c++) {
        const part_column *const column = part_column_at(place.part, c);
        if (column == NULL || used + 1 + part_column_width(column) > columns)
            break;
        used += 1 + part_column_width(column);
        if (header)
            header_cell(view, place, c, column, add_span(line, tone));
        else
            row_cell(view, place, column, add_span(line, tone));
    }
}

/* ---- what keys do ---- */

void object_view_move_section(object_view *view, int steps)
{
    object_part part = view->section;
    for (unsigned i = 0; i < PART_COUNT; i++) {
        part = (object_part)(((int)part + steps + PART_COUNT) % PART_COUNT);
        if (has_objects(view, part)) {
            view->section = part;
            return;
        }
    }
}

static size_t column_count(object_part part)
{
    size_t count = 0;
    while (part_column_at(part, count) != NULL)
        count++;
    return count;
}

void object_view_move_sort(object_view *view, int steps)
{
    view_sort *const sort = &view->sort[view->section];
    const int choices = (int)column_count(view->section) + 1;
    sort->column = (uint8_t)((sort->column + steps + choices) % choices);
    sort->reversed = false;
}

/* 0: by name; as many as the section has, and 1: no such title. */
static size_t column_titled(object_part part, const char *title)
{
    size_t c = 0;
    if (strcasecmp(title, "name") == 0)
        return 0;
    while (part_column_at(part, c) != NULL &&
           strcasecmp(part_column_at(part, c)->title, title) != 0)
        c++;
    return c + 1;
}

bool object_view_sort_by(object_view *view, const char *title)
{
    bool found = false;
    for (unsigned p = 0; p < PART_COUNT; p++) {
        const size_t column = column_titled((object_part)p, title);
        if (column > column_count((object_part)p))
            continue;
        view->sort[p] = (view_sort){(uint8_t)column, false};
        found = true;
    }
    return found;
}

const char *object_view_sort_title(const object_view *view)
{
    const size_t column = view->sort[view->section].column;
    return column == 0 ? "name"
                       : part_column_at(view->section, column - 1)->title;
}

size_t object_view_section_line(const object_view *view)
{
    for (size_t i = 0; i < view->line_count; i++)
        if (view->lines[i].kind == VIEW_HEADER &&
            view->lines[i].part == view->section)
            return i;
    return 0;
}
