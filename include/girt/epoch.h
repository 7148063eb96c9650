/* SPDX-License-Identifier: MIT */
/* epoch.h - read sections, and freeing what a reader may still hold. */
#ifndef GIRT_EPOCH_H
#define GIRT_EPOCH_H

#include <girt/export.h>

GIRT_BEGIN

GIRT_API void girt_epoch_enter(void);
GIRT_API void girt_epoch_exit(void);
GIRT_API void girt_epoch_retire(void *block, void (*release)(void *block));
GIRT_API void girt_epoch_barrier(void);

GIRT_END

#endif /* GIRT_EPOCH_H */
