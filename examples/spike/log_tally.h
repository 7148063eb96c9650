/* SPDX-License-Identifier: MIT */
/* log_tally.h - the right answer: what a log holds, counted by one thread.
 *
 * Deliberately plain, and apart from both ways of the service: their totals
 * are compared with these to the unit. */
#ifndef GIRT_EXAMPLES_LOG_TALLY_H
#define GIRT_EXAMPLES_LOG_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access_log.h"
#include "log_input.h"

typedef struct tally_entry {
    const char *key; /* points into the log; NULL: a free place */
    size_t key_size;
    uint64_t hits;
    uint64_t bytes;
} tally_entry;

/* Open addressing, at most three quarters full. */
typedef struct tally_table {
    tally_entry *places;
    size_t place_mask;
    size_t count;
    uint64_t seed;
} tally_table;

typedef struct log_tally {
    uint64_t requests;
    uint64_t bytes;
    uint64_t faults[ACCESS_FAULTS]; /* lines that are none, by reason */
    uint64_t unparsed;              /* their sum */
    size_t first_unparsed;          /* a line, counted from 0 */
    int64_t first_s;
    int64_t last_s;
    tally_table clients;
    tally_table urls;
} log_tally;

/* False: out of memory, and nothing to free. */
bool log_tally_build(log_tally *tally, const log_input *input);
void log_tally_free(log_tally *tally);

/* How many requests are admitted when each client has `burst` tokens. */
uint64_t log_tally_admitted(const log_tally *tally, uint64_t burst);

/* NULL when the key does not occur. */
const tally_entry *tally_find(const tally_table *table, const char *key,
                              size_t key_size);

/* All entries in an array from malloc, by hits downwards, then by key; NULL
 * when out of memory. Two arrays of equal tables are equal. */
const tally_entry **tally_by_hits(const tally_table *table);

#endif /* GIRT_EXAMPLES_LOG_TALLY_H */
