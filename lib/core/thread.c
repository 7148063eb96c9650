/* SPDX-License-Identifier: MIT */
/* thread.c - dense thread numbers, and telling observers of a thread's end.
 *
 * Idea: one bit an index, the lowest clear bit is given next; one mutex guards
 * the bits and the list of observers.  A thread's own number is thread-local,
 * so only its first call and its end take the mutex.
 *
 * The end is heard by a pthread_key destructor.  __cxa_thread_atexit_impl was
 * the other choice: it is private to glibc and runs before the destructors of
 * every key, so that these could use girt only after girt had said goodbye.
 * Ours asks to be run again until the last but one of
 * PTHREAD_DESTRUCTOR_ITERATIONS rounds (in the last, ThreadSanitizer ends its
 * own record of the thread).  A destructor that calls girt later still finds a
 * thread that is "gone": it gets the shared last index and leaves nothing
 * behind.
 *
 * I1: a bit is set exactly while one living thread has that index.
 * I2: `ended` runs once for each index given, before its bit is cleared.
 * I3: a fork's child has one thread, and at most its bit is set.
 *
 * All state but `girt__thread_own` is under the mutex. */
#include "core/thread.h"

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/assert.h"
#include "core/cacheline.h"

enum {
    WORD_BITS = 64,
    WORDS = GIRT__THREADS_MAX / WORD_BITS,
    /* Not in the bits: any number of threads have it. */
    SHARED_INDEX = GIRT__THREADS_MAX - 1,
    /* The round of destructors in which the thread ends for us. */
    ROUNDS = PTHREAD_DESTRUCTOR_ITERATIONS - 1
};
_Static_assert(GIRT__THREADS_MAX % WORD_BITS == 0, "whole words of bits");

_Thread_local uint32_t girt__thread_own;
/* Its end was told; girt calls of later destructors leave nothing behind. */
static _Thread_local bool gone;
/* Rounds of destructors that passed. */
static _Thread_local uint32_t rounds;

static struct {
    pthread_mutex_t mutex;
    uint64_t taken[WORDS];
    uint32_t lowest; /* no word below it has a clear bit */
    uint32_t shared; /* threads that have SHARED_INDEX */
    girt__thread_observer *first;
} all = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool has_key;

static uint32_t take_lowest(void)
{
    for (uint32_t word = all.lowest; word < WORDS; word++) {
        if (all.taken[word] == UINT64_MAX)
            continue;
        all.lowest = word;
        uint32_t const bit = (uint32_t)__builtin_ctzll(~all.taken[word]);
        uint32_t const index = word * WORD_BITS + bit;
        if (index == SHARED_INDEX)
            break;
        all.taken[word] |= (uint64_t)1 << bit;
        return index;
    }
    all.shared++;
    return SHARED_INDEX;
}

static void give_back(uint32_t index)
{
    if (index == SHARED_INDEX) {
        all.shared--;
        return;
    }
    uint32_t const word = index / WORD_BITS;
    uint64_t const bit = (uint64_t)1 << (index % WORD_BITS);
    girt_assert((all.taken[word] & bit) != 0);
    all.taken[word] &= ~bit;
    if (word < all.lowest)
        all.lowest = word;
}

static void tell_observers(uint32_t index)
{
    for (girt__thread_observer *o = all.first; o != NULL; o = o->next)
        o->ended(o, index);
}

static void end_thread(void *value)
{
    /* Other keys' destructors may need girt in the rounds to come. */
    if (++rounds < ROUNDS && pthread_setspecific(key, value) == 0)
        return;
    uint32_t const index = girt__thread_own - 1;
    (void)pthread_mutex_lock(&all.mutex);
    tell_observers(index);
    give_back(index);
    girt__thread_own = 0;
    gone = true;
    (void)pthread_mutex_unlock(&all.mutex);
}

static void lock_for_fork(void)
{
    (void)pthread_mutex_lock(&all.mutex);
    for (girt__thread_observer *o = all.first; o != NULL; o = o->next)
        if (o->before_fork != NULL)
            o->before_fork(o);
}

static void unlock_after_fork(bool in_child)
{
    for (girt__thread_observer *o = all.first; o != NULL; o = o->next)
        if (o->after_fork != NULL)
            o->after_fork(o, in_child);
    (void)pthread_mutex_unlock(&all.mutex);
}

static void unlock_in_parent(void)
{
    unlock_after_fork(false);
}

/* Buries the threads that are not in this process. */
static void bury_in_child(void)
{
    for (uint32_t word = 0; word < WORDS; word++) {
        for (uint64_t left = all.taken[word]; left != 0; left &= left - 1) {
            uint32_t const index =
                word * WORD_BITS + (uint32_t)__builtin_ctzll(left);
            if (index == girt__thread_own - 1)
                continue;
            tell_observers(index);
            give_back(index);
        }
    }
    /* The survivor may be one of those who share the last index. */
    uint32_t const survivors = girt__thread_own - 1 == SHARED_INDEX;
    if (all.shared > survivors && survivors == 0)
        tell_observers(SHARED_INDEX);
    all.shared = survivors;
    unlock_after_fork(true);
}

/* Without a key (the program has used up all of them) ends go unheard:
 * indices are then not given again, and nothing else is wrong. */
static void set_up(void)
{
    has_key = pthread_key_create(&key, end_thread) == 0;
    (void)pthread_atfork(lock_for_fork, unlock_in_parent, bury_in_child);
}

/* A static girt in a plugin that is unloaded: its code must not be called at
 * the end of threads that go on.  libgirt.so itself is never unloaded. */
__attribute__((destructor)) static void forget_key(void)
{
    if (has_key)
        (void)pthread_key_delete(key);
    has_key = false;
}

__attribute__((cold)) uint32_t girt__thread_first_call(void)
{
    if (gone)
        return SHARED_INDEX;
    (void)pthread_once(&once, set_up);
    (void)pthread_mutex_lock(&all.mutex);
    girt__thread_own = take_lowest() + 1;
    (void)pthread_mutex_unlock(&all.mutex);
    if (has_key)
        (void)pthread_setspecific(key, &all);
    return girt__thread_own - 1;
}

void girt__thread_observe(girt__thread_observer *observer)
{
    /* Forks are heard from now on, though no thread may have an index yet. */
    (void)pthread_once(&once, set_up);
    (void)pthread_mutex_lock(&all.mutex);
    observer->previous = NULL;
    observer->next = all.first;
    if (all.first != NULL)
        all.first->previous = observer;
    all.first = observer;
    (void)pthread_mutex_unlock(&all.mutex);
}

void girt__thread_unobserve(girt__thread_observer *observer)
{
    (void)pthread_mutex_lock(&all.mutex);
    if (observer->previous != NULL)
        observer->previous->next = observer->next;
    else
        all.first = observer->next;
    if (observer->next != NULL)
        observer->next->previous = observer->previous;
    (void)pthread_mutex_unlock(&all.mutex);
}
