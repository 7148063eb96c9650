/* SPDX-License-Identifier: MIT */
/* top_live.h - scrapes and keys by turns, until a key says quit. */
#ifndef GIRT_EXAMPLES_TOP_LIVE_H
#define GIRT_EXAMPLES_TOP_LIVE_H

#include "object_view.h"
#include "scrape_history.h"
#include "scrape_source.h"

typedef struct top_live {
    const top_options *options;
    const char *what; /* where scrapes come from, for people */
    scrape_source *source;
    scrape_history *history;
    object_view *view;
} top_live;

/* False: there is no terminal, which stderr says. */
bool top_live_run(const top_live *live);

#endif /* GIRT_EXAMPLES_TOP_LIVE_H */
