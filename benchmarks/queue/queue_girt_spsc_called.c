/* SPDX-License-Identifier: MIT */
/* queue_girt_spsc_called.c - girt_spsc by plain calls into the library. */
#define QUEUE_NAME girt_spsc_call
#include "queue/queue_girt_spsc.h"
