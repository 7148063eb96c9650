/* SPDX-License-Identifier: MIT */
/* trace_current.c - the context that a thread works in: its memory. */
#include "core/trace_current.h"

__thread girt_trace_context girt__trace_current;
__thread girt_trace_context girt__trace_received;
