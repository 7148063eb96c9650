/* SPDX-License-Identifier: MIT */
/* queue_girt_queue_plain.c - girt_queue, strict FIFO, as created by default. */
#define QUEUE_NAME    girt_queue
#define QUEUE_OPTIONS .bands = 0
#include "queue/queue_girt_queue.h"
