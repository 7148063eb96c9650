/* SPDX-License-Identifier: MIT */
/* export.h - how a declaration becomes part of the library's interface.
 *
 * GIRT_API marks an exported function or object; GIRT_BEGIN and GIRT_END give
 * a header C linkage in C++.  GIRT_FAST marks the few short functions that a
 * program may have inlined by defining GIRT_INLINE_FAST before it includes any
 * girt header; without it they are plain calls that keep their ABI. */
#ifndef GIRT_EXPORT_H
#define GIRT_EXPORT_H

#ifdef __cplusplus
#define GIRT_BEGIN extern "C" {
#define GIRT_END   }
#else
#define GIRT_BEGIN
#define GIRT_END
#endif

#define GIRT_API __attribute__((visibility("default")))

#if defined(GIRT_EMIT_FAST)
#define GIRT_FAST GIRT_API
#elif defined(GIRT_INLINE_FAST)
#define GIRT_FAST         static inline __attribute__((unused))
/* Not GIRT_INLINE_FAST: a program may define that after its first girt header,
 * which then has decided for plain calls. */
#define GIRT_FAST_INLINED 1
#else
#define GIRT_FAST GIRT_API
#endif

#endif /* GIRT_EXPORT_H */
