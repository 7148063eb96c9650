/* SPDX-License-Identifier: MIT */
/* log_tally.c - counting for log_tally.h. */
#include "log_tally.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <girt/hash.h>

static size_t place_of(const tally_table *table, const char *key,
                       size_t key_size)
{
    size_t at =
        (size_t)girt_hash(key, key_size, table->seed) & table->place_mask;
    while (table->places[at].key != NULL &&
           (table->places[at].key_size != key_size ||
            memcmp(table->places[at].key, key, key_size) != 0))
        at = (at + 1) & table->place_mask;
    return at;
}

static bool table_init(tally_table *table)
{
    /* A seed that the writer of a hostile log does not know. */
    if (getrandom(&table->seed, sizeof table->seed, 0) < 0)
        table->seed = 0;
    table->place_mask = 1023;
    table->count = 0;
    table->places = calloc(table->place_mask + 1, sizeof *table->places);
    return table->places != NULL;
}

static bool table_grow(tally_table *table)
{
    tally_table wider = *table;
    wider.place_mask = table->place_mask * 2 + 1;
    wider.places = calloc(wider.place_mask + 1, sizeof *wider.places);
    if (wider.places == NULL)
        return false;
    for (size_t i = 0; i <= table->place_mask; i++) {
        const tally_entry *const e = &table->places[i];
        if (e->key != NULL)
            wider.places[place_of(&wider, e->key, e->key_size)] = *e;
    }
    free(table->places);
    *table = wider;
    return true;
}

static bool count(tally_table *table, const char *key, size_t key_size,
                  uint64_t bytes)
{
    if (table->count > table->place_mask / 4 * 3 && !table_grow(table))
        return false;
    tally_entry *const e = &table->places[place_of(table, key, key_size)];
    if (e->key == NULL) {
        e->key = key;
        e->key_size = key_size;
        table->count++;
    }
    e->hits++;
    e->bytes += bytes;
    return true;
}

static void note_time(log_tally *tally, int64_t time_s)
{
    if (tally->requests == 0 || time_s < tally->first_s)
        tally->first_s = time_s;
    if (tally->requests == 0 || time_s > tally->last_s)
        tally->last_s = time_s;
}

bool log_tally_build(log_tally *tally, const log_input *input)
{
    memset(tally, 0, sizeof *tally);
    bool fits = table_init(&tally->clients) && table_init(&tally->urls);
    for (size_t i = 0; fits && i < input->line_count; i++) {
        size_t size;
        const char *const line = log_line(input, i, &size);
        access_entry e;
        access_fault const fault = access_parse(line, size, &e);
        if (fault != ACCESS_FINE) {
            if (tally->unparsed++ == 0)
                tally->first_unparsed = i;
            tally->faults[fault]++;
            continue;
        }
        note_time(tally, e.time_s);
        tally->requests++;
        tally->bytes += e.bytes;
        fits = count(&tally->clients, e.client, e.client_size, e.bytes) &&
               count(&tally->urls, e.url, e.url_size, e.bytes);
    }
    if (!fits)
        log_tally_free(tally);
    return fits;
}

void log_tally_free(log_tally *tally)
{
    free(tally->clients.places);
    free(tally->urls.places);
    memset(tally, 0, sizeof *tally);
}

uint64_t log_tally_admitted(const log_tally *tally, uint64_t burst)
{
    uint64_t sum = 0;
    for (size_t i = 0; i <= tally->clients.place_mask; i++) {
        uint64_t const hits = tally->clients.places[i].hits;
        sum += hits < burst ? hits : burst;
    }
    return sum;
}

const tally_entry *tally_find(const tally_table *table, const char *key,
                              size_t key_size)
{
    const tally_entry *const e = &table->places[place_of(table, key, key_size)];
    return e->key == NULL ? NULL : e;
}

static int by_hits(const void *left, const void *right)
{
    const tally_entry *const a = *(const tally_entry *const *)left;
    const tally_entry *const b = *(const tally_entry *const *)right;
    if (a->hits != b->hits)
        return a->hits > b->hits ? -1 : 1;
    size_t const common = a->key_size < b->key_size ? a->key_size : b->key_size;
    int const order = memcmp(a->key, b->key, common);
    if (order != 0)
        return order;
    return a->key_size < b->key_size ? -1 : a->key_size > b->key_size;
}

const tally_entry **tally_by_hits(const tally_table *table)
{
    const tally_entry **const sorted =
        malloc((table->count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i <= table->place_mask; i++)
        if (table->places[i].key != NULL)
            sorted[at++] = &table->places[i];
    qsort(sorted, at, sizeof *sorted, by_hits);
    return sorted;
}
