/* SPDX-License-Identifier: MIT */
/* virtual_calls.c - system calls of the library, answered by the scheduler.
 *
 * The linker sends them here (--wrap). Outside of a run they are the real
 * ones, but for the clock and the random numbers, which belong to the seed
 * from setup to check. */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "schedule/support/scheduler_internal.h"

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
int __real_clock_gettime(clockid_t id, struct timespec *now);
int __wrap_clock_gettime(clockid_t id, struct timespec *now);
int __real_sched_yield(void);
int __wrap_sched_yield(void);
int __real_nanosleep(const struct timespec *wish, struct timespec *rest);
int __wrap_nanosleep(const struct timespec *wish, struct timespec *rest);
int __real_clock_nanosleep(clockid_t id, int flags, const struct timespec *wish,
                           struct timespec *rest);
int __wrap_clock_nanosleep(clockid_t id, int flags, const struct timespec *wish,
                           struct timespec *rest);
ssize_t __real_getrandom(void *buffer, size_t size, unsigned flags);
ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags);
void __wrap_girt__assert_failed(const char *condition, const char *file,
                                int line);
void __real_girt__assert_failed(const char *condition, const char *file,
                                int line);

static int64_t nanoseconds(const struct timespec *t)
{
    return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

static long fail_with(int error)
{
    errno = error;
    return -1;
}

static long futex_wait(uint32_t *word, uint32_t value, int64_t deadline_ns)
{
    sched_point(1, 4);
    sched_full_fence();
    heap_check(word, sizeof *word);
    if (*word != value)
        return fail_with(EAGAIN);
    if (deadline_ns <= sched.now_ns)
        return fail_with(ETIMEDOUT);
    if (sched.signals && rng_below(&sched.rng, 16) == 0)
        return fail_with(EINTR);
    return sched_wait(word, deadline_ns) ? 0 : fail_with(ETIMEDOUT);
}

static long futex(uint32_t *word, int operation, uint32_t value,
                  const struct timespec *timeout)
{
    int64_t const given = timeout == NULL ? FOREVER : nanoseconds(timeout);
    switch (operation & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
        return futex_wait(word, value,
                          timeout == NULL ? FOREVER : sched.now_ns + given);
    case FUTEX_WAIT_BITSET:
        return futex_wait(word, value, given);
    case FUTEX_WAKE:
    case FUTEX_WAKE_BITSET:
        sched_point(1, 4);
        sched_full_fence();
        return (long)sched_wake(word, value > INT_MAX ? INT_MAX : value);
    default:
        schedule_fail("futex operation %d is not simulated", operation);
        return fail_with(ENOSYS);
    }
}

bool schedule_without_membarrier;

/* A full fence of each thread in turn, at some moment of the call. */
static long membarrier(int command)
{
    if (schedule_without_membarrier)
        return fail_with(ENOSYS);
    if (command != MEMBARRIER_CMD_PRIVATE_EXPEDITED || !sched_on())
        return 0; /* registering; or nobody else is there */
    sched_full_fence();
    for (size_t i = 0; i < sched.count; i++) {
        sched_point(1, 4);
        buffer_drain(&sched.threads[i]);
        if (sched.weak)
            weak_sync_other(i);
    }
    sched_full_fence();
    return 0;
}

long __wrap_syscall(long number, ...)
{
    va_list list;
    va_start(list, number);
    long const a = va_arg(list, long), b = va_arg(list, long);
    long const c = va_arg(list, long), d = va_arg(list, long);
    long const e = va_arg(list, long), f = va_arg(list, long);
    va_end(list);
    if (number == SYS_futex && sched_on())
        return futex((uint32_t *)a, (int)b, (uint32_t)c,
                     (const struct timespec *)d);
    if (number == SYS_membarrier)
        return membarrier((int)a);
    if (number == SYS_clock_nanosleep && sched_on())
        return __wrap_clock_nanosleep((clockid_t)a, (int)b,
                                      (const struct timespec *)c, NULL);
    return __real_syscall(number, a, b, c, d, e, f);
}

int __wrap_clock_gettime(clockid_t id, struct timespec *now)
{
    if (!sched.active)
        return __real_clock_gettime(id, now);
    sched.now_ns += 20;
    now->tv_sec = sched.now_ns / 1000000000;
    now->tv_nsec = sched.now_ns % 1000000000;
    return 0;
}

int __wrap_sched_yield(void)
{
    if (!sched_on())
        return __real_sched_yield();
    sched_give_way();
    return 0;
}

int __wrap_nanosleep(const struct timespec *wish, struct timespec *rest)
{
    if (!sched_on())
        return __real_nanosleep(wish, rest);
    (void)sched_wait(NULL, sched.now_ns + nanoseconds(wish));
    return 0;
}

int __wrap_clock_nanosleep(clockid_t id, int flags, const struct timespec *wish,
                           struct timespec *rest)
{
    if (!sched_on())
        return __real_clock_nanosleep(id, flags, wish, rest);
    int64_t const given = nanoseconds(wish);
    (void)sched_wait(NULL, (flags & TIMER_ABSTIME) != 0 ? given
                                                        : sched.now_ns + given);
    return 0;
}

ssize_t __wrap_getrandom(void *buffer, size_t size, unsigned flags)
{
    if (!sched.active)
        return __real_getrandom(buffer, size, flags);
    /* The same in all of a run, so that setup can make an object twice. */
    rng bytes = {sched.result.seed};
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)buffer)[i] = (unsigned char)rng_next(&bytes);
    return (ssize_t)size;
}

void __wrap_girt__assert_failed(const char *condition, const char *file,
                                int line)
{
    if (sched.current != NULL)
        schedule_fail("assertion %s at %s:%d", condition, file, line);
    __real_girt__assert_failed(condition, file, line);
}
