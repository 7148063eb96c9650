/* SPDX-License-Identifier: MIT */
/* epoch_section.h - girt_epoch_enter and girt_epoch_exit without the calls, for
 * lookups that take some ten nanoseconds: the calls, and the registers that
 * must be saved around them, were 2 of a ring's 13.
 *
 * They are calls, as ever, where sections are watched (ThreadSanitizer, the
 * seeded scheduler of tests/) and where ck_pr is not what atomic.h stands on.
 */
#ifndef GIRT_CORE_EPOCH_SECTION_H
#define GIRT_CORE_EPOCH_SECTION_H

#include <girt/epoch.h>

#include "core/assert.h"
#include "core/atomic.h"
#include "core/epoch_domain.h"

#if defined(GIRT_ATOMIC_BUILTINS) || defined(GIRT_SCHEDULED)

#define girt__epoch_enter() girt_epoch_enter()
#define girt__epoch_exit()  girt_epoch_exit()

#else

static inline void girt__epoch_enter(void)
{
    girt__epoch_record *const r = girt__epoch_own;
    if (girt_unlikely(r == NULL)) {
        girt_epoch_enter();
        return;
    }
    ck_epoch_begin(&r->ck, NULL);
    girt_fence_acquire(); /* F2 -> F1 (retire, epoch.c) */
}

static inline void girt__epoch_exit(void)
{
    girt__epoch_record *const r = girt__epoch_own;
    /* A visitor, or somebody who may have blocks to release. */
    if (girt_unlikely(r == NULL || r->since_poll != 0)) {
        girt_epoch_exit();
        return;
    }
    girt_require(r->ck.active != 0);
    (void)ck_epoch_end(&r->ck, NULL);
}

#endif

#endif /* GIRT_CORE_EPOCH_SECTION_H */
