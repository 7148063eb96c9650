/* SPDX-License-Identifier: MIT */
/* top_live.c - scrapes and keys by turns, until a key says quit.
 *
 * One thread: it waits for an answer, a key or the next second, whatever comes
 * first. A scrape that fails leaves the last one on the screen. */
#include "top_live.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "screen.h"
#include "top_frame.h"

enum { IDLE_MS = 1000, KEYS_A_TURN = 64, ERROR_MAX = 400 };

typedef struct session {
    const top_live *live;
    bool asked, paused, help, over;
    double next_s;
    size_t scrolled;
    char error[ERROR_MAX]; /* "": the last scrape was well */
} session;

static double clock_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void show(session *s)
{
    const object_view *const view = s->live->view;
    const size_t room = screen_lines();
    const size_t most = view->line_count > room ? view->line_count - room : 0;
    char status[TOP_STATUS_MAX];
    if (s->scrolled > most)
        s->scrolled = most;
    top_status(status, s->live->what, view);
    screen_draw(&(screen_frame){.view = view,
                                .status = status,
                                .error = s->error[0] == '\0' ? NULL : s->error,
                                .paused = s->paused,
                                .help = s->help,
                                .scrolled = s->scrolled});
}

/* ---- scrapes ---- */

static void take_scrape(session *s)
{
    scrape_history *const history = s->live->history;
    object_view *const view = s->live->view;
    const char *why;
    size_t line;
    if (s->paused)
        return;
    if (!scrape_history_take(history, scrape_source_text(s->live->source),
                             scrape_source_time(s->live->source), &line,
                             &why)) {
        snprintf(s->error, sizeof s->error, "line %zu: %s", line, why);
        return;
    }
    s->error[0] = '\0';
    view->now = scrape_history_now(history);
    view->before = scrape_history_before(history);
    view->seconds = scrape_history_seconds(history);
    object_view_arrange(view);
}

/* Until the next scrape, an answer, or a key; true: there is something new. */
static bool wait_for_scrape(session *s)
{
    const double now_s = clock_s();
    if (!s->asked && !s->paused && now_s >= s->next_s) {
        scrape_source_start(s->live->source);
        s->asked = true;
        s->next_s += s->live->options->interval_s;
        if (s->next_s < now_s) /* late: the missed ones are not made up for */
            s->next_s = now_s + s->live->options->interval_s;
    }
    double wait_ms =
        s->asked || s->paused ? IDLE_MS : (s->next_s - now_s) * 1e3;
    if (wait_ms > IDLE_MS)
        wait_ms = IDLE_MS;
    const scrape_result result = scrape_source_wait(
        s->live->source, screen_keys(), wait_ms > 0 ? (int)wait_ms + 1 : 0);
    if (result == SCRAPE_NOT_YET)
        return false;
    s->asked = false;
    if (result == SCRAPE_READY)
        take_scrape(s);
    else
        snprintf(s->error, sizeof s->error, "%s",
                 scrape_source_error(s->live->source));
    return true;
}

/* ---- keys ---- */

static void scroll_by(session *s, size_t lines, bool down)
{
    if (down)
        s->scrolled += lines;
    else
        s->scrolled -= lines < s->scrolled ? lines : s->scrolled;
}

static void move_section(session *s, int steps)
{
    object_view *const view = s->live->view;
    object_view_move_section(view, steps);
    object_view_arrange(view);
    s->scrolled = object_view_section_line(view);
}

static void sort_view(session *s, int steps)
{
    object_view *const view = s->live->view;
    if (steps == 0)
        view->sort[view->section].reversed ^= true;
    else
        object_view_move_sort(view, steps);
    object_view_arrange(view);
}

static void show_alone(session *s)
{
    s->live->view->alone ^= true;
    object_view_arrange(s->live->view);
    s->scrolled = object_view_section_line(s->live->view);
}

static void obey(session *s, screen_key key)
{
    const size_t page = screen_lines() > 1 ? screen_lines() - 1 : 1;
    switch (key) {
    case SCREEN_QUIT:
        s->over = true;
        break;
    case SCREEN_PAUSE:
        s->paused = !s->paused;
        s->next_s = clock_s();
        break;
    case SCREEN_HELP:
        s->help = !s->help;
        break;
    case SCREEN_UP:
    case SCREEN_DOWN:
        scroll_by(s, 1, key == SCREEN_DOWN);
        break;
    case SCREEN_PAGE_UP:
    case SCREEN_PAGE_DOWN:
        scroll_by(s, page, key == SCREEN_PAGE_DOWN);
        break;
    case SCREEN_FIRST:
    case SCREEN_LAST:
        s->scrolled = key == SCREEN_LAST ? VIEW_LINES_MAX : 0;
        break;
    case SCREEN_NEXT_SECTION:
    case SCREEN_PREVIOUS_SECTION:
        move_section(s, key == SCREEN_NEXT_SECTION ? 1 : -1);
        break;
    case SCREEN_ALONE:
        show_alone(s);
        break;
    case SCREEN_SORT_LEFT:
    case SCREEN_SORT_RIGHT:
        sort_view(s, key == SCREEN_SORT_RIGHT ? 1 : -1);
        break;
    case SCREEN_REVERSE:
        sort_view(s, 0);
        break;
    case SCREEN_NO_KEY:
    case SCREEN_OTHER_KEY:
        break;
    }
}

/* True: there was one. */
static bool obey_keys(session *s)
{
    bool any = false;
    for (int i = 0; i < KEYS_A_TURN; i++) {
        const screen_key key = screen_read();
        if (key == SCREEN_NO_KEY)
            break;
        obey(s, key);
        any = true;
    }
    return any;
}

bool top_live_run(const top_live *live)
{
    if (!screen_open())
        return false;
    static session s;
    s = (session){.live = live, .next_s = clock_s()};
    for (show(&s); !s.over;) { /* ends by a key or a signal */
        const bool scraped = wait_for_scrape(&s);
        const bool pressed = obey_keys(&s);
        if (scraped || pressed)
            show(&s);
    }
    screen_close();
    return true;
}
