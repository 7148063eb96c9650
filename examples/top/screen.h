/* SPDX-License-Identifier: MIT */
/* screen.h - the terminal, by ncurses. */
#ifndef GIRT_EXAMPLES_SCREEN_H
#define GIRT_EXAMPLES_SCREEN_H

#include "object_view.h"

typedef enum screen_key {
    SCREEN_NO_KEY,
    SCREEN_OTHER_KEY, /* also: the size has changed */
    SCREEN_QUIT,
    SCREEN_PAUSE,
    SCREEN_HELP,
    SCREEN_UP,
    SCREEN_DOWN,
    SCREEN_PAGE_UP,
    SCREEN_PAGE_DOWN,
    SCREEN_FIRST,
    SCREEN_LAST,
    SCREEN_NEXT_SECTION,
    SCREEN_PREVIOUS_SECTION,
    SCREEN_ALONE,
    SCREEN_SORT_LEFT,
    SCREEN_SORT_RIGHT,
    SCREEN_REVERSE
} screen_key;

/* What is drawn. */
typedef struct screen_frame {
    const object_view *view;
    const char *status; /* the first line */
    const char *error;  /* NULL: none; else beside the status */
    bool paused, help;
    size_t scrolled; /* lines above the screen */
} screen_frame;

/* False, and stderr says why: there is no terminal. */
bool screen_open(void);
void screen_close(void);

/* Descriptor that keys come from. */
int screen_keys(void);

/* The next key; does not wait. */
screen_key screen_read(void);

/* Lines of the view that there is room for. */
size_t screen_lines(void);

void screen_draw(const screen_frame *frame);

#endif /* GIRT_EXAMPLES_SCREEN_H */
