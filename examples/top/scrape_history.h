/* SPDX-License-Identifier: MIT */
/* scrape_history.h - the last scrape and the one before it. */
#ifndef GIRT_EXAMPLES_SCRAPE_HISTORY_H
#define GIRT_EXAMPLES_SCRAPE_HISTORY_H

#include "object_table.h"
#include "scrape_text.h"

typedef struct scrape_history {
    object_table tables[3];
    unsigned taken; /* scrapes, of which the last two are kept */
    double at_s, before_s;
} scrape_history;

/* False: no memory. */
bool scrape_history_create(scrape_history *history);
void scrape_history_destroy(scrape_history *history);

/* A scrape of time at_s, in seconds since whenever. False, and the history as
 * it was: the text is wrong in *line, for the reason *why. */
bool scrape_history_take(scrape_history *history, const scrape_text *text,
                         double at_s, size_t *line, const char **why);

/* NULL: there is none (yet). */
const object_table *scrape_history_now(const scrape_history *history);
const object_table *scrape_history_before(const scrape_history *history);

/* Between the two; NaN where there are not two. */
double scrape_history_seconds(const scrape_history *history);

#endif /* GIRT_EXAMPLES_SCRAPE_HISTORY_H */
