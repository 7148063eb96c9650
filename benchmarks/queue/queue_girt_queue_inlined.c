/* SPDX-License-Identifier: MIT */
/* queue_girt_queue_inlined.c - girt_queue as by default, its first tries in the
 * caller: GIRT_INLINE_FAST. */
#define GIRT_INLINE_FAST
#define QUEUE_NAME    girt_queue_inline
#define QUEUE_OPTIONS .bands = 0
#include "queue/queue_girt_queue.h"
