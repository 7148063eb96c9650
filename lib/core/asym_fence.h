/* SPDX-License-Identifier: MIT */
/* asym_fence.h - a store-load fence that the rare side pays for.
 *
 *   The hot side:                      The rare side:
 *     store what it has to say;          store what it has to say (relaxed);
 *     girt__asym_light();                girt__asym_heavy();
 *     load what the other said;          load what the other said;
 *
 * At least one of the two sees the other's store, as with a sequentially
 * consistent fence on either side.  The light side keeps the compiler in order
 * and costs nothing; the heavy one makes every CPU that runs a thread of this
 * process pass a full fence: membarrier(2), some microseconds.
 *
 * Only where girt__asym_available: otherwise the light side would have to be a
 * real fence, with which other algorithms are faster. */
#ifndef GIRT_CORE_ASYM_FENCE_H
#define GIRT_CORE_ASYM_FENCE_H

#include <stdbool.h>

#include "core/atomic.h"

/* false: the kernel does not help (ENOSYS, or a filter's EPERM).  To be asked
 * before the first fence: registers the process, which the first time may take
 * some milliseconds if it has threads. */
bool girt__asym_available(void);

void girt__asym_heavy(void);

#define girt__asym_light() girt_fence_compiler()

#endif /* GIRT_CORE_ASYM_FENCE_H */
