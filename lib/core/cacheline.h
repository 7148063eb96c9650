/* SPDX-License-Identifier: MIT */
/* cacheline.h - how far apart two CPUs' words must be kept. */
#ifndef GIRT_CORE_CACHELINE_H
#define GIRT_CORE_CACHELINE_H

/* The unit of coherence on x86_64 and arm64 servers. */
#define GIRT_CACHELINE 64

/* x86 prefetches the neighbour line too: hot words of different CPUs are put
 * this far apart. */
#define GIRT_DESTRUCTIVE 128

#define GIRT_ALIGNED(bytes) __attribute__((aligned(bytes)))

#define girt_likely(x)   __builtin_expect(!!(x), 1)
#define girt_unlikely(x) __builtin_expect(!!(x), 0)

/* The struct of type `type` whose member `member` is at `pointer`. */
#define girt_container_of(pointer, type, member)                               \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif /* GIRT_CORE_CACHELINE_H */
