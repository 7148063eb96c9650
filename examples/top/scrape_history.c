/* SPDX-License-Identifier: MIT */
/* scrape_history.c - the last scrape and the one before it.
 *
 * Three tables by turns: a scrape is read into the one that nobody looks at, so
 * that a wrong text harms nothing. */
#include "scrape_history.h"

#include <math.h>
#include <string.h>
#include <sys/random.h>

bool scrape_history_create(scrape_history *history)
{
    uint64_t seed = 0; /* stays so where there is no chance to be had */
    memset(history, 0, sizeof *history);
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) < 0)
        seed = 0;
    for (size_t i = 0; i < 3; i++)
        if (!object_table_create(&history->tables[i], seed)) {
            scrape_history_destroy(history);
            return false;
        }
    return true;
}

void scrape_history_destroy(scrape_history *history)
{
    for (size_t i = 0; i < 3; i++)
        object_table_destroy(&history->tables[i]);
}

bool scrape_history_take(scrape_history *history, const scrape_text *text,
                         double at_s, size_t *line, const char **why)
{
    object_table *const table = &history->tables[history->taken % 3];
    if (!object_table_read(table, text->bytes, text->size, line, why))
        return false;
    history->taken++;
    history->before_s = history->at_s;
    history->at_s = at_s;
    return true;
}

const object_table *scrape_history_now(const scrape_history *history)
{
    return history->taken > 0 ? &history->tables[(history->taken - 1) % 3]
                              : NULL;
}

const object_table *scrape_history_before(const scrape_history *history)
{
    return history->taken > 1 ? &history->tables[(history->taken - 2) % 3]
                              : NULL;
}

double scrape_history_seconds(const scrape_history *history)
{
    const double seconds = history->at_s - history->before_s;
    return history->taken > 1 && seconds > 0 ? seconds : NAN;
}
