/* SPDX-License-Identifier: MIT */
/* screen.c - the terminal, by ncurses.
 *
 * Nothing is written right of the last column: each piece of text is cut to the
 * columns that are left. ncurses ends a program by SIGINT or SIGTERM with the
 * terminal as it was. */
#include "screen.h"

#include <ncurses.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "part_columns.h"

enum {
    SCREEN_COLUMNS_MAX = 1024,
    SCREEN_TEXT_MAX = SCREEN_COLUMNS_MAX * DISPLAY_BYTES_A_COLUMN + 1,
    SCREEN_STATUS_MAX = 2048,
    AROUND = 2, /* lines that are not the view's: status, keys */
};

static FILE *keyboard;
static SCREEN *terminal;

static const char *const help_lines[] = {
    "Each section shows one kind of girt object, a row an object.",
    "Rates (/S), hit ratios (%) and 99th percentiles (P99) are of the time",
    "between the last two scrapes.",
    "",
    "  up, down, k, j      scroll a line",
    "  page up, page down  scroll a screen",
    "  home, end, g, G     to the first line, to the last",
    "  tab, shift tab      the next section, the one before",
    "  o                   only this section, or all",
    "  <, >, left, right   sort this section by another column",
    "  r                   sort the other way around",
    "  space, p            pause, and go on",
    "  h, ?                this page, and back",
    "  q                   quit",
    "",
    "Yellow: near full, or something is refused. Red: full, or open.",
};

static const struct {
    int key;
    screen_key meaning;
} keys[] = {
    {'q', SCREEN_QUIT},
    {'Q', SCREEN_QUIT},
    {' ', SCREEN_PAUSE},
    {'p', SCREEN_PAUSE},
    {'h', SCREEN_HELP},
    {'?', SCREEN_HELP},
    {KEY_F(1), SCREEN_HELP},
    {KEY_UP, SCREEN_UP},
    {'k', SCREEN_UP},
    {KEY_DOWN, SCREEN_DOWN},
    {'j', SCREEN_DOWN},
    {KEY_PPAGE, SCREEN_PAGE_UP},
    {KEY_NPAGE, SCREEN_PAGE_DOWN},
    {KEY_HOME, SCREEN_FIRST},
    {'g', SCREEN_FIRST},
    {KEY_END, SCREEN_LAST},
    {'G', SCREEN_LAST},
    {'\t', SCREEN_NEXT_SECTION},
    {KEY_BTAB, SCREEN_PREVIOUS_SECTION},
    {'o', SCREEN_ALONE},
    {'<', SCREEN_SORT_LEFT},
    {KEY_LEFT, SCREEN_SORT_LEFT},
    {'>', SCREEN_SORT_RIGHT},
    {KEY_RIGHT, SCREEN_SORT_RIGHT},
    {'r', SCREEN_REVERSE},
};

/* ---- open, close ---- */

static void start_colours(void)
{
    const char *const wish = getenv("NO_COLOR");
    if ((wish != NULL && *wish != '\0') || !has_colors() || start_color() != OK)
        return;
    const short back = use_default_colors() == OK ? -1 : COLOR_BLACK;
    init_pair(TONE_GOOD, COLOR_GREEN, back);
    init_pair(TONE_WARN, COLOR_YELLOW, back);
    init_pair(TONE_BAD, COLOR_RED, back);
}

bool screen_open(void)
{
    /* Standard input may be a scrape. */
    if (isatty(STDOUT_FILENO))
        keyboard = isatty(STDIN_FILENO) ? stdin : fopen("/dev/tty", "re");
    if (keyboard == NULL) {
        fputs("top: no terminal here; --once needs none\n", stderr);
        return false;
    }
    terminal = newterm(NULL, stdout, keyboard);
    if (terminal == NULL) {
        fputs("top: unknown kind of terminal; --once needs none\n", stderr);
        return false;
    }
    start_colours();
    cbreak();
    noecho();
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    set_escdelay(25);
    (void)curs_set(0);
    return true;
}

void screen_close(void)
{
    endwin();
    delscreen(terminal);
    if (keyboard != stdin)
        fclose(keyboard);
}

int screen_keys(void)
{
    return fileno(keyboard);
}

screen_key screen_read(void)
{
    const int key = getch();
    if (key == ERR)
        return SCREEN_NO_KEY;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].key == key)
            return keys[i].meaning;
    return SCREEN_OTHER_KEY;
}

/* ---- draw ---- */

static size_t columns(void)
{
    return COLS < SCREEN_COLUMNS_MAX ? (size_t)COLS : SCREEN_COLUMNS_MAX;
}

size_t screen_lines(void)
{
    return LINES > AROUND ? (size_t)(LINES - AROUND) : 0;
}

static attr_t attributes(view_tone tone)
{
    static const attr_t plain[] = {[TONE_PLAIN] = A_NORMAL,
                                   [TONE_HEAD] = A_BOLD,
                                   [TONE_GOOD] = A_NORMAL,
                                   [TONE_WARN] = A_BOLD,
                                   [TONE_BAD] = A_BOLD};
    const bool coloured = tone >= TONE_GOOD && COLOR_PAIRS > TONE_BAD;
    return plain[tone] | (coloured ? (attr_t)COLOR_PAIR(tone) : 0);
}

/* From the left edge to the right one. */
static void draw_text(int row, const char *text, attr_t attribute)
{
    static char shown[SCREEN_TEXT_MAX];
    display_fit(shown, text, columns());
    attrset(attribute);
    mvaddstr(row, 0, shown);
    attrset(A_NORMAL);
}

static void draw_line(const object_view *view, size_t i, int row)
{
    static view_line line;
    object_view_line(view, i, columns(), &line);
    const bool chosen = view->lines[i].part == view->section;
    move(row, 0);
    for (size_t s = 0; s < line.count; s++) {
        const view_span *const span = &line.spans[s];
        attr_t attribute = attributes(span->tone);
        if (span->marked)
            attribute |= chosen ? A_REVERSE : A_UNDERLINE;
        attrset(attribute);
        addstr(span->text);
    }
    attrset(A_NORMAL);
}

static void draw_view(const screen_frame *frame)
{
    const size_t room = screen_lines();
    for (size_t i = 0;
         i < room && frame->scrolled + i < frame->view->line_count; i++)
        draw_line(frame->view, frame->scrolled + i, 1 + (int)i);
}

static void draw_help(void)
{
    const size_t count = sizeof help_lines / sizeof *help_lines;
    for (size_t i = 0; i < screen_lines() && i < count; i++)
        draw_text(1 + (int)i, help_lines[i], A_NORMAL);
}

static void draw_status(const screen_frame *frame)
{
    char text[SCREEN_STATUS_MAX];
    snprintf(text, sizeof text, "%s%s%s%s", frame->paused ? "PAUSED  " : "",
             frame->error == NULL ? "" : frame->error,
             frame->error == NULL ? "" : "  ", frame->status);
    draw_text(0, text,
              frame->error == NULL ? A_REVERSE
                                   : A_REVERSE | attributes(TONE_BAD));
}

static void draw_keys(const object_view *view)
{
    char text[160];
    snprintf(
        text, sizeof text,
        "%s by %s%s  q quit  space pause  tab section  < > sort  r reverse "
        " h help",
        part_title(view->section), object_view_sort_title(view),
        view->sort[view->section].reversed ? ", reversed" : "");
    draw_text(LINES - 1, text, A_REVERSE);
}

void screen_draw(const screen_frame *frame)
{
    erase();
    if (frame->help)
        draw_help();
    else
        draw_view(frame);
    draw_status(frame);
    if (LINES > 1)
        draw_keys(frame->view);
    refresh();
}
