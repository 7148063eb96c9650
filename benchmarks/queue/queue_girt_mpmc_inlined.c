/* SPDX-License-Identifier: MIT */
/* queue_girt_mpmc_inlined.c - girt_mpmc, as GIRT_INLINE_FAST gives it. */
#define GIRT_INLINE_FAST
#define QUEUE_NAME girt_mpmc
#include "queue/queue_girt_mpmc.h"
