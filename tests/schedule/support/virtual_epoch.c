/* SPDX-License-Identifier: MIT */
/* virtual_epoch.c - scheduling points at the edges of epoch sections.
 *
 * The epoch unit is not instrumented (it stands on libck). What its caller
 * stored before is out of the store buffer when a section ends, as the order
 * of stores on x86 has it. */
#include <girt/epoch.h>

#include "core/epoch_internal.h"
#include "schedule/support/scheduler_internal.h"

void __real_girt_epoch_enter(void);
void __wrap_girt_epoch_enter(void);
void __real_girt_epoch_exit(void);
void __wrap_girt_epoch_exit(void);
void __real_girt_epoch_retire(void *block, void (*release)(void *block));
void __wrap_girt_epoch_retire(void *block, void (*release)(void *block));
void __real_girt__epoch_retire_node(girt__epoch_node *node,
                                    void (*release)(girt__epoch_node *node));
void __wrap_girt__epoch_retire_node(girt__epoch_node *node,
                                    void (*release)(girt__epoch_node *node));

static void edge(void)
{
    if (!sched_on())
        return;
    sched_point(4, 0);
    sched_full_fence();
}

void __wrap_girt_epoch_enter(void)
{
    edge();
    __real_girt_epoch_enter();
}

void __wrap_girt_epoch_exit(void)
{
    edge();
    __real_girt_epoch_exit();
    edge(); /* whoever goes on using what it held is found out here */
}

void __wrap_girt_epoch_retire(void *block, void (*release)(void *block))
{
    edge();
    __real_girt_epoch_retire(block, release);
}

void __wrap_girt__epoch_retire_node(girt__epoch_node *node,
                                    void (*release)(girt__epoch_node *node))
{
    edge();
    __real_girt__epoch_retire_node(node, release);
}
