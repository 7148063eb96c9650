/* SPDX-License-Identifier: MIT */
/* Goal: a C++17 program that defines GIRT_INLINE_FAST sees the same queues as
 * the library.  Method: as test_fast_inline.c, the same body. */
#define GIRT_INLINE_FAST
#include <girt/mpmc.h>
#include <girt/queue.h>
#include <girt/spsc.h>

extern "C" {
#include "support/check.h"
}

#include "fast_inline_body.h"
