/* SPDX-License-Identifier: MIT */
/* queue_girt_queue_pair.c - girt_queue with both promises: 1P1C only. */
#define QUEUE_NAME    girt_queue_pair
#define QUEUE_OPTIONS .single_producer = true, .single_consumer = true
#define QUEUE_PAIR
#include "queue/queue_girt_queue.h"
