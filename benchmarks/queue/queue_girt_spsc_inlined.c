/* SPDX-License-Identifier: MIT */
/* queue_girt_spsc_inlined.c - girt_spsc, as GIRT_INLINE_FAST gives it. */
#define GIRT_INLINE_FAST
#define QUEUE_NAME girt_spsc
#include "queue/queue_girt_spsc.h"
