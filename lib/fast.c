/* SPDX-License-Identifier: MIT */
/* fast.c - the exported copies of the functions that a program may inline.
 *
 * The bodies are in include/girt/fast.  A program that inlined them refers to
 * the layout symbols, so that it does not load with a library that has others
 * ("undefined symbol: girt_spsc_layout_1"). */
#define GIRT_EMIT_FAST
#include <girt/spsc.h>
#include <girt/mpmc.h>
#include <girt/fast/queue.h>

const char girt_spsc_layout_1 = 1;
const char girt_mpmc_layout_1 = 1;
/* The calls of a queue are in queue/queue.c: not inlined, they have a probe. */
const char girt_queue_layout_1 = 1;
