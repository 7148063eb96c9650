/* SPDX-License-Identifier: MIT */
/* probe.h - places that a tracer can watch from outside: USDT probes.
 *
 * Each is one nop, and a note in the ELF file that says where it stands and
 * where its arguments are; bpftrace, perf or gdb put a breakpoint there while
 * they look. The provider is "girt". docs/guide/probes.md lists them.
 *
 * Arguments must be at hand: a probe that computes something is not free. */
#ifndef GIRT_CORE_PROBE_H
#define GIRT_CORE_PROBE_H

#if defined(GIRT_PROBES)

#include <sys/sdt.h>

/* Its macros leave their last argument out. */
#ifdef __clang__
#pragma clang diagnostic ignored "-Wgnu-zero-variadic-macro-arguments"
#endif

#define girt_probe1(name, a)       DTRACE_PROBE1(girt, name, a)
#define girt_probe2(name, a, b)    DTRACE_PROBE2(girt, name, a, b)
#define girt_probe3(name, a, b, c) DTRACE_PROBE3(girt, name, a, b, c)

#else

#define girt_probe1(name, a)       ((void)(a))
#define girt_probe2(name, a, b)    ((void)(a), (void)(b))
#define girt_probe3(name, a, b, c) ((void)(a), (void)(b), (void)(c))

#endif

#endif /* GIRT_CORE_PROBE_H */
