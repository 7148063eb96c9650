/* SPDX-License-Identifier: MIT */
/* assert.h - three levels of assertion, cheapest first.
 *
 * girt_require  misuse by the caller (two owners of a deque, a barrier inside
 *               a section): on unless NDEBUG.
 * girt_assert   an invariant of ours: on in debug builds (GIRT_DEBUG).
 * girt_audit    walks a whole structure: on with -DGIRT_AUDIT=ON. */
#ifndef GIRT_CORE_ASSERT_H
#define GIRT_CORE_ASSERT_H

#include <stdbool.h>

/* Aborts; never returns.  Prints nothing: a core dump shows the place, and the
 * arguments are there for a debugger. */
__attribute__((noreturn, cold)) void girt__assert_failed(const char *condition,
                                                         const char *file,
                                                         int line);

#define girt__check(condition)                                                 \
    ((condition) ? (void)0                                                     \
                 : girt__assert_failed(#condition, __FILE__, __LINE__))
/* Compiled, so that it does not rot, but never run. */
#define girt__unchecked(condition) ((void)sizeof(!(condition)))

#ifndef NDEBUG
#define girt_require(condition) girt__check(condition)
#else
#define girt_require(condition) girt__unchecked(condition)
#endif

#if defined(GIRT_DEBUG) || defined(GIRT_AUDIT)
#define girt_assert(condition) girt__check(condition)
#else
#define girt_assert(condition) girt__unchecked(condition)
#endif

#ifdef GIRT_AUDIT
#define girt_audit(condition) girt__check(condition)
#else
#define girt_audit(condition) girt__unchecked(condition)
#endif

#endif /* GIRT_CORE_ASSERT_H */
