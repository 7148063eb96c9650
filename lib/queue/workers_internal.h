/* SPDX-License-Identifier: MIT */
/* workers_internal.h - what tests see of a pool. */
#ifndef GIRT_QUEUE_WORKERS_INTERNAL_H
#define GIRT_QUEUE_WORKERS_INTERNAL_H

#include <stdint.h>

#include <girt/workers.h>

/* Test hook: how many drains have retired a counter. */
uint32_t girt__workers_generation(const girt_workers *workers);

#endif /* GIRT_QUEUE_WORKERS_INTERNAL_H */
