/* SPDX-License-Identifier: MIT */
/* atomic.h - the one vocabulary of atomic operations, order in the name.
 *
 * girt_<operation>_<order>(pointer, ...): the pointer's type is any integer,
 * bool or pointer of 1, 2, 4 or 8 bytes; values have that type.
 *
 *   load    relaxed acquire seq_cst      -> value
 *   store   relaxed release seq_cst
 *   swap    relaxed acquire release acq_rel -> old value
 *   cas     relaxed acquire release acq_rel (p, T *expected, desired) -> bool
 *   add sub relaxed acquire release acq_rel -> value before
 *   and or  relaxed acq_rel                 -> value before
 *   bump    relaxed  a uint64_t that one thread writes and others read: adds
 *           without a locked instruction where one instruction suffices, so
 *           that the thread's own signal handlers may bump it, too; no value
 *   fence   acquire release seq_cst, and after_rmw: full, with the
 *           read-modify-write before it; compiler: no instruction
 *   girt_pause()                         a spin-wait hint
 *
 * A failed cas writes what it saw to *expected; a failed cas orders like the
 * acquire half of its success order.
 *
 * Two back ends.  Read-modify-writes, ordered loads and stores, and fences
 * are ck_pr's on x86_64, where its fences cost nothing beyond the
 * instruction.  Builtins serve
 *   - relaxed loads and stores: ck_pr's are compiler barriers, which a relaxed
 *     access is not meant to be;
 *   - arm64: ck_pr's acquire is a load and a dmb, the builtin's is one ldar;
 *   - ThreadSanitizer and the seeded scheduler of tests/, which see builtins
 *     only and would report false races on ck_pr's inline assembly. */
#ifndef GIRT_CORE_ATOMIC_H
#define GIRT_CORE_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__SANITIZE_THREAD__)
#define GIRT_ATOMIC_BUILTINS 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GIRT_ATOMIC_BUILTINS 1
#endif
#endif
#if !defined(__x86_64__) && !defined(GIRT_ATOMIC_BUILTINS)
#define GIRT_ATOMIC_BUILTINS 1
#endif

#define girt_load_relaxed(p)     __atomic_load_n((p), __ATOMIC_RELAXED)
#define girt_store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
/* Stores then loads of other words stay in this order: Dekker-style pairs. */
#define girt_load_seq_cst(p)     __atomic_load_n((p), __ATOMIC_SEQ_CST)
#define girt_store_seq_cst(p, v) __atomic_store_n((p), (v), __ATOMIC_SEQ_CST)

#ifdef GIRT_ATOMIC_BUILTINS

#define girt_load_acquire(p)     __atomic_load_n((p), __ATOMIC_ACQUIRE)
#define girt_store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

#define girt_swap_relaxed(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELAXED)
#define girt_swap_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define girt_swap_release(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define girt_swap_acq_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)

#define girt__cas(p, e, d, success, failure)                                   \
    __atomic_compare_exchange_n((p), (e), (d), false, (success), (failure))
#define girt_cas_relaxed(p, e, d)                                              \
    girt__cas((p), (e), (d), __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define girt_cas_acquire(p, e, d)                                              \
    girt__cas((p), (e), (d), __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)
#define girt_cas_release(p, e, d)                                              \
    girt__cas((p), (e), (d), __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define girt_cas_acq_rel(p, e, d)                                              \
    girt__cas((p), (e), (d), __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)

#define girt_add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define girt_add_acquire(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQUIRE)
#define girt_add_release(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELEASE)
#define girt_add_acq_rel(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define girt_sub_relaxed(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED)
#define girt_sub_acquire(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQUIRE)
#define girt_sub_release(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_RELEASE)
#define girt_sub_acq_rel(p, v) __atomic_fetch_sub((p), (v), __ATOMIC_ACQ_REL)

#define girt_bump_relaxed(p, v) ((void)girt_add_relaxed((p), (v)))

#define girt_fence_acquire()   __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define girt_fence_release()   __atomic_thread_fence(__ATOMIC_RELEASE)
#define girt_fence_seq_cst()   __atomic_thread_fence(__ATOMIC_SEQ_CST)
#define girt_fence_after_rmw() __atomic_thread_fence(__ATOMIC_SEQ_CST)

#if defined(__x86_64__)
#define girt_pause() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define girt_pause() __asm__ __volatile__("isb" ::: "memory")
#else
#define girt_pause() ((void)0)
#endif

#else /* ck_pr, x86_64 */

#include <ck_pr.h>

/* One body for every width; `size` is a constant, so one case remains. */
static inline uint64_t girt__ck_swap(void *p, uint64_t value, size_t size)
{
    switch (size) {
    case 1:
        return ck_pr_fas_8(p, (uint8_t)value);
    case 2:
        return ck_pr_fas_16(p, (uint16_t)value);
    case 4:
        return ck_pr_fas_32(p, (uint32_t)value);
    default:
        return ck_pr_fas_64(p, value);
    }
}

static inline bool girt__ck_cas(void *p, void *expected, uint64_t desired,
                                size_t size)
{
    switch (size) {
    case 1:
        return ck_pr_cas_8_value(p, *(uint8_t *)expected, (uint8_t)desired,
                                 expected);
    case 2:
        return ck_pr_cas_16_value(p, *(uint16_t *)expected, (uint16_t)desired,
                                  expected);
    case 4: {
        uint32_t saw = 0, want;
        __builtin_memcpy(&want, expected, 4);
        bool const done = ck_pr_cas_32_value(p, want, (uint32_t)desired, &saw);
        __builtin_memcpy(expected, &saw, 4);
        return done;
    }
    default: {
        uint64_t saw = 0, want;
        __builtin_memcpy(&want, expected, 8);
        bool const done = ck_pr_cas_64_value(p, want, desired, &saw);
        __builtin_memcpy(expected, &saw, 8);
        return done;
    }
    }
}

static inline uint64_t girt__ck_add(void *p, uint64_t value, size_t size)
{
    switch (size) {
    case 1:
        return ck_pr_faa_8(p, (uint8_t)value);
    case 2:
        return ck_pr_faa_16(p, (uint16_t)value);
    case 4:
        return ck_pr_faa_32(p, (uint32_t)value);
    default:
        return ck_pr_faa_64(p, value);
    }
}

/* A plain mov between compiler barriers: x86 keeps load-load, load-store and
 * store-store order by itself. */
#define girt_load_acquire(p)                                                   \
    __extension__({                                                            \
        __typeof__(*(p)) const girt__value =                                   \
            __atomic_load_n((p), __ATOMIC_RELAXED);                            \
        ck_pr_fence_acquire();                                                 \
        girt__value;                                                           \
    })
#define girt_store_release(p, v)                                               \
    __extension__({                                                            \
        ck_pr_fence_release();                                                 \
        __atomic_store_n((p), (v), __ATOMIC_RELAXED);                          \
    })

/* A locked instruction is a full fence, so each order is the strongest. */
#define girt_swap_acq_rel(p, v)                                                \
    ((__typeof__(*(p)))girt__ck_swap((p), (uint64_t)(v), sizeof(*(p))))
#define girt_swap_relaxed girt_swap_acq_rel
#define girt_swap_acquire girt_swap_acq_rel
#define girt_swap_release girt_swap_acq_rel

#define girt_cas_acq_rel(p, e, d)                                              \
    girt__ck_cas((p), (e), (uint64_t)(d), sizeof(*(p)))
#define girt_cas_relaxed girt_cas_acq_rel
#define girt_cas_acquire girt_cas_acq_rel
#define girt_cas_release girt_cas_acq_rel

#define girt_add_acq_rel(p, v)                                                 \
    ((__typeof__(*(p)))girt__ck_add((p), (uint64_t)(v), sizeof(*(p))))
#define girt_add_relaxed       girt_add_acq_rel
#define girt_add_acquire       girt_add_acq_rel
#define girt_add_release       girt_add_acq_rel
#define girt_sub_acq_rel(p, v) girt_add_acq_rel((p), 0 - (uint64_t)(v))
#define girt_sub_relaxed       girt_sub_acq_rel
#define girt_sub_acquire       girt_sub_acq_rel
#define girt_sub_release       girt_sub_acq_rel

/* 0.9 ns, where the locked addition takes 5.1 (2-core AMD EPYC VM, 2026-11). */
static inline void girt_bump_relaxed(uint64_t *p, uint64_t amount)
{
    __asm__ __volatile__("addq %1, %0" : "+m"(*p) : "er"(amount) : "cc");
}

#define girt_fence_acquire() ck_pr_fence_acquire()
#define girt_fence_release() ck_pr_fence_release()
/* A locked instruction on a line that is ours anyway: 5 ns, where the mfence
 * of ck_pr_fence_memory takes 22 (2-core AMD EPYC VM, 2026-11). The two differ
 * for non-temporal stores only. */
#define girt_fence_seq_cst()                                                   \
    __asm__ __volatile__("lock; orl $0, (%%rsp)" ::: "memory", "cc")

/* Makes the read-modify-write before it a full fence, where it is not one. */
#define girt_fence_after_rmw() __asm__ __volatile__("" ::: "memory")

#define girt_pause() ck_pr_stall()

#endif

#define girt_fence_compiler() __atomic_signal_fence(__ATOMIC_SEQ_CST)

/* Bit operations: rare enough off the hot paths to need no second back end. */
#define girt_and_relaxed(p, v) __atomic_fetch_and((p), (v), __ATOMIC_RELAXED)
#define girt_and_acq_rel(p, v) __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL)
#define girt_or_relaxed(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_RELAXED)
#define girt_or_acq_rel(p, v)  __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL)

#endif /* GIRT_CORE_ATOMIC_H */
