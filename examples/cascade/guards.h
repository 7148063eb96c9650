/* SPDX-License-Identifier: MIT */
/* guards.h - girt's guards on an edge and at a door, as this simulation needs
 * them: the one file that says how each is set. */
#ifndef GIRT_EXAMPLES_GUARDS_H
#define GIRT_EXAMPLES_GUARDS_H

#include <girt/clock.h>
#include <girt/status.h>

#include "edge.h"
#include "world.h"

/* Virtual time for guards, as it is and in ticks. */
girt_clock guards_clock(world *w);
girt_clock guards_clock_in_ticks(world *w);

/* Those of `which` (cascade_run.h); on a failure what was made stays the
 * caller's. */
girt_status guards_on_edge(edge *e, unsigned which);
girt_status guards_at_door(service *s, unsigned which);

void guards_free_edge(edge *e);
void guards_free_door(service *s);

#endif /* GIRT_EXAMPLES_GUARDS_H */
