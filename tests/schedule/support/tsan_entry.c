/* SPDX-License-Identifier: MIT */
/* tsan_entry.c - the calls that -fsanitize=thread puts into the library.
 *
 * Names and signatures are the compilers'. One thread runs at a time, so each
 * operation is its plain self between two scheduling points. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/support/scheduler_internal.h"

#if defined(__clang__)
#pragma clang diagnostic ignored "-Wmissing-prototypes"
#else
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#endif
#pragma GCC diagnostic ignored "-Wpedantic" /* __int128 */

enum { PLAIN, LOAD, STORE, CHANGE, FENCE };

/* GIRT_SCHEDULE_TRACE=1: every step of a replay; addr2line names the place. */
static void show(const char *what, const volatile void *address, void *pc)
{
    static int wanted = -1;
    if (wanted < 0)
        wanted = getenv("GIRT_SCHEDULE_TRACE") != NULL;
    if (wanted != 0)
        fprintf(stderr, "step %zu thread %zu %s %p at %p\n", sched.steps,
                schedule_self(), what, (void *)(uintptr_t)address, pc);
}

#define SHOW(what, address) show((what), (address), __builtin_return_address(0))

static void plain_access(const volatile void *address, size_t size, bool writes)
{
    if (!sched_on() || fiber_owns(sched.current->fiber, (const void *)address))
        return;
    if (sched.plain)
        sched_point(PLAIN, 0);
    heap_check(address, size);
    if (sched.buffers)
        buffer_touch(address, size);
    if (sched.weak && writes)
        weak_forget(address, size);
}

void __tsan_init(void);
void __tsan_init(void)
{
}
void __tsan_func_entry(void *pc)
{
    (void)pc;
}
void __tsan_func_exit(void)
{
}

#define PLAIN_ACCESS(bytes)                                                    \
    void __tsan_read##bytes(void *address)                                     \
    {                                                                          \
        plain_access(address, bytes, false);                                   \
    }                                                                          \
    void __tsan_write##bytes(void *address)                                    \
    {                                                                          \
        plain_access(address, bytes, true);                                    \
    }                                                                          \
    void __tsan_read_write##bytes(void *address)                               \
    {                                                                          \
        plain_access(address, bytes, true);                                    \
    }                                                                          \
    void __tsan_unaligned_read##bytes(void *address)                           \
    {                                                                          \
        plain_access(address, bytes, false);                                   \
    }                                                                          \
    void __tsan_unaligned_write##bytes(void *address)                          \
    {                                                                          \
        plain_access(address, bytes, true);                                    \
    }                                                                          \
    void __tsan_unaligned_read_write##bytes(void *address)                     \
    {                                                                          \
        plain_access(address, bytes, true);                                    \
    }                                                                          \
    void __tsan_volatile_read##bytes(void *address)                            \
    {                                                                          \
        plain_access(address, bytes, false);                                   \
    }                                                                          \
    void __tsan_volatile_write##bytes(void *address)                           \
    {                                                                          \
        plain_access(address, bytes, true);                                    \
    }

PLAIN_ACCESS(1)
PLAIN_ACCESS(2)
PLAIN_ACCESS(4)
PLAIN_ACCESS(8)
PLAIN_ACCESS(16)

void __tsan_read_range(void *address, size_t size)
{
    plain_access(address, size, false);
}
void __tsan_write_range(void *address, size_t size)
{
    plain_access(address, size, true);
}
void __tsan_vptr_update(void **address, void *value)
{
    (void)value;
    plain_access(address, sizeof *address, true);
}
void __tsan_vptr_read(void **address)
{
    plain_access(address, sizeof *address, false);
}

void *__tsan_memcpy(void *to, const void *from, size_t size)
{
    plain_access(from, size, false);
    plain_access(to, size, true);
    return memcpy(to, from, size);
}
void *__tsan_memmove(void *to, const void *from, size_t size)
{
    plain_access(from, size, false);
    plain_access(to, size, true);
    return memmove(to, from, size);
}
void *__tsan_memset(void *to, int byte, size_t size)
{
    plain_access(to, size, true);
    return memset(to, byte, size);
}

/* What units without instrumentation say around what they do. */
void __tsan_acquire(void *address)
{
    (void)address;
    sched_full_fence();
}
void __tsan_release(void *address)
{
    (void)address;
    sched_full_fence();
}

static void atomic_access(unsigned kind, const volatile void *address,
                          size_t size)
{
    if (!sched_on())
        return;
    sched_point(kind, size);
    heap_check(address, size);
}

static bool store_waits(const volatile void *address, int order)
{
    return sched.buffers && sched_on() && order != __ATOMIC_SEQ_CST &&
           !fiber_owns(sched.current->fiber, (const void *)address);
}

static void change_now(const volatile void *address, size_t size, int order)
{
    if (!sched_on())
        return;
    buffer_drain(sched.current);
    if (sched.weak)
        weak_change_begin(address, size, order);
}

static void before_change(const volatile void *address, size_t size, int order)
{
    atomic_access(CHANGE, address, size);
    change_now(address, size, order);
}

static void after_change(volatile void *address, const void *value, size_t size,
                         int order)
{
    if (sched.weak && sched_on())
        weak_change_end(address, value, size, order);
}

/* true: the value came from the thread's buffer or from the past. */
static bool load_elsewhere(const volatile void *address, void *value,
                           size_t size, int order)
{
    if (!sched_on())
        return false;
    if (sched.weak && size <= 8)
        return weak_load(address, value, size, order);
    uint64_t waiting;
    if (sched.buffers && buffer_find(address, size, &waiting)) {
        memcpy(value, &waiting, size); /* little-endian */
        return true;
    }
    if (sched.buffers)
        buffer_touch(address, size);
    return false;
}

/* true: it waits in the thread's buffer. */
static bool store_later(volatile void *address, const void *value, size_t size,
                        int order)
{
    if (sched.weak && sched_on() && size <= 8)
        weak_store(address, value, size, order);
    if (size <= 8 && store_waits(address, order)) {
        uint64_t wide = 0;
        memcpy(&wide, value, size);
        buffer_put(address, wide, size);
        return true;
    }
    if (sched.buffers)
        buffer_drain_current();
    return false;
}

#define ATOMIC_CHANGE(bits, type, name, operation)                             \
    type __tsan_atomic##bits##_##name(volatile type *a, type v, int order)     \
    {                                                                          \
        SHOW(#name, a);                                                        \
        before_change(a, sizeof *a, order);                                    \
        type const old = *a;                                                   \
        type const new = (type)(operation);                                    \
        after_change(a, &new, sizeof new, order);                              \
        *a = new;                                                              \
        return old;                                                            \
    }

#define ATOMIC(bits, type)                                                     \
    type __tsan_atomic##bits##_load(const volatile type *a, int order)         \
    {                                                                          \
        SHOW("load", a);                                                       \
        atomic_access(LOAD, a, sizeof *a);                                     \
        type value;                                                            \
        return load_elsewhere(a, &value, sizeof value, order) ? value : *a;    \
    }                                                                          \
    void __tsan_atomic##bits##_store(volatile type *a, type v, int order)      \
    {                                                                          \
        SHOW("store", a);                                                      \
        atomic_access(STORE, a, sizeof *a);                                    \
        if (!store_later(a, &v, sizeof v, order))                              \
            *a = v;                                                            \
    }                                                                          \
    ATOMIC_CHANGE(bits, type, exchange, v)                                     \
    ATOMIC_CHANGE(bits, type, fetch_add, old + v)                              \
    ATOMIC_CHANGE(bits, type, fetch_sub, old - v)                              \
    ATOMIC_CHANGE(bits, type, fetch_and, old &v)                               \
    ATOMIC_CHANGE(bits, type, fetch_or, old | v)                               \
    ATOMIC_CHANGE(bits, type, fetch_xor, old ^ v)                              \
    ATOMIC_CHANGE(bits, type, fetch_nand, ~(old & v))                          \
    type __tsan_atomic##bits##_compare_exchange_val(                           \
        volatile type *a, type expected, type v, int order, int failure)       \
    {                                                                          \
        SHOW("compare_exchange", a);                                           \
        atomic_access(CHANGE, a, sizeof *a);                                   \
        type const old = *a;                                                   \
        bool const done = old == expected;                                     \
        change_now(a, sizeof *a, done ? order : failure);                      \
        if (done) {                                                            \
            after_change(a, &v, sizeof v, order);                              \
            *a = v;                                                            \
        }                                                                      \
        return old;                                                            \
    }                                                                          \
    int __tsan_atomic##bits##_compare_exchange_strong(                         \
        volatile type *a, type *expected, type v, int order, int failure)      \
    {                                                                          \
        type const old = __tsan_atomic##bits##_compare_exchange_val(           \
            a, *expected, v, order, failure);                                  \
        bool const done = old == *expected;                                    \
        *expected = old;                                                       \
        return done;                                                           \
    }                                                                          \
    int __tsan_atomic##bits##_compare_exchange_weak(                           \
        volatile type *a, type *expected, type v, int order, int failure)      \
    {                                                                          \
        return __tsan_atomic##bits##_compare_exchange_strong(a, expected, v,   \
                                                             order, failure);  \
    }

ATOMIC(8, uint8_t)
ATOMIC(16, uint16_t)
ATOMIC(32, uint32_t)
ATOMIC(64, uint64_t)
#ifdef __SIZEOF_INT128__
ATOMIC(128, unsigned __int128)
#endif

void __tsan_atomic_thread_fence(int order)
{
    SHOW("fence", NULL);
    if (!sched_on())
        return;
    sched_point(FENCE, 0);
    if (order == __ATOMIC_SEQ_CST)
        buffer_drain_current();
    if (sched.weak)
        weak_fence(order);
}
void __tsan_atomic_signal_fence(int order)
{
    (void)order;
}

/* ---- the library's memcpy and its kin ------------------------------------ */

/* Compiled in by name (schedule.cmake), for gcc calls libc's. A copy is made
 * in two pieces, so that one of what somebody changes is torn. */
void *schedule_memcpy(void *to, const void *from, size_t size)
{
    size_t const half = size / 16 * 8;
    plain_access(from, size, false);
    plain_access(to, size, true);
    memcpy(to, from, half);
    plain_access((const char *)from + half, size - half, false);
    memcpy((char *)to + half, (const char *)from + half, size - half);
    return to;
}
void *schedule_memmove(void *to, const void *from, size_t size)
{
    return __tsan_memmove(to, from, size);
}
void *schedule_memset(void *to, int byte, size_t size)
{
    return __tsan_memset(to, byte, size);
}
int schedule_memcmp(const void *a, const void *b, size_t size)
{
    plain_access(a, size, false);
    plain_access(b, size, false);
    return memcmp(a, b, size);
}
