/* SPDX-License-Identifier: MIT */
/* queue_rte_hts.c - DPDK's ring, head-tail synchronised: one thread a side at
 * a time. */
#define QUEUE_NAME      rte_hts
#define QUEUE_RTE_FLAGS (RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ)
#include "rivals/queue_rte.h"

static bool queue_can(const queue_case *c)
{
    (void)c;
    return true;
}

#include "queue_driver.h"
