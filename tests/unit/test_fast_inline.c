/* SPDX-License-Identifier: MIT */
/* Goal: a C program that defines GIRT_INLINE_FAST sees the same queues as the
 * library.  Method: inlined single operations and exported batches take turns
 * on one queue, at capacities 1 to 20. */
#define GIRT_INLINE_FAST
#include <girt/mpmc.h>
#include <girt/queue.h>
#include <girt/spsc.h>

#include "support/check.h"

#include "fast_inline_body.h"
