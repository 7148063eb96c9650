/* SPDX-License-Identifier: MIT */
/* epoch_internal.h - deferred free for the library's own objects. */
#ifndef GIRT_CORE_EPOCH_INTERNAL_H
#define GIRT_CORE_EPOCH_INTERNAL_H

#include <girt/epoch.h>

/* Embedded in what is retired, so that retiring allocates nothing. */
typedef struct girt__epoch_node {
    void *words[2];
} girt__epoch_node;

/* Like girt_epoch_retire, by an embedded node; cannot fail. */
void girt__epoch_retire_node(girt__epoch_node *node,
                             void (*release)(girt__epoch_node *node));

#endif /* GIRT_CORE_EPOCH_INTERNAL_H */
