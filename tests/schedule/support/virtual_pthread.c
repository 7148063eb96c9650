/* SPDX-License-Identifier: MIT */
/* virtual_pthread.c - locks and thread-specific data of the library.
 *
 * A thread that waits for a lock must let the others run, so a lock is tried,
 * and its waiters sleep in the scheduler. Thread-specific data lives here, so
 * that destructors run inside the schedule, at the end of each thread. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "schedule/support/scheduler_internal.h"

int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex);
int __real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int __real_pthread_cond_signal(pthread_cond_t *cond);
int __wrap_pthread_cond_signal(pthread_cond_t *cond);
int __real_pthread_cond_broadcast(pthread_cond_t *cond);
int __wrap_pthread_cond_broadcast(pthread_cond_t *cond);
int __real_pthread_once(pthread_once_t *once, void (*init)(void));
int __wrap_pthread_once(pthread_once_t *once, void (*init)(void));
int __real_pthread_key_create(pthread_key_t *key, void (*end)(void *));
int __wrap_pthread_key_create(pthread_key_t *key, void (*end)(void *));
int __real_pthread_key_delete(pthread_key_t key);
int __wrap_pthread_key_delete(pthread_key_t key);
int __real_pthread_setspecific(pthread_key_t key, const void *value);
int __wrap_pthread_setspecific(pthread_key_t key, const void *value);
void *__real_pthread_getspecific(pthread_key_t key);
void *__wrap_pthread_getspecific(pthread_key_t key);

int __real_pthread_create(pthread_t *made, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __wrap_pthread_create(pthread_t *made, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument);
int __real_pthread_join(pthread_t other, void **result);
int __wrap_pthread_join(pthread_t other, void **result);
int __real_pthread_setname_np(pthread_t other, const char *name);
int __wrap_pthread_setname_np(pthread_t other, const char *name);

static void lock(pthread_mutex_t *mutex)
{
    while (__real_pthread_mutex_trylock(mutex) != 0)
        (void)sched_wait(mutex, FOREVER);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    if (!sched_on())
        return __real_pthread_mutex_lock(mutex);
    sched_point(3, 0);
    sched_full_fence();
    lock(mutex);
    return 0;
}

int __wrap_pthread_mutex_trylock(pthread_mutex_t *mutex)
{
    if (sched_on()) {
        sched_point(3, 0);
        sched_full_fence();
    }
    return __real_pthread_mutex_trylock(mutex);
}

int __wrap_pthread_mutex_unlock(pthread_mutex_t *mutex)
{
    if (sched_on()) {
        sched_point(3, 0);
        sched_full_fence();
    }
    int const result = __real_pthread_mutex_unlock(mutex);
    if (sched_on())
        (void)sched_wake(mutex, SCHEDULE_THREADS_MAX);
    return result;
}

int __wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
    if (!sched_on())
        return __real_pthread_cond_wait(cond, mutex);
    sched_full_fence();
    (void)__real_pthread_mutex_unlock(mutex);
    (void)sched_wake(mutex, SCHEDULE_THREADS_MAX);
    (void)sched_wait(cond, FOREVER);
    lock(mutex);
    return 0;
}

int __wrap_pthread_cond_signal(pthread_cond_t *cond)
{
    if (!sched_on())
        return __real_pthread_cond_signal(cond);
    sched_point(3, 0);
    sched_full_fence();
    (void)sched_wake(cond, 1);
    return 0;
}

int __wrap_pthread_cond_broadcast(pthread_cond_t *cond)
{
    if (!sched_on())
        return __real_pthread_cond_broadcast(cond);
    sched_point(3, 0);
    sched_full_fence();
    (void)sched_wake(cond, SCHEDULE_THREADS_MAX);
    return 0;
}

int __wrap_pthread_once(pthread_once_t *once, void (*init)(void))
{
    sched.held++; /* the others would wait inside the real one */
    int const result = __real_pthread_once(once, init);
    sched.held--;
    return result;
}

/* ---- threads that threads of a run make --------------------------------- */

int __wrap_pthread_create(pthread_t *made, const pthread_attr_t *attributes,
                          void *(*start)(void *), void *argument)
{
    if (sched.current == NULL)
        return __real_pthread_create(made, attributes, start, argument);
    sched_point(3, 0);
    sched_full_fence();
    int const index = sched_spawn(start, argument);
    if (index < 0)
        return EAGAIN;
    *made = (pthread_t)index;
    return 0;
}

int __wrap_pthread_join(pthread_t other, void **result)
{
    if (sched.current == NULL)
        return __real_pthread_join(other, result);
    sched_point(3, 0);
    while (sched.threads[other].status != ENDED)
        (void)sched_wait(&sched.threads[other], FOREVER);
    sched_full_fence();
    return 0;
}

int __wrap_pthread_setname_np(pthread_t other, const char *name)
{
    return sched.current == NULL ? __real_pthread_setname_np(other, name) : 0;
}

/* ---- thread-specific data ----------------------------------------------- */

#define KEYS_MAX 64

static struct {
    bool used;
    void (*end)(void *);
} keys[KEYS_MAX];
static void *values[SCHEDULE_THREADS_MAX][KEYS_MAX];

void keys_reset(void)
{
    memset(values, 0, sizeof values);
}

int __wrap_pthread_key_create(pthread_key_t *key, void (*end)(void *))
{
    int const result = __real_pthread_key_create(key, end);
    if (result != 0)
        return result;
    if (*key >= KEYS_MAX)
        abort();
    keys[*key].used = true;
    keys[*key].end = end;
    return 0;
}

int __wrap_pthread_key_delete(pthread_key_t key)
{
    keys[key].used = false;
    return __real_pthread_key_delete(key);
}

int __wrap_pthread_setspecific(pthread_key_t key, const void *value)
{
    if (sched.current == NULL)
        return __real_pthread_setspecific(key, value);
    memcpy(&values[schedule_self()][key], &value, sizeof value);
    return 0;
}

void *__wrap_pthread_getspecific(pthread_key_t key)
{
    return sched.current == NULL ? __real_pthread_getspecific(key)
                                 : values[schedule_self()][key];
}

/* As at a thread's end: as many rounds as POSIX promises. */
void keys_run_destructors(void)
{
    for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; round++)
        for (size_t key = 0; key < KEYS_MAX; key++) {
            void *const value = values[schedule_self()][key];
            if (!keys[key].used || value == NULL)
                continue;
            values[schedule_self()][key] = NULL;
            if (keys[key].end != NULL)
                keys[key].end(value);
        }
}
