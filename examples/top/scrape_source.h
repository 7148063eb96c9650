/* SPDX-License-Identifier: MIT */
/* scrape_source.h - where scrapes come from: a program's /metrics, by libcurl,
 * or saved files. One scrape at a time, and keys are not kept waiting for it:
 *
 *     scrape_source_start(source);
 *     while ((got = scrape_source_wait(source, keys, 100)) == SCRAPE_NOT_YET)
 *         look for keys
 */
#ifndef GIRT_EXAMPLES_SCRAPE_SOURCE_H
#define GIRT_EXAMPLES_SCRAPE_SOURCE_H

#include "scrape_text.h"
#include "top_options.h"

typedef struct scrape_source scrape_source;

typedef enum scrape_result {
    SCRAPE_NOT_YET,
    SCRAPE_READY,
    SCRAPE_FAILED
} scrape_result;

/* The options must live as long. NULL: no memory. */
scrape_source *scrape_source_create(const top_options *options);
void scrape_source_destroy(scrape_source *source);

/* Asks for a scrape; none may be under way. */
void scrape_source_start(scrape_source *source);

/* Waits for it, for input at descriptor `keys` (-1: none), or for timeout_ms;
 * may return earlier. READY and FAILED end what start began. Without a start it
 * waits for the other two. */
scrape_result scrape_source_wait(scrape_source *source, int keys,
                                 int timeout_ms);

/* Of the last READY: its text, and when it came, in seconds (of files: an
 * interval later each). */
const scrape_text *scrape_source_text(const scrape_source *source);
double scrape_source_time(const scrape_source *source);

/* Of the last FAILED: why. */
const char *scrape_source_error(const scrape_source *source);

#endif /* GIRT_EXAMPLES_SCRAPE_SOURCE_H */
