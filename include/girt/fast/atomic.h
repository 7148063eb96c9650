/* SPDX-License-Identifier: MIT */
/* fast/atomic.h - the atomics of the inlined bodies, on compiler builtins.
 *
 * Not an interface: the names and what stands behind them may change with any
 * version.  Works in C11 and C++17 with no compiler flag.
 *
 * girt_fast_cas2_acq_rel is a compare-and-swap of two adjacent words.  gcc
 * hands the 16-byte builtin to libatomic, which may take a lock, and clang
 * needs -mcx16 to inline it, so it is the instruction itself here: cmpxchg16b
 * on x86_64, ldaxp/stlxp on arm64.  ThreadSanitizer does not look into inline
 * assembly and gets its own entry point instead. */
#ifndef GIRT_FAST_ATOMIC_H
#define GIRT_FAST_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#include <girt/export.h>

#if defined(__SANITIZE_THREAD__)
#define GIRT_FAST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GIRT_FAST_TSAN 1
#endif
#endif

#if !defined(__x86_64__) && !defined(__aarch64__)
#error "girt needs a double-width compare-and-swap: x86_64 or arm64"
#endif

GIRT_BEGIN

/** A load that orders nothing. */
#define girt_fast_load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
/** A load before everything that follows it. */
#define girt_fast_load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)
/** A store that orders nothing. */
#define girt_fast_store_relaxed(p, v)                                          \
    __atomic_store_n((p), (v), __ATOMIC_RELAXED)
/** A store after everything that precedes it. */
#define girt_fast_store_release(p, v)                                          \
    __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/** Two words that change together. */
typedef struct girt_fast_pair {
    /** Each may also be loaded alone. */
    uint64_t word[2];
} __attribute__((aligned(16))) girt_fast_pair;

#ifdef GIRT_FAST_TSAN
/** The sanitizer's 16-byte integer. */
__extension__ typedef __int128 girt_fast_int128;
/** The sanitizer's entry point; orders are numbered as in the builtins. */
girt_fast_int128 __tsan_atomic128_compare_exchange_val(
    volatile girt_fast_int128 *pair, girt_fast_int128 expected,
    girt_fast_int128 desired, int order, int failure_order);
#endif

/** Writes {desired0, desired1} if the pair is {expected0, expected1}. */
static inline __attribute__((unused)) bool girt_fast_cas2_acq_rel(
    girt_fast_pair *pair, uint64_t expected0, uint64_t expected1,
    uint64_t desired0, uint64_t desired1)
{
#if defined(GIRT_FAST_TSAN)
    __extension__ typedef unsigned __int128 wide;
    girt_fast_int128 const expected =
        (girt_fast_int128)((wide)expected1 << 64 | expected0);
    girt_fast_int128 const desired =
        (girt_fast_int128)((wide)desired1 << 64 | desired0);
    return __tsan_atomic128_compare_exchange_val(
               (volatile girt_fast_int128 *)(void *)pair, expected, desired,
               __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) == expected;
#elif defined(__x86_64__)
    bool done;
    __asm__ __volatile__("lock cmpxchg16b %1"
                         : "=@ccz"(done), "+m"(*pair), "+a"(expected0),
                           "+d"(expected1)
                         : "b"(desired0), "c"(desired1)
                         : "memory");
    return done;
#else
    uint64_t seen0, seen1;
    uint32_t again, done;
    /* stlxp fails only if the line was lost in between: to a write by another
     * CPU, which made progress, or to an interrupt. */
    __asm__ __volatile__(
        "1: ldaxp %[seen0], %[seen1], %[pair]\n"
        "   cmp %[seen0], %[expected0]\n"
        "   ccmp %[seen1], %[expected1], #0, eq\n"
        "   b.ne 2f\n"
        "   stlxp %w[again], %[desired0], %[desired1], "
        "%[pair]\n"
        "   cbnz %w[again], 1b\n"
        "2: cset %w[done], eq\n"
        : [seen0] "=&r"(seen0), [seen1] "=&r"(seen1), [again] "=&r"(again),
          [done] "=&r"(done), [pair] "+Q"(*pair)
        : [expected0] "r"(expected0), [expected1] "r"(expected1),
          [desired0] "r"(desired0), [desired1] "r"(desired1)
        : "cc", "memory");
    return done != 0;
#endif
}

/** Asks for a line that is about to be written, so that reading it first does
 * not cost a second transfer. */
static inline __attribute__((unused)) void girt_fast_prefetch_write(
    const void *line)
{
#if defined(__x86_64__)
    /* The builtin gives a prefetch for reading unless built with -mprfchw. */
    __asm__ __volatile__("prefetchw %0" : : "m"(*(const char *)line));
#else
    __builtin_prefetch(line, 1);
#endif
}

/** A spin-wait hint. */
static inline __attribute__((unused)) void girt_fast_pause(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#else
    __asm__ __volatile__("isb" : : : "memory");
#endif
}

/** One turn of waiting after a lost compare-and-swap: pauses, then doubles
 * *pauses up to 256. */
static inline __attribute__((unused)) void girt_fast_back_off(unsigned *pauses)
{
    for (unsigned i = 0; i < *pauses; i++)
        girt_fast_pause();
    if (*pauses < 256)
        *pauses *= 2;
}

GIRT_END

#endif /* GIRT_FAST_ATOMIC_H */
