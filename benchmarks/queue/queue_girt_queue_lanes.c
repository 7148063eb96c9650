/* SPDX-License-Identifier: MIT */
/* queue_girt_queue_lanes.c - girt_queue with FIFO per producer only. */
#define QUEUE_NAME    girt_queue_lanes
#define QUEUE_OPTIONS .per_producer_order = true
#include "queue/queue_girt_queue.h"
