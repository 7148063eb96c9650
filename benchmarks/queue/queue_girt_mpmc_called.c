/* SPDX-License-Identifier: MIT */
/* queue_girt_mpmc_called.c - girt_mpmc by plain calls into the library. */
#define QUEUE_NAME girt_mpmc_call
#include "queue/queue_girt_mpmc.h"
