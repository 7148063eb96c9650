/* SPDX-License-Identifier: MIT */
/* version.h - which girt this is, at compile time and at run time. */
#ifndef GIRT_VERSION_H
#define GIRT_VERSION_H

#include <girt/export.h>

GIRT_BEGIN

/** The version of these headers; MAJOR is also the soname. */
#define GIRT_VERSION_MAJOR 0
#define GIRT_VERSION_MINOR 1
#define GIRT_VERSION_PATCH 0
#define GIRT_VERSION       "0.1.0"

/**
 * The version of the library that runs, which may be newer than GIRT_VERSION.
 *
 * @return  a constant string "MAJOR.MINOR.PATCH".
 *
 * Threads: any, at any time; async-signal-safe.
 * Progress: wait-free.
 * Order: none.
 * Since: 0.1
 */
GIRT_API const char *girt_version(void);

GIRT_END

#endif /* GIRT_VERSION_H */
