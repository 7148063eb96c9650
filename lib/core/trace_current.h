/* SPDX-License-Identifier: MIT */
/* trace_current.h - the contexts that a thread works in and last heard of.
 *
 * It stands in core, for what hands work from thread to thread carries it along
 * without knowing tracers. */
#ifndef GIRT_CORE_TRACE_CURRENT_H
#define GIRT_CORE_TRACE_CURRENT_H

#include <girt/trace.h>

/* All zero: none. */
extern __thread girt_trace_context girt__trace_current;
/* That of the item that came last out of a traced queue. */
extern __thread girt_trace_context girt__trace_received;

#endif /* GIRT_CORE_TRACE_CURRENT_H */
