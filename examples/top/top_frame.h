/* SPDX-License-Identifier: MIT */
/* top_frame.h - what stands around the view, and all of it as plain text. */
#ifndef GIRT_EXAMPLES_TOP_FRAME_H
#define GIRT_EXAMPLES_TOP_FRAME_H

#include <stdio.h>

#include "object_view.h"

enum { TOP_STATUS_MAX = 1024 };

/* "girt top: 9464, 9 objects, epoch backlog 0" and what else there is to say;
 * `what` is where scrapes come from. */
void top_status(char out[TOP_STATUS_MAX], const char *what,
                const object_view *view);

/* The status and all lines, whole. */
void top_print(FILE *out, const char *what, const object_view *view);

#endif /* GIRT_EXAMPLES_TOP_FRAME_H */
