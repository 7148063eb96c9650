/* SPDX-License-Identifier: MIT */
/* ring_tables.h - reading the tables of other implementations' rings. */
#ifndef GIRT_TESTS_UNIT_RING_TABLES_H
#define GIRT_TESTS_UNIT_RING_TABLES_H

#include "support/check.h"
#include "support/shared.h"

#define TABLE_FIELDS 8

/* One line without its end, cut at tabs; keys may hold anything else. */
typedef struct table_row {
    char line[8192];
    char *field[TABLE_FIELDS];
    size_t count;
} table_row;

static inline bool table_read(FILE *file, table_row *row)
{
    if (fgets(row->line, sizeof row->line, file) == NULL)
        return false;
    row->line[strcspn(row->line, "\n")] = '\0';
    row->count = 0;
    for (char *at = row->line; row->count < TABLE_FIELDS;) {
        row->field[row->count++] = at;
        at = strchr(at, '\t');
        if (at == NULL)
            break;
        *at++ = '\0';
    }
    return true;
}

static inline unsigned long long table_number(const table_row *row, size_t i)
{
    assert_true(i < row->count);
    char *end = NULL;
    unsigned long long const value = strtoull(row->field[i], &end, 10);
    assert_true(end != row->field[i]);
    return value;
}

#endif /* GIRT_TESTS_UNIT_RING_TABLES_H */
