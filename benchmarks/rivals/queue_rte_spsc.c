/* SPDX-License-Identifier: MIT */
/* queue_rte_spsc.c - DPDK's ring for one producer and one consumer. */
#define QUEUE_NAME      rte_spsc
#define QUEUE_RTE_FLAGS (RING_F_SP_ENQ | RING_F_SC_DEQ)
#include "rivals/queue_rte.h"

static bool queue_can(const queue_case *c)
{
    return c->producers == 1 && c->consumers <= 1;
}

#include "queue_driver.h"
