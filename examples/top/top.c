/* SPDX-License-Identifier: MIT */
/* top.c - a running program's girt objects, live in a terminal.
 *
 * Scrapes /metrics, lines up what matters of each object, and shows it: on the
 * screen until a key says quit, or once as text. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "top_frame.h"
#include "top_live.h"

enum { FAILED = 1, MISUSED = 2 };

static bool all_written(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "top: standard output: %s\n", strerror(errno));
    return false;
}

static bool scrape(const top_live *live)
{
    const char *why;
    size_t line;
    scrape_result result;
    scrape_source_start(live->source);
    do
        result = scrape_source_wait(live->source, -1, 1000);
    while (result == SCRAPE_NOT_YET); /* libcurl's timeout ends it */
    if (result == SCRAPE_FAILED) {
        fprintf(stderr, "top: %s: %s\n", live->what,
                scrape_source_error(live->source));
        return false;
    }
    if (scrape_history_take(live->history, scrape_source_text(live->source),
                            scrape_source_time(live->source), &line, &why))
        return true;
    fprintf(stderr, "top: %s, line %zu: %s\n", live->what, line, why);
    return false;
}

static void sleep_interval(const top_live *live)
{
    const int interval_ms = (int)(live->options->interval_s * 1e3);
    if (live->options->file_count == 0)
        scrape_source_wait(live->source, -1, interval_ms);
}

/* All files; or two scrapes, for rates need two. */
static int once(const top_live *live)
{
    const size_t files = live->options->file_count;
    const size_t scrapes = files > 0 ? files : 2;
    for (size_t i = 0; i < scrapes; i++) {
        if (i > 0)
            sleep_interval(live);
        if (!scrape(live))
            return FAILED;
    }
    live->view->now = scrape_history_now(live->history);
    live->view->before = scrape_history_before(live->history);
    live->view->seconds = scrape_history_seconds(live->history);
    object_view_arrange(live->view);
    top_print(stdout, live->what, live->view);
    return all_written() ? 0 : FAILED;
}

static bool choose(const top_options *options, object_view *view)
{
    object_view_init(view);
    if (options->sort != NULL && !object_view_sort_by(view, options->sort)) {
        fprintf(stderr, "top: no section has a column %s\n", options->sort);
        return false;
    }
    if (options->only < PART_COUNT) {
        view->section = options->only;
        view->alone = true;
    }
    return true;
}

static int run(const top_options *options, object_view *view)
{
    static scrape_history history;
    const size_t files = options->file_count;
    top_live live = {
        .options = options,
        .what = files > 0 ? options->files[files - 1] : options->url,
        .source = scrape_source_create(options),
        .history = &history,
        .view = view,
    };
    if (options->socket != NULL)
        live.what = options->target;
    int result = FAILED;
    if (live.source == NULL || !scrape_history_create(&history))
        fputs("top: no memory, or a target that libcurl does not take\n",
              stderr);
    else if (options->once)
        result = once(&live);
    else
        result = top_live_run(&live) ? 0 : MISUSED;
    scrape_source_destroy(live.source);
    scrape_history_destroy(&history);
    return result;
}

int main(int count, char *arguments[])
{
    static top_options options;
    static object_view view;
    setlocale(LC_CTYPE, ""); /* numbers stay as they are */
    const top_wish wish = top_options_parse(&options, count, arguments);
    if (wish == TOP_MISUSED)
        return MISUSED;
    if (wish == TOP_ANSWERED)
        return all_written() ? 0 : FAILED;
    return choose(&options, &view) ? run(&options, &view) : MISUSED;
}
